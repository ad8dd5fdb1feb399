/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl_controller.c - what `volunteer` can ask the controller */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "controller.h"
#include "ctl_door.h"
#include "ctl_images.h"
#include "ctl_key.h"
#include "fits.h"
#include "nodes.h"
#include "wire.h"

/* A reply is one frame of at most VOL_WIRE_MAX.  A device needs 1.5 KiB, one
 * with long texts more: so many devices or bytes, and the rest in the next
 * reply.  What is left of a frame is for strangers. */
#define DEVICES_PAGE 32
#define PAGE_BYTES   (VOL_WIRE_MAX * 3 / 4)
/* A list of strangers is for people; a flood of them must fit as well. */
#define SEEN_MAX 32
/* For history. */
#define HISTORY_S     (8 * 3600)
#define HISTORY_MAX_S (24 * 3600)

static json_t *out_of_memory(struct vol_error *err)
{
	vol_errorf_errno(err, ENOMEM, "out of memory");
	return NULL;
}

static json_t *cmd_status(const json_t *request, uid_t uid, void *arg,
			  struct vol_error *err)
{
	struct vol_controller *c = arg;
	size_t i, linked = 0, usable = 0, open = 0;
	char key[VOL_FINGERPRINT_SIZE];
	json_t *data;

	(void)request;
	(void)uid;
	vol_fingerprint_text(vol_keypair_fingerprint(c->key), key);
	for (i = 0; i < c->n_members; i++) {
		linked += c->members[i]->peer != NULL;
		usable += c->members[i]->peer &&
			  c->members[i]->decision.node == VOL_NODE_UP;
		open += c->members[i]->peer &&
			c->members[i]->harvest == VOL_HARVEST_OPEN;
	}
	data = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:b, s:s, s:I, s:I, "
		"s:I, s:I, s:I, s:I}",
		"role", "controller", "version", PACKAGE_VERSION, "id", c->id,
		"key", key, "cluster", c->slurm.cluster, "port", (int)c->port,
		"approve", c->conf.approve, "partition", c->conf.partition,
		"slurmctld_up", c->slurm_known, "slurmctld_reason",
		c->slurm_away, "devices", (json_int_t)c->n_members, "linked",
		(json_int_t)linked, "usable", (json_int_t)usable, "open",
		(json_int_t)open, "lost_after_ms",
		(json_int_t)c->conf.lost_after_ms, "uptime_s",
		(json_int_t)((vol_controller_now_ms() - c->started_ms) / 1000));
	return data ? data : out_of_memory(err);
}

/* How long it stays open: the chance that it still is after some spans, and the
 * time after which that is even.  null when it is not open. */
static json_t *forecast_json(const struct vol_member *s)
{
	const struct vol_outlook *o = &s->forecast->outlook;
	uint32_t median = vol_outlook_quantile(o, 0.5);
	uint32_t last = vol_outlook_seconds(VOL_OUTLOOK_POINTS - 1);

	if (!s->forecast->outlook_at)
		return json_null();
	return json_pack("{s:f, s:f, s:f, s:f, s:I}", "1h",
			 vol_outlook_survival(o, 3600), "4h",
			 vol_outlook_survival(o, 4 * 3600), "8h",
			 vol_outlook_survival(o, 8 * 3600), "24h",
			 vol_outlook_survival(o, 24 * 3600), "median_s",
			 (json_int_t)(median < last ? median : last));
}

static json_t *device_json(struct vol_member *s)
{
	json_t *facts = vol_facts_to_json(&s->device->facts);
	int slurm = s->slurm_known && s->exists;
	struct vol_slurm_node node;

	if (!facts)
		return NULL;
	vol_note_get(&s->node, &node);
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:b, s:s, "
		"s:s, s:s, s:s, s:s, s:i, s:I, s:o, s:I, s:I, s:I, s:b, s:I, "
		"s:I, s:o, s:o, s:s}",
		"id", s->id, "node", s->node_name, "hostname",
		s->device->hostname, "address", s->device->address, "contact",
		vol_contact_name(s->contact), "linked", s->peer != NULL,
		"harvest", s->peer ? vol_harvest_name(s->harvest) : "", "why",
		s->peer ? vol_member_why(s) : "", "slurmd",
		vol_slurmd_state_name(s->slurmd), "node_state",
		vol_node_state_name(s->decision.node), "busy", (int)s->busy,
		"reason", s->decision.reason, "slurm_state",
		slurm ? node.state : "", "slurm_reason",
		slurm ? node.reason : "", "version", s->version, "slurm",
		s->slurm, "cpus", (int)vol_facts_cpus(&s->device->facts),
		"memory_mb", (json_int_t)s->device->facts.memory_mb, "facts",
		facts, "last_seen", (json_int_t)s->device->last_seen,
		"away_since", (json_int_t)s->away_since, "closes_at",
		(json_int_t)s->closes_at, "battery", (int)s->on_battery,
		"speed", (json_int_t)vol_nodes_speed(s), "evictions_week",
		(json_int_t)vol_tally_week(&s->forecast->evictions, time(NULL)),
		"forecast", forecast_json(s), "machine",
		vol_fits_machine_json(s), "saves_not",
		s->saves_not ? s->saves_not : "");
}

static bool is_known(const struct vol_controller *c, const char *id)
{
	size_t i;

	for (i = 0; i < c->n_members; i++)
		if (strcmp(c->members[i]->id, id) == 0 && c->members[i]->peer)
			return true;
	return false;
}

