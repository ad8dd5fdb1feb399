/* SPDX-License-Identifier: GPL-2.0-or-later */
/* roster.c - devices come, are renamed and go; the registry is kept on disk
 *
 * A new device is on disk before its node is made, so that a controller killed
 * in between finds the name again.  Writes are gathered: after each one there
 * is a rest, so thousands that join at once share a few.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "nodes.h"
#include "roster.h"

#define SAVE_SHARE     4 /* write at most a fifth of the time */
#define SAVE_MAX_MS    1000
#define SAVE_FAILED_MS 5000

struct names {
	const struct vol_controller *c;
	const char *avoid; /* newer than c's view of the table, or NULL */
};

static bool name_taken(const char *name, void *arg)
{
	const struct names *names = arg;
	const struct vol_controller *c = names->c;
	size_t i;

	if (vol_roster_node(c, name) ||
	    (names->avoid && strcmp(names->avoid, name) == 0))
		return true;
	for (i = 0; i < c->all.n_nodesets; i++)
		if (strcmp(c->all.nodesets[i], name) == 0)
			return true;
	return false;
}

static struct vol_member *member_by_id(struct vol_controller *c, const char *id)
{
	size_t i;

	for (i = 0; i < c->n_members; i++)
		if (strcmp(c->members[i]->id, id) == 0)
			return c->members[i];
	return NULL;
}

struct vol_member *vol_controller_member_at_node(struct vol_controller *c,
						 const char *node)
{
	size_t i;

	for (i = 0; i < c->n_members; i++)
		if (strcmp(c->members[i]->node_name, node) == 0)
			return c->members[i];
	return NULL;
}

static struct vol_member *add_member(struct vol_controller *c,
				     const struct vol_device *device,
				     struct vol_error *err)
{
	struct vol_member **grown, *s;

	grown = realloc(c->members, (c->n_members + 1) * sizeof(*grown));
	if (grown)
		c->members = grown;
	s = grown ? vol_member_create(c, device) : NULL;
	if (!s) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	c->members[c->n_members++] = s;
	return s;
}

struct vol_member *vol_controller_member(struct vol_controller *c,
					 const char *id, const char *hostname,
					 struct vol_error *err)
{
	struct vol_member *s = member_by_id(c, id);
	struct names names = {c, NULL};
	struct vol_device *device;

	if (s && (c->slurm_known || *c->slurm.cluster))
		return s;
	if (!c->slurm_known) {
		vol_errorf_errno(err, EAGAIN, "slurmctld does not answer");
		return NULL;
	}
	device = vol_registry_add(c->registry, id, hostname, name_taken, &names,
				  time(NULL), err);
	if (!device)
		return NULL;
	s = add_member(c, device, err);
	if (!s) {
		vol_registry_remove(c->registry, id);
		return NULL;
	}
	s->slurm_known = true;
	s->unsaved = true;
	vol_controller_save_soon(c);
	return s;
}

void vol_controller_forget(struct vol_controller *c, struct vol_member *member)
{
	size_t i;

	for (i = 0; i < c->n_members && c->members[i] != member; i++)
		;
	c->members[i] = c->members[--c->n_members];
	vol_nodes_remove(member);
	vol_registry_remove(c->registry, member->id);
	vol_member_destroy(member);
	vol_controller_save_soon(c);
}

int vol_controller_rename(struct vol_controller *c, struct vol_member *member,
			  struct vol_error *err)
{
	struct vol_device *d = vol_registry_by_id(c->registry, member->id), old;
	struct names names = {c, member->node_name};

	if (!d)
		return vol_errorf_errno(err, ENOENT, "device is not known");
	old = *d;
	vol_registry_remove(c->registry, member->id);
	d = vol_registry_add(c->registry, old.id, old.hostname, name_taken,
			     &names, old.first_seen, err);
	if (!d)
		return -1;
	memcpy(d->address, old.address, sizeof(d->address));
	d->facts = old.facts;
	d->last_seen = old.last_seen;
	memcpy(member->node_name, d->node, sizeof(member->node_name));
	vol_nodes_put(member);
	member->exists = member->created = false;
	member->unsaved = true;
	vol_controller_save_soon(c);
	return 0;
}

static int on_save(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_controller *c = arg;
	uint64_t begin = vol_controller_now_ms(), now, rest;
	struct vol_error err;
	size_t i;

	(void)source;
	(void)usec;
	c->save_timer = sd_event_source_disable_unref(c->save_timer);
	if (vol_registry_save(c->registry, &err) < 0) {
		vol_err("registry not written: %s", err.text);
		c->save_not_before_ms = begin + SAVE_FAILED_MS;
		vol_controller_save_soon(c);
		return 0;
	}
	now = vol_controller_now_ms();
	rest = (now - begin) * SAVE_SHARE;
	c->save_not_before_ms = now + (rest < SAVE_MAX_MS ? rest : SAVE_MAX_MS);
	for (i = c->n_members; i-- > 0;) {
		if (!c->members[i]->unsaved)
			continue;
		c->members[i]->unsaved = false;
		vol_member_evaluate(c->members[i]);
	}
	return 0;
}

void vol_controller_save_soon(struct vol_controller *c)
{
	uint64_t now = vol_controller_now_ms(), wait = 0;

	if (c->save_timer)
		return;
	if (c->save_not_before_ms > now)
		wait = c->save_not_before_ms - now;
	if (sd_event_add_time_relative(c->loop, &c->save_timer, CLOCK_BOOTTIME,
				       wait * 1000, 1, on_save, c) < 0)
		vol_err("registry: no timer");
}

int vol_roster_load(struct vol_controller *c, struct vol_error *err)
{
	cleanup_free char *path = NULL;
	size_t i;

	if (asprintf(&path, "%s/registry.json", c->conf.state_dir) < 0)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	c->registry = vol_registry_load(path, err);
	if (!c->registry)
		return -1;
	for (i = 0; i < vol_registry_count(c->registry); i++)
		if (!add_member(c, vol_registry_at(c->registry, i), err))
			return -1;
	return 0;
}
