/* SPDX-License-Identifier: GPL-2.0-or-later */
/* controller.c - the controller role: puts the parts together */
#include "config.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "clusterdir.h"
#include "controller.h"
#include "desk.h"
#include "door.h"
#include "keyring.h"
#include "fits.h"
#include "forecasts.h"
#include "images.h"
#include "lease.h"
#include "log.h"
#include "nodes.h"
#include "reports.h"
#include "role.h"
#include "roster.h"

/* How often slurmctld is asked for the whole table. */
#define VIEW_MS 5000
/* What came and went is given back so often; it takes some milliseconds. */
#define TRIM_MS 60000
/* Tables of all nodes and files come in one piece of megabytes: those go back
 * at once.  glibc would take them from its heap after the first one, and keep
 * it (mallopt(3)). */
#define PIECE_BYTES (128 * 1024)
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

static const struct vol_slurm_node *find(const struct vol_slurm_snapshot *all,
					 const char *name)
{
	struct vol_slurm_node key;

	if (!all->n_nodes)
		return NULL;
	snprintf(key.name, sizeof(key.name), "%s", name);
	return bsearch(&key, all->nodes, all->n_nodes, sizeof(key), by_name);
}

/* Sorts it, too. */
static void keep_names(struct vol_controller *c, struct vol_slurm_snapshot *all)
{
	char(*names)[VOL_NODE_NAME_SIZE] =
		calloc(all->n_nodes + 1, sizeof(*names));
	size_t i;

	if (all->n_nodes)
		qsort(all->nodes, all->n_nodes, sizeof(*all->nodes), by_name);
	if (!names) {
		vol_err("names of nodes: out of memory"); /* older ones do */
		return;
	}
	for (i = 0; i < all->n_nodes; i++)
		memcpy(names[i], all->nodes[i].name, sizeof(names[i]));
	free(c->node_names);
	c->node_names = names;
	c->n_node_names = all->n_nodes;
	free(c->nodesets);
	c->nodesets = all->nodesets;
	c->n_nodesets = all->n_nodesets;
	all->nodesets = NULL;
	all->n_nodesets = 0;
}

static void keep_fixed(struct vol_controller *c,
		       const struct vol_slurm_snapshot *all)
{
	struct vol_fixed_node *fixed = NULL;
	size_t n = 0;

	for (size_t i = 0; i < all->n_nodes; i++) {
		const struct vol_slurm_node *node = &all->nodes[i];
		struct vol_fixed_node *more;

		if (vol_controller_member_at_node(c, node->name))
			continue;
		more = reallocarray(fixed, n + 1, sizeof(*fixed));
		if (!more) {
			vol_err("fixed nodes: out of memory"); /* older do */
			free(fixed);
			return;
		}
		fixed = more;
		memcpy(fixed[n].name, node->name, sizeof(fixed[n].name));
		memcpy(fixed[n].address, node->address,
		       sizeof(fixed[n].address));
		n++;
	}
	free(c->fixed);
	c->fixed = fixed;
	c->n_fixed = n;
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
		/* What the one before it did not take, this one may. */
		for (size_t i = 0; i < c->n_members; i++)
			c->members[i]->reregisters = 0;
		if (c->slurm.booted)
			vol_info("slurmctld was restarted");
	}
}

/* Ten thousand wishes, answers or messages in a minute of a power cut are tens
 * of megabytes that nobody needs for the rest of the day. */
static void trim(struct vol_controller *c)
{
	uint64_t now = vol_controller_now_ms();

	if (now - c->trimmed_ms < TRIM_MS)
		return;
	c->trimmed_ms = now;
	malloc_trim(0);
}

static void on_view(struct vol_slurm_view *view, void *arg)
{
	struct vol_controller *c = arg;
	size_t i;

	if (!c->slurm_known)
		vol_info("slurmctld of cluster %s answers, %zu nodes",
			 view->identity.cluster, view->all.n_nodes);
	keep_names(c, &view->all);
	keep_fixed(c, &view->all);
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
				find(&view->all, c->members[i]->node_name));
	vol_roster_sweep(c, &view->all);
	vol_lease_settle(c);
	trim(c);
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

	/* A renamed member's old name has nobody else to hear it. */
	if (s)
		vol_member_answer(s, answer);
	else if (answer->wish->action == VOL_ACT_DELETE && !answer->error)
		vol_info("%s: an old name's node was deleted",
			 answer->wish->node);
}

