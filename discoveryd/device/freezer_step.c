/* SPDX-License-Identifier: GPL-2.0-or-later */
/* freezer_step.c - the cgroup files of one job step
 *
 * Plain writes to descriptors that are open already, not libcgroup: that looks
 * up the mount table and opens, writes and closes by path each time, which
 * costs more than the owner may wait and can fail for want of a descriptor.
 *
 * user/ is ours to write as long as "whole" is true: during the birth, and
 * while a task folder can not be opened.  Otherwise it is Slurm's.
 */
#include "config.h"

#include "device/freezer_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cleanup.h"

/* On user/ once the birth is over, so that a discoveryd that was killed does
 * not take a suspension by Slurm for a birth: the number of the slurmstepd
 * whose it was.  A folder whose slurmstepd was killed stays, and is the next
 * one's. */
#define MARK "trusted.volunteer.born"

#define TASK "task_"

/* ---- one file ---- */

static bool put(int fd, bool stop)
{
	return pwrite(fd, stop ? "1" : "0", 1, 0) == 1;
}

static bool is_on(int fd)
{
	char c = '0';

	return pread(fd, &c, 1, 0) == 1 && c == '1';
}

/* cgroup.events has two or three short lines.  Reading it also makes poll wait
 * for the next change. */
static bool is_frozen(int fd)
{
	char text[128];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	/* Removed: nothing is left in it. */
	if (n < 0)
		return errno == ENODEV;
	text[n] = '\0';
	return strstr(text, "frozen 1") != NULL;
}

/* ---- task folders ---- */

static void close_folder(struct vol_task_folder *t)
{
	if (t->freeze >= 0)
		close(t->freeze);
	if (t->events >= 0)
		close(t->events);
	free(t);
}

static int open_in(int dir, const char *folder, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return openat(dir, path, flags | O_CLOEXEC);
}

/* 0 also when it is gone already. */
static int add_folder(struct vol_frozen_step *s, const char *name, ino_t ino)
{
	struct vol_task_folder *t;

	/* Slurm's names are short; another one is nobody's we know. */
	if (strlen(name) >= sizeof(t->name))
		return 0;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -1;
	t->ino = ino;
	t->seen = true;
	snprintf(t->name, sizeof(t->name), "%s", name);
	t->freeze = open_in(s->user, name, "cgroup.freeze", O_WRONLY);
	t->events = t->freeze < 0
			    ? -1
			    : open_in(s->user, name, "cgroup.events", O_RDONLY);
	if (t->events < 0) {
		int saved = errno;

		close_folder(t);
		errno = saved;
		return errno == ENOENT || errno == ENODEV ? 0 : -1;
	}
	t->next = s->folders;
	s->folders = t;
	return 0;
}

static int note_folder(struct vol_frozen_step *s, const struct dirent *d)
{
	struct vol_task_folder *t = s->folders;

	while (t && (t->ino != d->d_ino || strcmp(t->name, d->d_name)))
		t = t->next;
	if (!t)
		return add_folder(s, d->d_name, d->d_ino);
	t->seen = true;
	return 0;
}

static void drop_unseen(struct vol_frozen_step *s)
{
	struct vol_task_folder **link = &s->folders, *t;

	while ((t = *link) != NULL) {
		if (t->seen) {
			t->seen = false;
			link = &t->next;
		} else {
			*link = t->next;
			close_folder(t);
		}
	}
}

static int scan(struct vol_frozen_step *s)
{
	int fd = openat(s->user, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	int rc = 0, saved = 0;

	if (!dir) {
		saved = errno;
		if (fd >= 0)
			close(fd);
		errno = saved;
		return -1;
	}
	while ((d = readdir(dir)) != NULL)
		if (!strncmp(d->d_name, TASK, strlen(TASK)) &&
		    note_folder(s, d) < 0) {
			saved = errno;
			rc = -1;
		}
	closedir(dir);
	drop_unseen(s);
	if (rc < 0)
		errno = saved;
	return rc;
}

/* ---- stop and go ---- */

static bool whole(const struct vol_frozen_step *s)
{
	return s->birth || s->blind;
}

unsigned vol_frozen_step_set(struct vol_frozen_step *s, bool stop)
{
	unsigned n = 0;

	if (s->lent)
		return 0;
	for (const struct vol_task_folder *t = s->folders; t; t = t->next)
		n += put(t->freeze, stop);
	if (stop && whole(s)) {
		/* Frozen by somebody else it stays theirs. */
		if (!is_on(s->freeze) && put(s->freeze, true)) {
			s->ours = true;
			n++;
		}
	} else if (s->ours && (!stop || !whole(s)) && put(s->freeze, false)) {
		s->ours = false;
		n++;
	}
	return n;
}

static void mark(const struct vol_frozen_step *s)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%ld", (long)s->info.stepd);

	(void)fsetxattr(s->user, MARK, text, (size_t)n, 0);
}

