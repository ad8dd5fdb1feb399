/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reporter.c - what the controller must hear of once, also after a crash */
#include "config.h"

#include "device/reporter.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "cleanup.h"
#include "committer.h"
#include "log.h"
#include "outbox.h"

_Static_assert(VOL_OUTBOX_SEQ_MAX == VOL_LINK_SEQ_MAX, "numbers");

struct vol_reporter {
	const struct vol_reporter_ops *ops;
	void *arg;
	struct vol_outbox *outbox;
	struct vol_committer *committer;
	bool may_send; /* the controller has said from where */
	bool full;     /* and said so */
	uint64_t sent; /* over this link */
	uint64_t told; /* to the log, when it was on disk */
};

static int64_t wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A name for a stream. */
static uint64_t fresh_stream(void)
{
	uint64_t name = 0;

	/* Two of one device must differ, that is all. */
	if (getrandom(&name, sizeof(name), 0) < 0)
		name = (uint64_t)wall_ms();
	return 1 + name % VOL_LINK_SEQ_MAX;
}

/* ---- reports as data ---- */

/* On disk, so never another number. */
enum { KIND_MOVED = 1, KIND_EVICT = 2 };

static uint16_t kind_of(const struct vol_link_msg *msg)
{
	return msg->type == VOL_LINK_MOVED   ? KIND_MOVED
	       : msg->type == VOL_LINK_EVICT ? KIND_EVICT
					     : 0;
}

/* The message as it is sent, but for the numbers. */
static char *encode(const struct vol_link_msg *msg)
{
	json_t *json = vol_link_encode(msg);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text;
}

static int decode(const struct vol_report *r, struct vol_link_msg *msg)
{
	json_t *json = json_loadb((const char *)r->data, r->len,
				  JSON_REJECT_DUPLICATES, NULL);
	struct vol_error err;
	int rc = json ? vol_link_decode(json, msg, &err) : -1;

	json_decref(json);
	return rc == 0 && kind_of(msg) == r->kind ? 0 : -1;
}

static void describe(const struct vol_link_msg *msg, char *text, size_t size)
{
	if (msg->type == VOL_LINK_EVICT)
		snprintf(text, size, "evict job %" PRIu32, msg->job);
	else
		snprintf(text, size, "%s", vol_harvest_name(msg->harvest));
}

/* ---- to the controller ---- */

static bool send_one(struct vol_reporter *r, const struct vol_report *report,
		     uint64_t after)
{
	int64_t age = wall_ms() - report->time_ms;
	struct vol_link_msg msg;

	/* All that can not be read were left out when they were on disk. */
	if (decode(report, &msg) < 0)
		return false;
	msg.stream = vol_outbox_stream(r->outbox);
	msg.report = report->seq;
	msg.after = after;
	msg.age_ms = age < 0            ? 0
		     : age > UINT32_MAX ? UINT32_MAX
					: (uint32_t)age;
	/* Before it is: a link that breaks now may have carried it. */
	vol_outbox_sent(r->outbox, report->seq);
	return r->ops->send(&msg, r->arg) == 0;
}

static void send_what_waits(struct vol_reporter *r)
{
	const struct vol_report *report;
	uint64_t after;

	while (r->may_send &&
	       vol_outbox_under_way(r->outbox, r->sent) < VOL_OUTBOX_WINDOW &&
	       (report = vol_outbox_next(r->outbox, r->sent, &after))) {
		if (!send_one(r, report, after))
			return;
		r->sent = report->seq;
	}
}

static void begin_anew(struct vol_reporter *r, uint64_t theirs)
{
	uint64_t fresh = fresh_stream();

	vol_err("the controller has report %" PRIu64 " of %016" PRIx64
		", which was never made here: was an old state put back? A new "
		"stream (%016" PRIx64 ") begins with the %zu that wait",
		theirs, vol_outbox_stream(r->outbox), fresh,
		vol_outbox_count(r->outbox));
	vol_outbox_renew(r->outbox, fresh);
	r->may_send = false;
	r->told = 0;
	vol_committer_kick(r->committer);
	r->ops->redial("reports begin anew", r->arg);
}

