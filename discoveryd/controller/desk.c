/* SPDX-License-Identifier: GPL-2.0-or-later */
/* desk.c - who asked for what, and when the next round is */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "desk_private.h"
#include "fits.h"
#include "log.h"

/* A requeued job is pending after 0.3 s, or when the last process of it is
 * gone; for so long it is looked for often, then now and then. */
#define REVIVE_FAST_MS    100
#define REVIVE_SLOW_MS    5000
#define REVIVE_FAST_FOR_S 60
/* Parked jobs whose end may be near; see VOL_PARKED_END_S. */
#define PARKED_LOOK_MS 30000
/* A round may take this share of the thread's and slurmctld's time: 10 %. */
#define ROUND_SHARE  10
#define ROUND_MIN_MS 20
#define TROUBLE_MS   1000
#define FAILED_MS    5000

static int on_timer(sd_event_source *source, uint64_t usec, void *arg);

void *vol_desk_grow(void *list, size_t *n, size_t size)
{
	char *items, *grown;

	memcpy(&items, list, sizeof(items)); /* of whatever type they are */
	grown = realloc(items, (*n + 1) * size);
	if (!grown) {
		vol_err("jobs: out of memory");
		return NULL;
	}
	memcpy(list, &grown, sizeof(grown));
	memset(grown + *n * size, 0, size);
	return grown + (*n)++ * size;
}

static void complain(struct vol_desk *d, const char *text)
{
	if (strcmp(d->complaint, text) == 0)
		return;
	snprintf(d->complaint, sizeof(d->complaint), "%s", text);
	vol_warn("%s", text);
}

/* When a round is needed; UINT64_MAX = never. */
static uint64_t next_round(const struct vol_desk *d)
{
	uint64_t now = vol_controller_now_ms(), due = UINT64_MAX, at;
	time_t wall = time(NULL);
	size_t i;

	if (d->n_asks || d->n_leaving || d->settle)
		due = now;
	if (d->look_parked && due > d->parked_ms + PARKED_LOOK_MS)
		due = d->parked_ms + PARKED_LOOK_MS;
	for (i = 0; i < d->memory.n_revivals; i++) {
		at = d->ended_ms +
		     (wall - d->memory.revivals[i].since < REVIVE_FAST_FOR_S
			      ? REVIVE_FAST_MS
			      : REVIVE_SLOW_MS);
		if (at < due)
			due = at;
	}
	return due > d->not_before_ms ? due : d->not_before_ms;
}

static void schedule(struct vol_desk *d)
{
	uint64_t at = next_round(d), now = vol_controller_now_ms(), us;

	if (d->round || at == UINT64_MAX)
		return;
	us = at > now ? (at - now) * 1000 : 0;
	if (!d->timer &&
	    sd_event_add_time_relative(d->c->loop, &d->timer, CLOCK_BOOTTIME,
				       us, 1, on_timer, d) < 0) {
		vol_err("jobs: no timer");
		return;
	}
	sd_event_source_set_time_relative(d->timer, us);
	sd_event_source_set_enabled(d->timer, SD_EVENT_ONESHOT);
}

static void finish(struct vol_desk *d)
{
	uint64_t rest = d->round->took_ms * ROUND_SHARE;

	if (rest < ROUND_MIN_MS)
		rest = ROUND_MIN_MS;
	if (d->round->trouble && rest < TROUBLE_MS)
		rest = TROUBLE_MS;
	if (d->round->failed)
		rest = FAILED_MS;
	d->ended_ms = vol_controller_now_ms();
	d->not_before_ms = d->ended_ms + rest;
	vol_desk_round_free(&d->round->errand);
	d->round = NULL;
	schedule(d);
}

/* Nodes whose jobs are noted now may go down. */
static void let_leave(struct vol_desk *d, size_t n)
{
	cleanup_free char(*names)[VOL_NODE_NAME_SIZE] = d->leaving;
	struct vol_member *member;
	size_t i;

	/* What came meanwhile waits for a reading of its own. */
	d->leaving = NULL;
	d->n_leaving -= n;
	if (d->n_leaving) {
		d->leaving = malloc(d->n_leaving * sizeof(*names));
		if (d->leaving)
			memcpy(d->leaving, names + n,
			       d->n_leaving * sizeof(*names));
		else
			d->n_leaving = 0; /* they ask again */
	}
	for (i = 0; i < n; i++) {
		member = vol_controller_member_at_node(d->c, names[i]);
		if (!member)
			continue;
		member->jobs_noted = true;
		vol_member_evaluate(member);
	}
}

