/* SPDX-License-Identifier: GPL-2.0-or-later */
/* warden.c - the walls around jobs: written down, tried, and heard of */
#include "config.h"

#include "device/warden.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "device/runtimes.h"
#include "device/trial.h"
#include "log.h"
#include "policy.h"
#include "runtime.h"
#include "text.h"
#include "wallsfail.h"

/* A job that fails is requeued, and comes back when we open: no more than four
 * in an hour are to try this machine in vain. */
#define AGAIN_US (15 * 60 * 1000 * 1000ULL)

/* So much fits into a verdict behind "sandbox: ". */
#define TROUBLE_SIZE (VOL_WHY_SIZE - 16)

/* 10 GB of an image from an old disk, on a machine under load. */
#define MOUNT_SECONDS 600

enum stand { UNTRIED, STAND, STAND_WITHOUT_IDS, DO_NOT_STAND };

/* Walls that are to be in force. */
struct wanted {
	char *text; /* of the file, owned */
	size_t len;
	char view[VOL_WALLS_VIEW_SIZE];
	char image[VOL_WALLS_PATH_SIZE]; /* as jobs' */
	char *file;                      /* to be mounted there, owned */
};

struct vol_warden {
	sd_event *loop;
	char *walls, *failed; /* paths */
	char *program, *mounter;
	void (*changed)(void *arg);
	void *arg;
	sd_event_source *watch, *timer;
	struct vol_trial *trial; /* while it runs */
	struct vol_trial *mount; /* same */
	struct wanted wanted;
	bool unmounted; /* that could not be mounted */
	bool up, warned;
	char runtime[VOL_RUNTIME_SIZE];
	char view[VOL_WALLS_VIEW_SIZE];
	enum stand stand;
	struct stat before; /* of the failure that a trial will clear */
	/* Why not, "" when there is nothing. */
	char write_trouble[TROUBLE_SIZE], trial_trouble[TROUBLE_SIZE];
	char step_trouble[TROUBLE_SIZE];
	char missing[VOL_TRIAL_TEXT_SIZE];
};

/* Others' words; they go to terminals and into Slurm. */
static void set_text(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%.*s", (int)strcspn(text, "\n"), text);
	for (; *to; to++)
		if (!vol_char_printable((unsigned char)*to))
			*to = '?';
}

/* ---- the file of the walls ---- */

static void forget_wanted(struct wanted *wanted)
{
	free(wanted->text);
	free(wanted->file);
	*wanted = (struct wanted){.text = NULL};
}

static int want(struct wanted *wanted, const struct vol_sandbox_conf *c,
		const char *owners, struct vol_error *err)
{
	cleanup_free struct vol_walls *walls = malloc(sizeof(*walls));
	int len;

	wanted->text = malloc(VOL_WALLS_FILE_MAX + 1);
	if (!walls || !wanted->text)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	if (vol_sandbox_conf_walls(c, walls, err) < 0 ||
	    vol_sandbox_conf_homes(walls, owners, "/etc/passwd", err) < 0)
		return -1;
	len = vol_walls_format(walls, wanted->text, VOL_WALLS_FILE_MAX + 1);
	if (len < 0)
		return vol_errorf(err, "[sandbox]: %s",
				  errno == ENOSPC ? "too many paths"
						  : strerror(errno));
	wanted->len = (size_t)len;
	vol_walls_view(walls, wanted->view);
	strcpy(wanted->image, walls->image);
	/* Bare jobs have the machine's own system. */
	if (!c->on || !*vol_runtime_of(walls->image))
		return 0;
	wanted->file = strdup(c->image);
	return wanted->file ? 0
			    : vol_errorf_errno(err, ENOMEM, "out of memory");
}

static void refuse(struct vol_warden *w, const char *what,
		   const struct vol_error *err)
{
	set_text(w->write_trouble, sizeof(w->write_trouble), err->text);
	vol_err("%s: %s", what, err->text);
	/* An older one may say less than the owner wants. */
	(void)unlink(w->walls);
}

/* ---- what steps say ---- */

static void look_at_failure(struct vol_warden *w)
{
	char before[TROUBLE_SIZE];
	struct vol_wallsfail fail = {.job = UINT32_MAX};
	struct vol_error err = {""};
	cleanup_free char *text = NULL;
	size_t len = 0;

	memcpy(before, w->step_trouble, sizeof(before));
	text = vol_file_read(w->failed, VOL_WALLSFAIL_MAX, &len, &err);
	if (!text && errno == ENOENT)
		*w->step_trouble = '\0';
	else if (text && vol_wallsfail_parse(VOL_WALLSFAIL_NAME, text, len,
					     &fail, &err) == 0)
		set_text(w->step_trouble, sizeof(w->step_trouble), fail.reason);
	else /* somebody wanted to say something */
		set_text(w->step_trouble, sizeof(w->step_trouble), err.text);
	if (strcmp(before, w->step_trouble) == 0)
		return;
	if (*w->step_trouble)
		vol_err("%s did not start, since a wall could not be built: %s",
			text && fail.job == 0 ? "slurmd" : "a job step",
			w->step_trouble);
	else
		vol_info("the walls around jobs can be built again");
}

