/* SPDX-License-Identifier: GPL-2.0-or-later */
/* steps.c - the job steps that live on this device */
#include "config.h"

#include "device/steps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "device/procs.h"
#include "device/stepfile_remove.h"
#include "log.h"
#include "refusals.h"

/* How soon to look again after one could not look. */
#define RETRY_US (1000 * 1000ULL)

/* Some lines of cgroup v1 may come before the one that counts. */
#define PROC_CGROUP_MAX (64 * 1024)

struct entry {
	struct entry *next;
	struct vol_steps *steps;
	int pidfd;
	sd_event_source *io;
	bool frozen;                  /* the freezer has it */
	bool batch;                   /* of a batch job */
	char cgroup[VOL_CGROUP_SIZE]; /* as we see it; "" = not known yet */
	char name[NAME_MAX + 1];      /* of the file, "" = none */
	struct vol_step step;         /* without a file: only stepd */
};

struct vol_steps {
	sd_event *loop;
	sd_event_source *watch, *retry, *folders;
	char dir[PATH_MAX];
	struct vol_freezer *freezer;
	void (*changed)(void *arg);
	void (*killed)(uint32_t job, void *arg);
	void *arg;
	bool (*doubt)(const struct vol_step *step, void *arg);
	void *doubt_arg;
	struct entry *entries;
	bool blind; /* there may be steps that we do not know */
	struct vol_refusals refusals;
};

/* ---- files ---- */

static int path_of(const struct vol_steps *s, const char *name, char *path,
		   size_t size)
{
	return snprintf(path, size, "%s/%s", s->dir, name) < (int)size ? 0 : -1;
}

/* ---- one step ---- */

static void remove_entry(struct entry *e)
{
	struct entry **link = &e->steps->entries;

	while (*link != e)
		link = &(*link)->next;
	*link = e->next;
	sd_event_source_disable_unref(e->io);
	close(e->pidfd);
	free(e);
}

static int on_end(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct entry *e = arg;
	struct vol_steps *s = e->steps;

	(void)source;
	(void)fd;
	(void)events;
	/* The plugin removes it; a slurmstepd that was killed did not. */
	if (e->name[0] && vol_stepfile_remove(s->dir, e->name, e->step.stepd) &&
	    s->killed)
		s->killed(e->step.job, s->arg);
	if (s->freezer)
		vol_freezer_remove(s->freezer, e->step.stepd);
	remove_entry(e);
	s->changed(s->arg);
	return 0;
}

static struct entry *by_pid(const struct vol_steps *s, pid_t pid)
{
	struct entry *e = s->entries;

	while (e && e->step.stepd != pid)
		e = e->next;
	return e;
}

/* NULL with ESRCH when the process is no slurmstepd (any more); with another
 * errno when one can not look. */
static struct entry *add_entry(struct vol_steps *s, pid_t pid)
{
	cleanup_fd int fd = pidfd_open(pid, 0);
	struct entry *e;
	int is, r;

	if (fd < 0) {
		/* The number of a mere thread, by now. */
		if (errno == EINVAL || errno == ENOENT)
			errno = ESRCH;
		return NULL;
	}
	/* With the pidfd open the number can not be given away unnoticed. */
	is = vol_procs_is_stepd("", pid);
	if (is == 0)
		errno = ESRCH;
	if (is <= 0)
		return NULL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->steps = s;
	e->step.stepd = pid;
	r = sd_event_add_io(s->loop, &e->io, fd, EPOLLIN, on_end, e);
	if (r < 0) {
		free(e);
		errno = -r;
		return NULL;
	}
	e->pidfd = steal_fd(&fd);
	e->next = s->entries;
	s->entries = e;
	return e;
}

/* ---- its cgroup ---- */

/* Where the kernel says that it is, as seen by us: slurmd, and thus the file,
 * may have a cgroup namespace of its own.  ESRCH: it is a task that has not
 * been started yet, and still goes by the name of slurmstepd. */
