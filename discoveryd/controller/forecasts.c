/* SPDX-License-Identifier: GPL-2.0-or-later */
/* forecasts.c - the forecasts of all devices: fed, renewed, kept on disk */
#include "config.h"

#include "forecasts.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "controller.h"
#include "log.h"
#include "nodes.h"
#include "thread.h"

/* So often at least is looked whose turn it is: they may have become more. */
#define LOOK_S 10
/* When people are at their machines is nobody's business. */
#define FILE_MODE 0600
/* For a thread that writes one buffer. */
#define STACK_BYTES (64 * 1024)

/* A write that is under way. */
struct writing {
	pthread_t thread;
	_Atomic bool done;
	const char *path; /* borrowed */
	uint8_t *buf;     /* owned */
	size_t len;
	int rc;
	struct vol_error err;
};

struct vol_forecasts {
	struct vol_controller *c;
	char *path;
	/* What was read; NULL once all members are made. */
	uint8_t *old;
	uint32_t n_old;
	int64_t saved;
	size_t next; /* member whose turn it is */
	uint64_t saved_ms;
	struct writing *writing; /* NULL: none */
	sd_event_source *timer;
};

/* ---- one device ---- */

struct vol_forecast *vol_forecasts_take(struct vol_forecasts *all,
					const char *id)
{
	struct vol_forecastfile_record record;
	struct vol_forecast *f = NULL;
	struct vol_error err;
	struct vol_moment now;
	uint32_t at = UINT32_MAX;

	if (all->old)
		at = vol_forecastfile_find(all->old, all->n_old, id);
	if (at != UINT32_MAX) {
		vol_forecastfile_get(all->old, at, &record);
		f = vol_forecast_load(&record, all->saved, &err);
		if (!f)
			vol_warn("%s: device %.8s begins anew: %s", all->path,
				 id, err.text);
	}
	if (f)
		return f;
	vol_moment_of(&now, time(NULL));
	return vol_forecast_create(&now);
}

void vol_forecasts_feed(struct vol_member *s)
{
	struct vol_moment now;

	vol_moment_of(&now, time(NULL));
	if (!s->peer) {
		/* Silent, it may be back before its lease is over. */
		if (s->contact != VOL_CONTACT_SILENT)
			vol_forecast_go_on(s->forecast, &now);
	} else if (s->harvest == VOL_HARVEST_OPEN) {
		vol_forecast_open(s->forecast, &now);
	} else {
		vol_forecast_closed(s->forecast, &now,
				    s->harvest == VOL_HARVEST_DRAINING);
	}
	if (vol_nodes_state(s) == VOL_NODETABLE_OPEN)
		vol_forecast_look(s->forecast, &now, s->away_since,
				  s->closes_at, s->on_battery);
	else
		vol_forecast_blind(s->forecast);
	vol_nodes_put(s);
}

void vol_forecasts_evicted(struct vol_member *s, uint32_t n)
{
	struct vol_moment now;

	vol_moment_of(&now, time(NULL));
	while (n-- > 0)
		vol_forecast_evicted(s->forecast, &now);
	vol_nodes_put(s);
}

void vol_forecasts_gone(struct vol_member *s, uint64_t since_ms)
{
	uint64_t now_ms = vol_controller_now_ms();
	uint64_t age_s = now_ms > since_ms ? (now_ms - since_ms) / 1000 : 0;
	struct vol_moment since;

	vol_moment_of(&since, time(NULL) - (time_t)age_s);
	vol_forecast_gone(s->forecast, &since);
	vol_forecast_blind(s->forecast);
	vol_nodes_put(s);
}

/* ---- the file ---- */

/* A damaged one is moved aside, for whoever wants to know. */
static void set_aside(const struct vol_forecasts *all, const char *reason)
{
	cleanup_free char *aside = NULL;

	if (asprintf(&aside, "%s.damaged", all->path) < 0)
		return;
	if (rename(all->path, aside) < 0)
		vol_err("%s: %s; can not be moved aside: %s", all->path, reason,
			strerror(errno));
	else
		vol_err("%s: %s; moved to %s, forecasts begin anew", all->path,
			reason, aside);
}

static void load(struct vol_forecasts *all)
{
	struct vol_error err;
	size_t len;

	all->old = (uint8_t *)vol_file_read(all->path, VOL_FORECASTFILE_MAX,
					    &len, &err);
	if (!all->old) {
		if (errno != ENOENT)
			set_aside(all, err.text);
		return;
	}
	if (vol_forecastfile_check(all->old, len, &all->n_old, &all->saved,
				   &err) == 0)
		return;
	set_aside(all, err.text);
	free(all->old);
	all->old = NULL;
}

static int by_id(const void *a, const void *b)
{
	const struct vol_member *const *x = a, *const *y = b;

	return strcmp((*x)->id, (*y)->id);
}

