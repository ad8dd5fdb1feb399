/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl_device.c - what `volunteer` may ask a device; see ctl_device.h */
#include "config.h"

#include <unistd.h>

#include "device/ctl_device.h"
#include "device/ctl_owner.h"
#include "device/device.h"
#include "device/entry.h"
#include "device/setting.h"

static json_t *link_json(const struct vol_device_role *d)
{
	struct vol_uplink_status s;

	vol_uplink_status(d->uplink, &s);
	return json_pack("{s:s, s:I, s:s, s:i, s:s, s:s, s:s}", "state",
			 vol_uplink_state_name(s.state), "for_ms",
			 (json_int_t)s.for_ms, "controller", s.peer, "port",
			 (int)s.port, "local", s.local, "cluster", s.cluster,
			 "trouble", s.trouble.text);
}

static json_t *node_json(const struct vol_device_role *d)
{
	return json_pack("{s:s, s:s, s:s}", "name", d->welcome.node, "state",
			 d->node_told ? vol_node_state_name(d->node_state)
				      : "unknown",
			 "reason", d->node_told ? d->node_reason : "");
}

static json_t *slurmd_json(const struct vol_device_role *d)
{
	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:b}", "state",
			 vol_slurmd_state_name(vol_slurmd_state(d->slurmd)),
			 "pid", (json_int_t)vol_slurmd_pid(d->slurmd), "node",
			 vol_slurmd_node(d->slurmd), "conf_server",
			 d->conf_server, "version", d->slurm, "spank_active",
			 (int)d->spank_active);
}

static json_t *status(const json_t *request, uid_t uid, void *arg,
		      struct vol_error *err)
{
	const struct vol_device_role *d = arg;
	char host[VOL_HOSTNAME_SIZE] = "", key[VOL_FINGERPRINT_SIZE];
	json_t *data;
	json_t *owner = vol_owner_json(d->owner);

	if (owner)
		json_object_set_new(owner, "settings",
				    vol_setting_list(&d->conf));

	(void)request;
	(void)uid;
	gethostname(host, sizeof(host) - 1);
	vol_fingerprint_text(vol_keypair_fingerprint(d->key), key);
	data = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:b, s:o, "
		"s:o, s:b, s:o, s:o}",
		"role", "device", "version", PACKAGE_VERSION, "hostname", host,
		"id", d->id, "key", key, "slurm_key",
		vol_slurmkey_id(d->slurmkey), "door", vol_entry_json(d), "link",
		link_json(d), "node", node_json(d), "slurmd", slurmd_json(d),
		"busy", (int)vol_steps_busy(d->steps), "steps",
		vol_steps_json(d->steps), "facts", vol_facts_to_json(&d->facts),
		"leaving", (int)d->leaving, "owner", owner, "sandbox",
		vol_warden_json(d->warden));
	if (!data)
		vol_errorf(err, "out of memory");
	return data;
}

static json_t *version(const json_t *request, uid_t uid, void *arg,
		       struct vol_error *err)
{
	const struct vol_device_role *d = arg;
	json_t *data = json_pack("{s:s, s:s, s:s}", "role", "device", "version",
				 PACKAGE_VERSION, "slurm", d->slurm);

	(void)request;
	(void)uid;
	if (!data)
		vol_errorf(err, "out of memory");
	return data;
}

const struct vol_ctl_command vol_device_commands[] = {
	{"status", false, status},
	{"version", false, version},
	/* These ask for the owner's right themselves. */
	{"pause", false, vol_ctl_pause},
	{"resume", false, vol_ctl_resume},
	{"set", false, vol_ctl_set},
	{"log", false, vol_ctl_log},
	{"join", false, vol_ctl_join},
	{"move-owner", false, vol_ctl_move_owner},
	{NULL, false, NULL},
};
