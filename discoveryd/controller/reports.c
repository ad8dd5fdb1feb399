/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reports.c - what devices report, applied once each and in order */
#include "config.h"

#include "reports.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "committer.h"
#include "controller.h"
#include "desk.h"
#include "inbox.h"
#include "log.h"
#include "outbox.h"

struct vol_reports {
	struct vol_inbox *inbox;
	struct vol_committer *committer;
};

static struct vol_inbox *inbox_of(const struct vol_member *s)
{
	return s->c->reports->inbox;
}

/* ---- to the device ---- */

static void acknowledge(struct vol_member *s, bool again)
{
	struct vol_link_msg ack = {
		.type = VOL_LINK_ACK,
		.stream = s->stream,
		.report = vol_inbox_recorded(inbox_of(s), s->id),
		.again = again,
	};

	if (s->peer && s->welcomed)
		vol_peer_send(s->peer, &ack);
}

/* ---- to disk ---- */

static void on_recorded(void *who, uint64_t stream, uint64_t seq, void *arg)
{
	struct vol_member *s = who;

	(void)seq;
	(void)arg;
	if (stream == s->stream)
		acknowledge(s, false);
}

static struct vol_wal_commit *begin(void *arg)
{
	struct vol_reports *r = arg;

	return vol_inbox_begin(r->inbox);
}

static bool end(void *arg, struct vol_error *why)
{
	struct vol_reports *r = arg;

	return vol_inbox_end(r->inbox, on_recorded, r, why);
}

static const struct vol_committer_ops committer_ops = {begin, end};

/* ---- from the device ---- */

void vol_reports_met(struct vol_member *s, const struct vol_link_msg *hello)
{
	uint64_t last = vol_inbox_last(inbox_of(s), s->id);
	enum vol_inbox_meeting meeting;

	vol_intake_clear(&s->intake);
	s->stream = hello->stream;
	s->asked_again = false;
	if (vol_inbox_meet(inbox_of(s), s->id, hello->stream, hello->acked, s,
			   &meeting) < 0) {
		/* Its reports are of an unknown stream then, and wait. */
		vol_err("%s: reports: out of memory", s->node_name);
		return;
	}
	if (meeting == VOL_INBOX_RESET)
		vol_warn("%s: begins another stream of reports (%016" PRIx64
			 "): what came after %" PRIu64
			 " in the one before may be lost",
			 s->node_name, hello->stream, last);
	if (meeting == VOL_INBOX_BEHIND)
		vol_warn("%s: reports up to %" PRIu64 " of %016" PRIx64
			 " were acknowledged; here is a record of %" PRIu64,
			 s->node_name, hello->acked, hello->stream, last);
	if (meeting != VOL_INBOX_SAME)
		vol_committer_kick(s->c->reports->committer);
}

void vol_reports_welcomed(struct vol_member *s)
{
	acknowledge(s, true);
}

static void note_applied(const struct vol_member *s, const struct vol_taken *t)
{
	char what[32 + VOL_WHY_SIZE];

	if (t->job)
		snprintf(what, sizeof(what), "evict job %" PRIu32, t->job);
	else
		snprintf(what, sizeof(what), "%s",
			 vol_harvest_name(t->harvest));
	vol_info("%s: report %" PRIu64 " of %016" PRIx64 ": %s", s->node_name,
		 t->seq, s->stream, what);
}

static void finish(struct vol_member *s)
{
	struct vol_taken t;
	bool any = false;

	for (; vol_intake_next(&s->intake, &t); any = true) {
		note_applied(s, &t);
		vol_inbox_applied(inbox_of(s), s->id, t.seq);
	}
	if (any)
		vol_committer_kick(s->c->reports->committer);
}

static void apply(struct vol_member *s, const struct vol_link_msg *msg)
{
	struct vol_taken t = {
		.seq = msg->report,
		.job = msg->type == VOL_LINK_EVICT ? msg->job : 0,
		.harvest = msg->harvest,
	};

	/* A device that keeps to the window never comes here; another one has
	 * to say it again. */
	if (s->intake.n >= VOL_OUTBOX_WINDOW)
		return;
	s->asked_again = false;
	if (vol_intake_add(&s->intake, &t) < 0) {
		vol_err("%s: reports: out of memory", s->node_name);
		return; /* there is a gap then, and it is asked for again */
	}
	vol_inbox_take(inbox_of(s), s->id, msg->report);
	if (t.job)
		vol_desk_evict(s->c->desk, s, msg);
	finish(s);
}

void vol_reports_take(struct vol_member *s, const struct vol_link_msg *msg)
{
	switch (vol_inbox_decide(inbox_of(s), s->id, msg->stream, msg->after,
				 msg->report)) {
	case VOL_INBOX_APPLY:
		apply(s, msg);
		break;
	case VOL_INBOX_APPLIED:
		acknowledge(s, false);
		break;
	case VOL_INBOX_TAKEN:
		break;
	case VOL_INBOX_GAP:
		if (!s->asked_again)
			acknowledge(s, true);
		s->asked_again = true;
		break;
	case VOL_INBOX_OTHER:
		vol_refusals_log(&s->c->refusals, "refused", s->device->address,
				 "a report of a stream that its hello did not "
				 "name");
		break;
	}
}

void vol_reports_done(struct vol_member *s, uint32_t job, uint64_t seq)
{
	if (vol_intake_done(&s->intake, job, seq))
		finish(s);
}

void vol_reports_part(struct vol_member *s)
{
	vol_intake_clear(&s->intake);
	vol_inbox_part(inbox_of(s), s->id);
}

void vol_reports_forget(struct vol_member *s)
{
	vol_inbox_forget(inbox_of(s), s->id);
}

/* ---- life ---- */

struct vol_reports *vol_reports_create(struct vol_controller *c,
				       struct vol_error *err)
{
	struct vol_reports *r = calloc(1, sizeof(*r));
	cleanup_free char *path = NULL;
	struct vol_error damage;

	if (!r ||
	    asprintf(&path, "%s/" VOL_INBOX_NAME, c->conf.state_dir) < 0) {
		free(r);
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	r->inbox = vol_inbox_load(path, &damage);
	if (!r->inbox)
		vol_errorf(err, "%s", damage.text);
	else if (*damage.text)
		vol_err("%s; moved to %s.damaged, some reports may be applied "
			"again",
			damage.text, path);
	if (r->inbox)
		r->committer =
			vol_committer_create(c->loop, &committer_ops, r, err);
	if (!r->committer) {
		vol_reports_destroy(r);
		return NULL;
	}
	vol_committer_kick(r->committer);
	return r;
}

void vol_reports_destroy(struct vol_reports *r)
{
	if (!r)
		return;
	vol_committer_destroy(r->committer);
	vol_inbox_destroy(r->inbox);
	free(r);
}