static void save(struct vol_desk *d)
{
	struct vol_error err;

	if (vol_desk_save(d->c->conf.state_dir, &d->memory, &err) < 0)
		vol_err("jobs not written: %s", err.text);
}

static void note_drain(struct vol_desk *d, const struct vol_change *c)
{
	struct vol_member *member =
		vol_controller_member_at_node(d->c, c->ask.node);

	if (member)
		vol_member_drained(member, c->drain);
}

static void note_change(struct vol_desk *d, const struct vol_change *c)
{
	if (c->drained)
		note_drain(d, c);
	switch (c->kind) {
	case VOL_CHANGE_REQUEUE:
	case VOL_CHANGE_CANCEL:
		if (!vol_desk_note_asked(d, c)) {
			d->round->trouble = true;
			complain(d, c->why.text);
		}
		return;
	case VOL_CHANGE_REVIVE:
		if (!c->error)
			vol_desk_note_revived(d, c);
		break;
	case VOL_CHANGE_EXTEND:
		if (!c->error)
			vol_info("job %u: time limit is %u min now", c->job.id,
				 c->update.limit_min);
		break;
	}
	if (c->error && c->error != ENOENT && c->error != ESRCH)
		complain(d, c->why.text);
}

static void on_changed(struct vol_errand *errand)
{
	struct vol_desk_round *r = (struct vol_desk_round *)errand;
	struct vol_desk *d = r->desk;
	size_t i;

	if (!d) {
		vol_desk_round_free(errand);
		return;
	}
	for (i = 0; i < r->n_changes; i++)
		note_change(d, &r->changes[i]);
	save(d);
	finish(d);
}

static void on_read(struct vol_errand *errand)
{
	struct vol_desk_round *r = (struct vol_desk_round *)errand;
	struct vol_desk *d = r->desk;

	if (!d) {
		vol_desk_round_free(errand);
		return;
	}
	if (r->failed)
		complain(d, r->why.text);
	vol_desk_decide(d, r);
	save(d);
	let_leave(d, r->n_leaving);
	if (!r->n_changes) {
		finish(d);
		return;
	}
	errand->run = vol_desk_change;
	errand->done = on_changed;
	vol_registrar_errand(d->c->registrar, errand);
}

static void want(struct vol_desk_round *r, uint32_t job)
{
	size_t i;

	for (i = 0; i < r->n_ids; i++)
		if (r->ids[i] == job)
			return;
	if (r->n_ids == VOL_DESK_SINGLES)
		r->all = true;
	else
		r->ids[r->n_ids++] = job;
}

static void collect(struct vol_desk *d, struct vol_desk_round *r)
{
	size_t i;

	r->n_leaving = d->n_leaving;
	r->all = d->n_leaving > 0;
	for (i = 0; i < d->n_asks; i++) {
		d->asks[i].taken = true;
		want(r, d->asks[i].job);
	}
	for (i = 0; i < d->memory.n_revivals; i++)
		want(r, d->memory.revivals[i].job);
	for (i = 0; i < d->memory.n_grants; i++)
		if (d->memory.grants[i].due || d->look_parked)
			want(r, d->memory.grants[i].job);
	d->settle = d->look_parked = false;
	d->parked_ms = vol_controller_now_ms();
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_desk *d = arg;
	struct vol_desk_round *r = calloc(1, sizeof(*r));

	(void)source;
	(void)usec;
	if (!r) {
		vol_err("jobs: out of memory");
		d->not_before_ms = vol_controller_now_ms() + REVIVE_SLOW_MS;
		schedule(d);
		return 0;
	}
	r->desk = d;
	r->errand.run = vol_desk_read;
	r->errand.done = on_read;
	r->errand.drop = vol_desk_round_free;
	collect(d, r);
	d->round = r;
	vol_registrar_errand(d->c->registrar, &r->errand);
	return 0;
}

/* In whole seconds, as slurmctld counts: what began before it did not begin
 * later. */
static time_t said_at(uint32_t age_ms)
{
	struct timespec t;
	int64_t ms;

	clock_gettime(CLOCK_REALTIME, &t);
	ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 - age_ms;
	return (time_t)(ms / 1000);
}

