/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reports_model.c - devices, a controller and a Slurm in memory, that die */
#include "config.h"

#include "reports_model.h"

#include <errno.h>
#include <string.h>

#include "vtest.h"

/* ---- wires ---- */

static bool put(struct wire *w, const struct message *m)
{
	if (w->n == WIRE || fault_strikes())
		return false;
	w->queue[(w->first + w->n++) % WIRE] = *m;
	return true;
}

static bool get(struct model *m, struct wire *w, struct message *message)
{
	if (!w->n)
		return false;
	*message = w->queue[w->first];
	w->first = (w->first + 1) % WIRE;
	w->n--;
	return !m->lossy || message->type == HELLO || fault_random(50) > 0;
}

static void hang_up(struct model *m, unsigned i)
{
	struct device *d = &m->devices[i];

	d->linked = false;
	d->up.n = d->down.n = 0;
	vol_intake_clear(&m->c.intake[i]);
}

/* ---- the device, as in device/reports.c ---- */

static uint64_t fresh_stream(void)
{
	return 1 + (uint64_t)fault_random(1u << 30);
}

static void device_start(struct device *d)
{
	struct vol_error err;

	d->outbox = vol_outbox_load(d->disk.path, fresh_stream(), &err);
	if (!d->outbox || *err.text)
		fail_msg("%s", err.text);
	d->sent = 0;
}

static unsigned id_of(const struct vol_report *r)
{
	return (unsigned)strtoul((const char *)r->data, NULL, 10);
}

void model_change(struct model *m, struct device *d)
{
	unsigned id = ++d->n_records;
	bool event = fault_random(3) == 0;
	char text[16];

	assert_true(id < IDS);
	snprintf(text, sizeof(text), "%u", id);
	d->records[id].event = event;
	if (!vol_outbox_append(d->outbox, event ? EVENT : STATE, !event, id,
			       text, strlen(text)))
		fail_msg("%s", strerror(errno));
	m->changes++;
}

void model_commit(struct device *d)
{
	const struct vol_report *r;
	struct vol_error why;
	uint64_t seq = 0, after;

	if (!d->commit) {
		d->commit = vol_outbox_begin(d->outbox);
		d->ran = false;
	} else if (!d->ran) {
		vol_wal_commit_run(d->commit);
		d->ran = true;
	} else {
		d->commit = NULL;
		(void)vol_outbox_end(d->outbox, &why);
		for (; (r = vol_outbox_next(d->outbox, seq, &after));
		     seq = r->seq)
			d->records[id_of(r)].sure = true;
	}
}

static void device_dial(struct device *d)
{
	struct message hello = {.type = HELLO,
				.stream = vol_outbox_stream(d->outbox),
				.seq = vol_outbox_acked(d->outbox)};

	d->linked = put(&d->up, &hello);
	d->sent = UINT64_MAX; /* not before the controller has spoken */
}

static void device_send(struct device *d)
{
	const struct vol_report *r;
	struct message report;
	uint64_t after;

	while (vol_outbox_under_way(d->outbox, d->sent) < VOL_OUTBOX_WINDOW &&
	       (r = vol_outbox_next(d->outbox, d->sent, &after))) {
		report =
			(struct message){.type = REPORT,
					 .stream = vol_outbox_stream(d->outbox),
					 .seq = r->seq,
					 .after = after,
					 .state = r->state,
					 .id = id_of(r)};
		vol_outbox_sent(d->outbox, r->seq);
		if (!put(&d->up, &report))
			return;
		d->sent = r->seq;
	}
}

static void device_hear(struct model *m, unsigned i)
{
	struct device *d = &m->devices[i];
	struct message ack;

	if (!get(m, &d->down, &ack))
		return;
	if (vol_outbox_ack(d->outbox, ack.stream, ack.seq) < 0)
		fail_msg("ack of %d: %s", (int)ack.seq, strerror(errno));
	if (ack.again)
		d->sent = ack.seq;
}

/* ---- the controller, as in controller/reports.c ---- */

static void controller_start(struct controller *c)
{
	struct vol_error err;

	c->inbox = vol_inbox_load(c->disk.path, &err);
	if (!c->inbox || *err.text)
		fail_msg("%s", err.text);
	c->life++;
}

static void send_ack(struct model *m, struct device *d, bool again)
{
	struct message ack = {
		.type = ACK,
		.again = again,
		.stream = vol_outbox_stream(d->outbox), /* as it said */
		.seq = vol_inbox_recorded(m->c.inbox, d->name)};

	(void)put(&d->down, &ack);
}

