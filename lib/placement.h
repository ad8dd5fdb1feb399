/* SPDX-License-Identifier: GPL-2.0-or-later */
/* placement.h - what the select plugin decided, kept for volunteer explain
 *
 * A ring of fixed-size records in one file that the plugin writes each time
 * it starts a job on devices, and anybody reads: which
 * candidates there were, what became of each and from what figures.  It is a
 * memory for people: losing it costs nothing, so it is never synced, and a
 * record that is torn or foreign is skipped.  Byte by byte in
 * slurm-volunteer-nodes(5).
 */
#ifndef VOL_PLACEMENT_H
#define VOL_PLACEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "names.h"
#include "nodetable.h"
#include "score.h"

#define VOL_PLACEMENT_FILE  "placements" /* beside VOL_NODETABLE_FILE */
#define VOL_PLACEMENT_NODES 12           /* told of by name */
#define VOL_PLACEMENT_RING  512          /* records that are kept */

enum vol_placement_fate {
	VOL_PLACEMENT_TAKEN,
	VOL_PLACEMENT_PASSED,  /* a better one was there */
	VOL_PLACEMENT_HELD,    /* its owner will likely be back too soon */
	VOL_PLACEMENT_DROPPED, /* not open: state says */
};

struct vol_placement_node {
	char name[VOL_NODE_NAME_SIZE];
	enum vol_placement_fate fate;
	enum vol_nodetable_state state;
	uint32_t weight; /* the admin's */
	unsigned int level;
	uint32_t speed;
	struct vol_score_figures figures; /* zero for one that is not open */
};

struct vol_placement {
	int64_t at; /* Unix seconds */
	uint32_t job;
	struct vol_score_job facts;
	/* All candidates: devices by fate, and nodes that are none. */
	uint32_t taken, passed, held, dropped, others;
	uint32_t unfit; /* devices that could not go on with a saved job */
	/* In the order of fates, of each the best. */
	uint32_t n_nodes;
	struct vol_placement_node nodes[VOL_PLACEMENT_NODES];
};

struct vol_placement_log;

/* Open or make path (mode 0644), and go on after the newest record there. EPERM
 * when it is somebody else's, EINVAL when it is no file.  NULL with the reason.
 */
struct vol_placement_log *vol_placement_open(const char *path,
					     struct vol_error *err);
/* NULL-safe. */
void vol_placement_close(struct vol_placement_log *log);
/* Takes the place of the newest one if that was of the same job (Slurm may
 * refuse what was decided, and decide again).  Begins another file at path when
 * this one was removed or cut off; where that fails the record is lost. */
void vol_placement_add(struct vol_placement_log *log,
		       const struct vol_placement *p);

/* The newest placement of a job.  0, or -1 with ENOENT (and the reason) when
 * none is remembered, EPERM when the file is a stranger's (see trusted.h).  All
 * numbers are in their range, all names printable. */
int vol_placement_find(const char *path, uint32_t job, struct vol_placement *p,
		       struct vol_error *err);

#endif