static int find_cgroup(pid_t pid, char cgroup[VOL_CGROUP_SIZE],
		       struct vol_error *err)
{
	char path[64], found[VOL_CGROUP_SIZE], inner[VOL_CGROUP_SIZE + 16];
	cleanup_free char *text = NULL;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%ld/cgroup", (long)pid);
	text = vol_file_read(path, PROC_CGROUP_MAX, &len, err);
	if (!text)
		return -1;
	if (strstr(text, "/user/task_"))
		return vol_errorf_errno(err, ESRCH, "a task");
	if (vol_step_cgroup(text, found, sizeof(found), err) < 0)
		return -1;
	snprintf(inner, sizeof(inner), "0::%s/slurm\n", found);
	/* Not there yet, or never: no proctrack/cgroup. */
	if (!strstr(text, inner))
		return vol_errorf_errno(err, ENOENT, "not in a step");
	memcpy(cgroup, found, sizeof(found));
	return 0;
}

static bool doubted(const struct entry *e)
{
	const struct vol_steps *s = e->steps;

	return s->doubt && e->name[0] && e->step.job &&
	       s->doubt(&e->step, s->doubt_arg);
}

/* False: try again. */
static bool freeze(struct entry *e)
{
	struct vol_steps *s = e->steps;
	struct vol_error err = {""};
	bool hold = doubted(e);
	char name[32];

	if (!s->freezer)
		return true;
	e->frozen = (e->cgroup[0] ||
		     find_cgroup(e->step.stepd, e->cgroup, &err) == 0) &&
		    vol_freezer_add(s->freezer, &e->step, hold, e->cgroup,
				    &err) == 0;
	/* Without a folder it is not born yet, or over. */
	if (!e->frozen && errno != ENOENT && errno != ESRCH) {
		snprintf(name, sizeof(name), "%ld", (long)e->step.stepd);
		vol_refusals_log(&s->refusals, "can not freeze the step of",
				 name, err.text);
	}
	return e->frozen;
}

static void retry_later(struct vol_steps *s)
{
	if (sd_event_source_get_enabled(s->retry, NULL) > 0)
		return;
	sd_event_source_set_time_relative(s->retry, RETRY_US);
	sd_event_source_set_enabled(s->retry, SD_EVENT_ONESHOT);
}

static void see_to(struct entry *e)
{
	if (!freeze(e))
		retry_later(e->steps);
}

/* ---- what is there ---- */

static void set_blind(struct vol_steps *s, const char *what)
{
	if (!s->blind)
		vol_warn("can not see which steps are here: %s: %s", what,
			 strerror(errno));
	s->blind = true;
	retry_later(s);
}

/* One batch step makes all steps of its job those of a batch job, also after it
 * has ended. */
static void note_batch(struct vol_steps *s, struct entry *new)
{
	for (struct entry *e = s->entries; e; e = e->next) {
		if (e->step.job != new->step.job)
			continue;
		if (new->step.step == VOL_STEP_BATCH)
			e->batch = true;
		else if (e->batch)
			new->batch = true;
	}
}

static void read_file(struct vol_steps *s, const char *name)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	struct vol_step step;
	struct vol_error err;
	struct entry *e;
	size_t len;

	if (path_of(s, name, path, sizeof(path)) < 0)
		return;
	text = vol_file_read(path, VOL_STEPFILE_MAX, &len, &err);
	if (!text && errno == ENOENT)
		return;
	if (!text && errno != EFBIG) {
		set_blind(s, path);
		return;
	}
	if (!text || vol_step_parse(name, text, len, &step, &err) < 0) {
		vol_refusals_log(&s->refusals, "ignored step file", name,
				 err.text);
		return;
	}
	e = by_pid(s, step.stepd);
	if (!e)
		e = add_entry(s, step.stepd);
	if (!e && errno == ESRCH) {
		vol_debug("step file %s is stale", name);
		(void)vol_stepfile_remove(s->dir, name, step.stepd);
	} else if (!e) {
		set_blind(s, path);
	} else {
		snprintf(e->name, sizeof(e->name), "%s", name);
		e->step = step;
		note_batch(s, e);
		see_to(e);
	}
}

static void read_dir(struct vol_steps *s)
{
	DIR *dir = opendir(s->dir);
	struct dirent *d;

	if (!dir) {
		set_blind(s, s->dir);
		return;
	}
	while ((d = readdir(dir)) != NULL)
		/* Names with a dot in front are still being written. */
		if (d->d_name[0] != '.')
			read_file(s, d->d_name);
	closedir(dir);
}

