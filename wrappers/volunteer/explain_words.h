/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_words.h - figures of the scheduler as people say them; pure */
#ifndef VOL_EXPLAIN_WORDS_H
#define VOL_EXPLAIN_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VOL_WORDS_SIZE 32

/* "45s", "12m", "2h 03m", "3d 04h": forecasts are no better than that. */
const char *vol_words_span(double s, char buf[VOL_WORDS_SIZE]);

/* "4%"; what is not quite sure is "<1%" or ">99%". */
const char *vol_words_chance(double chance, char buf[VOL_WORDS_SIZE]);

/* "1.2x" of VOL_SCORE_SPEED; "-" for 0, which is not measured. */
const char *vol_words_speed(uint32_t speed, char buf[VOL_WORDS_SIZE]);

/* "1 device", "3 devices". */
const char *vol_words_count(size_t n, const char *noun,
			    char buf[VOL_WORDS_SIZE]);

/* What Slurm's reason for a pending job says, after "it means that"; never
 * NULL. */
const char *vol_words_reason(const char *reason);

/* "37" or "37_3" (a task of an array), without a task: UINT32_MAX.  False for
 * all else; nodes of devices never have such names. */
bool vol_words_job(const char *word, uint32_t *id, uint32_t *task);

#endif
