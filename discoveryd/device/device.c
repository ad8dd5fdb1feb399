/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device.c - the device role: the parts, and who hears what from whom */
#include "config.h"

#include "device/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "device/ctl_device.h"
#include "device/entry.h"
#include "device/hardware.h"
#include "device/keys.h"
#include "device/share.h"
#include "device/slice.h"
#include "device/spank_flag.h"
#include "log.h"
#include "role.h"
#include "stepfile.h"

/* How long running steps may take to end after we said goodbye: the controller
 * drains the node and requeues them. */
#define STEPS_US (10 * 1000 * 1000ULL)

#define CGROUP_ROOT "/sys/fs/cgroup"

#define IMAGE VOL_LIBEXEC_DIR "/slurm-volunteer-image"

/* ---- what we say ---- */

static void send_state(struct vol_device_role *d)
{
	struct vol_link_msg msg = {.type = VOL_LINK_STATE,
				   .slurmd = vol_slurmd_state(d->slurmd),
				   .busy = vol_steps_busy_now(d->steps)};

	d->told_busy = msg.busy;
	(void)vol_uplink_send(d->uplink, &msg);
}

static void fill_hello(struct vol_link_msg *msg, void *arg)
{
	struct vol_device_role *d = arg;

	memcpy(msg->id, d->id, sizeof(msg->id));
	memcpy(msg->boot, d->boot, sizeof(msg->boot));
	gethostname(msg->hostname, sizeof(msg->hostname) - 1);
	snprintf(msg->version, sizeof(msg->version), "%s", PACKAGE_VERSION);
	memcpy(msg->slurm, d->slurm, sizeof(msg->slurm));
	msg->facts = d->facts;
	msg->busy = vol_steps_busy_now(d->steps);
	vol_owner_harvest(d->owner, msg);
	vol_reporter_hello(d->reporter, msg);
	vol_entry_hello(d, msg);
	vol_slurmkey_hello(d->slurmkey, msg);
}

/* ---- what the controller says ---- */

static void set_conf_server(struct vol_device_role *d, const char *peer)
{
	const char *host =
		d->welcome.conf_host[0] ? d->welcome.conf_host : peer;

	snprintf(d->conf_server, sizeof(d->conf_server),
		 strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
		 d->welcome.conf_port);
}

static void on_welcomed(const struct vol_link_msg *msg, const char *peer,
			const char *local, const struct vol_fingerprint *key,
			void *arg)
{
	struct vol_device_role *d = arg;
	bool moved = d->local[0] && strcmp(d->local, local) != 0;

	vol_entry_welcomed(d);
	vol_keys_welcomed(d, key, msg->cluster);
	d->welcome = *msg;
	d->node_told = false;
	snprintf(d->local, sizeof(d->local), "%s", local);
	set_conf_server(d, peer);
	vol_info("controller %s of cluster %s welcomes us as node %s", peer,
		 msg->cluster, msg->node);
	sd_notifyf(0, "STATUS=Node %s of cluster %s", msg->node, msg->cluster);
	if (!msg->facts_ok)
		vol_warn("slurmctld knows node %s with other hardware",
			 msg->node);
	vol_slurmkey_welcomed(d->slurmkey, msg);
	send_state(d);
	vol_device_tell_machine(d);
	vol_owner_link(d->owner, true);
	vol_device_want_slurmd(d);
	if (moved)
		vol_slurmd_reregister(d->slurmd, "our address has changed");
}

static void on_lost(const char *reason, void *arg)
{
	struct vol_device_role *d = arg;

	vol_warn("link lost: %s", reason);
	vol_owner_link(d->owner, false);
	vol_slurmkey_lost(d->slurmkey);
	sd_notify(0, "STATUS=Looking for the controller");
}

