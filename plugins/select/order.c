/* SPDX-License-Identifier: GPL-2.0-or-later */
/* order.c - what Slurm reads to take one node before another; as
 * select_cons_tres.c for exactly one slurmctld
 */
#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/common/node_conf.h"
#include "src/slurmctld/slurmctld.h"

#include "compat.h"
#include "order.h"
#include "score.h"

#pragma weak node_record_table_ptr

/* Node records lie anywhere in memory, and to wait for each in turn would take
 * longer than all the rest; they are touched no more than needed. */
static inline node_record_t *record_of(const struct vol_candidates *c, size_t i,
				       size_t field)
{
	const size_t ahead = 8;

	if (i + ahead < c->n)
		__builtin_prefetch(
			(char *)node_record_table_ptr[c->list[i + ahead].node] +
				field,
			1);
	return node_record_table_ptr[c->list[i].node];
}

void vol_order_by_weight(struct vol_candidates *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct vol_candidate *a = &c->list[i];
		node_record_t *node =
			record_of(c, i, offsetof(node_record_t, weight));

		if (a->dropped)
			continue;
		a->weight = node->weight;
		a->kept = node->weight;
		node->weight = vol_score_weight(a->weight, a->level);
	}
}

void vol_order_by_sched_weight(struct vol_candidates *c, bool start)
{
	for (size_t i = 0; i < c->n; i++) {
		struct vol_candidate *a = &c->list[i];
		node_record_t *node =
			record_of(c, i, offsetof(node_record_t, sched_weight));
		uint64_t kept = node->sched_weight;

		if (a->dropped)
			continue;
		a->kept = kept;
		a->weight = start ? (uint32_t)(kept >> VOL_SCHED_WEIGHT_SHIFT)
				  : node->weight;
		a->order = (kept & ~VOL_SCHED_WEIGHT_MASK) |
			   (uint64_t)vol_score_weight(a->weight, a->level)
				   << VOL_SCHED_WEIGHT_SHIFT;
		node->sched_weight = a->order;
	}
}

void vol_order_restore(const struct vol_candidates *c, bool weight)
{
	const size_t field = weight ? offsetof(node_record_t, weight)
				    : offsetof(node_record_t, sched_weight);

	for (size_t i = 0; i < c->n; i++) {
		const struct vol_candidate *a = &c->list[i];
		node_record_t *node = record_of(c, i, field);

		if (a->dropped)
			continue;
		if (weight)
			node->weight = (uint32_t)a->kept;
		else
			node->sched_weight = a->kept;
	}
}
