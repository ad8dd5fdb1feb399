/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grace.c - a stopped program is told to save itself, and runs for that
 *
 * Its owner is at the machine, and has allowed so much: for RUN_MS out of each
 * ROUND_MS it goes, as the freezer lets it, and after the grace it stands still
 * as before.  Nobody is woken who would not hear: a process that does nothing
 * about the signal would just die of it, and its job with it.
 */
#include "config.h"

#include "program.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"

/* Five per cent of what it has when nobody is there, as reaction = throttle of
 * device.conf(5): too little to notice. */
#define RUN_MS   5
#define ROUND_MS 100

/* Processes that are told; a job of more has one that tells the others. */
#define TOLD_MAX 64

#define PROCS_MAX (1 << 20) /* bytes */

#define BIT(number) (UINT64_C(1) << ((number)-1))
/* SIGCANCEL of glibc, SIGTIMER of musl */
#define LIBRARYS 32

/* An end that came with the last moment of the grace is seen within. */
#define LATE_MS 1000

struct told {
	size_t n, ended;
	struct pollfd fd[TOLD_MAX]; /* pidfds; fd < 0: it has ended */
};

static volatile sig_atomic_t stopped;

static void on_stop(int number)
{
	(void)number;
	stopped = 1;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t field(const char *status, const char *key, int base)
{
	const char *at = strstr(status, key);

	return at ? strtoull(at + strlen(key), NULL, base) : 0;
}

/* A program that waits for signals (signalfd, sigwait) has them blocked, and so
 * has the C library, all of them, for the moment of a fork.  Its own, of which
 * SIGCANCEL is one, it lets no program block (signal(7)). */
static uint64_t awaited(const char *status)
{
	uint64_t blocked = field(status, "\nSigBlk:", 16);

	return blocked & BIT(LIBRARYS) ? 0 : blocked;
}

/* Has it a handler for it, or waits for it, as the job's user?  Pid 1 and what
 * is outside do for other reasons. */
static bool hears(const struct vol_record *r, pid_t pid, int number)
{
	cleanup_free char *text = NULL;
	char path[64];

	if (pid == r->pid1)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	text = vol_file_read(path, 1 << 16, NULL, NULL);
	return text &&
	       field(text, "\nUid:", 10) == vol_ids_of_base(r->base, r->uid) &&
	       (field(text, "\nSigCgt:", 16) | awaited(text)) & BIT(number);
}

/* None of them runs, so what is seen is what is signalled. */
static void tell_all(const struct vol_grace *g, struct told *told)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX + 16], *at;
	int n, pid;

	snprintf(path, sizeof(path), "%s/cgroup.procs", g->cgroup);
	text = vol_file_read(path, PROCS_MAX, NULL, NULL);
	for (at = text; at && sscanf(at, "%d%n", &pid, &n) == 1; at += n) {
		int fd;

		if (told->n == TOLD_MAX || pid <= 0 ||
		    !hears(g->record, pid, g->signal))
			continue;
		fd = pidfd_open(pid, 0);
		if (fd >= 0 && pidfd_send_signal(fd, g->signal, NULL, 0) == 0)
			told->fd[told->n++] =
				(struct pollfd){.fd = fd, .events = POLLIN};
		else if (fd >= 0)
			close(fd);
	}
}

/* Until the time is over, or they all have ended. */
static void wait_for(struct told *told, uint64_t ms)
{
	uint64_t at_ms = now_ms(), until_ms = at_ms + ms;

	while (at_ms < until_ms && told->ended < told->n && !stopped) {
		poll(told->fd, told->n, (int)(until_ms - at_ms));
		for (size_t i = 0; i < told->n; i++) {
			if (told->fd[i].fd < 0 || !told->fd[i].revents)
				continue;
			close(told->fd[i].fd);
			told->fd[i].fd = -1;
			told->ended++;
		}
		at_ms = now_ms();
	}
}

static bool is_over(const struct told *told, uint64_t until_ms)
{
	return told->ended == told->n || stopped || now_ms() >= until_ms;
}

static int run(const struct vol_grace *g, struct told *told, uint64_t until_ms,
	       struct vol_error *err)
{
	while (!is_over(told, until_ms)) {
		if (vol_cgroup_freeze(g->cgroup, false, err) != 0)
			return -1;
		wait_for(told, RUN_MS);
		if (vol_cgroup_freeze(g->cgroup, true, err) != 0)
			return -1;
		/* It stands still, but somebody may end it. */
		if (!is_over(told, until_ms))
			wait_for(told, ROUND_MS - RUN_MS);
	}
	return 0;
}

int vol_grace(const struct vol_grace *g, struct vol_error *err)
{
	struct told told = {.n = 0};
	uint64_t until_ms = now_ms() + g->ms;
	int rc;

	signal(SIGTERM, on_stop);
	vol_record_told(g->supervisor, until_ms + LATE_MS);
	tell_all(g, &told);
	rc = told.n > 0 ? run(g, &told, until_ms, err) : 0;
	/* What ended of it was not done; nor is its job, whoever lets that go
	 * on at last. */
	vol_record_told(g->supervisor, told.ended > 0 ? UINT64_MAX : 0);
	signal(SIGTERM, SIG_DFL);
	for (size_t i = 0; i < told.n; i++)
		if (told.fd[i].fd >= 0)
			close(told.fd[i].fd);
	if (rc == 0 && stopped)
		return vol_errorf_errno(err, ECANCELED, "told to stop");
	return rc;
}
