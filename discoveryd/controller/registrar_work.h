/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registrar_work.h - what the registrar's thread does with wishes */
#ifndef VOL_REGISTRAR_WORK_H
#define VOL_REGISTRAR_WORK_H

#include <stdbool.h>
#include <stddef.h>

#include "registrar.h"

/* A wish on its way through the thread; the answer's wish pointer is set when
 * it is handed over. */
struct vol_job {
	struct vol_wish wish;
	struct vol_answer answer;
	bool done;
	bool checked;    /* answer.node is what it was a moment ago */
	bool alone;      /* a call for it and others failed */
	bool after_view; /* newer than the view that waits with it */
	struct vol_job *next;
	struct vol_job *alike; /* wishes.c */
};

/* DRAIN and RESUME. */
static inline bool vol_work_is_patient(const struct vol_job *job)
{
	return job->wish.action == VOL_ACT_DRAIN ||
	       job->wish.action == VOL_ACT_RESUME;
}

/* Look at the nodes of all patient jobs of the list and of those that only
 * look, one by one or, when they are many, in the whole table, and answer those
 * that must not be touched.  false: slurmctld is away (*why says how). */
bool vol_work_check(struct vol_job *list, struct vol_error *why);

/* Carry out first together with all later ones of its list that ask for the
 * same change, look at what came of it and mark them done.  false: slurmctld is
 * away, nothing was done and all must be tried again (first's answer.why says
 * what it said).  *view: the answers are without a look, the whole table must
 * be read. */
bool vol_work_group(struct vol_job *first, bool *view);

#endif