/* Children of a slurmstepd have its name, too. */
static bool is_child(const struct vol_steps *s, const char *cgroup)
{
	const struct entry *e = s->entries;

	while (e && strcmp(e->cgroup, cgroup) != 0)
		e = e->next;
	return e != NULL;
}

static void note_stepd(pid_t pid, void *arg)
{
	struct vol_steps *s = arg;
	char cgroup[VOL_CGROUP_SIZE] = "";
	struct entry *e;

	if (by_pid(s, pid))
		return;
	if (find_cgroup(pid, cgroup, NULL) < 0 && errno == ESRCH)
		return;
	if (cgroup[0] && is_child(s, cgroup))
		return;
	e = add_entry(s, pid);
	if (!e && errno != ESRCH)
		set_blind(s, "slurmstepd");
	if (!e)
		return;
	memcpy(e->cgroup, cgroup, sizeof(cgroup));
	see_to(e);
}

static void walk(struct vol_steps *s)
{
	if (vol_procs_each_stepd("", note_stepd, s) < 0)
		set_blind(s, "/proc");
}

/* ---- events ---- */

static int watch_dir(struct vol_steps *s, struct vol_error *err);

static int on_change(sd_event_source *source, const struct inotify_event *event,
		     void *arg)
{
	struct vol_steps *s = arg;
	struct vol_error err = {""};

	(void)source;
	if (event->mask & IN_IGNORED) {
		/* Somebody removed the folder, and the watch with it. */
		if (watch_dir(s, &err) < 0)
			set_blind(s, s->dir);
		else
			read_dir(s);
	} else if (event->mask & IN_Q_OVERFLOW) {
		read_dir(s);
	} else if (event->len > 0 && event->name[0] != '.') {
		read_file(s, event->name);
	}
	s->changed(s->arg);
	return 0;
}

static int watch_dir(struct vol_steps *s, struct vol_error *err)
{
	int r;

	s->watch = sd_event_source_disable_unref(s->watch);
	if (vol_mkdir_p(s->dir, 0755, err) < 0)
		return -1;
	r = sd_event_add_inotify(s->loop, &s->watch, s->dir,
				 IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR,
				 on_change, s);
	if (r < 0)
		return vol_errorf_errno(err, -r, "can not watch %s: %s", s->dir,
					strerror(-r));
	return 0;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_steps *s = arg;
	struct vol_error err;
	bool was_blind = s->blind;

	(void)source;
	(void)usec;
	s->blind = false;
	if (!s->watch && watch_dir(s, &err) < 0)
		set_blind(s, s->dir);
	/* A slurmstepd that never gets a cgroup is here for its whole life:
	 * only who could not look must look at all. */
	if (was_blind) {
		read_dir(s);
		walk(s);
	}
	for (struct entry *e = s->entries; e; e = e->next)
		if (!e->frozen)
			see_to(e);
	if (was_blind && !s->blind)
		vol_info("all steps can be seen again");
	s->changed(s->arg);
	return 0;
}

static int on_folders(sd_event_source *source, int fd, uint32_t events,
		      void *arg)
{
	struct vol_steps *s = arg;
	struct vol_error err = {""};

	(void)source;
	(void)fd;
	(void)events;
	if (vol_freezer_dispatch(s->freezer, &err) == 0) {
		s->changed(s->arg);
		return 0;
	}
	vol_refusals_log(&s->refusals, "can not freeze", "new tasks", err.text);
	/* It does not say whose. */
	for (struct entry *e = s->entries; e; e = e->next)
		e->frozen = false;
	retry_later(s);
	return 0;
}

/* ---- create and destroy ---- */