/* ---- the trial ---- */

static void try_again_later(struct vol_warden *w)
{
	sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
	if (!*w->step_trouble && w->stand != DO_NOT_STAND && !w->unmounted)
		return;
	sd_event_source_set_time_relative(w->timer, AGAIN_US);
	sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

/* Is it another one than when the trial began?  Events can not tell: those of
 * one writing come in two pieces. */
static bool failed_since(const struct vol_warden *w)
{
	struct stat st;

	return stat(w->failed, &st) == 0 &&
	       (st.st_ino != w->before.st_ino ||
		st.st_mtim.tv_sec != w->before.st_mtim.tv_sec ||
		st.st_mtim.tv_nsec != w->before.st_mtim.tv_nsec);
}

static void forget_failure(struct vol_warden *w)
{
	if (unlink(w->failed) < 0 && errno != ENOENT)
		vol_warn("%s: %s", w->failed, strerror(errno));
	look_at_failure(w);
}

static void on_trial(enum vol_trial_result result, const char *text, void *arg)
{
	struct vol_warden *w = arg;

	*w->missing = *w->trial_trouble = '\0';
	if (result == VOL_TRIAL_BROKEN) {
		w->stand = DO_NOT_STAND;
		set_text(w->trial_trouble, sizeof(w->trial_trouble), text);
		vol_err("the walls around jobs can not be built: %s",
			w->trial_trouble);
	} else {
		w->stand = result == VOL_TRIAL_ALL ? STAND : STAND_WITHOUT_IDS;
		if (result == VOL_TRIAL_NO_IDS)
			set_text(w->missing, sizeof(w->missing), text);
		vol_info("the walls around jobs stand%s%s",
			 *w->missing ? ", without " : "", w->missing);
		if (!failed_since(w))
			forget_failure(w);
	}
	vol_trial_end(w->trial);
	w->trial = NULL;
	try_again_later(w);
	w->changed(w->arg);
}

static void start_trial(struct vol_warden *w)
{
	struct vol_error err;

	vol_trial_end(w->trial);
	w->trial = NULL;
	if (stat(w->failed, &w->before) < 0)
		memset(&w->before, 0, sizeof(w->before));
	w->trial = vol_trial_start(w->loop, w->program, w->walls,
				   VOL_TRIAL_SECONDS, on_trial, w, &err);
	if (w->trial) {
		/* The first answer is waited for; later ones may be others. */
		if (w->stand == UNTRIED)
			set_text(w->trial_trouble, sizeof(w->trial_trouble),
				 "being tried");
		return;
	}
	w->stand = DO_NOT_STAND;
	set_text(w->trial_trouble, sizeof(w->trial_trouble), err.text);
	vol_err("the walls around jobs can not be tried: %s", err.text);
	try_again_later(w);
}

/* ---- walls that are wanted ---- */

static void take_down(struct vol_warden *w)
{
	vol_trial_end(w->trial);
	w->trial = NULL;
	w->stand = UNTRIED;
	*w->trial_trouble = *w->missing = '\0';
	forget_failure(w);
	if (!w->warned)
		vol_warn("sandbox = no: jobs can read and change whatever "
			 "their user can on this machine");
	w->warned = true;
}

static void note_runtime(struct vol_warden *w, const char *runtime)
{
	if (strcmp(w->runtime, runtime) == 0)
		return;
	snprintf(w->runtime, sizeof(w->runtime), "%s", runtime);
	if (*runtime)
		vol_info("jobs have image %s as their system", runtime);
	else
		vol_info("jobs have no image file as their system any more");
}

static void put_in_force(struct vol_warden *w)
{
	const struct wanted *wanted = &w->wanted;
	struct vol_error err;

	if (vol_file_replace(w->walls, wanted->text, wanted->len, 0644, 0,
			     &err) < 0) {
		refuse(w, "the walls around jobs can not be written down",
		       &err);
		return;
	}
	*w->write_trouble = '\0';
	memcpy(w->view, wanted->view, sizeof(w->view));
	note_runtime(w, w->up ? vol_runtime_of(wanted->image) : "");
	if (w->up) {
		w->warned = false;
		start_trial(w);
	} else {
		take_down(w);
	}
	try_again_later(w);
}

static void on_mount(enum vol_trial_result result, const char *text, void *arg)
{
	struct vol_warden *w = arg;
	struct vol_error err;

	vol_errorf(&err, "image %.*s", (int)strcspn(text, "\n"), text);
	vol_trial_end(w->mount);
	w->mount = NULL;
	if (result == VOL_TRIAL_ALL) {
		put_in_force(w);
	} else {
		w->unmounted = true;
		refuse(w, "jobs can not have a system", &err);
		try_again_later(w);
	}
	w->changed(w->arg);
}

static void start_mount(struct vol_warden *w)
{
	struct vol_error err;

	w->unmounted = false;
	w->mount = vol_trial_start(w->loop, w->mounter, w->wanted.file,
				   MOUNT_SECONDS, on_mount, w, &err);
	if (w->mount) {
		snprintf(w->write_trouble, sizeof(w->write_trouble),
			 "image %.12s is being read",
			 vol_runtime_of(w->wanted.image));
		return;
	}
	w->unmounted = true;
	refuse(w, "jobs can not have a system", &err);
	try_again_later(w);
}

/* ---- events ---- */

static int on_file(sd_event_source *source, const struct inotify_event *event,
		   void *arg)
{
	struct vol_warden *w = arg;

	(void)source;
	if (!(event->mask & IN_Q_OVERFLOW) &&
	    (event->len == 0 || strcmp(event->name, VOL_WALLSFAIL_NAME) != 0))
		return 0;
	look_at_failure(w);
	try_again_later(w);
	w->changed(w->arg);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_warden *w = arg;

	(void)source;
	(void)usec;
	if (w->unmounted)
		start_mount(w);
	else if (w->up && !w->mount && !*w->write_trouble)
		start_trial(w);
	else
		return 0;
	w->changed(w->arg);
	return 0;
}

/* ---- life ---- */

static int watch(struct vol_warden *w, const char *run_dir,
		 struct vol_error *err)
{
	int r = sd_event_add_inotify(w->loop, &w->watch, run_dir,
				     IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE |
					     IN_ONLYDIR,
				     on_file, w);

	if (r < 0)
		return vol_errorf_errno(err, -r, "can not watch %s: %s",
					run_dir, strerror(-r));
	r = sd_event_add_time_relative(w->loop, &w->timer, CLOCK_MONOTONIC,
				       AGAIN_US, 0, on_timer, w);
	if (r < 0)
		return vol_errorf_errno(err, -r, "timer: %s", strerror(-r));
	sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
	return 0;
}

struct vol_warden *vol_warden_create(sd_event *loop, const char *run_dir,
				     const char *trial, const char *runtime,
				     void (*changed)(void *arg), void *arg,
				     struct vol_error *err)
{
	struct vol_warden *w = calloc(1, sizeof(*w));

	if (!w || !(w->program = strdup(trial)) ||
	    !(w->mounter = strdup(runtime)) ||
	    asprintf(&w->walls, "%s/" VOL_WALLS_NAME, run_dir) < 0 ||
	    asprintf(&w->failed, "%s/" VOL_WALLSFAIL_NAME, run_dir) < 0) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		goto error;
	}
	w->loop = sd_event_ref(loop);
	w->changed = changed;
	w->arg = arg;
	if (vol_mkdir_p(run_dir, 0755, err) < 0 || watch(w, run_dir, err) < 0)
		goto error;
	look_at_failure(w);
	return w;
error:
	vol_warden_destroy(w);
	return NULL;
}

