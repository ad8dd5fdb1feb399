/* SPDX-License-Identifier: GPL-2.0-or-later */
/* score.h - in which order the candidates of a job should be taken
 *
 * Pure: no Slurm header, no input but the arguments.  The plugin asks once per
 * candidate and scheduling attempt, inside slurmctld's node lock, so an answer
 * must cost well under a microsecond and never block.
 */
#ifndef VOL_SELECT_SCORE_H
#define VOL_SELECT_SCORE_H

#include <stdint.h>

/* Levels 0 (take first) to VOL_SCORE_LEVELS - 1 (take last) order nodes below
 * the admin's Weight.  64 levels leave 26 of Weight's 32 bits to the admin. */
#define VOL_SCORE_BITS   6
#define VOL_SCORE_LEVELS (1u << VOL_SCORE_BITS)

/* What a score may depend on besides the node. */
struct vol_score_job {
	uint32_t job_id;
	uint32_t time_limit_min; /* Slurm's INFINITE and NO_VAL included */
};

/* The level of one candidate for one job.  Every node is at the same level
 * today: nothing is known about any of them. */
unsigned int vol_score_node(const struct vol_score_job *job, const char *node);

/* A Weight that orders by the admin's weight first and by level second.
 * Weights of 2^26 and more become equal. */
static inline uint32_t vol_score_weight(uint32_t weight, unsigned int level)
{
	const uint32_t max = UINT32_MAX >> VOL_SCORE_BITS;

	if (weight > max)
		weight = max;
	if (level >= VOL_SCORE_LEVELS)
		level = VOL_SCORE_LEVELS - 1;
	return weight << VOL_SCORE_BITS | level;
}

#endif
