/* SPDX-License-Identifier: GPL-2.0-or-later */
/* score.c - in which order the candidates of a job should be taken */
#include "score.h"

unsigned int vol_score_node(const struct vol_score_job *job, const char *node)
{
	(void)job;
	(void)node;
	return 0;
}
