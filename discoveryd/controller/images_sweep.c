/* SPDX-License-Identifier: GPL-2.0-or-later */
/* images_sweep.c - which jobs with images there still are */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "images_private.h"
#include "log.h"

/* Nothing hurries: images are kept for checkpoint_keep after their job. */
#ifndef VOL_IMAGES_SWEEP_MS /* tests have less patience */
#define VOL_IMAGES_SWEEP_MS 60000
#endif
/* More jobs are looked up in the whole table. */
#define SINGLES 3

struct sweep {
	struct vol_errand errand;   /* first */
	struct vol_images *im;      /* NULL: it is gone */
	struct vol_store_job *jobs; /* owned */
	size_t n;
	bool failed;
};

static void sweep_free(struct vol_errand *errand)
{
	struct sweep *w = (struct sweep *)errand;

	free(w->jobs);
	free(w);
}

static bool is_live(const struct vol_slurm_job *job)
{
	return job->completing || job->state == VOL_JOB_PENDING ||
	       job->state == VOL_JOB_RUNNING || job->state == VOL_JOB_SUSPENDED;
}

/* false: slurmctld is away. */
static bool look_singly(struct sweep *w, struct vol_error *why)
{
	struct vol_slurm_job job = {.id = 0};
	int error;

	for (size_t i = 0; i < w->n; i++) {
		if (vol_slurm_job_get(w->jobs[i].id, &job, why) == 0) {
			w->jobs[i].live = is_live(&job);
			vol_slurm_job_clear(&job);
			continue;
		}
		error = errno;
		if (error == EAGAIN)
			return false;
		w->jobs[i].live = false;
		w->failed |= error != ENOENT;
	}
	return true;
}

static bool look_at_all(struct sweep *w, struct vol_error *why)
{
	struct vol_slurm_jobs all = {NULL, 0};
	const struct vol_slurm_job *job;

	if (vol_slurm_jobs_load(&all, why) < 0) {
		if (errno == EAGAIN)
			return false;
		w->failed = true;
		return true;
	}
	for (size_t i = 0; i < w->n; i++) {
		job = vol_slurm_jobs_find(&all, w->jobs[i].id);
		w->jobs[i].live = job && is_live(job);
	}
	vol_slurm_jobs_clear(&all);
	return true;
}

static bool sweep_run(struct vol_errand *errand, struct vol_error *why)
{
	struct sweep *w = (struct sweep *)errand;

	w->failed = false;
	return w->n <= SINGLES ? look_singly(w, why) : look_at_all(w, why);
}

static void sweep_done(struct vol_errand *errand)
{
	struct sweep *w = (struct sweep *)errand;
	struct vol_images *im = w->im;
	struct vol_error err;
	int n = 0;

	if (im && !w->failed)
		n = vol_store_sweep(im->store, w->jobs, w->n,
				    im->c->conf.checkpoint_keep_ms / 1000,
				    &err);
	if (n < 0)
		vol_err("images: %s", err.text);
	else if (n > 0)
		vol_info("%d images of jobs that are gone were removed", n);
	if (im)
		im->sweep = NULL;
	sweep_free(errand);
}

/* The jobs that have images, each once. */
static int collect_jobs(struct sweep *w)
{
	struct vol_store_image *list;
	size_t n;

	list = vol_store_list(w->im->store, &n);
	w->jobs = calloc(n + 1, sizeof(*w->jobs));
	for (size_t i = 0; list && w->jobs && i < n; i++)
		if (!w->n || w->jobs[w->n - 1].id != list[i].head.job)
			w->jobs[w->n++].id = list[i].head.job;
	free(list);
	return w->jobs && list ? 0 : -1;
}

static void begin(struct vol_images *im)
{
	struct sweep *w = calloc(1, sizeof(*w));

	if (!w) {
		vol_err("images: out of memory");
		return;
	}
	w->im = im;
	w->errand.run = sweep_run;
	w->errand.done = sweep_done;
	w->errand.drop = sweep_free;
	if (collect_jobs(w) < 0 || w->n == 0) {
		sweep_free(&w->errand);
		return;
	}
	im->sweep = &w->errand;
	vol_registrar_errand(im->c->registrar, &w->errand);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_images *im = arg;

	(void)usec;
	vol_images_open(im);
	if (im->store && !im->sweep)
		begin(im);
	sd_event_source_set_time_relative(source,
					  VOL_IMAGES_SWEEP_MS * 1000ULL);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

int vol_images_sweep_begin(struct vol_images *im, struct vol_error *err)
{
	int rc = sd_event_add_time_relative(im->c->loop, &im->sweep_timer,
					    CLOCK_BOOTTIME,
					    VOL_IMAGES_SWEEP_MS * 1000ULL, 0,
					    on_timer, im);

	if (rc < 0)
		return vol_errorf_errno(err, -rc, "event loop: %s",
					strerror(-rc));
	return 0;
}

void vol_images_sweep_end(struct vol_images *im)
{
	im->sweep_timer = sd_event_source_disable_unref(im->sweep_timer);
	if (im->sweep)
		((struct sweep *)im->sweep)->im = NULL;
	im->sweep = NULL;
}
