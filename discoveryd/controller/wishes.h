/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wishes.h - the queue of wishes before the registrar's thread; pure
 *
 * In the order in which they came, one for each node.  All operations take the
 * same time however many wait, since thousands do when the owners of a campus
 * come to work, or when its power is back.
 *
 * Wishes differ in how long they can wait:
 *
 *  urgent   CREATE, DELETE, DOWN, ADDRESS, FEATURES, COMMENT: not at all
 *  patient  DRAIN, RESUME: for the next round (registrar.h)
 *  look     WAIT: not while they are VOL_WISHES_FEW; more of them wait for the
 *           next round, which reads the whole table once for all of them
 */
#ifndef VOL_WISHES_H
#define VOL_WISHES_H

#include <stdbool.h>
#include <stddef.h>

#include "registrar_work.h"

/* slurmctld answers 16 single looks (1 ms each) in the time in which it packs a
 * few thousand nodes. */
#define VOL_WISHES_FEW     16
#define VOL_WISHES_BUCKETS 4096 /* for 10 000; 32 KiB */

struct vol_wishes {
	struct vol_job *first, **end;
	struct vol_job *buckets[VOL_WISHES_BUCKETS]; /* by node */
	size_t n, n_patient, n_looks;
};

void vol_wishes_init(struct vol_wishes *q);
/* Free all. */
void vol_wishes_clear(struct vol_wishes *q);

/* NULL if there is none for this node. */
struct vol_job *vol_wishes_find(const struct vol_wishes *q, const char *node);

/* Put another wish for the same node in the place of job's. */
void vol_wishes_replace(struct vol_wishes *q, struct vol_job *job,
			const struct vol_wish *wish);

/* At the end; there must be none for its node.  Takes it over. */
void vol_wishes_add(struct vol_wishes *q, struct vol_job *job);

/* Is there something to do?  round: the time of the next round has come. */
bool vol_wishes_due(const struct vol_wishes *q, bool round);
/* Is there something that waits for it? */
bool vol_wishes_await_round(const struct vol_wishes *q);

/* All that is due, as a list that is the caller's. */
struct vol_job *vol_wishes_take(struct vol_wishes *q, bool round);

/* Back to the front, in their order; one for whose node there is a newer wish
 * is freed. */
void vol_wishes_put_back(struct vol_wishes *q, struct vol_job *list);

#endif
