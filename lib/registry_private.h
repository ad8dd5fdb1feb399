/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registry_private.h - between registry.c and registry_file.c */
#ifndef VOL_REGISTRY_PRIVATE_H
#define VOL_REGISTRY_PRIVATE_H

#include "registry.h"

enum vol_registry_order { BY_ID, BY_NODE, N_ORDERS };

struct vol_registry {
	char *path;
	struct vol_device **sorted[N_ORDERS];
	size_t n, size;
	bool dirty;
	/* Devices with one hostname (clones) come in crowds: the numbers below
	 * next are taken for names that begin with base. */
	char base[VOL_NODE_NAME_SIZE];
	unsigned next;
};

/* Takes d over; -1 without memory.  Neither id nor node (unless "") may be
 * known. */
int vol_registry_insert(struct vol_registry *r, struct vol_device *d);

#endif