static int start(struct vol_steps *s, struct vol_error *err)
{
	int r = sd_event_add_time_relative(s->loop, &s->retry, CLOCK_MONOTONIC,
					   0, 0, on_retry, s);

	if (r >= 0)
		r = sd_event_source_set_enabled(s->retry, SD_EVENT_OFF);
	if (r >= 0 && s->freezer)
		r = sd_event_add_io(s->loop, &s->folders,
				    vol_freezer_fd(s->freezer), EPOLLIN,
				    on_folders, s);
	if (r < 0)
		return vol_errorf_errno(err, -r, "%s: %s", s->dir,
					strerror(-r));
	if (watch_dir(s, err) < 0)
		return -1;
	read_dir(s);
	walk(s);
	return 0;
}

struct vol_steps *vol_steps_create(sd_event *loop, const char *dir,
				   struct vol_freezer *freezer,
				   void (*changed)(void *arg), void *arg,
				   struct vol_error *err)
{
	struct vol_steps *s = calloc(1, sizeof(*s));

	if (!s || snprintf(s->dir, sizeof(s->dir), "%s", dir) >=
			  (int)sizeof(s->dir)) {
		vol_errorf_errno(err, ENOMEM, "%s: out of memory", dir);
		free(s);
		return NULL;
	}
	s->loop = sd_event_ref(loop);
	s->freezer = freezer;
	s->changed = changed;
	s->arg = arg;
	vol_refusals_init(&s->refusals, 0);
	if (start(s, err) < 0) {
		vol_steps_destroy(s);
		return NULL;
	}
	return s;
}

void vol_steps_destroy(struct vol_steps *s)
{
	int saved = errno;

	if (!s)
		return;
	while (s->entries)
		remove_entry(s->entries);
	sd_event_source_disable_unref(s->watch);
	sd_event_source_disable_unref(s->retry);
	sd_event_source_disable_unref(s->folders);
	sd_event_unref(s->loop);
	free(s);
	errno = saved;
}

void vol_steps_judge(struct vol_steps *s,
		     bool (*doubt)(const struct vol_step *step, void *arg),
		     void *arg)
{
	s->doubt = doubt;
	s->doubt_arg = arg;
}

void vol_steps_on_killed(struct vol_steps *s,
			 void (*killed)(uint32_t job, void *arg))
{
	s->killed = killed;
}

/* ---- questions ---- */

bool vol_steps_busy(const struct vol_steps *s)
{
	return s->entries != NULL || s->blind;
}

bool vol_steps_busy_now(struct vol_steps *s)
{
	walk(s);
	return vol_steps_busy(s);
}

bool vol_steps_calm(struct vol_steps *s)
{
	if (!vol_steps_busy_now(s))
		return true;
	for (const struct entry *e = s->entries; e; e = e->next)
		if (!e->frozen)
			return false;
	return !s->blind && !(s->freezer && vol_freezer_empty(s->freezer));
}

bool vol_steps_interactive_only(const struct vol_steps *s)
{
	for (const struct entry *e = s->entries; e; e = e->next)
		if (!e->name[0] || e->batch)
			return false;
	return !s->blind;
}

bool vol_steps_to_save(const struct vol_steps *s, uint32_t job,
		       struct vol_step *step)
{
	const struct entry *e = s->entries;

	while (e && !(e->name[0] && e->step.job == job && e->step.save &&
		      e->step.born))
		e = e->next;
	if (!e)
		return false;
	*step = e->step;
	/* slurmd's view may be another one. */
	if (e->cgroup[0])
		memcpy(step->cgroup, e->cgroup, sizeof(step->cgroup));
	return true;
}

void vol_steps_each(const struct vol_steps *s,
		    void (*f)(const struct vol_step *step, void *arg),
		    void *arg)
{
	for (const struct entry *e = s->entries; e; e = e->next)
		if (e->name[0])
			f(&e->step, arg);
}

json_t *vol_steps_json(const struct vol_steps *s)
{
	json_t *list = json_array();

	for (const struct entry *e = s->entries; list && e; e = e->next) {
		json_t *one;

		if (e->name[0])
			one = json_pack("{s:I, s:I, s:I, s:I}", "job",
					(json_int_t)e->step.job, "step",
					(json_int_t)e->step.step, "uid",
					(json_int_t)e->step.uid, "stepd",
					(json_int_t)e->step.stepd);
		else
			one = json_pack("{s:I}", "stepd",
					(json_int_t)e->step.stepd);
		json_array_append_new(list, one);
	}
	return list;
}