/* What one device may have us remember. */
static bool is_too_much(struct vol_desk *d, const struct vol_member *member,
			size_t n)
{
	if (n < VOL_DESK_JOBS)
		return false;
	vol_refusals_log(&d->c->refusals, "refused", member->device->address,
			 "it speaks of more jobs than a machine can run");
	return true;
}

void vol_desk_evict(struct vol_desk *d, const struct vol_member *member,
		    const struct vol_link_msg *msg)
{
	struct vol_ask *ask = NULL;
	size_t i, n = 0;

	/* Its image may have come a moment ago. */
	vol_fits_update(d->c->fits);
	for (i = 0; i < d->n_asks && !ask; i++) {
		if (strcmp(d->asks[i].device, member->id) != 0)
			continue;
		n++;
		if (d->asks[i].job == msg->job)
			ask = &d->asks[i];
	}
	/* Of what was reported there is never more than a window. */
	if (!ask && msg->type == VOL_LINK_CHECK && is_too_much(d, member, n))
		return;
	if (!ask)
		ask = vol_desk_grow(&d->asks, &d->n_asks, sizeof(*ask));
	if (!ask)
		return;
	memcpy(ask->device, member->id, sizeof(ask->device));
	memcpy(ask->node, member->node_name, sizeof(ask->node));
	/* A wish is more than a question. */
	ask->check = msg->type == VOL_LINK_CHECK && (ask->check || !ask->job);
	if (msg->type == VOL_LINK_CHECK && !ask->check)
		return;
	ask->taken = false;
	ask->report = msg->report;
	ask->asked = said_at(msg->age_ms);
	ask->job = msg->job;
	ask->exclude = msg->exclude;
	ask->force = msg->force;
	snprintf(ask->why, sizeof(ask->why), "%s",
		 ask->check ? "Slurm thawed it" : msg->why);
	schedule(d);
}

void vol_desk_parked(struct vol_desk *d, const struct vol_member *member,
		     const struct vol_link_msg *msg)
{
	struct vol_desk_memory *m = &d->memory;
	struct vol_grant *g = NULL;
	size_t i, n = 0;

	if (!d->c->conf.extend_time_limit)
		return;
	for (i = 0; i < m->n_grants && !g; i++) {
		if (strcmp(m->grants[i].node, member->node_name) != 0)
			continue;
		n++;
		if (m->grants[i].job == msg->job)
			g = &m->grants[i];
	}
	if (!g) {
		if (is_too_much(d, member, n))
			return;
		g = vol_desk_grow(&m->grants, &m->n_grants, sizeof(*g));
		if (!g)
			return;
		g->job = msg->job;
		memcpy(g->node, member->node_name, sizeof(g->node));
	}
	g->seconds = msg->seconds;
	g->due = member->harvest == VOL_HARVEST_OPEN;
	g->parked = !g->due;
	d->settle |= g->due;
	d->look_parked |= !g->due;
	schedule(d);
}

void vol_desk_opened(struct vol_desk *d, const struct vol_member *member)
{
	struct vol_grant *g;
	size_t i;

	for (i = 0; i < d->memory.n_grants; i++) {
		g = &d->memory.grants[i];
		if (!g->seconds || strcmp(g->node, member->node_name) != 0)
			continue;
		g->parked = false;
		g->due = d->settle = true;
	}
	schedule(d);
}

void vol_desk_leaving(struct vol_desk *d, const struct vol_member *member)
{
	char *name;
	size_t i;

	for (i = 0; i < d->n_leaving; i++)
		if (strcmp(d->leaving[i], member->node_name) == 0)
			return;
	name = vol_desk_grow(&d->leaving, &d->n_leaving, sizeof(*d->leaving));
	if (name)
		memcpy(name, member->node_name, sizeof(*d->leaving));
	schedule(d);
}

struct vol_desk *vol_desk_create(struct vol_controller *c,
				 struct vol_error *err)
{
	struct vol_desk *d = calloc(1, sizeof(*d));

	if (!d) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	d->c = c;
	if (vol_desk_load(c->conf.state_dir, &d->memory, err) < 0) {
		free(d);
		return NULL;
	}
	schedule(d);
	return d;
}

void vol_desk_destroy(struct vol_desk *d)
{
	if (!d)
		return;
	save(d);
	/* The round itself belongs to the registrar now. */
	if (d->round)
		d->round->desk = NULL;
	sd_event_source_disable_unref(d->timer);
	vol_desk_memory_clear(&d->memory);
	free(d->asks);
	free(d->leaving);
	free(d);
}