/* To Slurm; the machine may die on either side of the call. */
static void tell_slurm(struct model *m, struct device *d, unsigned id)
{
	struct record *r = &d->records[id];

	if (fault_strikes())
		return;
	/* A report that was never on the device's disk is none. */
	assert_true(r->sure);
	if (r->life && r->life == m->c.life)
		fail_msg("report %u is applied twice in one life", id);
	if (!r->life && id < d->highest)
		fail_msg("report %u is applied after %u", id, d->highest);
	m->repeats += r->life > 0;
	if (!r->event)
		d->now = id;
	else if (!r->life || m->blind)
		r->told++;
	r->life = m->c.life;
	if (id > d->highest)
		d->highest = id;
	(void)fault_strikes();
}

static void finish(struct model *m, unsigned i)
{
	struct device *d = &m->devices[i];
	struct vol_taken t;

	while (!m->c.disk.dead && vol_intake_next(&m->c.intake[i], &t)) {
		if (!t.job)
			tell_slurm(m, d, (unsigned)t.harvest);
		vol_inbox_applied(m->c.inbox, d->name, t.seq);
	}
}

static void take(struct model *m, unsigned i, const struct message *r)
{
	struct vol_taken t = {.seq = r->seq, .job = r->state ? 0 : r->id};

	t.harvest = (enum vol_harvest)r->id; /* of any value here */
	m->c.asked[i] = false;
	vol_inbox_take(m->c.inbox, m->devices[i].name, r->seq);
	assert_int_equal(vol_intake_add(&m->c.intake[i], &t), 0);
	finish(m, i);
}

/* The next job that somebody asked about has left. */
static void controller_work(struct model *m, unsigned i)
{
	struct vol_intake *q = &m->c.intake[i];

	for (size_t k = 0; k < q->n; k++) {
		if (!q->list[k].job || q->list[k].done)
			continue;
		tell_slurm(m, &m->devices[i], q->list[k].job);
		if (m->c.disk.dead)
			return;
		(void)vol_intake_done(q, q->list[k].job, q->list[k].seq);
		finish(m, i);
		return;
	}
}

static void controller_hear(struct model *m, unsigned i)
{
	struct device *d = &m->devices[i];
	enum vol_inbox_meeting meeting;
	struct message r;

	if (!get(m, &d->up, &r))
		return;
	if (r.type == HELLO) {
		vol_intake_clear(&m->c.intake[i]);
		m->c.asked[i] = false;
		assert_int_equal(vol_inbox_meet(m->c.inbox, d->name, r.stream,
						r.seq, d, &meeting),
				 0);
		send_ack(m, d, true);
		return;
	}
	switch (vol_inbox_decide(m->c.inbox, d->name, r.stream, r.after,
				 r.seq)) {
	case VOL_INBOX_APPLY:
		take(m, i, &r);
		break;
	case VOL_INBOX_APPLIED:
		send_ack(m, d, false);
		break;
	case VOL_INBOX_TAKEN:
		break;
	case VOL_INBOX_GAP:
		if (!m->c.asked[i])
			send_ack(m, d, true);
		m->c.asked[i] = true;
		break;
	case VOL_INBOX_OTHER:
		fail_msg("a report of another stream");
	}
}

static void on_recorded(void *who, uint64_t stream, uint64_t seq, void *arg)
{
	struct device *d = who;

	(void)stream;
	(void)seq;
	if (d->linked)
		send_ack(arg, d, false);
}

static void controller_commit(struct model *m)
{
	struct controller *c = &m->c;
	struct vol_error why;

	if (!c->commit) {
		c->commit = vol_inbox_begin(c->inbox);
		c->ran = false;
	} else if (!c->ran) {
		vol_wal_commit_run(c->commit);
		c->ran = true;
	} else {
		c->commit = NULL;
		(void)vol_inbox_end(c->inbox, on_recorded, m, &why);
	}
}

/* ---- life and death ---- */

