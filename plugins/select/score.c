/* SPDX-License-Identifier: GPL-2.0-or-later */
/* score.c - in which order the candidates of a job should be taken */
#include "score.h"

unsigned int vol_score_node(const struct vol_score_job *job, const char *node)
{
	(void)job;
	(void)node;
	return 0;
}

uint32_t vol_score_weight(uint32_t weight, unsigned int level)
{
	const uint32_t max = UINT32_MAX >> VOL_SCORE_BITS;

	if (weight > max)
		weight = max;
	if (level >= VOL_SCORE_LEVELS)
		level = VOL_SCORE_LEVELS - 1;
	return weight << VOL_SCORE_BITS | level;
}
