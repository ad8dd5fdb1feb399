/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nodes.c - the controller's side of the node table that schedulers read */
#include "config.h"

#include "nodes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "controller.h"
#include "fits.h"
#include "forecast.h"
#include "log.h"
#include "score.h"

/* Room for devices to come; the table grows, but readers then read all of it
 * anew. */
#define SPARE 256
/* Each day of the week was seen once. */
#define SEASONED_S (7 * 86400)
/* The median has moved when it did so by this part. */
#define MOVED 20

struct vol_nodes {
	struct vol_controller *c;
	struct vol_nodetable *table;
	sd_event_source *timer;
	bool speeds_changed;
	uint32_t median;     /* of the speeds, 0: none is known */
	char complaint[256]; /* last error that was logged */
};

/* ---- speeds ---- */

uint32_t vol_speed_step(uint32_t speed, uint32_t median)
{
	uint64_t ratio, step = VOL_SCORE_SPEED;

	if (!speed || !median)
		return VOL_SCORE_SPEED;
	ratio = (uint64_t)speed * VOL_SCORE_SPEED / median;
	/* Both ends are beyond any two machines of one time. */
	while (ratio * 10 > step * 11 && step < 100 * VOL_SCORE_SPEED)
		step = step * 6 / 5;
	while (ratio * 11 < step * 10 && step > VOL_SCORE_SPEED / 50)
		step = step * 5 / 6;
	return (uint32_t)step;
}

uint32_t vol_nodes_speed(const struct vol_member *s)
{
	return vol_speed_step(s->speed, s->c->nodes->median);
}

