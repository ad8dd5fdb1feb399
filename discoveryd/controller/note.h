/* SPDX-License-Identifier: GPL-2.0-or-later */
/* note.h - what slurmctld said about a node, in few bytes; pure
 *
 * A struct vol_slurm_node has room for the longest texts, 1.5 KiB; there is a
 * note for each of ten thousand devices, and most have little to say.
 */
#ifndef VOL_NOTE_H
#define VOL_NOTE_H

#include "cluster.h"

struct vol_note {
	char *texts; /* owned: name, address, state, reason, ... each with \0 */
	size_t len;
	uint32_t sockets, cores, threads, cpus, gpus;
	uint64_t memory_mb;
	bool dynamic, future, registered;
	bool down, drained, not_responding, invalid_reg, allocated;
};

/* *n is zeroed or an earlier note.  -1 with ENOMEM: it is as it was. */
int vol_note_set(struct vol_note *n, const struct vol_slurm_node *node);
/* Zeroed, of a note that was never set. */
void vol_note_get(const struct vol_note *n, struct vol_slurm_node *node);
void vol_note_clear(struct vol_note *n);

#endif
