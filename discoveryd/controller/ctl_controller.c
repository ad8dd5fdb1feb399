/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl_controller.c - what `volunteer` can ask the controller */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "controller.h"

static json_t *out_of_memory(struct vol_error *err)
{
	vol_errorf_errno(err, ENOMEM, "out of memory");
	return NULL;
}

static json_t *cmd_status(const json_t *request, uid_t uid, void *arg,
			  struct vol_error *err)
{
	struct vol_controller *c = arg;
	size_t i, linked = 0, usable = 0;
	json_t *data;

	(void)request;
	(void)uid;
	for (i = 0; i < c->n_members; i++) {
		linked += c->members[i]->peer != NULL;
		usable += c->members[i]->peer &&
			  c->members[i]->decision.node == VOL_NODE_UP;
	}
	data = json_pack(
		"{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:b, s:s, s:I, s:I, s:I, "
		"s:I}",
		"role", "controller", "version", PACKAGE_VERSION, "id", c->id,
		"cluster", c->slurm.cluster, "port", (int)c->port, "enrol",
		c->conf.enrol, "partition", c->conf.partition, "slurmctld_up",
		c->slurm_known, "slurmctld_reason", c->slurm_away, "devices",
		(json_int_t)c->n_members, "linked", (json_int_t)linked,
		"usable", (json_int_t)usable, "uptime_s",
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
		"{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:b, s:s, s:s, s:s, "
		"s:s, s:s, s:i, s:I, s:o, s:I}",
		"id", s->id, "node", s->node_name, "hostname", s->hostname,
		"address", s->address, "contact", vol_contact_name(s->contact),
		"linked", s->peer != NULL, "slurmd",
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

	for (i = 0; list && (e = vol_seen_at(c->seen, i)); i++) {
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

static json_t *cmd_devices(const json_t *request, uid_t uid, void *arg,
			   struct vol_error *err)
{
	struct vol_controller *c = arg;
	json_t *data, *list;
	size_t i;

	(void)uid;
	list = json_array();
	if (!list)
		return out_of_memory(err);
	for (i = 0; i < c->n_members; i++)
		json_array_append_new(list, device_json(c->members[i]));
	data = json_pack("{s:o}", "devices", list);
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
