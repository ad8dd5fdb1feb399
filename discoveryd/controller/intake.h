/* SPDX-License-Identifier: GPL-2.0-or-later */
/* intake.h - reports of one device that are being applied; pure
 *
 * They are begun in the order in which they came.  What becomes of a job is
 * known later, and a report counts as applied when all before it are, too: so
 * states are applied when it is their turn, at the head.
 */
#ifndef VOL_INTAKE_H
#define VOL_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link.h"

struct vol_taken {
	uint64_t seq;
	uint32_t job; /* that is to start elsewhere; 0: a state */
	enum vol_harvest harvest;
	bool done; /* it is known what became of the job */
};

struct vol_intake {
	struct vol_taken *list; /* owned */
	size_t n, size;
};

/* -1 with ENOMEM. */
int vol_intake_add(struct vol_intake *q, const struct vol_taken *report);
/* It is known what became of that job, which reports up to seq asked about. Was
 * one of them waiting for it? */
bool vol_intake_done(struct vol_intake *q, uint32_t job, uint64_t seq);
/* Take the head off, if it is its turn. */
bool vol_intake_next(struct vol_intake *q, struct vol_taken *report);
/* None of them comes back by itself: the link is gone. */
void vol_intake_clear(struct vol_intake *q);

#endif