static void on_link_message(const struct vol_link_msg *msg, void *arg)
{
	struct vol_device_role *d = arg;

	if (msg->type == VOL_LINK_REREGISTER) {
		/* Facts that changed meanwhile need a restart, not a signal. */
		vol_device_want_slurmd(d);
		vol_slurmd_reregister(d->slurmd, msg->reason);
		return;
	}
	if (msg->type == VOL_LINK_KEY || msg->type == VOL_LINK_TURN ||
	    msg->type == VOL_LINK_TURNED) {
		vol_slurmkey_message(d->slurmkey, msg);
		return;
	}
	if (msg->type == VOL_LINK_ACK) {
		vol_reporter_message(d->reporter, msg);
		return;
	}
	if (msg->type == VOL_LINK_EVICTED) {
		vol_owner_message(d->owner, msg);
		return;
	}
	d->node_told = true;
	d->node_state = msg->node_state;
	memcpy(d->node_reason, msg->reason, sizeof(d->node_reason));
	if (msg->node_state == VOL_NODE_UP) {
		vol_info("node %s is up", d->welcome.node);
		vol_slurmd_confirm(d->slurmd);
	} else {
		vol_warn("node %s is %s: %s", d->welcome.node,
			 vol_node_state_name(msg->node_state), msg->reason);
	}
}

static const struct vol_uplink_ops uplink_ops = {
	.hello = fill_hello,
	.welcomed = on_welcomed,
	.lost = on_lost,
	.message = on_link_message,
	.stranger = vol_keys_stranger,
	.knocks = vol_entry_knocks,
	.nonce = vol_entry_nonce,
	.pending = vol_entry_pending,
	.approved = vol_entry_approved,
	.refused = vol_entry_refused,
	.unlinked = vol_entry_lost,
};

static void on_found(void *arg)
{
	struct vol_device_role *d = arg;

	/* Early finds come before there is a link; start looks itself. */
	if (d->uplink)
		vol_uplink_target(d->uplink);
}

/* ---- what the machine says ---- */

static void on_address(const char *address, bool present, void *arg)
{
	struct vol_device_role *d = arg;

	vol_uplink_moved(d->uplink, present ? NULL : address);
}

static void look_at_flag(void *arg)
{
	struct vol_device_role *d = arg;
	pid_t pid = vol_slurmd_pid(d->slurmd);
	char slurm[VOL_VERSION_SIZE];

	d->spank_active = vol_spank_flag_read(VOL_SPANK_ACTIVE, pid, slurm);
	if (!d->spank_active)
		return;
	memcpy(d->slurm, slurm, sizeof(d->slurm));
	vol_slurmd_confirm(d->slurmd);
}

/* ---- what the owner's side says ---- */

static int send_for_owner(const struct vol_link_msg *msg, void *arg)
{
	struct vol_device_role *d = arg;

	return vol_uplink_send(d->uplink, msg);
}

static void get_fence(struct vol_fence *fence, void *arg)
{
	struct vol_device_role *d = arg;

	/* Not yet there while the parts are being made. */
	if (d->uplink)
		vol_uplink_fence(d->uplink, fence);
}

static void on_speed(void *arg)
{
	struct vol_device_role *d = arg;

	vol_owner_speed(d->owner, vol_speed_get(d->speed));
}

static const struct vol_owner_ops owner_ops = {
	send_for_owner,
	vol_device_report,
	vol_device_report_waits,
	get_fence,
};

/* ---- what slurmd does ---- */

static void look_at_slice(struct vol_device_role *d)
{
	char folder[VOL_CGROUP_SIZE];
	struct vol_error err;
	pid_t pid = vol_slurmd_pid(d->slurmd);

	if (pid == 0)
		return;
	if (vol_slice_of(pid, folder, sizeof(folder), &err) < 0) {
		vol_debug("%s", err.text);
		return;
	}
	vol_slice_settle(folder, d->facts.memory_mb << 20);
	vol_owner_jobs_cgroup(d->owner, folder);
}

