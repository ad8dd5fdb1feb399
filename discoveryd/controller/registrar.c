/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registrar.c - the thread that talks to slurmctld, and its two queues
 *
 * Shared between the two threads, under lock: todo, answers, errands, errands
 * done, view, away_reason, stop, refresh.  Everything else belongs to the
 * thread that made it.  The eventfd only says "look"; what there is to see is
 * under the lock.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "backoff.h"
#include "log.h"
#include "registrar.h"
#include "registrar_work.h"
#include "thread.h"
#include "wishes.h"

/* Reading the table may take this share of the thread's and slurmctld's time:
 * 2 %. */
#define VIEW_SHARE   50
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 5000
#define STOP_WAIT_S  2
/* Between two rounds of DRAIN and RESUME. */
#define ROUND_MS    1000
#define ROUND_SHARE 5 /* a sixth of the time at most */

struct vol_registrar {
	sd_event_source *source;
	struct vol_registrar_ops ops;
	void *arg;
	uint64_t period_ms;
	int wake; /* eventfd towards the loop */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct vol_wishes todo;
	struct vol_job *answers, **answers_end;    /* oldest first */
	struct vol_errand *errands, *errands_done; /* likewise */
	struct vol_slurm_view view;
	bool view_ready, away_ready, stop;
	uint64_t refresh; /* requests so far */
	struct vol_error away;
	/* The thread's own. */
	bool is_away;
	uint64_t next_view_ms, next_round_ms;
	uint64_t refreshed; /* the last request that a view answers */
	struct vol_backoff backoff;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void wake_loop(struct vol_registrar *r)
{
	if (eventfd_write(r->wake, 1) < 0 && errno != EAGAIN)
		vol_warn("registrar: eventfd: %s", strerror(errno));
}

static void free_jobs(struct vol_job *job)
{
	struct vol_job *next;

	for (; job; job = next) {
		next = job->next;
		free(job);
	}
}

static void append_errand(struct vol_errand **list, struct vol_errand *e)
{
	while (*list)
		list = &(*list)->next;
	e->next = NULL;
	*list = e;
}

/* Called with the lock held.  Waits until there is something to do. */
static void wait_for_work(struct vol_registrar *r)
{
	uint64_t until, now;
	struct timespec t;

	while (!r->stop && r->refresh == r->refreshed) {
		now = now_ms();
		until = r->next_view_ms;
		if (!r->is_away) {
			if (r->errands ||
			    vol_wishes_due(&r->todo, now >= r->next_round_ms))
				return;
			if (vol_wishes_await_round(&r->todo) &&
			    until > r->next_round_ms)
				until = r->next_round_ms;
		}
		if (now >= until)
			return;
		t.tv_sec = (time_t)(until / 1000);
		t.tv_nsec = (long)(until % 1000) * 1000000;
		pthread_cond_timedwait(&r->changed, &r->lock, &t);
	}
}

static void note_away(struct vol_registrar *r, const struct vol_error *why)
{
	r->next_view_ms = now_ms() + vol_backoff_next(&r->backoff);
	if (r->is_away)
		return;
	r->is_away = true;
	pthread_mutex_lock(&r->lock);
	r->away = *why;
	r->away_ready = true;
	pthread_mutex_unlock(&r->lock);
	wake_loop(r);
}

static void load_view(struct vol_registrar *r)
{
	struct vol_slurm_snapshot s = VOL_SLURM_SNAPSHOT_INIT;
	struct vol_slurm_identity identity;
	uint64_t begin = now_ms(), took;
	struct vol_job *job;
	struct vol_error why = {""};

	if (vol_slurm_identity(&identity, &why) < 0 ||
	    vol_slurm_snapshot_load(&s, &why) < 0) {
		note_away(r, &why);
		return;
	}
	r->is_away = false;
	vol_backoff_reset(&r->backoff);
	took = (now_ms() - begin) * VIEW_SHARE;
	r->next_view_ms =
		now_ms() + (took > r->period_ms ? took : r->period_ms);
	pthread_mutex_lock(&r->lock);
	vol_slurm_snapshot_clear(&r->view.all);
	r->view.all = s;
	r->view.identity = identity;
	r->view.refresh = r->refreshed;
	r->view_ready = true;
	r->away_ready = false; /* older, and over */
	for (job = r->answers; job; job = job->next)
		job->after_view = false;
	pthread_mutex_unlock(&r->lock);
	wake_loop(r);
}

static void hand_over(struct vol_registrar *r, struct vol_job *job)
{
	pthread_mutex_lock(&r->lock);
	job->answer.wish = &job->wish;
	job->after_view = r->view_ready;
	job->next = NULL;
	*r->answers_end = job;
	r->answers_end = &job->next;
	pthread_mutex_unlock(&r->lock);
	wake_loop(r);
}

static void put_back(struct vol_registrar *r, struct vol_job *list)
{
	pthread_mutex_lock(&r->lock);
	vol_wishes_put_back(&r->todo, list);
	pthread_mutex_unlock(&r->lock);
}

/* Rounds take a sixth of the time at most, however large the table. */
static void check(struct vol_registrar *r, struct vol_job *list, bool round,
		  bool *stuck, struct vol_error *why)
{
	uint64_t begin = now_ms(), took;

	*stuck = !vol_work_check(list, why);
	took = (now_ms() - begin) * ROUND_SHARE;
	if (round)
		r->next_round_ms =
			now_ms() + (took > ROUND_MS ? took : ROUND_MS);
}

/* round: what waited for one is among them. */
static void take_wishes(struct vol_registrar *r, struct vol_job *list,
			bool round)
{
	struct vol_job *job, *next, *undone = NULL, **end = &undone;
	struct vol_error why = {""};
	bool stuck, view;

	check(r, list, round, &stuck, &why);
	for (job = list; job && !stuck; job = job->next) {
		if (job->done)
			continue;
		stuck = !vol_work_group(job, &view);
		why = job->answer.why;
		if (!stuck && view)
			r->next_view_ms = 0; /* instead of a look at each */
	}
	if (stuck)
		note_away(r, &why);
	for (job = list; job; job = next) {
		next = job->next;
		job->next = NULL;
		if (job->done) {
			hand_over(r, job);
		} else {
			*end = job;
			end = &job->next;
		}
	}
	put_back(r, undone);
}

/* false: slurmctld is away, and what is left waits. */
static bool run_errands(struct vol_registrar *r)
{
	struct vol_error why = {""};
	struct vol_errand *e;

	for (;;) {
		pthread_mutex_lock(&r->lock);
		e = r->is_away ? NULL : r->errands;
		pthread_mutex_unlock(&r->lock);
		if (!e)
			return true;
		if (!e->run(e, &why)) {
			note_away(r, &why);
			return false;
		}
		pthread_mutex_lock(&r->lock);
		r->errands = e->next;
		append_errand(&r->errands_done, e);
		pthread_mutex_unlock(&r->lock);
		wake_loop(r);
	}
}

static void *run(void *arg)
{
	struct vol_registrar *r = arg;
	struct vol_job *list;
	bool refresh, round;

	pthread_mutex_lock(&r->lock);
	while (!r->stop) {
		wait_for_work(r);
		if (r->stop)
			break;
		round = now_ms() >= r->next_round_ms;
		list = NULL;
		if (!r->is_away && vol_wishes_due(&r->todo, round)) {
			round = round && vol_wishes_await_round(&r->todo);
			list = vol_wishes_take(&r->todo, round);
		}
		refresh = r->refresh != r->refreshed;
		r->refreshed = r->refresh;
		pthread_mutex_unlock(&r->lock);
		if (run_errands(r))
			take_wishes(r, list, round);
		else
			put_back(r, list);
		if (refresh || now_ms() >= r->next_view_ms)
			load_view(r);
		pthread_mutex_lock(&r->lock);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static void deliver(struct vol_registrar *r, struct vol_job **list,
		    bool after_view)
{
	struct vol_job *job;

	while (*list) {
		job = *list;
		if (job->after_view != after_view) {
			list = &job->next;
			continue;
		}
		*list = job->next;
		r->ops.answer(&job->answer, r->arg);
		free(job);
	}
}

/* On the loop: what the thread left for us, in the order in which slurmctld
 * said it; an old view after a fresh answer would undo what was just done. */
static int on_wake(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct vol_registrar *r = arg;
	struct vol_slurm_view view = {0};
	bool view_ready, away_ready;
	struct vol_errand *done, *next;
	struct vol_error away;
	struct vol_job *list;
	eventfd_t count;

	(void)source;
	(void)events;
	(void)eventfd_read(fd, &count);
	pthread_mutex_lock(&r->lock);
	list = r->answers;
	done = r->errands_done;
	r->answers = NULL;
	r->answers_end = &r->answers;
	r->errands_done = NULL;
	view_ready = r->view_ready;
	if (view_ready) {
		view = r->view;
		memset(&r->view, 0, sizeof(r->view));
	}
	away_ready = r->away_ready;
	away = r->away;
	r->view_ready = r->away_ready = false;
	pthread_mutex_unlock(&r->lock);

	if (away_ready)
		r->ops.away(away.text, r->arg);
	deliver(r, &list, false);
	if (view_ready) {
		r->ops.view(&view, r->arg);
		vol_slurm_snapshot_clear(&view.all);
	}
	deliver(r, &list, true);
	for (; done; done = next) {
		next = done->next;
		done->done(done);
	}
	return 0;
}

static void drop_errands(struct vol_errand *e)
{
	struct vol_errand *next;

	for (; e; e = next) {
		next = e->next;
		e->drop(e);
	}
}

static int start_thread(struct vol_registrar *r)
{
	pthread_condattr_t attr;
	int rc;

	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->changed, &attr);
	pthread_condattr_destroy(&attr);
	rc = vol_thread_start(&r->thread, 0, run, r);
	if (rc)
		errno = rc;
	return rc ? -1 : 0;
}

struct vol_registrar *vol_registrar_create(sd_event *loop, uint64_t period_ms,
					   const struct vol_registrar_ops *ops,
					   void *arg, struct vol_error *err)
{
	struct vol_registrar *r;
	uint64_t seed = 0;
	int rc;

	if (vol_slurm_init(err) < 0)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	r->ops = *ops;
	r->arg = arg;
	vol_wishes_init(&r->todo);
	r->answers_end = &r->answers;
	r->period_ms = period_ms;
	(void)!getrandom(&seed, sizeof(seed), 0);
	vol_backoff_init(&r->backoff, RETRY_MIN_MS, RETRY_MAX_MS, seed);
	r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->wake < 0) {
		vol_errorf(err, "eventfd: %s", strerror(errno));
		goto error;
	}
	rc = sd_event_add_io(loop, &r->source, r->wake, EPOLLIN, on_wake, r);
	if (rc < 0) {
		vol_errorf_errno(err, -rc, "event loop: %s", strerror(-rc));
		goto error;
	}
	if (start_thread(r) < 0) {
		vol_errorf(err, "thread: %s", strerror(errno));
		goto error;
	}
	return r;
error:
	sd_event_source_disable_unref(r->source);
	if (r->wake >= 0)
		close(r->wake);
	free(r);
	return NULL;
}

int vol_registrar_wish(struct vol_registrar *r, const struct vol_wish *wish)
{
	struct vol_job *job;

	pthread_mutex_lock(&r->lock);
	job = vol_wishes_find(&r->todo, wish->node);
	if (job) {
		vol_wishes_replace(&r->todo, job, wish);
	} else {
		job = calloc(1, sizeof(*job));
		if (job) {
			job->wish = *wish;
			vol_wishes_add(&r->todo, job);
		}
	}
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	return job ? 0 : -1;
}

void vol_registrar_errand(struct vol_registrar *r, struct vol_errand *e)
{
	pthread_mutex_lock(&r->lock);
	append_errand(&r->errands, e);
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

uint64_t vol_registrar_refresh(struct vol_registrar *r)
{
	uint64_t number;

	pthread_mutex_lock(&r->lock);
	number = ++r->refresh;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	return number;
}

void vol_registrar_destroy(struct vol_registrar *r)
{
	struct timespec t;

	if (!r)
		return;
	r->source = sd_event_source_disable_unref(r->source);
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += STOP_WAIT_S;
	/* A call to a slurmctld that is away can take a minute and can not be
	 * called off: then the thread and what it uses are left to the end of
	 * the process, which is near. */
	if (pthread_timedjoin_np(r->thread, NULL, &t) != 0)
		return;
	vol_wishes_clear(&r->todo);
	free_jobs(r->answers);
	drop_errands(r->errands);
	drop_errands(r->errands_done);
	vol_slurm_snapshot_clear(&r->view.all);
	close(r->wake);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
	vol_slurm_fini();
}
