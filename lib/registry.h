/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registry.h - the controller's memory of devices: who they are, whether they
 * may come in, and their node names
 *
 * Kept in one JSON file that is replaced atomically (write to a temporary file,
 * fsync, rename, fsync of the folder), so a reader or a restart after kill -9
 * sees the old or the new state, never half of one.  Pure C: no Slurm header.
 *
 * A device knocks and is *pending*, until somebody says that it is *approved*:
 * then it has a node.  One that was *revoked* is kept, so that its key opens
 * nothing any more; it has a node until Slurm has none.  Only approved ones
 * have names that others can not take: strangers reserve nothing.
 *
 * File: {"version": 3, "devices": [{"id": "32 hex", "fingerprint": "64 hex"
 *	(not of a device from before there were keys), "standing": "pending" |
 *	"approved" | "revoked", "standing_at": unix seconds, "by": "who said
 *	so", "node": "name" if it has one, "hostname": "...", "address": "...",
 *	"facts": {...}, "machine": {...} or null, "first_seen": unix seconds,
 *	"last_seen": unix seconds, "created": true if the node was made in Slurm
 *	by us}]}
 * Older ones are read too: version 2 had no machine, version 1 neither
 * fingerprint nor standing nor by; its devices are approved.
 */
#ifndef VOL_REGISTRY_H
#define VOL_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "ckmachine.h"
#include "error.h"
#include "facts.h"
#include "fingerprint.h"
#include "names.h"

#define VOL_HOSTNAME_SIZE 256
/* besides letters and digits; what else a hostname holds is never stored */
#define VOL_HOSTNAME_CHARS "._-"
#define VOL_ADDRESS_SIZE   46 /* INET6_ADDRSTRLEN */

/* "token 0a1b2c3d", "uid 1000", "all" */
#define VOL_BY_SIZE 32
/* So many pending ones are kept: anybody can make keys and knock with each.
 * Twice as many as may wait on a link (VOL_SERVER_WAITING), which are never
 * dropped, so there is always room for the next. */
#define VOL_REGISTRY_PENDING 512

enum vol_standing { VOL_PENDING, VOL_APPROVED, VOL_REVOKED };

struct vol_device {
	char id[VOL_DEVICE_ID_SIZE];
	char fingerprint[VOL_FINGERPRINT_SIZE]; /* "": has shown no key yet */
	enum vol_standing standing;
	time_t standing_at;               /* since when */
	char by[VOL_BY_SIZE];             /* whose word that is, for people */
	char node[VOL_NODE_NAME_SIZE];    /* "" of most that are not approved */
	char hostname[VOL_HOSTNAME_SIZE]; /* as the device gave it, printable */
	char address[VOL_ADDRESS_SIZE];
	struct vol_facts facts;
	/* What it is to saved jobs, by its own word; zeroed: it never said. */
	struct vol_ckmachine machine;
	time_t first_seen, last_seen;
	bool created;
	bool waits; /* on a link: not dropped; the caller's, not on disk */
	void *user; /* the caller's; NULL at first, not on disk */
	char *line; /* the registry's; what the file says of it, or NULL */
};

struct vol_registry;

/* Load path; a missing file is an empty registry.  A damaged one is an error
 * that names the place (the admin decides; we never throw devices away). Facts
 * that were never known are null in the file and zero in memory. */
struct vol_registry *vol_registry_load(const char *path, struct vol_error *err);
/* The same of a file that was read already, and what would be written now
 * (owned by the caller; NULL as vol_registry_save returns -1). */
struct vol_registry *vol_registry_parse(const char *path, const char *text,
					size_t len, struct vol_error *err);
char *vol_registry_text(const struct vol_registry *r, size_t *len,
			struct vol_error *err);
void vol_registry_destroy(struct vol_registry *r);

/* Write to disk if anything changed since the last save: the whole file, of
 * which only devices that were changed cost more than a copy.  On error memory
 * and disk keep what they had, and the next call tries again.  EINVAL when a
 * device holds what vol_registry_load would refuse (the text names it). */
int vol_registry_save(struct vol_registry *r, struct vol_error *err);

/* Borrowed: at its place until it is removed, or, pending, dropped by a knock;
 * NULL if unknown. */
struct vol_device *vol_registry_by_id(struct vol_registry *r, const char *id);
struct vol_device *vol_registry_by_node(struct vol_registry *r,
					const char *node);
size_t vol_registry_count(const struct vol_registry *r);
/* i-th device in the order of node names, those without one first; NULL past
 * the end. */
struct vol_device *vol_registry_at(struct vol_registry *r, size_t i);

/* Callback: is this name already used in Slurm by something that is not ours
 * (a fixed node, a NodeSet)? */
typedef bool (*vol_name_taken_f)(const char *name, void *arg);

/* New approved device with a unique node name made from hostname; fingerprint,
 * by, facts and address are for the caller to fill, id and node are not to be
 * changed.  taken may be NULL.  ENOSPC when all of base .. base-9999 are taken,
 * EEXIST for a known id, EINVAL for a malformed one.  Borrowed pointer as
 * above. */
struct vol_device *vol_registry_add(struct vol_registry *r, const char *id,
				    const char *hostname,
				    vol_name_taken_f taken, void *arg,
				    time_t now, struct vol_error *err);

/* A device that proved the key with this fingerprint asks to be let in: it is
 * pending from now on, without a node, or was and still is.  EEXIST when it is
 * approved or revoked.  When there are too many, the one that was silent for
 * longest is dropped; ENOSPC when all of them wait.  Borrowed pointer as above.
 */
struct vol_device *vol_registry_knock(struct vol_registry *r,
				      const struct vol_fingerprint *key,
				      const char *hostname, const char *address,
				      time_t now, struct vol_error *err);

/* Let a pending or revoked device in: it gets a node name as in
 * vol_registry_add, or keeps the one it still has.  ENOENT, ENOSPC; EALREADY
 * when it is approved. */
int vol_registry_approve(struct vol_registry *r, const char *id, const char *by,
			 vol_name_taken_f taken, void *arg, time_t now,
			 struct vol_error *err);

/* An approved device is so by this word from now on.  ENOENT; EINVAL when it is
 * not approved. */
int vol_registry_vouch(struct vol_registry *r, const char *id, const char *by,
		       time_t now, struct vol_error *err);

/* Never let it in again.  It keeps its node name until vol_registry_release.
 * ENOENT. */
int vol_registry_revoke(struct vol_registry *r, const char *id, const char *by,
			time_t now, struct vol_error *err);

/* Slurm has no node of a revoked device any more: the name is free. */
void vol_registry_release(struct vol_registry *r, const char *id);

/* Another node name: this one, or with NULL a new one made from its hostname.
 * EINVAL for a name that can not be, EEXIST for one that another device has or
 * that is taken, ENOENT without such a device or node. */
int vol_registry_rename(struct vol_registry *r, const char *id,
			const char *node, vol_name_taken_f taken, void *arg,
			struct vol_error *err);

/* Note that a field of this device was changed, so that save writes. */
void vol_registry_touch(struct vol_registry *r, struct vol_device *d);

void vol_registry_remove(struct vol_registry *r, const char *id);

const char *vol_standing_name(enum vol_standing standing);

#endif