static void on_slurmd(enum vol_slurmd_state state, void *arg)
{
	struct vol_device_role *d = arg;

	if (state == VOL_SLURMD_UP) {
		look_at_slice(d);
		vol_machine_look(d->machine);
	}
	if (state != VOL_SLURMD_STARTING)
		look_at_flag(d);
	if (state == VOL_SLURMD_UP && !d->spank_active)
		vol_err("slurmd has not loaded the SPANK plugin "
			"(" VOL_SPANK_ACTIVE " is missing): job steps would "
			"not be marked; see spank_volunteer(8)");
	send_state(d);
}

static bool is_busy(void *arg)
{
	struct vol_device_role *d = arg;

	return vol_steps_busy_now(d->steps);
}

static void on_stopped(void *arg)
{
	struct vol_device_role *d = arg;

	sd_event_exit(d->loop, EXIT_SUCCESS);
}

static const struct vol_slurmd_ops slurmd_ops = {on_slurmd, is_busy,
						 on_stopped};

static void stop_slurmd(struct vol_device_role *d)
{
	if (d->stopping)
		return;
	d->stopping = true;
	vol_slurmd_stop(d->slurmd);
}

static void on_steps(void *arg)
{
	struct vol_device_role *d = arg;
	bool busy = vol_steps_busy(d->steps);

	vol_owner_steps(d->owner);
	if (busy != d->told_busy)
		send_state(d);
	if (!busy)
		vol_slurmd_idle(d->slurmd);
	if (!busy && d->leaving)
		stop_slurmd(d);
}

static void on_killed(uint32_t job, void *arg)
{
	struct vol_device_role *d = arg;

	vol_warn("job %" PRIu32 ": its slurmstepd was killed", job);
	vol_slurmd_lost(d->slurmd);
}

/* ---- start and stop ---- */

static int read_facts(const struct vol_device_conf *c, const char *path,
		      struct vol_facts *facts, struct vol_error *err)
{
	struct vol_hardware hw;

	memset(facts, 0, sizeof(*facts));
	if (vol_hardware_detect(c->scratch_dir, &hw, facts, err) < 0)
		return -1;
	if (vol_share_facts(&hw, c, facts, err) < 0)
		return vol_error_prefix(err, "%s", path);
	return 0;
}

static int start_link(struct vol_device_role *d, struct vol_error *err)
{
	d->find = vol_find_create(d->loop, &d->conf, d->id, on_found, d, err);
	if (!d->find)
		return -1;
	d->uplink = vol_uplink_create(d->loop, d->find, d->tls, &uplink_ops, d,
				      err);
	if (!d->uplink)
		return -1;
	vol_keys_insist(d);
	vol_uplink_target(d->uplink);
	return 0;
}

/* Where `volunteer join` said that the controller is, unless the file says. */
static int joined_controller(const struct vol_device_role *d,
			     struct vol_device_conf *conf,
			     struct vol_error *err)
{
	if (conf->controller || !*d->join.controller)
		return 0;
	conf->controller = strdup(d->join.controller);
	return conf->controller
		       ? 0
		       : vol_errorf_errno(err, ENOMEM, "out of memory");
}

static bool use_systemd(const struct vol_device_conf *conf)
{
	if (conf->supervise == VOL_SUPERVISE_AUTO)
		return vol_slurmd_have_systemd();
	return conf->supervise == VOL_SUPERVISE_SYSTEMD;
}

