/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_key.c - the device role: the Slurm key, and slurmd, which waits for it
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "device/device.h"
#include "log.h"

void vol_device_want_slurmd(struct vol_device_role *d)
{
	struct vol_slurmd_spec spec = {.node = ""};

	if (d->leaving || d->welcome.type != VOL_LINK_WELCOME ||
	    !vol_slurmkey_ready(d->slurmkey) || vol_warden_settles(d->warden))
		return;
	memcpy(spec.node, d->welcome.node, sizeof(spec.node));
	memcpy(spec.conf_server, d->conf_server, sizeof(spec.conf_server));
	snprintf(spec.view, sizeof(spec.view), "%s",
		 vol_warden_view(d->warden));
	if (vol_facts_conf(&d->facts, spec.conf, sizeof(spec.conf)) < 0) {
		vol_err("the facts do not fit into slurmd's --conf");
		return;
	}
	vol_slurmd_want(d->slurmd, &spec);
}

static void send_keyed(const struct vol_link_msg *msg, void *arg)
{
	struct vol_device_role *d = arg;

	/* The next hello tells which key we have. */
	if (d->uplink)
		(void)vol_uplink_send(d->uplink, msg);
}

static void hold_jobs(bool on, void *arg)
{
	struct vol_device_role *d = arg;

	vol_owner_hold(d->owner, on);
}

static bool is_calm(void *arg)
{
	struct vol_device_role *d = arg;

	return vol_steps_calm(d->steps);
}

static void on_key(void *arg)
{
	vol_device_want_slurmd(arg);
}

int vol_device_key_start(struct vol_device_role *d, struct vol_error *err)
{
	static const struct vol_slurmkey_ops ops = {send_keyed, hold_jobs,
						    is_calm, on_key};

	d->slurmkey = vol_slurmkey_create(d->loop, d->conf.state_dir,
					  d->conf.auth_key,
					  d->conf.auth_restart, &ops, d, err);
	return d->slurmkey ? 0 : -1;
}
