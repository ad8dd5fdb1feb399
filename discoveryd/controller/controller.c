/* SPDX-License-Identifier: GPL-2.0-or-later */
/* controller.c - the controller role: puts the parts together */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "controller.h"
#include "desk.h"
#include "forecasts.h"
#include "lease.h"
#include "log.h"
#include "nodes.h"
#include "role.h"
#include "roster.h"

/* How often slurmctld is asked for the whole table. */
#define VIEW_MS 5000
/* slurmctld and we are often started together. */
#define RECENT_S 60
/* Devices are let in when slurmctld was heard, which takes milliseconds, or
 * when it does not answer for this long. */
#define OPEN_US (1000 * 1000ULL)

uint64_t vol_controller_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void on_service(const struct vol_service *service, bool present,
		       void *arg)
{
	struct vol_controller *c = arg;

	vol_seen_note(c->seen, service, present);
}

/* The name of the cluster is in the record, so slurmctld was heard before. */
static void publish(struct vol_controller *c)
{
	struct vol_txt txt = {.proto = VOL_LINK_PROTO};
	struct vol_error err;

	if (!c->conf.publish || c->mdns)
		return;
	snprintf(txt.name, sizeof(txt.name), "%s", c->slurm.cluster);
	memcpy(txt.id, c->id, sizeof(txt.id));
	c->mdns =
		vol_mdns_create(c->loop, VOL_SERVICE_CONTROLLER, c->port, &txt,
				VOL_SERVICE_DEVICE, on_service, c, &err);
	if (!c->mdns)
		vol_err("mDNS: %s", err.text);
}

static int by_name(const void *a, const void *b)
{
	const struct vol_slurm_node *x = a, *y = b;

	return strcmp(x->name, y->name);
}

const struct vol_slurm_node *vol_roster_node(const struct vol_controller *c,
					     const char *name)
{
	struct vol_slurm_node key;

	if (!c->all.n_nodes)
		return NULL;
	snprintf(key.name, sizeof(key.name), "%s", name);
	return bsearch(&key, c->all.nodes, c->all.n_nodes, sizeof(key),
		       by_name);
}

/* A slurmctld that started while we looked, or shortly before we did, may have
 * lost what happened since its last save: vol_desired knows what to do. */
static void note_restart(struct vol_controller *c, time_t booted)
{
	time_t now = time(NULL);
	bool recent = booted <= now && now - booted < RECENT_S;
	/* Clocks jump. */
	uint64_t age_s = recent ? (uint64_t)(now - booted) : 0;

	if (c->slurm.booted ? booted != c->slurm.booted : recent) {
		c->ctld_restarted_ms = vol_controller_now_ms() - age_s * 1000;
		if (c->slurm.booted)
			vol_info("slurmctld was restarted");
	}
}

static void on_view(struct vol_slurm_view *view, void *arg)
{
	struct vol_controller *c = arg;
	size_t i;

	if (!c->slurm_known)
		vol_info("slurmctld of cluster %s answers, %zu nodes",
			 view->identity.cluster, view->all.n_nodes);
	vol_slurm_snapshot_clear(&c->all);
	c->all = view->all;
	memset(&view->all, 0, sizeof(view->all));
	if (c->all.n_nodes)
		qsort(c->all.nodes, c->all.n_nodes, sizeof(*c->all.nodes),
		      by_name);
	note_restart(c, view->identity.booted);
	c->slurm = view->identity;
	c->view_refresh = view->refresh;
	c->slurm_known = true;
	*c->slurm_away = '\0';
	publish(c);
	vol_server_open(c->server);
	/* From the end: a member that is forgotten leaves its place to the
	 * last. */
	for (i = c->n_members; i-- > 0;)
		vol_member_view(c->members[i],
				vol_roster_node(c, c->members[i]->node_name));
	vol_lease_settle(c);
}

static void on_away(const char *reason, void *arg)
{
	struct vol_controller *c = arg;
	size_t i;

	vol_warn("slurmctld does not answer: %s", reason);
	c->slurm_known = false;
	snprintf(c->slurm_away, sizeof(c->slurm_away), "%s", reason);
	vol_server_open(c->server);
	for (i = c->n_members; i-- > 0;)
		vol_member_slurm_away(c->members[i]);
}

static void on_answer(const struct vol_answer *answer, void *arg)
{
	struct vol_member *s =
		vol_controller_member_at_node(arg, answer->wish->node);

	/* A renamed member's old name has nobody to hear it. */
	if (s)
		vol_member_answer(s, answer);
}

/* Made once: devices tell controllers apart by it. */
static int load_id(struct vol_controller *c, struct vol_error *err)
{
	cleanup_free char *path = NULL, *text = NULL;
	size_t len;

	if (asprintf(&path, "%s/controller-id", c->conf.state_dir) < 0)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	text = vol_file_read(path, 256, &len, err);
	if (text) {
		text[strcspn(text, "\n")] = '\0';
		if (!vol_device_id_valid(text))
			return vol_errorf_errno(err, EINVAL,
						"%s: not an identity", path);
		memcpy(c->id, text, sizeof(c->id));
		return 0;
	}
	if (errno != ENOENT || vol_device_id_make(c->id, err) < 0)
		return -1;
	return vol_file_replace(path, c->id, strlen(c->id), 0644, 1, err);
}