/* Made once: devices know the controller by it. */
static int load_key(struct vol_controller *c, struct vol_error *err)
{
	cleanup_free char *path = NULL;

	if (asprintf(&path, "%s/controller.key", c->conf.state_dir) < 0)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	c->key = vol_keypair_load(path, err);
	if (!c->key)
		return -1;
	vol_fingerprint_id(vol_keypair_fingerprint(c->key), c->id);
	c->tls = vol_tls_context_create(c->key, err);
	return c->tls ? 0 : -1;
}

const struct vol_fingerprint *vol_controller_key(const struct vol_controller *c)
{
	return vol_keypair_fingerprint(c->key);
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
	/* Links that end now are no news to it. */
	vol_keyring_destroy(c->keyring);
	vol_fits_destroy(c->fits);
	vol_images_destroy(c->images);
	c->images = NULL;
	vol_mdns_destroy(c->mdns);
	vol_server_destroy(c->server);
	vol_tls_context_destroy(c->tls);
	vol_keypair_destroy(c->key);
	if (c->registry && c->door && vol_controller_save(c, &err) < 0)
		vol_err("registry: %s", err.text);
	vol_forecasts_save(c->forecasts);
	vol_door_destroy(c->door);
	vol_desk_destroy(c->desk);
	vol_reports_destroy(c->reports);
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
	free(c->node_names);
	free(c->fixed);
	free(c->nodesets);
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
	/* Before there is a thread that reads the environment. */
	if (c->conf.cluster &&
	    vol_clusterdir_enter(VOL_CLUSTERS_DIR, c->conf.cluster, err) < 0)
		return -1;
	mallopt(M_MMAP_THRESHOLD, PIECE_BYTES);
	if (vol_mkdir_p(c->conf.state_dir, 0755, err) < 0 ||
	    vol_lease_load(c, err) < 0)
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
	c->reports = vol_reports_create(c, err);
	if (!c->reports)
		return -1;
	/* Before anything of another controller that runs here is replaced. */
	c->server = vol_server_create(c, &c->port, err);
	/* And before a key is made that another one may be making. */
	if (!c->server || load_key(c, err) < 0 || !vol_nodes_create(c, err))
		return -1;
	c->images = vol_images_create(c, err);
	if (!c->images || !vol_fits_create(c, err))
		return -1;
	c->door = vol_door_create(c, err);
	if (!c->door || !vol_keyring_create(c, err))
		return -1;
	sd_event_add_time_relative(c->loop, &c->open_timer, CLOCK_MONOTONIC,
				   OPEN_US, 0, on_open, c);
	c->ctl = vol_ctl_create(c->loop, c->conf.control_socket,
				vol_controller_commands, c, err);
	return c->ctl ? vol_forecasts_start(c->forecasts, err) : -1;
}

static void say_hello(const struct vol_controller *c)
{
	char key[VOL_FINGERPRINT_SIZE];

	vol_fingerprint_text(vol_keypair_fingerprint(c->key), key);
	vol_info("controller on port %u, approve = %s, %zu devices known, "
		 "key %s",
		 c->port, c->conf.approve, c->n_members, key);
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
			say_hello(c);
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
	if (strcmp(a->auth_key ? a->auth_key : "",
		   b->auth_key ? b->auth_key : "") != 0)
		return "auth_key";
	if (strcmp(a->checkpoint_dir ? a->checkpoint_dir : "",
		   b->checkpoint_dir ? b->checkpoint_dir : "") != 0)
		return "checkpoint_dir";
	if (a->hand_out_key != b->hand_out_key)
		return "hand_out_key";
	if (strcmp(a->cluster ? a->cluster : "", b->cluster ? b->cluster : ""))
		return "cluster";
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
	vol_images_reload(c->images);
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
