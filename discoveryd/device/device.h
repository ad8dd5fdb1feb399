/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device.h - the device role as one object; inside discoveryd/device only */
#ifndef VOL_DEVICE_H
#define VOL_DEVICE_H

#include <systemd/sd-event.h>

#include "ctl.h"
#include "device/device_conf.h"
#include "device/find.h"
#include "device/freezer.h"
#include "device/netwatch.h"
#include "device/owner.h"
#include "device/slurmd.h"
#include "device/speed.h"
#include "device/steps.h"
#include "device/uplink.h"
#include "facts.h"
#include "names.h"

struct vol_device_role {
	sd_event *loop;
	char *conf_path;
	struct vol_device_conf conf;
	char id[VOL_DEVICE_ID_SIZE], boot[VOL_DEVICE_ID_SIZE];
	struct vol_facts facts;
	struct vol_find *find;
	struct vol_uplink *uplink;
	struct vol_slurmd *slurmd;
	struct vol_slurmd_paths paths; /* owned, fixed for life */
	struct vol_freezer *freezer;
	struct vol_steps *steps;
	struct vol_owner *owner;
	struct vol_speed *speed;
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

#endif