/* One descriptor per device; the soft limit of 1024 is for select(2). */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void stop(void *self)
{
	struct vol_controller *c = self;
	struct vol_error err;

	if (!c)
		return;
	vol_ctl_destroy(c->ctl);
	vol_mdns_destroy(c->mdns);
	vol_server_destroy(c->server);
	if (c->registry && vol_registry_save(c->registry, &err) < 0)
		vol_err("registry: %s", err.text);
	vol_forecasts_save(c->forecasts);
	vol_desk_destroy(c->desk);
	vol_registrar_destroy(c->registrar);
	sd_event_source_disable_unref(c->save_timer);
	sd_event_source_disable_unref(c->open_timer);
	while (c->n_members)
		vol_member_destroy(c->members[--c->n_members]);
	free(c->members);
	vol_forecasts_destroy(c->forecasts);
	vol_nodes_destroy(c->nodes);
	vol_seen_destroy(c->seen);
	vol_registry_destroy(c->registry);
	vol_slurm_snapshot_clear(&c->all);
	vol_controller_conf_clear(&c->conf);
	free(c->conf_path);
	sd_event_unref(c->loop);
	free(c);
}

static int on_open(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_controller *c = arg;

	(void)source;
	(void)usec;
	vol_server_open(c->server);
	return 0;
}

static int start_parts(struct vol_controller *c, struct vol_error *err)
{
	static const struct vol_registrar_ops ops = {
		.answer = on_answer,
		.view = on_view,
		.away = on_away,
	};

	raise_file_limit();
	if (vol_mkdir_p(c->conf.state_dir, 0755, err) < 0 ||
	    load_id(c, err) < 0 || vol_lease_load(c, err) < 0)
		return -1;
	c->forecasts = vol_forecasts_create(c, err);
	if (!c->forecasts || vol_roster_load(c, err) < 0)
		return -1;
	c->seen = vol_seen_create();
	if (!c->seen)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	c->registrar = vol_registrar_create(c->loop, VIEW_MS, &ops, c, err);
	if (!c->registrar)
		return -1;
	c->desk = vol_desk_create(c, err);
	if (!c->desk)
		return -1;
	/* Before anything of another controller that runs here is replaced. */
	c->server = vol_server_create(c, &c->port, err);
	if (!c->server || !vol_nodes_create(c, err))
		return -1;
	sd_event_add_time_relative(c->loop, &c->open_timer, CLOCK_MONOTONIC,
				   OPEN_US, 0, on_open, c);
	c->ctl = vol_ctl_create(c->loop, c->conf.control_socket,
				vol_controller_commands, c, err);
	return c->ctl ? vol_forecasts_start(c->forecasts, err) : -1;
}

static void *start(sd_event *loop, const char *conf_path, bool check_only,
		   struct vol_error *err)
{
	struct vol_controller *c = calloc(1, sizeof(*c));

	if (!c) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	c->loop = sd_event_ref(loop);
	c->started_ms = vol_controller_now_ms();
	vol_refusals_init(&c->refusals, c->started_ms);
	c->conf_path = strdup(conf_path);
	if (!c->conf_path)
		vol_errorf(err, "out of memory");
	else if (vol_controller_conf_read(conf_path, &c->conf, err) == 0 &&
		 (check_only || start_parts(c, err) == 0)) {
		if (!check_only)
			vol_info("controller on port %u, enrol = %s, %zu "
				 "devices known",
				 c->port, c->conf.enrol, c->n_members);
		return c;
	}
	stop(c);
	return NULL;
}

/* What can not change while we run; NULL if all that can. */
static const char *fixed_difference(const struct vol_controller_conf *a,
				    const struct vol_controller_conf *b)
{
	if (strcmp(a->listen, b->listen) != 0)
		return "listen";
	if (strcmp(a->state_dir, b->state_dir) != 0)
		return "state_dir";
	if (strcmp(a->control_socket, b->control_socket) != 0)
		return "control_socket";
	return NULL;
}

static int reload(void *self, struct vol_error *err)
{
	struct vol_controller_conf fresh = {0};
	struct vol_controller *c = self;
	const char *key;
	size_t i;

	if (vol_controller_conf_read(c->conf_path, &fresh, err) < 0)
		return -1;
	key = fixed_difference(&c->conf, &fresh);
	if (key) {
		vol_errorf_errno(err, EINVAL,
				 "%s: %s can only change with a restart",
				 c->conf_path, key);
		vol_controller_conf_clear(&fresh);
		return -1;
	}
	vol_controller_conf_clear(&c->conf);
	c->conf = fresh;
	/* What risk jobs take. */
	for (i = 0; i < c->n_members; i++)
		vol_nodes_put(c->members[i]);
	vol_lease_settle(c);
	if (!c->conf.publish) {
		vol_mdns_destroy(c->mdns);
		c->mdns = NULL;
	} else if (*c->slurm.cluster) {
		publish(c);
	}
	return 0;
}

/* Devices keep their jobs and dial again: nothing is taken down. */
static void leave(void *self)
{
	struct vol_controller *c = self;

	sd_event_exit(c->loop, EXIT_SUCCESS);
}

const struct vol_role vol_role_controller = {
	.name = "controller",
	.default_conf = VOL_CONF_DIR "/controller.conf",
	.start = start,
	.reload = reload,
	.leave = leave,
	.stop = stop,
};
