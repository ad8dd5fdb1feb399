/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl_controller.c - what `volunteer` can ask the controller */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "controller.h"

/* A reply is one frame of at most VOL_WIRE_MAX, and a device with 16 features
 * needs 1.5 KiB: so many, and the rest in the next reply. */
#define DEVICES_PAGE 32
/* A list of strangers is for people; a flood of them must fit as well. */
#define SEEN_MAX 32

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
	json_t *data;

	(void)request;
	(void)uid;
	for (i = 0; i < c->n_members; i++) {
		linked += c->members[i]->peer != NULL;
		usable += c->members[i]->peer &&
			  c->members[i]->decision.node == VOL_NODE_UP;
		open += c->members[i]->peer &&
			c->members[i]->harvest == VOL_HARVEST_OPEN;
	}
	data = json_pack(
		"{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:b, s:s, s:I, s:I, s:I, "
		"s:I, s:I, s:I}",
		"role", "controller", "version", PACKAGE_VERSION, "id", c->id,
		"cluster", c->slurm.cluster, "port", (int)c->port, "enrol",
		c->conf.enrol, "partition", c->conf.partition, "slurmctld_up",
		c->slurm_known, "slurmctld_reason", c->slurm_away, "devices",
		(json_int_t)c->n_members, "linked", (json_int_t)linked,
		"usable", (json_int_t)usable, "open", (json_int_t)open,
		"lost_after_ms", (json_int_t)c->conf.lost_after_ms, "uptime_s",
		(json_int_t)((vol_controller_now_ms() - c->started_ms) / 1000));
	return data ? data : out_of_memory(err);
}

static json_t *device_json(const struct vol_member *s)
{
	json_t *facts = vol_facts_to_json(&s->facts);
	int slurm = s->slurm_known && s->exists;

	if (!facts)
		return NULL;
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:b, s:s, "
		"s:s, s:s, s:s, s:s, s:i, s:I, s:o, s:I}",
		"id", s->id, "node", s->node_name, "hostname", s->hostname,
		"address", s->address, "contact", vol_contact_name(s->contact),
		"linked", s->peer != NULL, "harvest",
		s->peer ? vol_harvest_name(s->harvest) : "", "why",
		s->peer ? s->why : "", "slurmd",
		vol_slurmd_state_name(s->slurmd), "node_state",
		vol_node_state_name(s->decision.node), "busy", (int)s->busy,
		"reason", s->decision.reason, "slurm_state",
		slurm ? s->node.state : "", "slurm_reason",
		slurm ? s->node.reason : "", "version", s->version, "slurm",
		s->slurm, "cpus", (int)vol_facts_cpus(&s->facts), "memory_mb",
		(json_int_t)s->facts.memory_mb, "facts", facts, "last_seen",
		(json_int_t)s->last_seen);
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
	json_t *list = json_array();
	size_t i;

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
		if (json_array_size(list) == DEVICES_PAGE)
			*more = true;
		else
			json_array_append_new(list, device_json(sorted[i]));
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
	{"version", false, cmd_version},
	{NULL, false, NULL},
};