void vol_warden_destroy(struct vol_warden *w)
{
	int saved = errno;

	if (!w)
		return;
	vol_trial_end(w->trial);
	vol_trial_end(w->mount);
	forget_wanted(&w->wanted);
	sd_event_source_disable_unref(w->watch);
	sd_event_source_disable_unref(w->timer);
	sd_event_unref(w->loop);
	free(w->walls);
	free(w->failed);
	free(w->program);
	free(w->mounter);
	free(w);
	errno = saved;
}

void vol_warden_apply(struct vol_warden *w, const struct vol_sandbox_conf *c,
		      const char *owners)
{
	struct vol_error err;

	vol_trial_end(w->mount);
	w->mount = NULL;
	w->unmounted = false;
	w->up = c->on;
	*w->write_trouble = '\0';
	forget_wanted(&w->wanted);
	if (want(&w->wanted, c, owners, &err) < 0)
		refuse(w, "the walls around jobs can not be written down",
		       &err);
	else if (w->wanted.file && !vol_runtimes_mounted(w->wanted.image))
		start_mount(w);
	else
		put_in_force(w);
}

const char *vol_warden_trouble(const struct vol_warden *w)
{
	if (*w->write_trouble)
		return w->write_trouble;
	if (!w->up)
		return NULL;
	if (*w->step_trouble)
		return w->step_trouble;
	return *w->trial_trouble ? w->trial_trouble : NULL;
}

const char *vol_warden_view(const struct vol_warden *w)
{
	return w->view;
}

bool vol_warden_settles(const struct vol_warden *w)
{
	return w->mount;
}

const char *vol_warden_runtime(const struct vol_warden *w)
{
	return w->runtime;
}

json_t *vol_warden_json(const struct vol_warden *w)
{
	static const char *const words[] = {
		[UNTRIED] = "untried",
		[STAND] = "all",
		[STAND_WITHOUT_IDS] = "without ids",
		[DO_NOT_STAND] = "no",
	};
	const char *trouble = vol_warden_trouble(w);

	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "walls",
			 w->up ? "up" : "off", "stand", words[w->stand],
			 "missing", w->missing, "trouble",
			 trouble ? trouble : "", "runtime", w->runtime);
}
