/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner_words.h - words that the owner's pages have in common; pure
 *
 * All take what discoveryd said, of which any member may be missing.
 */
#ifndef VOL_OWNER_WORDS_H
#define VOL_OWNER_WORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Members of an object; "" and 0 when missing or of another type. */
const char *vol_get_text(const json_t *object, const char *key);
uint64_t vol_get_number(const json_t *object, const char *key);
bool vol_get_flag(const json_t *object, const char *key);

/* "input" is "keyboard or mouse"; a name that is not known stays. */
const char *vol_sensor_words(const char *name);

/* Is a sensor's claim why the machine is not open? */
bool vol_owner_claims(const json_t *owner);

/* "Parked: owner present since 10:31 (keyboard or mouse)".  owner: member
 * "owner" of a status reply.  Returns buf. */
const char *vol_owner_headline(const json_t *owner, time_t now, char *buf,
			       size_t size);

/* Frozen and running jobs: a job with one frozen step only is running. */
struct vol_job_count {
	size_t frozen, running;
};
struct vol_job_count vol_owner_jobs(const json_t *owner);

/* When it opens by itself: "at 10:36 (in 4m48s)", or false when that can not
 * be foreseen. */
bool vol_owner_opens(const json_t *owner, time_t now, char *buf, size_t size);

#endif
