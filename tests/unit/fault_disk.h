/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fault_disk.h - kill a machine at any write, fsync or rename, or cut its power
 *
 * The linker puts these functions in front of libc's (--wrap), so the code
 * under test does not know.  A machine has one file that must survive.  After
 * kill -9 all that was written is there; after a power cut only what was synced
 * is, and any part of the rest, sector by sector: contents by fsync of the
 * file, a name by fsync of its folder.
 */
#ifndef VOL_FAULT_DISK_H
#define VOL_FAULT_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault_disk {
	char path[128];
	bool dead; /* nothing works any more until fault_restart */
	/* What a power cut leaves for sure, and what may be there instead. */
	uint8_t *sure, *maybe;
	size_t n_sure, n_maybe;
	bool has_maybe, has_sure, tmp_synced;
};

/* Whose disk is meant from now on; NULL: nobody's, nothing can fail. */
void fault_machine(struct fault_disk *d);
/* The nth fault point from now kills the machine that meets it; 0: none does.
 */
void fault_plan(unsigned nth);
/* Points passed so far. */
unsigned fault_points(void);
/* A point of the test's own (a send, a call to Slurm): does the machine die? */
bool fault_strikes(void);
/* What the file looks like to the next life. */
void fault_restart(struct fault_disk *d, bool power_cut);
void fault_disk_clear(struct fault_disk *d);

/* The same numbers in each run. */
void fault_seed(uint64_t seed);
/* 0 .. n - 1 */
unsigned fault_random(unsigned n);

#endif
