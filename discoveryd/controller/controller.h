/* SPDX-License-Identifier: GPL-2.0-or-later */
/* controller.h - what the files of the controller role share
 *
 *  server  accepts links           peer  one link, from hello to its end
 *  door    who may come in         pending  who waits for that
 *  member    one device of the cluster: what it says, what Slurm says, what is
 * next registrar  libslurm             seen  devices heard of by mDNS only
 *  desk    jobs that leave a device, come back into the queue or get time
 *  reports what devices say that must not be lost
 *  keyring the Slurm key that devices are given
 *  fits    which devices can go on with which saved jobs
 *  images  what devices bring and fetch of jobs that were moved
 *  nodes   what schedulers read     forecasts  what owners will do
 *
 * All of it runs on the event loop; only registrar.c has a thread, forecasts.c
 * and reports.c one each that writes their files, and images.c one for each
 * image that is on its way.
 */
#ifndef VOL_CONTROLLER_H
#define VOL_CONTROLLER_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "conf_controller.h"
#include "ctl.h"
#include "keypair.h"
#include "mdns.h"
#include "refusals.h"
#include "registrar.h"
#include "registry.h"
#include "member.h"
#include "seen.h"
#include "server.h"
#include "tls.h"

struct vol_desk;
struct vol_door;
struct vol_fits;
struct vol_forecasts;
struct vol_images;
struct vol_keyring;
struct vol_nodes;
struct vol_reports;

struct vol_fixed_node {
	char name[VOL_NODE_NAME_SIZE], address[VOL_HOSTNAME_SIZE];
};

struct vol_controller {
	sd_event *loop;
	char *conf_path;
	struct vol_controller_conf conf;
	struct vol_keypair *key;
	struct vol_tls_context *tls; /* of all links */
	char id[VOL_DEVICE_ID_SIZE]; /* of the key */
	uint16_t port;
	uint64_t started_ms;
	struct vol_registry *registry;
	struct vol_registrar *registrar;
	struct vol_desk *desk;
	struct vol_reports *reports;
	struct vol_door *door;
	struct vol_keyring *keyring;
	struct vol_images *images;
	struct vol_fits *fits;
	struct vol_forecasts *forecasts;
	struct vol_nodes *nodes;
	struct vol_server *server;
	sd_event_source *open_timer;
	struct vol_mdns *mdns;
	struct vol_seen *seen;
	struct vol_ctl *ctl;
	struct vol_refusals refusals;
	struct vol_member **members; /* owned; any order */
	size_t n_members;
	/* What slurmctld last said. */
	bool slurm_known;
	char slurm_away[256]; /* why it is away, "" when it is not */
	struct vol_slurm_identity slurm;
	uint64_t view_refresh;      /* of the last view */
	uint64_t ctld_restarted_ms; /* 0: not while we looked */
	/* Of all nodes, sorted, and of the nodesets.  The rest of what it said
	 * is with the members: of ten thousand nodes it is many megabytes. */
	char (*node_names)[VOL_NODE_NAME_SIZE]; /* owned */
	size_t n_node_names;
	/* Those that are no devices of ours, and where they are. */
	struct vol_fixed_node *fixed; /* owned */
	size_t n_fixed;
	char (*nodesets)[VOL_NODE_NAME_SIZE]; /* owned */
	size_t n_nodesets;
	uint32_t lease_ms;   /* the longest that any device may still hold */
	uint64_t trimmed_ms; /* when memory was given back */
	/* Delayed writing of the registry. */
	sd_event_source *save_timer;
	uint64_t save_at_ms, save_not_before_ms;
};

/* Monotonic, and counted through suspend. */
uint64_t vol_controller_now_ms(void);

/* Of this controller; door.c puts its beginning into tokens. */
const struct vol_fingerprint *vol_controller_key(
	const struct vol_controller *c);

/* The member of an approved device.  NULL with ENOENT, or EAGAIN when slurmctld
 * must be heard first. */
struct vol_member *vol_controller_member(struct vol_controller *c,
					 const char *id, struct vol_error *err);
/* NULL if there is none. */
struct vol_member *vol_controller_member_by_id(struct vol_controller *c,
					       const char *id);
struct vol_member *vol_controller_member_at_node(struct vol_controller *c,
						 const char *node);

/* Write into the registry that the device with this key is approved, and by
 * what, and make its member, which waits until that is on disk.  NULL with
 * EAGAIN when slurmctld must be heard first, EBUSY while its node is being
 * removed, ENOSPC. */
struct vol_member *vol_controller_approve(struct vol_controller *c,
					  const struct vol_fingerprint *key,
					  const char *hostname, const char *by,
					  struct vol_error *err);

/* Its node is gone: its member is freed, and the registry forgets the device,
 * or, of a revoked one, its node name. */
void vol_controller_forget(struct vol_controller *c, struct vol_member *member);

/* Another name for a device: this one, or with NULL one that is free, made from
 * that of its host.  Of the old node nothing is known any more. */
int vol_controller_rename(struct vol_controller *c, struct vol_member *member,
			  const char *name, struct vol_error *err);

/* Could a node have this name?  -1 with EINVAL or EEXIST. */
int vol_controller_check_name(struct vol_controller *c, const char *name,
			      struct vol_error *err);

/* Write tokens and registry now: what an administrator was told is done. */
int vol_controller_save(struct vol_controller *c, struct vol_error *err);

/* The registry changed: write it soon, then let the members that wait for that
 * go on. */
void vol_controller_save_soon(struct vol_controller *c);
/* It changed in what a crash may forget: since when a device was not seen, and
 * what it says anew in its next hello.  Within half a minute. */
void vol_controller_save_later(struct vol_controller *c);

/* Commands of the control socket. */
extern const struct vol_ctl_command vol_controller_commands[];

#endif
