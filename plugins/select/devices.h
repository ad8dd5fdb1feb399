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

#include <stddef.h>
#include <stdint.h>

#include "nodetable.h"
#include "score.h"

#define VOL_NO_DEVICE UINT32_MAX

struct vol_devices;

/* NULL: no memory. */
struct vol_devices *vol_devices_create(const char *path);
void vol_devices_destroy(struct vol_devices *d);

/* As vol_nodeview_refresh.  n_nodes: the length of slurmctld's table; update:
 * something that changes when a node is created, deleted or renamed, though
 * perhaps not each time within a second, as time_t last_node_update. */
int vol_devices_refresh(struct vol_devices *d, uint64_t now_ms, size_t n_nodes,
			int64_t update, struct vol_error *err);

/* The slot of a node: number index < n_nodes, record as its identity, name.
 * The name is looked at when the record is another one than the last time, when
 * update or the table's names changed, and once a second: a record that is
 * freed and made again may be at the same place. */
uint32_t vol_devices_slot(struct vol_devices *d, size_t index,
			  const void *record, const char *const *name);

enum vol_nodetable_state vol_devices_state(const struct vol_devices *d,
					   uint32_t slot);
const struct vol_nodetable_node *vol_devices_node(const struct vol_devices *d,
						  uint32_t slot);

/* A kind of jobs, to be asked for with vol_devices_cost until the next call.
 * NULL: no memory. */
struct vol_kind *vol_devices_kind(struct vol_devices *d,
				  const struct vol_score_job *job);
/* As vol_score_cost. */
uint32_t vol_devices_cost(struct vol_devices *d, struct vol_kind *kind,
			  uint32_t slot);
/* As vol_score_explain. */
void vol_devices_explain(struct vol_devices *d, const struct vol_kind *kind,
			 uint32_t slot, struct vol_score_figures *f);

#endif
