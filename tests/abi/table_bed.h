/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table_bed.h - discoveryd's side of the tests of the select plugin */
#ifndef VOL_TABLE_BED_H
#define VOL_TABLE_BED_H

#include "nodetable.h"

/* A folder of its own. */
void table_folder(void);
/* And in it a table that is empty and alive, in the place of any other. */
void table_start(void);
/* Where it is. */
const char *table_path(void);
/* A device that the owner leaves alone for so many minutes for sure, and for
 * twice as long at most.  Its id follows from its name. */
/* Of the records that are put from now on; at first any is taken. */
extern uint32_t table_max_risk;
void table_put(const char *name, enum vol_nodetable_state state,
	       unsigned int minutes);
/* The kind of their machines, from now on. */
extern uint32_t table_machine;
/* Only those of this kind can go on with this job; kind 0: any can. */
void table_images(uint32_t job, uint32_t kind);
void table_remove(const char *name);
/* Another process puts devices n0 ... n5, n1 parked, as fast as it can, until
 * this one ends. */
void table_storm(void);

#endif