static void bury(struct model *m)
{
	bool cut = fault_random(100) < m->power;
	unsigned i;

	for (i = 0; i < N_DEVICES; i++) {
		struct device *d = &m->devices[i];

		if (!d->disk.dead)
			continue;
		m->crashes++;
		hang_up(m, i);
		vol_outbox_destroy(d->outbox);
		d->commit = NULL;
		fault_restart(&d->disk, cut);
		device_start(d);
	}
	if (m->c.disk.dead) {
		m->crashes++;
		for (i = 0; i < N_DEVICES; i++)
			hang_up(m, i);
		vol_inbox_destroy(m->c.inbox);
		m->c.commit = NULL;
		fault_restart(&m->c.disk, cut);
		controller_start(&m->c);
	}
	if (m->every)
		fault_plan(1 + fault_random(2 * m->every));
}

static void device_step(struct model *m, unsigned i)
{
	struct device *d = &m->devices[i];

	fault_machine(&d->disk);
	switch (fault_random(4)) {
	case 0:
		model_commit(d);
		break;
	case 1:
		if (!d->linked)
			device_dial(d);
		break;
	case 2:
		if (d->linked)
			device_send(d);
		break;
	case 3:
		if (d->linked)
			device_hear(m, i);
		break;
	}
	fault_machine(NULL);
}

static void controller_step(struct model *m, unsigned i)
{
	fault_machine(&m->c.disk);
	switch (fault_random(3)) {
	case 0:
		controller_commit(m);
		break;
	case 1:
		if (m->devices[i].linked)
			controller_hear(m, i);
		break;
	case 2:
		controller_work(m, i);
		break;
	}
	fault_machine(NULL);
}

static bool is_dead(const struct model *m)
{
	bool dead = m->c.disk.dead;

	for (unsigned i = 0; i < N_DEVICES; i++)
		dead |= m->devices[i].disk.dead;
	return dead;
}

void model_step(struct model *m)
{
	unsigned i = fault_random(N_DEVICES);

	if (fault_random(2))
		device_step(m, i);
	else
		controller_step(m, i);
	if (fault_random(200) == 0)
		hang_up(m, i);
	if (is_dead(m))
		bury(m);
}

bool model_all_quiet(const struct model *m)
{
	for (unsigned i = 0; i < N_DEVICES; i++)
		if (vol_outbox_count(m->devices[i].outbox) ||
		    !m->devices[i].linked)
			return false;
	return true;
}

void model_start(struct model *m, const char *folder)
{
	memset(m, 0, sizeof(*m));
	for (unsigned i = 0; i < N_DEVICES; i++) {
		struct device *d = &m->devices[i];

		memset(d->name, 'a' + (int)i, sizeof(d->name) - 1);
		snprintf(d->disk.path, sizeof(d->disk.path), "%s/outbox%u",
			 folder, i);
		(void)unlink(d->disk.path);
		device_start(d);
	}
	snprintf(m->c.disk.path, sizeof(m->c.disk.path), "%s/inbox", folder);
	(void)unlink(m->c.disk.path);
	controller_start(&m->c);
	fault_plan(0);
}

void model_settle(struct model *m)
{
	unsigned steps = 0;

	m->every = 0;
	fault_plan(0);
	while (!model_all_quiet(m)) {
		model_step(m);
		if (++steps > 1000000)
			fail_msg("reports do not arrive");
	}
}

void model_end(struct model *m)
{
	for (unsigned i = 0; i < N_DEVICES; i++) {
		vol_outbox_destroy(m->devices[i].outbox);
		fault_disk_clear(&m->devices[i].disk);
		vol_intake_clear(&m->c.intake[i]);
	}
	vol_inbox_destroy(m->c.inbox);
	fault_disk_clear(&m->c.disk);
}

unsigned model_judge(const struct model *m, bool collapsed)
{
	unsigned twice = 0, last;

	for (unsigned i = 0; i < N_DEVICES; i++) {
		const struct device *d = &m->devices[i];

		last = 0;
		for (unsigned id = 1; id <= d->n_records; id++) {
			const struct record *r = &d->records[id];

			if (!r->sure)
				continue;
			if (!r->life && (r->event || !collapsed))
				fail_msg("report %u is lost", id);
			if (r->event && r->told == 0)
				fail_msg("eviction %u is lost", id);
			twice += r->told > 1;
			if (!r->event)
				last = id;
		}
		assert_int_equal(d->now, last);
	}
	return twice;
}

void model_run(struct model *m, unsigned changes)
{
	while (m->changes < changes) {
		unsigned i = fault_random(N_DEVICES);

		if (fault_random(4) == 0 &&
		    vol_outbox_count(m->devices[i].outbox) < 200)
			model_change(m, &m->devices[i]);
		model_step(m);
	}
	model_settle(m);
}
