/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registry.h - the controller's memory of devices: identity -> node name
 *
 * Kept in one JSON file that is replaced atomically (write to a temporary file,
 * fsync, rename, fsync of the folder), so a reader or a restart after kill -9
 * sees the old or the new state, never half of one.  Pure C: no Slurm header.
 *
 * File: {"version": 1, "devices": [{"id": "32 hex", "node": "name",
 *	"hostname": "...", "address": "...", "facts": {...},
 *	"first_seen": unix seconds, "last_seen": unix seconds,
 *	"created": true if the node was made in Slurm by us}]}
 */
#ifndef VOL_REGISTRY_H
#define VOL_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "error.h"
#include "facts.h"
#include "names.h"

#define VOL_HOSTNAME_SIZE 256
/* besides letters and digits; what else a hostname holds is never stored */
#define VOL_HOSTNAME_CHARS "._-"
#define VOL_ADDRESS_SIZE   46 /* INET6_ADDRSTRLEN */

struct vol_device {
	char id[VOL_DEVICE_ID_SIZE];
	char node[VOL_NODE_NAME_SIZE];
	char hostname[VOL_HOSTNAME_SIZE]; /* as the device gave it, printable */
	char address[VOL_ADDRESS_SIZE];
	struct vol_facts facts;
	time_t first_seen, last_seen;
	bool created;
};

struct vol_registry;

/* Load path; a missing file is an empty registry.  A damaged one is an error
 * that names the place (the admin decides; we never throw devices away). Facts
 * that were never known are null in the file and zero in memory. */
struct vol_registry *vol_registry_load(const char *path, struct vol_error *err);
void vol_registry_destroy(struct vol_registry *r);

/* Write to disk if anything changed since the last save.  On error memory and
 * disk keep what they had, and the next call tries again.  EINVAL when a device
 * holds what vol_registry_load would refuse (the text names it). */
int vol_registry_save(struct vol_registry *r, struct vol_error *err);

/* Borrowed until the next add or remove; NULL if unknown. */
struct vol_device *vol_registry_by_id(struct vol_registry *r, const char *id);
struct vol_device *vol_registry_by_node(struct vol_registry *r,
					const char *node);
size_t vol_registry_count(const struct vol_registry *r);
/* i-th device in the order of node names; NULL past the end. */
struct vol_device *vol_registry_at(struct vol_registry *r, size_t i);

/* Callback: is this name already used in Slurm by something that is not ours
 * (a fixed node, a NodeSet)? */
typedef bool (*vol_name_taken_f)(const char *name, void *arg);

/* New device with a unique node name made from hostname; facts and address are
 * for the caller to fill, id and node are not to be changed.  taken may be
 * NULL.  ENOSPC when all of base .. base-9999 are taken, EEXIST for a known id,
 * EINVAL for a malformed one.  Borrowed pointer as above. */
struct vol_device *vol_registry_add(struct vol_registry *r, const char *id,
				    const char *hostname,
				    vol_name_taken_f taken, void *arg,
				    time_t now, struct vol_error *err);

/* Note that a field of a device was changed, so that save writes. */
void vol_registry_touch(struct vol_registry *r);

void vol_registry_remove(struct vol_registry *r, const char *id);

#endif