void vol_reporter_message(struct vol_reporter *r,
			  const struct vol_link_msg *msg)
{
	if (vol_outbox_ack(r->outbox, msg->stream, msg->report) < 0) {
		/* Else it is about a stream that is no more. */
		if (errno == ERANGE)
			begin_anew(r, msg->report);
		return;
	}
	r->full = false;
	if (msg->again) {
		r->may_send = true;
		r->sent = msg->report;
	}
	send_what_waits(r);
	/* The file may be much longer than what waits. */
	if (vol_outbox_count(r->outbox) == 0)
		vol_committer_kick(r->committer);
}

void vol_reporter_hello(struct vol_reporter *r, struct vol_link_msg *msg)
{
	r->may_send = false;
	msg->stream = vol_outbox_stream(r->outbox);
	msg->acked = vol_outbox_acked(r->outbox);
}

/* ---- to disk ---- */

static struct vol_wal_commit *begin(void *arg)
{
	struct vol_reporter *r = arg;

	return vol_outbox_begin(r->outbox);
}

static void tell_log(struct vol_reporter *r)
{
	const struct vol_report *report;
	struct vol_link_msg msg;
	uint64_t after;
	char text[32];

	while ((report = vol_outbox_next(r->outbox, r->told, &after))) {
		r->told = report->seq;
		/* Of another version of us. */
		if (decode(report, &msg) < 0) {
			vol_err("report %" PRIu64 " of %016" PRIx64
				" can not be read and is left out",
				r->told, vol_outbox_stream(r->outbox));
			vol_outbox_drop(r->outbox, r->told);
			continue;
		}
		describe(&msg, text, sizeof(text));
		vol_info("report %" PRIu64 " of %016" PRIx64 ": %s",
			 report->seq, vol_outbox_stream(r->outbox), text);
	}
}

static bool end(void *arg, struct vol_error *why)
{
	struct vol_reporter *r = arg;
	bool done = vol_outbox_end(r->outbox, why);

	if (done) {
		tell_log(r);
		send_what_waits(r);
	}
	return done;
}

static const struct vol_committer_ops committer_ops = {begin, end};

uint64_t vol_reporter_add(struct vol_reporter *r,
			  const struct vol_link_msg *msg)
{
	struct vol_link_msg blank = *msg;
	cleanup_free char *text = NULL;
	uint64_t seq = 0;

	blank.stream = 1; /* no room is lost to numbers of 19 digits */
	blank.report = blank.after = 0;
	blank.age_ms = 0;
	text = encode(&blank);
	if (text)
		seq = vol_outbox_append(r->outbox, kind_of(msg),
					msg->type == VOL_LINK_MOVED, wall_ms(),
					text, strlen(text));
	if (!seq && !r->full)
		vol_err("a report (%s) finds no room: %s",
			vol_link_type_name(msg->type), strerror(errno));
	r->full = !seq;
	if (seq)
		vol_committer_kick(r->committer);
	return seq;
}

bool vol_reporter_waits(const struct vol_reporter *r, uint64_t seq)
{
	return vol_outbox_waits(r->outbox, seq);
}

void vol_reporter_flush(struct vol_reporter *r)
{
	vol_committer_flush(r->committer);
}

/* ---- life ---- */

struct vol_reporter *vol_reporter_create(sd_event *loop, const char *state_dir,
					 const struct vol_reporter_ops *ops,
					 void *arg, struct vol_error *err)
{
	struct vol_reporter *r = calloc(1, sizeof(*r));
	cleanup_free char *path = NULL;
	struct vol_error damage;

	if (!r || asprintf(&path, "%s/" VOL_OUTBOX_NAME, state_dir) < 0) {
		free(r);
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	r->ops = ops;
	r->arg = arg;
	r->outbox = vol_outbox_load(path, fresh_stream(), &damage);
	if (!r->outbox)
		vol_errorf(err, "%s", damage.text);
	else if (*damage.text)
		vol_err("%s; moved to %s.damaged, what it held may never have "
			"been reported",
			damage.text, path);
	if (r->outbox)
		r->committer =
			vol_committer_create(loop, &committer_ops, r, err);
	if (!r->committer) {
		vol_reporter_destroy(r);
		return NULL;
	}
	vol_committer_kick(r->committer);
	return r;
}

void vol_reporter_destroy(struct vol_reporter *r)
{
	int saved = errno;

	if (!r)
		return;
	r->may_send = false;
	vol_committer_destroy(r->committer);
	vol_outbox_destroy(r->outbox);
	free(r);
	errno = saved;
}
