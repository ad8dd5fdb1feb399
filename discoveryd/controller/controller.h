/* SPDX-License-Identifier: GPL-2.0-or-later */
/* controller.h - what the files of the controller role share
 *
 *  server  accepts links           peer  one link, from hello to its end
 *  member    one device of the cluster: what it says, what Slurm says, what is
 * next registrar  libslurm             seen  devices heard of by mDNS only
 *  desk    jobs that leave a device, come back into the queue or get time
 *  nodes   what schedulers read     forecasts  what owners will do
 *
 * All of it runs on the event loop; only registrar.c has a thread, and
 * forecasts.c one that writes its file.
 */
#ifndef VOL_CONTROLLER_H
#define VOL_CONTROLLER_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "conf_controller.h"
#include "ctl.h"
#include "mdns.h"
#include "refusals.h"
#include "registrar.h"
#include "registry.h"
#include "member.h"
#include "seen.h"
#include "server.h"

struct vol_desk;
struct vol_forecasts;
struct vol_nodes;

struct vol_controller {
	sd_event *loop;
	char *conf_path;
	struct vol_controller_conf conf;
	char id[VOL_DEVICE_ID_SIZE];
	uint16_t port;
	uint64_t started_ms;
	struct vol_registry *registry;
	struct vol_registrar *registrar;
	struct vol_desk *desk;
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
	uint64_t view_refresh;         /* of the last view */
	uint64_t ctld_restarted_ms;    /* 0: not while we looked */
	struct vol_slurm_snapshot all; /* sorted by name */
	uint32_t lease_ms; /* the longest that any device may still hold */
	/* Delayed writing of the registry. */
	sd_event_source *save_timer;
	uint64_t save_not_before_ms;
};

/* Monotonic, and counted through suspend. */
uint64_t vol_controller_now_ms(void);

/* The member of a known device, or of a new one made here.  NULL with
 * *refusal-worthy errno: EAGAIN when slurmctld must be heard first. */
struct vol_member *vol_controller_member(struct vol_controller *c,
					 const char *id, const char *hostname,
					 struct vol_error *err);
struct vol_member *vol_controller_member_at_node(struct vol_controller *c,
						 const char *node);

/* Forget a device: its member is freed. */
void vol_controller_forget(struct vol_controller *c, struct vol_member *member);

/* Another name for a device whose name is not free in Slurm. */
int vol_controller_rename(struct vol_controller *c, struct vol_member *member,
			  struct vol_error *err);

/* The registry changed: write it soon, then let the members that wait for that
 * go on. */
void vol_controller_save_soon(struct vol_controller *c);

/* Commands of the control socket. */
extern const struct vol_ctl_command vol_controller_commands[];

#endif
