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
	bool alone;      /* a call for it and others failed */
	bool after_view; /* newer than the view that waits with it */
	struct vol_job *next;
};

/* Carry out one wish and look at the node afterwards.  false: slurmctld is
 * away and the wish must be tried again (answer.why says what it said). */
bool vol_work_one(struct vol_job *job);

/* Carry out first together with all later ones of its list that ask for the
 * same change; marks them done.  false as above, with nothing done.  *many: how
 * many were in one call, so that a look at the whole table is cheaper than one
 * at each. */
bool vol_work_group(struct vol_job *first, size_t *many);

#endif
