/* SPDX-License-Identifier: GPL-2.0-or-later */
/* intake.c - reports of one device that are being applied; pure */
#include "config.h"

#include "intake.h"

#include <stdlib.h>
#include <string.h>

int vol_intake_add(struct vol_intake *q, const struct vol_taken *report)
{
	size_t size = q->size ? 2 * q->size : 4;
	struct vol_taken *grown;

	if (q->n == q->size) {
		grown = realloc(q->list, size * sizeof(*grown));
		if (!grown)
			return -1;
		q->list = grown;
		q->size = size;
	}
	q->list[q->n++] = *report;
	return 0;
}

bool vol_intake_done(struct vol_intake *q, uint32_t job, uint64_t seq)
{
	bool any = false;

	for (size_t i = 0; job && i < q->n && q->list[i].seq <= seq; i++) {
		if (q->list[i].job != job)
			continue;
		any |= !q->list[i].done;
		q->list[i].done = true;
	}
	return any;
}

bool vol_intake_next(struct vol_intake *q, struct vol_taken *report)
{
	if (!q->n || (q->list[0].job && !q->list[0].done))
		return false;
	*report = q->list[0];
	memmove(q->list, q->list + 1, --q->n * sizeof(*q->list));
	return true;
}

void vol_intake_clear(struct vol_intake *q)
{
	free(q->list);
	memset(q, 0, sizeof(*q));
}
