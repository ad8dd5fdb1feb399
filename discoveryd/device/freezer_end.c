/* SPDX-License-Identifier: GPL-2.0-or-later */
/* freezer_end.c - end tasks that are frozen */
#include "config.h"

#include "device/freezer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "device/freezer_private.h"
#include "stepwaits.h"

/* Slurm's task is among the first of its folder, since the kernel lists them as
 * they came; a fork bomb must not keep us reading. */
#define LOOK_AT 64
/* "4194304\n", with room to spare */
#define PID_SIZE 11

#define BIT(sig) (UINT64_C(1) << ((sig)-1))

/* What Slurm ends a job with.  Suspending it takes SIGTSTP, SIGSTOP and
 * SIGCONT, which are none of our business. */
#define DEADLY (BIT(SIGTERM) | BIT(SIGKILL) | BIT(SIGXCPU))

/* ---- processes of a folder ---- */

/* Call f for the first max processes in dir/folder until it returns true;
 * whether it did.  A max of 0 means all. */
static bool each_pid(int dir, const char *folder, unsigned max,
		     bool (*f)(pid_t pid, void *arg), void *arg)
{
	cleanup_file FILE *fp = NULL;
	char path[64], line[PID_SIZE + 2];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	fp = fd < 0 ? NULL : fdopen(fd, "r");
	if (!fp) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	for (unsigned n = 0; (!max || n < max) && fgets(line, sizeof(line), fp);
	     n++) {
		long pid = strtol(line, NULL, 10);

		/* 0: of a pid namespace that we do not see. */
		if (pid > 0 && f((pid_t)pid, arg))
			return true;
	}
	return false;
}

static bool each_in_step(const struct vol_frozen_step *s, unsigned max,
			 bool (*f)(pid_t pid, void *arg), void *arg)
{
	if (each_pid(s->user, ".", max, f, arg))
		return true;
	for (const struct vol_task_folder *t = s->folders; t; t = t->next)
		if (each_pid(s->user, t->name, max, f, arg))
			return true;
	return false;
}

/* ---- kill ---- */

static bool kill_one(pid_t pid, void *arg)
{
	(void)arg;
	kill(pid, SIGKILL);
	return false;
}

void vol_frozen_step_kill(const struct vol_frozen_step *s)
{
	if (s->kill >= 0 && write(s->kill, "1", 1) == 1)
		return;
	/* Before Linux 5.14.  What is frozen does not fork. */
	each_in_step(s, 0, kill_one, NULL);
}

unsigned vol_freezer_kill(struct vol_freezer *f, uint32_t job)
{
	unsigned n = 0;

	pthread_mutex_lock(&f->slow);
	for (const struct vol_frozen_step *s = f->steps; s; s = s->next) {
		if (job && s->info.job != job)
			continue;
		vol_frozen_step_kill(s);
		n++;
	}
	pthread_mutex_unlock(&f->slow);
	return n;
}

/* One of an earlier run may be left beside it. */
bool vol_freezer_unbegun(struct vol_freezer *f, uint32_t job)
{
	unsigned n = 0, taken = 0;

	pthread_mutex_lock(&f->slow);
	for (const struct vol_frozen_step *s = f->steps; s; s = s->next) {
		if (s->info.job != job || s->info.step != VOL_STEP_BATCH)
			continue;
		n++;
		taken += vol_step_waits_take(s->user);
	}
	pthread_mutex_unlock(&f->slow);
	return n > 0 && taken == n;
}

/* ---- reap ---- */

/* What Slurm ends, it ends as a whole: it signals all tasks of a step, and of
 * the processes its tasks alone, the children of slurmstepd.  A job may send
 * the same to one of its own, and means no more than that one. */
struct look {
	pid_t stepd;
	bool doomed; /* a task is */
};

static uint64_t number_of(const char *status, const char *key, int base)
{
	const char *at = strstr(status, key);

	return at ? strtoull(at + strlen(key), NULL, base) : 0;
}

/* Is there a task that Slurm has sent nothing? */
static bool is_spared(pid_t pid, void *arg)
{
	struct look *look = arg;
	char path[64], status[4096];
	uint64_t pending;
	cleanup_fd int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);
	if (n < 0)
		return false;
	status[n] = '\0';
	if (number_of(status, "\nPPid:", 10) != (uint64_t)look->stepd)
		return false;
	/* Where a signal is for one thread or for the process. */
	pending = number_of(status, "\nSigPnd:", 16) |
		  number_of(status, "\nShdPnd:", 16);
	if (pending & DEADLY) {
		look->doomed = true;
		return false;
	}
	/* What a task ignores is not kept for it. */
	return !(number_of(status, "\nSigIgn:", 16) & BIT(SIGTERM));
}

static bool is_doomed(const struct vol_frozen_step *s)
{
	struct look look = {.stepd = s->info.stepd};

	return !each_in_step(s, LOOK_AT, is_spared, &look) && look.doomed;
}

unsigned vol_freezer_reap(struct vol_freezer *f)
{
	unsigned n = 0;

	pthread_mutex_lock(&f->slow);
	for (const struct vol_frozen_step *s = f->steps; s; s = s->next) {
		if (!(f->closed || s->hold) || !is_doomed(s))
			continue;
		vol_frozen_step_kill(s);
		n++;
	}
	pthread_mutex_unlock(&f->slow);
	return n;
}

/* Not from the descriptor that is open: that would take the news from whoever
 * waits there. */
static bool is_empty(const struct vol_frozen_step *s)
{
	cleanup_fd int fd =
		openat(s->user, "cgroup.events", O_RDONLY | O_CLOEXEC);
	char text[256];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0)
		return true;
	text[n] = '\0';
	return !strstr(text, "populated 1");
}

bool vol_freezer_empty(struct vol_freezer *f)
{
	const struct vol_frozen_step *s;

	pthread_mutex_lock(&f->slow);
	for (s = f->steps; s && !is_empty(s); s = s->next)
		;
	pthread_mutex_unlock(&f->slow);
	return s != NULL;
}