static int by_value(const void *a, const void *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static uint32_t find_median(const struct vol_controller *c)
{
	cleanup_free uint32_t *speeds =
		calloc(c->n_members + 1, sizeof(uint32_t));
	size_t n = 0, i;

	for (i = 0; speeds && i < c->n_members; i++)
		if (c->members[i]->peer && c->members[i]->speed)
			speeds[n++] = c->members[i]->speed;
	if (!n)
		return 0;
	qsort(speeds, n, sizeof(*speeds), by_value);
	return speeds[n / 2];
}

static void look_at_speeds(struct vol_nodes *n)
{
	uint32_t median = find_median(n->c), old = n->median;
	size_t i;

	n->speeds_changed = false;
	if (!median || (median >= old - old / MOVED &&
			median <= (uint64_t)old + old / MOVED))
		return;
	n->median = median;
	for (i = 0; i < n->c->n_members; i++)
		vol_nodes_put(n->c->members[i]);
}

void vol_nodes_speeds_changed(struct vol_nodes *n)
{
	n->speeds_changed = true;
}

/* ---- states ---- */

enum vol_nodetable_state vol_nodes_state(const struct vol_member *s)
{
	if (s->contact == VOL_CONTACT_LEFT)
		return VOL_NODETABLE_CLOSED;
	if (!s->peer || !s->welcomed)
		return VOL_NODETABLE_UNKNOWN;
	switch (s->harvest) {
	case VOL_HARVEST_OPEN:
		return VOL_NODETABLE_OPEN;
	case VOL_HARVEST_PARKED:
		return VOL_NODETABLE_PARKED;
	case VOL_HARVEST_DRAINING:
		return VOL_NODETABLE_DRAINING;
	case VOL_HARVEST_CLOSED:
	default:
		return VOL_NODETABLE_CLOSED;
	}
}

static void note_state(struct vol_member *s)
{
	enum vol_nodetable_state state = vol_nodes_state(s);

	if (s->shown == state)
		return;
	s->shown = state;
	s->shown_since = time(NULL);
}

void vol_nodes_mark(struct vol_member *s)
{
	struct vol_nodes *n = s->c->nodes;

	s->heard_s = vol_controller_now_ms() / 1000;
	note_state(s);
	vol_nodetable_mark(n->table, s->id, s->shown, s->heard_s);
}

/* ---- records ---- */

static const char *why_not(const struct vol_member *s)
{
	if (s->shown == VOL_NODETABLE_OPEN)
		return "";
	if (s->peer)
		return s->welcomed ? vol_member_why(s) : "not let in yet";
	if (s->contact == VOL_CONTACT_LEFT || s->contact == VOL_CONTACT_LOST)
		/* Without what marks it as ours in Slurm. */
		return vol_member_farewell(s) + strlen(VOL_REASON_PREFIX);
	return s->here_at ? "no link" : "not heard since the controller began";
}

/* A forecast that is little more than the prior keeps no job waiting. */
static uint32_t max_risk(const struct vol_member *s)
{
	uint32_t pct = s->c->conf.max_risk_pct;

	if (vol_availability_known_s(s->forecast->model) < SEASONED_S)
		return VOL_OUTLOOK_ONE;
	return VOL_OUTLOOK_ONE * pct / 100;
}

static void fill(struct vol_member *s, struct vol_nodetable_node *node)
{
	const struct vol_forecast *f = s->forecast;
	time_t now = time(NULL);

	memset(node, 0, sizeof(*node));
	memcpy(node->name, s->node_name, sizeof(node->name));
	memcpy(node->id, s->id, sizeof(node->id));
	node->state = s->shown;
	snprintf(node->why, sizeof(node->why), "%.*s",
		 (int)sizeof(node->why) - 1, why_not(s));
	node->heard_s = s->heard_s;
	node->quiet_s = s->heartbeat_ms / 500 + 1;
	node->since = s->shown_since;
	node->away_since = s->away_since;
	node->closes_at = s->closes_at;
	node->speed = vol_nodes_speed(s);
	node->on_battery = s->on_battery;
	node->outlook = f->outlook;
	node->outlook_at = f->outlook_at;
	node->evictions = f->evictions.total;
	node->evictions_day = vol_tally_day(&f->evictions, now);
	node->evictions_week = vol_tally_week(&f->evictions, now);
	node->last_eviction = f->evictions.last;
	node->max_risk = max_risk(s);
	node->machine = vol_fits_kind(s);
}

void vol_nodes_put(struct vol_member *s)
{
	struct vol_nodes *n = s->c->nodes;
	struct vol_nodetable_node node;
	struct vol_error err;

	note_state(s);
	fill(s, &node);
	if (vol_nodetable_put(n->table, &node, &err) == 0 ||
	    strcmp(err.text, n->complaint) == 0)
		return;
	memcpy(n->complaint, err.text, sizeof(n->complaint));
	vol_err("node table: %s", err.text);
}

void vol_nodes_remove(struct vol_member *s)
{
	vol_nodetable_remove(s->c->nodes->table, s->id);
	vol_nodes_speeds_changed(s->c->nodes);
}

/* ---- life ---- */

static int on_beat(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_nodes *n = arg;

	(void)usec;
	vol_nodetable_beat(n->table, vol_controller_now_ms());
	vol_fits_update(n->c->fits);
	if (n->speeds_changed)
		look_at_speeds(n);
	sd_event_source_set_time_relative(source, VOL_NODETABLE_BEAT_MS * 1000);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

/* Beside the control socket. */
char *vol_nodes_beside(const struct vol_controller *c, const char *name,
		       struct vol_error *err)
{
	const char *socket = c->conf.control_socket;
	const char *slash = strrchr(socket, '/');
	cleanup_free char *folder = NULL;
	char *path = NULL;

	folder = slash > socket ? strndup(socket, (size_t)(slash - socket))
				: strdup(slash ? "/" : ".");
	if (!folder || asprintf(&path, "%s/%s", folder, name) < 0) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	if (vol_mkdir_p(folder, 0755, err) == 0)
		return path;
	free(path);
	return NULL;
}

void vol_nodes_images(struct vol_nodes *n, uint32_t edition)
{
	vol_nodetable_set_images(n->table, edition);
}

struct vol_nodes *vol_nodes_create(struct vol_controller *c,
				   struct vol_error *err)
{
	cleanup_free char *path = vol_nodes_beside(c, VOL_NODETABLE_FILE, err);
	struct vol_nodes *n = path ? calloc(1, sizeof(*n)) : NULL;
	size_t i;
	int r;

	if (!n) {
		if (path)
			vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	n->c = c;
	n->table =
		vol_nodetable_create(path, (uint32_t)c->n_members + SPARE, err);
	if (!n->table)
		goto error;
	if (c->conf.cluster)
		vol_nodetable_set_cluster(n->table, c->conf.cluster);
	c->nodes = n;
	for (i = 0; i < c->n_members; i++)
		vol_nodes_put(c->members[i]);
	vol_nodetable_beat(n->table, vol_controller_now_ms());
	r = sd_event_add_time_relative(c->loop, &n->timer, CLOCK_BOOTTIME,
				       VOL_NODETABLE_BEAT_MS * 1000, 0, on_beat,
				       n);
	if (r < 0) {
		vol_errorf_errno(err, -r, "node table: %s", strerror(-r));
		goto error;
	}
	return n;
error:
	c->nodes = NULL;
	vol_nodes_destroy(n);
	return NULL;
}

void vol_nodes_destroy(struct vol_nodes *n)
{
	if (!n)
		return;
	sd_event_source_disable_unref(n->timer);
	vol_nodetable_destroy(n->table);
	free(n);
}