static json_t *seen_json(const struct vol_controller *c)
{
	const struct vol_seen_entry *e;
	json_t *list = json_array();
	size_t i;

	for (i = 0; list && json_array_size(list) < SEEN_MAX &&
		    (e = vol_seen_at(c->seen, i));
	     i++) {
		if (is_known(c, e->id))
			continue;
		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:s, s:i, s:s, s:s}", "instance",
				  e->instance, "host", e->host, "address",
				  e->address, "port", (int)e->port, "id", e->id,
				  "node", e->name));
	}
	return list;
}

static int by_node(const void *a, const void *b)
{
	const struct vol_member *const *x = a, *const *y = b;

	return strcmp((*x)->node_name, (*y)->node_name);
}

/* The page of devices whose node names come after a given one. */
static json_t *page_json(const struct vol_controller *c, const char *after,
			 bool *more)
{
	cleanup_free struct vol_member **sorted = NULL;
	json_t *list = json_array(), *row;
	size_t i, bytes = 0;

	*more = false;
	if (!list || !c->n_members)
		return list;
	sorted = malloc(c->n_members * sizeof(struct vol_member *));
	if (!sorted) {
		json_decref(list);
		return NULL;
	}
	memcpy(sorted, c->members, c->n_members * sizeof(struct vol_member *));
	qsort(sorted, c->n_members, sizeof(struct vol_member *), by_node);
	for (i = 0; i < c->n_members && !*more; i++) {
		if (strcmp(sorted[i]->node_name, after) <= 0)
			continue;
		row = device_json(sorted[i]);
		bytes += row ? json_dumpb(row, NULL, 0, JSON_COMPACT) + 1 : 0;
		*more = json_array_size(list) == DEVICES_PAGE ||
			bytes > PAGE_BYTES;
		if (*more)
			json_decref(row);
		else
			json_array_append_new(list, row);
	}
	return list;
}

static json_t *cmd_devices(const json_t *request, uid_t uid, void *arg,
			   struct vol_error *err)
{
	const char *after =
		json_string_value(json_object_get(request, "after"));
	struct vol_controller *c = arg;
	json_t *data, *list;
	bool more;

	(void)uid;
	list = page_json(c, after ? after : "", &more);
	if (!list)
		return out_of_memory(err);
	data = json_pack("{s:o, s:b}", "devices", list, "more", (int)more);
	if (data && json_is_true(json_object_get(request, "seen")))
		json_object_set_new(data, "seen", seen_json(c));
	return data ? data : out_of_memory(err);
}

/* {"node": "desk1", "horizon_s": 28800}: how often was the owner there within
 * so long from this time of day?  (vol_availability_history) */
static json_t *cmd_history(const json_t *request, uid_t uid, void *arg,
			   struct vol_error *err)
{
	const char *node = json_string_value(json_object_get(request, "node"));
	json_t *horizon = json_object_get(request, "horizon_s");
	json_int_t s = horizon ? json_integer_value(horizon) : HISTORY_S;
	struct vol_member *member =
		node ? vol_controller_member_at_node(arg, node) : NULL;
	struct vol_availability_history h;
	struct vol_moment now;
	json_t *data;

	(void)uid;
	if (!member) {
		vol_errorf_errno(err, ENOENT, "no such device");
		return NULL;
	}
	if (s < 1 || s > HISTORY_MAX_S) {
		vol_errorf_errno(err, EINVAL, "horizon_s: want 1 to %d",
				 HISTORY_MAX_S);
		return NULL;
	}
	vol_moment_of(&now, time(NULL));
	vol_availability_history(member->forecast->model, now.local,
				 (uint32_t)s, &h);
	data = json_pack("{s:s, s:I, s:I, s:i, s:i, s:i, s:i}", "node",
			 member->node_name, "now", (json_int_t)now.wall,
			 "horizon_s", s, "weekdays", (int)h.weekdays,
			 "weekdays_back", (int)h.weekdays_back, "alike",
			 (int)h.alike, "alike_back", (int)h.alike_back);
	return data ? data : out_of_memory(err);
}

static json_t *cmd_version(const json_t *request, uid_t uid, void *arg,
			   struct vol_error *err)
{
	json_t *data;

	(void)request;
	(void)uid;
	(void)arg;
	data = json_pack("{s:s, s:i, s:s}", "version", PACKAGE_VERSION,
			 "protocol", VOL_LINK_PROTO, "slurm",
			 vol_slurm_version());
	return data ? data : out_of_memory(err);
}

const struct vol_ctl_command vol_controller_commands[] = {
	{"status", false, cmd_status},
	{"devices", false, cmd_devices},
	/* When somebody comes and goes is not for everybody. */
	{"history", true, cmd_history},
	{"version", false, cmd_version},
	{"pending", false, vol_ctl_pending},
	{"token", true, vol_ctl_token},
	{"tokens", true, vol_ctl_tokens},
	{"revoke-token", true, vol_ctl_revoke_token},
	{"approve", true, vol_ctl_approve},
	{"forget", true, vol_ctl_forget},
	{"rename", true, vol_ctl_rename},
	{"rotate-key", true, vol_ctl_rotate},
	{"rotate-stop", true, vol_ctl_rotate_stop},
	{"rotation", true, vol_ctl_rotation},
	{"images", false, vol_ctl_images},
	{"image-fits", false, vol_ctl_image_fits},
	{"verify-image", true, vol_ctl_verify_image},
	{"verified-image", true, vol_ctl_verified_image},
	{"prune-images", true, vol_ctl_prune_images},
	{NULL, false, NULL},
};
