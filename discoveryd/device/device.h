/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device.h - the device role as one object; inside discoveryd/device only */
#ifndef VOL_DEVICE_H
#define VOL_DEVICE_H

#include <systemd/sd-event.h>

#include "ctl.h"
#include "device/device_conf.h"
#include "device/find.h"
#include "device/freezer.h"
#include "device/join.h"
#include "device/machine.h"
#include "device/netwatch.h"
#include "device/owner.h"
#include "device/pin.h"
#include "device/reporter.h"
#include "device/slurmd.h"
#include "device/slurmkey.h"
#include "device/speed.h"
#include "device/steps.h"
#include "device/trust.h"
#include "device/uplink.h"
#include "device/warden.h"
#include "facts.h"
#include "keypair.h"
#include "names.h"

struct vol_device_role {
	sd_event *loop;
	char *conf_path;
	struct vol_device_conf conf;
	struct vol_keypair *key;
	struct vol_tls_context *tls;
	struct vol_pin pin; /* of the controller */
	struct vol_join join;
	struct vol_trust trust;
	char id[VOL_DEVICE_ID_SIZE], boot[VOL_DEVICE_ID_SIZE];
	struct vol_facts facts;
	struct vol_find *find;
	struct vol_uplink *uplink;
	struct vol_slurmd *slurmd;
	struct vol_slurmkey *slurmkey;
	struct vol_slurmd_paths paths; /* owned, fixed for life */
	struct vol_freezer *freezer;
	struct vol_steps *steps;
	struct vol_owner *owner;
	struct vol_reporter *reporter;
	struct vol_speed *speed;
	struct vol_warden *warden;
	struct vol_machine *machine;
	struct vol_netwatch *netwatch;
	struct vol_ctl *ctl;
	sd_event_source *flag_watch, *leave_timer;
	bool leaving, stopping;
	bool spank_active;
	bool told_busy; /* last busy that the controller heard */
	char slurm[VOL_VERSION_SIZE];
	/* What the controller says. */
	struct vol_link_msg welcome; /* type NONE before the first */
	char conf_server[VOL_CONF_SERVER_SIZE];
	char local[VOL_CONF_SERVER_SIZE]; /* our address of the last welcome */
	bool node_told; /* the next two were heard on this link */
	enum vol_node_state node_state;
	char node_reason[VOL_REASON_SIZE];
};

/* Read device.conf again and let it take effect; on error nothing changes. */
int vol_device_reload(struct vol_device_role *d, struct vol_error *err);

/* Begin anew to look for a controller: another one was named. */
int vol_device_relink(struct vol_device_role *d, struct vol_error *err);

/* Let slurmd run as the last welcome says, once there is a Slurm key
 * (device_key.c). */
void vol_device_want_slurmd(struct vol_device_role *d);
int vol_device_key_start(struct vol_device_role *d, struct vol_error *err);

/* The walls around jobs (device_walls.c): written down and tried, as
 * device.conf says now; and, when we stop, what is mounted for them taken away.
 */
int vol_device_walls_start(struct vol_device_role *d, struct vol_error *err);
void vol_device_walls_apply(struct vol_device_role *d);
void vol_device_walls_stop(struct vol_device_role *d);

/* What the owner's side needs of reports (device_reports.c): keep one, and does
 * it still wait? arg is the role. */
uint64_t vol_device_report(const struct vol_link_msg *msg, void *arg);
bool vol_device_report_waits(uint64_t report, void *arg);
int vol_device_reports_start(struct vol_device_role *d, struct vol_error *err);

/* What this machine is to saved jobs (device_machine.c): find out, once slurmd
 * is up, and say it on the link that there is. */
int vol_device_machine_start(struct vol_device_role *d, struct vol_error *err);
void vol_device_tell_machine(struct vol_device_role *d);

#endif
