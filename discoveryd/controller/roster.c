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
#include "door.h"
#include "fits.h"
#include "log.h"
#include "nodes.h"
#include "reports.h"
#include "roster.h"
#include "text.h"

#define SAVE_SHARE     4 /* write at most a fifth of the time */
#define SAVE_MAX_MS    1000
#define SAVE_FAILED_MS 5000
#define SAVE_LATER_MS  30000

struct names {
	const struct vol_controller *c;
	const char *avoid; /* newer than c's view of the table, or NULL */
};

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool name_taken(const char *name, void *arg)
{
	const struct names *names = arg;
	const struct vol_controller *c = names->c;
	size_t i;

	if ((c->n_node_names && bsearch(name, c->node_names, c->n_node_names,
					sizeof(*c->node_names), by_text)) ||
	    (names->avoid && strcmp(names->avoid, name) == 0))
		return true;
	for (i = 0; i < c->n_nodesets; i++)
		if (strcmp(c->nodesets[i], name) == 0)
			return true;
	return false;
}

struct vol_member *vol_controller_member_by_id(struct vol_controller *c,
					       const char *id)
{
	const struct vol_device *d = vol_registry_by_id(c->registry, id);

	return d ? d->user : NULL;
}

struct vol_member *vol_controller_member_at_node(struct vol_controller *c,
						 const char *node)
{
	const struct vol_device *d = vol_registry_by_node(c->registry, node);

	return d ? d->user : NULL;
}

static struct vol_member *add_member(struct vol_controller *c,
				     struct vol_device *device,
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
	device->user = s;
	return s;
}

struct vol_member *vol_controller_member(struct vol_controller *c,
					 const char *id, struct vol_error *err)
{
	struct vol_member *s = vol_controller_member_by_id(c, id);

	if (!s)
		vol_errorf_errno(err, ENOENT, "no such device");
	else if (!c->slurm_known && !*c->slurm.cluster)
		vol_errorf_errno(err, EAGAIN, "slurmctld does not answer");
	else
		return s;
	return NULL;
}

/* The registry's entry, approved; as it was on error. */
static struct vol_device *approve_device(struct vol_controller *c,
					 const struct vol_fingerprint *key,
					 const char *id, const char *hostname,
					 const char *by, struct vol_error *err)
{
	struct vol_device *d = vol_registry_by_id(c->registry, id);
	struct names names = {c, NULL};
	bool known = d != NULL;

	if (!known)
		d = vol_registry_knock(c->registry, key, hostname, "",
				       time(NULL), err);
	if (!d)
		return NULL;
	if (vol_registry_approve(c->registry, id, by, name_taken, &names,
				 time(NULL), err) == 0)
		return d;
	if (!known)
		vol_registry_remove(c->registry, id);
	return NULL;
}

struct vol_member *vol_controller_approve(struct vol_controller *c,
					  const struct vol_fingerprint *key,
					  const char *hostname, const char *by,
					  struct vol_error *err)
{
	char id[VOL_DEVICE_ID_SIZE];
	struct vol_device *device;
	struct vol_member *s;

	vol_fingerprint_id(key, id);
	if (!c->slurm_known) {
		vol_errorf_errno(err, EAGAIN, "slurmctld does not answer");
		return NULL;
	}
	if (vol_controller_member_by_id(c, id)) {
		vol_errorf_errno(err, EBUSY,
				 "its old node is still being removed");
		return NULL;
	}
	device = approve_device(c, key, id, hostname, by, err);
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
	member->device->user = NULL;
	vol_nodes_remove(member);
	vol_reports_forget(member);
	/* A revoked key stays known, or it would be a stranger's. */
	if (member->revoked)
		vol_registry_release(c->registry, member->id);
	else
		vol_registry_remove(c->registry, member->id);
	vol_member_destroy(member);
	vol_fits_changed(c->fits);
	vol_controller_save_soon(c);
}

int vol_controller_rename(struct vol_controller *c, struct vol_member *member,
			  const char *name, struct vol_error *err)
{
	struct names names = {c, member->node_name};

	if (vol_registry_rename(c->registry, member->id, name, name_taken,
				&names, err) < 0)
		return -1;
	memcpy(member->node_name, member->device->node,
	       sizeof(member->node_name));
	vol_nodes_put(member);
	member->exists = member->created = false;
	member->unsaved = true;
	vol_controller_save_soon(c);
	return 0;
}

/* The member whose label that is, and whose node has another name. */
static bool is_labelled(const struct vol_controller *c, const char *comment)
{
	char label[VOL_MEMBER_LABEL_SIZE];
	size_t i, len = strlen(comment);

	/* It ends with what tells most of them apart. */
	for (i = 0; i < c->n_members; i++) {
		if (strncmp(comment + len - 8, c->members[i]->id, 8) != 0)
			continue;
		vol_member_label(c->members[i], label);
		if (strcmp(comment, label) == 0)
			return true;
	}
	return false;
}

void vol_roster_sweep(struct vol_controller *c,
		      const struct vol_slurm_snapshot *all)
{
	static const char label[] = VOL_MEMBER_LABEL;
	struct vol_wish wish = {.action = VOL_ACT_DELETE};

	for (size_t i = 0; i < all->n_nodes; i++) {
		const struct vol_slurm_node *n = &all->nodes[i];

		if (!n->dynamic || n->allocated ||
		    strncmp(n->comment, label, strlen(label)) != 0 ||
		    vol_registry_by_node(c->registry, n->name) ||
		    !is_labelled(c, n->comment))
			continue;
		memcpy(wish.node, n->name, sizeof(wish.node));
		/* Else with the next view. */
		(void)vol_registrar_wish(c->registrar, &wish);
	}
}

int vol_controller_check_name(struct vol_controller *c, const char *name,
			      struct vol_error *err)
{
	struct names names = {c, NULL};
	char excerpt[VOL_EXCERPT_SIZE];

	if (!vol_node_name_valid(name))
		return vol_errorf_errno(
			err, EINVAL, "%s can not be the name of a node",
			vol_text_excerpt(name, strlen(name), excerpt));
	if (vol_registry_by_node(c->registry, name) || name_taken(name, &names))
		return vol_errorf_errno(err, EEXIST, "%s is taken", name);
	return 0;
}

int vol_controller_save(struct vol_controller *c, struct vol_error *err)
{
	if (vol_door_save(c->door, err) < 0)
		return -1;
	return vol_registry_save(c->registry, err);
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
	if (vol_controller_save(c, &err) < 0) {
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

static void save_at(struct vol_controller *c, uint64_t at)
{
	if (at < c->save_not_before_ms)
		at = c->save_not_before_ms;
	if (c->save_timer && c->save_at_ms <= at)
		return;
	c->save_at_ms = at;
	c->save_timer = sd_event_source_disable_unref(c->save_timer);
	if (sd_event_add_time(c->loop, &c->save_timer, CLOCK_BOOTTIME,
			      at * 1000, 1, on_save, c) < 0)
		vol_err("registry: no timer");
}

void vol_controller_save_soon(struct vol_controller *c)
{
	save_at(c, vol_controller_now_ms());
}

void vol_controller_save_later(struct vol_controller *c)
{
	save_at(c, vol_controller_now_ms() + SAVE_LATER_MS);
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
	for (i = 0; i < vol_registry_count(c->registry); i++) {
		struct vol_device *d = vol_registry_at(c->registry, i);

		if (*d->node && !add_member(c, d, err))
			return -1;
	}
	return 0;
}