static int start_parts(struct vol_device_role *d, struct vol_error *err)
{
	d->paths.slurmd = strdup(d->conf.slurmd);
	d->paths.log = strdup(d->conf.slurmd_log);
	if (!d->paths.slurmd || !d->paths.log)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	/* First, since it notices another discoveryd on this machine. */
	d->ctl = vol_ctl_create(d->loop, d->conf.control_socket,
				vol_device_commands, d, err);
	if (!d->ctl || vol_keys_load(d, err) < 0 ||
	    vol_entry_load(d, err) < 0 ||
	    joined_controller(d, &d->conf, err) < 0)
		return -1;
	/* Before a slurmd can start steps. */
	if (vol_device_walls_start(d, err) < 0)
		return -1;
	/* Before anything else that takes time: whatever runs here is stopped
	 * until the owner's side knows that it may. */
	d->freezer = vol_freezer_create(CGROUP_ROOT, err);
	if (!d->freezer)
		return -1;
	d->steps = vol_steps_create(d->loop, VOL_STEPS_DIR, d->freezer,
				    on_steps, d, err);
	if (!d->steps)
		return -1;
	vol_steps_on_killed(d->steps, on_killed);
	if (vol_device_reports_start(d, err) < 0)
		return -1;
	d->owner = vol_owner_create(d->loop, &d->conf, d->freezer, d->steps,
				    &owner_ops, d, err);
	if (!d->owner ||
	    vol_owner_save_by(d->owner, IMAGE, d->conf_path, err) < 0)
		return -1;
	vol_owner_walls(d->owner, vol_warden_trouble(d->warden));
	d->speed = vol_speed_create(d->loop, d->conf.state_dir, "", on_speed, d,
				    err);
	if (!d->speed)
		return -1;
	on_speed(d);
	d->slurmd = vol_slurmd_create(d->loop, use_systemd(&d->conf), &d->paths,
				      &slurmd_ops, d, err);
	if (!d->slurmd)
		return -1;
	look_at_flag(d);
	if (vol_device_machine_start(d, err) < 0 ||
	    vol_device_key_start(d, err) < 0)
		return -1;
	if (vol_spank_flag_watch(d->loop, VOL_RUN_DIR, &d->flag_watch,
				 look_at_flag, d, err) < 0 ||
	    start_link(d, err) < 0)
		return -1;
	d->netwatch = vol_netwatch_create(d->loop, on_address, d, err);
	if (!d->netwatch)
		return -1;
	look_at_slice(d);
	vol_owner_steps(d->owner);
	return 0;
}

static void stop(void *self)
{
	struct vol_device_role *d = self;

	vol_ctl_destroy(d->ctl);
	vol_netwatch_destroy(d->netwatch);
	vol_uplink_destroy(d->uplink);
	vol_find_destroy(d->find);
	vol_keys_free(d);
	vol_slurmkey_destroy(d->slurmkey);
	sd_event_source_unref(d->flag_watch);
	sd_event_source_unref(d->leave_timer);
	vol_machine_destroy(d->machine);
	vol_speed_destroy(d->speed);
	vol_device_walls_stop(d);
	vol_owner_destroy(d->owner);
	vol_reporter_destroy(d->reporter);
	vol_slurmd_destroy(d->slurmd);
	vol_steps_destroy(d->steps);
	vol_freezer_destroy(d->freezer);
	free((char *)d->paths.slurmd);
	free((char *)d->paths.log);
	vol_device_conf_clear(&d->conf);
	free(d->conf_path);
	sd_event_unref(d->loop);
	free(d);
}

/* A device that was only installed has no file and needs none. */
static int read_conf(const char *path, struct vol_device_conf *conf,
		     struct vol_error *err)
{
	if (vol_device_conf_read(conf, path, err) == 0)
		return 0;
	if (errno != ENOENT || strcmp(path, vol_role_device.default_conf) != 0)
		return -1;
	vol_info("no %s, using the defaults", path);
	return vol_device_conf_defaults(conf, err);
}

static void *start(sd_event *loop, const char *conf_path, bool check_only,
		   struct vol_error *err)
{
	struct vol_device_role *d = calloc(1, sizeof(*d));
	char line[VOL_FACTS_CONF_SIZE];

	if (!d || !(d->conf_path = strdup(conf_path))) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		free(d);
		return NULL;
	}
	d->loop = sd_event_ref(loop);
	if (read_conf(conf_path, &d->conf, err) < 0 ||
	    read_facts(&d->conf, conf_path, &d->facts, err) < 0)
		goto error;
	if (vol_facts_conf(&d->facts, line, sizeof(line)) == 0)
		vol_info("offering %s", line);
	if (!check_only && start_parts(d, err) < 0)
		goto error;
	return d;
