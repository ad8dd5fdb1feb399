/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_list.h - the node table of this host as a list
 *
 * For commands that read it once and end; the scheduler reads it through
 * nodetable.h.
 */
#ifndef VOL_DEVICE_LIST_H
#define VOL_DEVICE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "nodetable.h"

struct vol_device_list {
	struct vol_nodetable_node *list; /* owned, by name; state is what a
					  * reader takes it for at now_s */
	size_t n;
	uint64_t now_s;  /* CLOCK_BOOTTIME of that, to compare with heard_s */
	uint64_t age_ms; /* how long the writer has been silent */
};

/* Read the table at path as of now_ms (CLOCK_BOOTTIME).  A table whose writer
 * is silent is ESTALE, or with stale_too read as of when it was not.  *d is
 * untouched on error, which says in one line for people what is wrong. */
int vol_device_list_load(const char *path, uint64_t now_ms, bool stale_too,
			 struct vol_device_list *d, struct vol_error *err);
void vol_device_list_clear(struct vol_device_list *d);

/* NULL when there is none; borrowed. */
const struct vol_nodetable_node *vol_device_list_find(
	const struct vol_device_list *d, const char *name);

/* CLOCK_BOOTTIME in ms. */
uint64_t vol_boot_ms(void);

#endif