static uint8_t *encode(const struct vol_controller *c, size_t *len)
{
	struct vol_forecastfile_record record = {.id = ""};
	cleanup_free struct vol_member **sorted = NULL;
	struct vol_moment now;
	uint8_t *buf;
	size_t i;

	sorted = calloc(c->n_members + 1, sizeof(struct vol_member *));
	vol_moment_of(&now, time(NULL));
	buf = sorted ? vol_forecastfile_new((uint32_t)c->n_members, now.local,
					    len)
		     : NULL;
	if (!buf)
		return NULL;
	if (c->n_members)
		memcpy(sorted, c->members,
		       c->n_members * sizeof(struct vol_member *));
	qsort(sorted, c->n_members, sizeof(struct vol_member *), by_id);
	for (i = 0; i < c->n_members; i++) {
		memcpy(record.id, sorted[i]->id, sizeof(record.id));
		vol_forecast_save(sorted[i]->forecast, &record);
		vol_forecastfile_put(buf, (uint32_t)i, &record);
	}
	return buf;
}

static void *write_file(void *arg)
{
	struct writing *w = arg;

	vol_forecastfile_seal(w->buf);
	w->rc = vol_file_replace(w->path, w->buf, w->len, FILE_MODE, 1,
				 &w->err);
	w->done = true;
	return NULL;
}

static void finish_writing(struct vol_forecasts *all)
{
	struct writing *w = all->writing;

	if (!w)
		return;
	pthread_join(w->thread, NULL);
	if (w->rc < 0)
		vol_err("forecasts not written: %s", w->err.text);
	free(w->buf);
	free(w);
	all->writing = NULL;
}

/* The disk may take its time: not the loop's. */
static void start_writing(struct vol_forecasts *all)
{
	struct writing *w = calloc(1, sizeof(*w));
	int rc = ENOMEM;

	all->saved_ms = vol_controller_now_ms();
	if (w) {
		w->path = all->path;
		w->buf = encode(all->c, &w->len);
		if (w->buf)
			rc = vol_thread_start(&w->thread, STACK_BYTES,
					      write_file, w);
	}
	if (rc == 0) {
		all->writing = w;
		return;
	}
	vol_err("forecasts not written: %s", strerror(rc));
	if (w)
		free(w->buf);
	free(w);
}

void vol_forecasts_save(struct vol_forecasts *all)
{
	struct vol_error err;
	uint8_t *buf;
	size_t len;

	if (!all || !all->timer)
		return; /* the start failed: what is there is newer */
	finish_writing(all);
	buf = encode(all->c, &len);
	if (!buf) {
		vol_err("forecasts not written: out of memory");
		return;
	}
	vol_forecastfile_seal(buf);
	if (vol_file_replace(all->path, buf, len, FILE_MODE, 1, &err) < 0)
		vol_err("forecasts not written: %s", err.text);
	free(buf);
}

/* ---- time ---- */

/* All devices within VOL_FORECASTS_RENEW_S: some each second, or, when they are
 * fewer than its seconds, one now and then. */
static uint64_t renew_some(struct vol_forecasts *all)
{
	struct vol_controller *c = all->c;
	size_t n = c->n_members, some, i;

	some = (n + VOL_FORECASTS_RENEW_S - 1) / VOL_FORECASTS_RENEW_S;
	for (i = 0; i < some; i++) {
		if (all->next >= n)
			all->next = 0;
		vol_forecasts_feed(c->members[all->next++]);
	}
	if (n >= VOL_FORECASTS_RENEW_S)
		return 1;
	return n * LOOK_S > VOL_FORECASTS_RENEW_S ? VOL_FORECASTS_RENEW_S / n
						  : LOOK_S;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_forecasts *all = arg;
	uint64_t wait_s = renew_some(all);

	(void)usec;
	if (all->writing && all->writing->done)
		finish_writing(all);
	if (!all->writing && vol_controller_now_ms() - all->saved_ms >=
				     VOL_FORECASTS_SAVE_S * 1000)
		start_writing(all);
	sd_event_source_set_time_relative(source, wait_s * 1000000);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

/* ---- life ---- */

struct vol_forecasts *vol_forecasts_create(struct vol_controller *c,
					   struct vol_error *err)
{
	struct vol_forecasts *all = calloc(1, sizeof(*all));

	if (!all || asprintf(&all->path, "%s/" VOL_FORECASTFILE_NAME,
			     c->conf.state_dir) < 0) {
		free(all);
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	all->c = c;
	all->saved_ms = vol_controller_now_ms();
	load(all);
	return all;
}

int vol_forecasts_start(struct vol_forecasts *all, struct vol_error *err)
{
	int r = sd_event_add_time_relative(all->c->loop, &all->timer,
					   CLOCK_BOOTTIME, 1000000, 0, on_timer,
					   all);

	if (r < 0)
		return vol_errorf_errno(err, -r, "forecasts: %s", strerror(-r));
	free(all->old);
	all->old = NULL;
	return 0;
}

void vol_forecasts_destroy(struct vol_forecasts *all)
{
	if (!all)
		return;
	finish_writing(all);
	sd_event_source_disable_unref(all->timer);
	free(all->old);
	free(all->path);
	free(all);
}