static bool is_marked(const struct vol_frozen_step *s)
{
	char text[16];
	ssize_t n = fgetxattr(s->user, MARK, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return n > 0 && strtol(text, NULL, 10) == (long)s->info.stepd;
}

int vol_frozen_step_look(struct vol_frozen_step *s, bool stop,
			 struct vol_error *err)
{
	int rc = scan(s), saved = errno;
	bool born = s->birth && rc == 0 && s->info.born;

	s->blind = rc < 0;
	if (born)
		s->birth = false;
	vol_frozen_step_set(s, stop);
	/* After the thaw: one lost in between is worse than one done twice. */
	if (born)
		mark(s);
	if (rc < 0)
		return vol_errorf_errno(err, saved, "tasks of job %lu: %s",
					(unsigned long)s->info.job,
					strerror(saved));
	return 0;
}

int vol_frozen_step_running(const struct vol_frozen_step *s)
{
	const struct vol_task_folder *t = s->folders;

	if (s->lent)
		return -1;
	if (whole(s) && is_frozen(s->events))
		return -1;
	while (t && is_frozen(t->events))
		t = t->next;
	if (t)
		return t->events;
	/* Slurm may have thawed user/; its folders are what counts then. */
	return whole(s) && !s->folders ? s->events : -1;
}

/* ---- the step ---- */

int vol_frozen_step_file(const struct vol_frozen_step *s, const char *name,
			 int flags)
{
	int fd = openat(s->user, name, flags | O_CLOEXEC);

	return fd >= 0 || errno != ENOENT
		       ? fd
		       : openat(s->dir, name, flags | O_CLOEXEC);
}

void vol_frozen_step_inform(struct vol_frozen_step *s,
			    const struct vol_step *info)
{
	s->info = *info;
	s->birth = !is_marked(s);
	s->ours |= s->birth;
}

bool vol_frozen_step_thawed(const struct vol_frozen_step *s)
{
	return !is_on(s->freeze);
}

static int watch(int fd, int inotify, uint32_t mask)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return inotify_add_watch(inotify, path, mask);
}

struct vol_frozen_step *vol_frozen_step_open(const struct vol_freezer *f,
					     const char *cgroup,
					     struct vol_error *err)
{
	struct vol_frozen_step *s = malloc(sizeof(*s));

	if (!s) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	*s = (struct vol_frozen_step){.user = -1,
				      .freeze = -1,
				      .events = -1,
				      .kill = -1,
				      .watch = -1,
				      .watch_freeze = -1};
	while (*cgroup == '/')
		cgroup++;
	s->dir = openat(f->root, cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0 ||
	    (s->user = openat(s->dir, "user",
			      O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 ||
	    (s->freeze = openat(s->user, "cgroup.freeze", O_RDWR | O_CLOEXEC)) <
		    0 ||
	    (s->events = openat(s->user, "cgroup.events",
				O_RDONLY | O_CLOEXEC)) < 0 ||
	    (s->watch = watch(s->user, f->inotify,
			      IN_CREATE | IN_DELETE | IN_ONLYDIR)) < 0 ||
	    (s->watch_freeze = watch(s->freeze, f->inotify, IN_MODIFY)) < 0) {
		vol_errorf(err, "cgroup %s: %s", cgroup, strerror(errno));
		goto error;
	}
	s->kill = openat(s->user, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	if (s->kill >= 0 || errno == ENOENT)
		return s;
	vol_errorf(err, "cgroup %s: cgroup.kill: %s", cgroup, strerror(errno));
error:
	vol_frozen_step_close(s, f->inotify);
	return NULL;
}

void vol_frozen_step_close(struct vol_frozen_step *s, int inotify)
{
	const int fds[] = {s->dir, s->user, s->freeze, s->events, s->kill};
	int saved = errno;

	while (s->folders) {
		struct vol_task_folder *t = s->folders;

		s->folders = t->next;
		close_folder(t);
	}
	if (s->watch >= 0)
		(void)inotify_rm_watch(inotify, s->watch);
	if (s->watch_freeze >= 0)
		(void)inotify_rm_watch(inotify, s->watch_freeze);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(s);
	errno = saved;
}
