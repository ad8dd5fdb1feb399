/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices.h - the node table as the plugin uses it; no Slurm header
 *
 * Answers for each candidate of each scheduling attempt: is it a device, which
 * state is it in, what would the job cost there?  All inside slurmctld's locks,
 * so answers are kept: the slot of a node by its place in slurmctld's table,
 * and the costs of the last few kinds of jobs by slot.
 */
#ifndef VOL_SELECT_DEVICES_H
#define VOL_SELECT_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imagetable.h"
#include "nodetable.h"
#include "score.h"

#define VOL_NO_DEVICE UINT32_MAX

struct vol_devices;

/* Of the node table at path and the table of images beside it, if they are
 * those of this cluster (clustername.h).  NULL:
 * no memory. */
struct vol_devices *vol_devices_create(const char *path, const char *cluster);
void vol_devices_destroy(struct vol_devices *d);

/* As vol_nodeview_refresh, but once a millisecond: slurmctld asks for thousands
 * of jobs a second, and what a device says takes longer to come here.  n_nodes:
 * the length of slurmctld's table; update: something that changes when a node
 * is created, deleted or renamed, though perhaps not each time within a second,
 * as time_t last_node_update. */
int vol_devices_refresh(struct vol_devices *d, uint64_t now_ms, size_t n_nodes,
			int64_t update, struct vol_error *err);

/* Where a node of slurmctld's was found the last time. */
struct vol_place {
	const void *record; /* its identity; NULL: look again */
	uint32_t slot;
};
struct vol_place *vol_devices_places(struct vol_devices *d);
void vol_devices_find(struct vol_devices *d, struct vol_place *place,
		      const void *record, const char *name);

/* The slot of a node: its place, that of its number < n_nodes, a pointer as its
 * identity, and its name.  The name is looked at when the pointer is another
 * one than the last time, when update or the table's names changed, and once a
 * second: a record that is freed and made again may be at the same place. */
static inline uint32_t vol_devices_slot(struct vol_devices *d,
					struct vol_place *place,
					const void *record, char *const *name)
{
	if (place->record != record)
		vol_devices_find(d, place, record, *name);
	return place->slot;
}

/* The machines that can go on with a job, to be used until the next refresh;
 * NULL: it may be started on any.  Without saved jobs it costs nothing. */
const struct vol_imagetable_need *vol_devices_need(const struct vol_devices *d,
						   uint32_t job);
/* Is the machine of a slot one of them? */
bool vol_devices_fits(const struct vol_devices *d,
		      const struct vol_imagetable_need *need, uint32_t slot);

/* For states and records. */
const struct vol_nodeview *vol_devices_view(const struct vol_devices *d);

/* What a kind of jobs costs on a slot. */
struct vol_cost {
	uint32_t edition; /* of the record that cost was made from; 0: none */
	uint32_t cost;
	uint32_t era; /* of level */
	uint16_t risk, max_risk;
	uint8_t level;
};

/* A kind of jobs, for each of which costs by slot are kept; to be used until
 * the next call.  NULL: no memory. */
struct vol_kind *vol_devices_kind(struct vol_devices *d,
				  const struct vol_score_job *job);
struct vol_cost *vol_kind_costs(struct vol_kind *kind);
const struct vol_score_plan *vol_kind_plan(const struct vol_kind *kind);
/* Another number each time that the best and the worst cost are others than
 * before, and levels with them. */
uint32_t vol_kind_era(struct vol_kind *kind, uint32_t best, uint32_t worst);
/* Make cost anew. */
void vol_devices_appraise(struct vol_devices *d, const struct vol_kind *kind,
			  uint32_t slot, struct vol_cost *cost);
/* As vol_score_cost, on a slot that has a name. */
static inline uint32_t vol_devices_cost(struct vol_devices *d,
					const struct vol_kind *kind,
					uint32_t slot, uint32_t edition,
					struct vol_cost *cost)
{
	if (cost->edition != edition)
		vol_devices_appraise(d, kind, slot, cost);
	return cost->cost;
}
/* As vol_score_explain. */
void vol_devices_explain(struct vol_devices *d, const struct vol_kind *kind,
			 uint32_t slot, struct vol_score_figures *f);

#endif
