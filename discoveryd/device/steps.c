/* SPDX-License-Identifier: GPL-2.0-or-later */
/* steps.c - the job steps that live on this device */
#include "config.h"

#include "device/steps.h"

#include <dirent.h>
#include <errno.h>
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
#include "log.h"
#include "refusals.h"
#include "stepfile.h"

struct entry {
	struct entry *next;
	struct vol_steps *steps;
	pid_t stepd;
	int pidfd;
	sd_event_source *io;
	char name[NAME_MAX + 1]; /* of the file, "" = none */
	struct vol_step step;
};

struct vol_steps {
	sd_event *loop;
	sd_event_source *watch;
	char dir[PATH_MAX];
	void (*changed)(void *arg);
	void *arg;
	struct entry *entries;
	struct vol_refusals refusals;
};

static void remove_file(struct vol_steps *s, const char *name)
{
	char path[PATH_MAX + NAME_MAX + 2];

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	unlink(path);
}

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
	if (e->name[0])
		remove_file(s, e->name);
	remove_entry(e);
	s->changed(s->arg);
	return 0;
}

static struct entry *by_pid(const struct vol_steps *s, pid_t pid)
{
	struct entry *e = s->entries;

	while (e && e->stepd != pid)
		e = e->next;
	return e;
}

/* NULL when the process is no slurmstepd (any more). */
static struct entry *add_entry(struct vol_steps *s, pid_t pid)
{
	int fd = pidfd_open(pid, 0);
	struct entry *e;

	/* With the pidfd open the number can not be given away unnoticed. */
	if (fd < 0 || !vol_procs_is_stepd("", pid) ||
	    !(e = calloc(1, sizeof(*e)))) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	e->steps = s;
	e->stepd = pid;
	e->pidfd = fd;
	e->next = s->entries;
	s->entries = e;
	if (sd_event_add_io(s->loop, &e->io, fd, EPOLLIN, on_end, e) < 0) {
		remove_entry(e);
		return NULL;
	}
	return e;
}

static void read_file(struct vol_steps *s, const char *name)
{
	char path[PATH_MAX + NAME_MAX + 2];
	cleanup_free char *text = NULL;
	struct vol_step step;
	struct vol_error err;
	struct entry *e;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	text = vol_file_read(path, VOL_STEPFILE_MAX, &len, &err);
	if (!text && errno == ENOENT)
		return;
	if (!text || vol_step_parse(name, text, len, &step, &err) < 0) {
		vol_refusals_log(&s->refusals, "ignored step file", name,
				 err.text);
		return;
	}
	e = by_pid(s, step.stepd);
	if (!e)
		e = add_entry(s, step.stepd);
	if (!e) {
		vol_debug("step file %s is stale", name);
		unlink(path);
		return;
	}
	snprintf(e->name, sizeof(e->name), "%s", name);
	e->step = step;
}

static void read_dir(struct vol_steps *s)
{
	DIR *dir = opendir(s->dir);
	struct dirent *d;

	if (!dir)
		return;
	while ((d = readdir(dir)) != NULL)
		/* Names with a dot in front are still being written. */
		if (d->d_name[0] != '.')
			read_file(s, d->d_name);
	closedir(dir);
}

static int on_change(sd_event_source *source, const struct inotify_event *event,
		     void *arg)
{
	struct vol_steps *s = arg;

	(void)source;
	if (event->mask & IN_Q_OVERFLOW)
		read_dir(s);
	else if (event->len > 0 && event->name[0] != '.')
		read_file(s, event->name);
	s->changed(s->arg);
	return 0;
}

static void note_stepd(pid_t pid, void *arg)
{
	struct vol_steps *s = arg;

	if (!by_pid(s, pid))
		add_entry(s, pid);
}

struct vol_steps *vol_steps_create(sd_event *loop, const char *dir,
				   void (*changed)(void *arg), void *arg,
				   struct vol_error *err)
{
	struct vol_steps *s = calloc(1, sizeof(*s));
	int r;

	if (!s || snprintf(s->dir, sizeof(s->dir), "%s", dir) >=
			  (int)sizeof(s->dir)) {
		vol_errorf_errno(err, ENOMEM, "%s: out of memory", dir);
		free(s);
		return NULL;
	}
	s->loop = sd_event_ref(loop);
	s->changed = changed;
	s->arg = arg;
	vol_refusals_init(&s->refusals, 0);
	if (vol_mkdir_p(dir, 0755, err) < 0)
		goto error;
	r = sd_event_add_inotify(loop, &s->watch, dir,
				 IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR,
				 on_change, s);
	if (r < 0) {
		vol_errorf_errno(err, -r, "can not watch %s: %s", dir,
				 strerror(-r));
		goto error;
	}
	read_dir(s);
	vol_procs_each_stepd("", note_stepd, s);
	return s;
error:
	vol_steps_destroy(s);
	return NULL;
}

void vol_steps_destroy(struct vol_steps *s)
{
	int saved = errno;

	if (!s)
		return;
	while (s->entries)
		remove_entry(s->entries);
	sd_event_source_disable_unref(s->watch);
	sd_event_unref(s->loop);
	free(s);
	errno = saved;
}

bool vol_steps_busy(const struct vol_steps *s)
{
	return s->entries != NULL;
}

bool vol_steps_busy_now(struct vol_steps *s)
{
	vol_procs_each_stepd("", note_stepd, s);
	return vol_steps_busy(s);
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
					(json_int_t)e->stepd);
		else
			one = json_pack("{s:I}", "stepd", (json_int_t)e->stepd);
		json_array_append_new(list, one);
	}
	return list;
}