error:
	stop(d);
	return NULL;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static void note_fixed(const struct vol_device_conf *old,
		       const struct vol_device_conf *new)
{
	if (!same(old->state_dir, new->state_dir) ||
	    !same(old->control_socket, new->control_socket) ||
	    !same(old->slurmd, new->slurmd) ||
	    !same(old->slurmd_log, new->slurmd_log) ||
	    !same(old->auth_key, new->auth_key) ||
	    !same(old->auth_restart, new->auth_restart) ||
	    old->supervise != new->supervise)
		vol_warn("state_dir, control_socket, slurmd, slurmd_log, "
			 "auth_key, auth_restart and supervise change at the "
			 "next start only");
}

static void restart_link(struct vol_device_role *d, struct vol_error *err)
{
	vol_uplink_destroy(d->uplink);
	vol_find_destroy(d->find);
	d->uplink = NULL;
	d->find = NULL;
	/* Out of memory or descriptors: a new start may help. */
	if (start_link(d, err) < 0)
		sd_event_exit(d->loop, EXIT_FAILURE);
}

int vol_device_relink(struct vol_device_role *d, struct vol_error *err)
{
	if (*d->join.controller) {
		free(d->conf.controller);
		d->conf.controller = NULL;
		if (joined_controller(d, &d->conf, err) < 0)
			return -1;
	}
	vol_entry_lost(d);
	restart_link(d, err);
	return d->uplink ? 0 : -1;
}

static int reload(void *self, struct vol_error *err)
{
	struct vol_device_role *d = self;
	struct vol_device_conf fresh = {0}, old = d->conf;
	struct vol_link_msg msg = {.type = VOL_LINK_FACTS};

	if (read_conf(d->conf_path, &fresh, err) < 0)
		return -1;
	if (joined_controller(d, &fresh, err) < 0 ||
	    read_facts(&fresh, d->conf_path, &msg.facts, err) < 0) {
		vol_device_conf_clear(&fresh);
		return -1;
	}
	note_fixed(&old, &fresh);
	d->conf = fresh;
	/* Before the owner's side may open. */
	vol_device_walls_apply(d);
	vol_owner_reload(d->owner, &d->conf);
	/* It may be started again, for what it can reach. */
	vol_device_want_slurmd(d);
	look_at_slice(d);
	if (!vol_facts_equal(&d->facts, &msg.facts)) {
		d->facts = msg.facts;
		(void)vol_uplink_send(d->uplink, &msg);
	}
	if (!same(old.controller, fresh.controller) ||
	    !same(old.controller_key, fresh.controller_key) ||
	    !same(old.cluster, fresh.cluster) || old.publish != fresh.publish) {
		restart_link(d, err);
	}
	vol_device_conf_clear(&old);
	return d->uplink ? 0 : -1;
}

int vol_device_reload(struct vol_device_role *d, struct vol_error *err)
{
	return reload(d, err);
}

static int on_leave_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	vol_warn("job steps are still running; stopping slurmd without them");
	stop_slurmd(arg);
	return 0;
}

static void leave(void *self)
{
	struct vol_device_role *d = self;

	d->leaving = true;
	vol_owner_leave(d->owner);
	/* What must start elsewhere. */
	vol_reporter_flush(d->reporter);
	vol_uplink_leave(d->uplink, "discoveryd is stopping");
	if (!vol_steps_busy_now(d->steps) ||
	    sd_event_add_time_relative(d->loop, &d->leave_timer,
				       CLOCK_MONOTONIC, STEPS_US, 0,
				       on_leave_timer, d) < 0)
		stop_slurmd(d);
	else
		vol_info("waiting for job steps to end");
}

const struct vol_role vol_role_device = {
	.name = "device",
	.default_conf = VOL_CONF_DIR "/device.conf",
	.start = start,
	.reload = reload,
	.leave = leave,
	.stop = stop,
};
