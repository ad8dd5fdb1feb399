/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stopwatch.c - how long from the owner's input until all tasks stand still
 *
 *	stopwatch EVENTS MIN_MS MAX_MS write FIFO cgroups FOLDER
 *	stopwatch EVENTS MIN_MS MAX_MS touch FILE processes UID
 *
 * EVENTS times: waits until the tasks run, lets them run for MIN_MS to MAX_MS
 * (random, so that no poller is met in step), plays the owner and waits until
 * everything has stopped.  Prints the nanoseconds in between, one line an
 * event.
 *
 * The owner's input is one byte into a FIFO, or a new time of last access of a
 * file, which is set back by hours before the next event.  The tasks are all
 * cgroups named task_* below FOLDER ("frozen 1" in cgroup.events counts, told
 * by the kernel without polling), or all processes of UID (state T, or in a
 * frozen cgroup; looked at every half millisecond).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TASKS_MAX   1024
#define DEADLINE_NS (60 * 1000000000LL)
#define LOOK_NS     500000
#define HOURS_S     (4 * 3600)

static struct pollfd tasks[TASKS_MAX]; /* cgroup.events */
static nfds_t n_tasks;
static uid_t uid; /* whose processes are watched when n_tasks is 0 */

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void rest_ns(int64_t ns)
{
	struct timespec t = {ns / 1000000000LL, ns % 1000000000LL};

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

/* ---- cgroups ---- */

static int add_task(const char *path, const struct stat *st, int type,
		    struct FTW *at)
{
	char file[PATH_MAX];

	(void)st;
	if (type != FTW_D || strncmp(path + at->base, "task_", 5) != 0)
		return 0;
	if (n_tasks == TASKS_MAX)
		errx(1, "more than %d tasks", TASKS_MAX);
	snprintf(file, sizeof(file), "%s/cgroup.events", path);
	tasks[n_tasks].fd = open(file, O_RDONLY | O_CLOEXEC);
	if (tasks[n_tasks].fd < 0)
		err(1, "%s", file);
	tasks[n_tasks++].events = POLLPRI;
	return 0;
}

static bool is_frozen(int fd)
{
	char text[128] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		err(1, "cgroup.events: a task has ended");
	return strstr(text, "frozen 1");
}

static void wait_cgroups(bool frozen, int64_t deadline)
{
	for (nfds_t i = 0; i < n_tasks; i++) {
		while (is_frozen(tasks[i].fd) != frozen) {
			if (now_ns() > deadline)
				errx(1, "not all tasks %s in time",
				     frozen ? "stopped" : "went on");
			/* The kernel tells of changes since the last read. */
			poll(&tasks[i], 1, 1000);
		}
	}
}

/* ---- processes ---- */

/* In a cgroup that is frozen, itself or by one above? */
static bool in_frozen_cgroup(const char *pid)
{
	char path[PATH_MAX + 64], line[PATH_MAX] = "", *end;
	bool frozen = false;
	FILE *f;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/cgroup", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f) && strncmp(line, "0::", 3))
		line[0] = '\0';
	if (f)
		fclose(f);
	if (strncmp(line, "0::", 3) != 0)
		return false;
	end = strchr(line, '\n');
	if (end)
		*end = '\0';
	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cgroup.events",
		 line + 3);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		frozen = is_frozen(fd);
		close(fd);
	}
	return frozen;
}

static bool is_stopped(const char *pid)
{
	char path[300], text[512] = "", *state;
	ssize_t len = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		len = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	state = len > 0 ? strrchr(text, ')') : NULL;
	if (!state || strlen(state) < 3)
		return true; /* it has ended */
	return strchr("TtZX", state[2]) || in_frozen_cgroup(pid);
}

/* How many processes of uid there are, and how many of them have stopped. */
static void count_processes(unsigned *all, unsigned *stopped)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	struct stat st;

	*all = *stopped = 0;
	if (!proc)
		err(1, "/proc");
	while ((entry = readdir(proc))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
		    fstatat(dirfd(proc), entry->d_name, &st, 0) < 0 ||
		    st.st_uid != uid)
			continue;
		*all += 1;
		*stopped += is_stopped(entry->d_name);
	}
	closedir(proc);
}

static void wait_processes(bool stop, int64_t deadline)
{
	unsigned all, stopped;

	for (;;) {
		count_processes(&all, &stopped);
		if (all == 0)
			errx(1, "no process of uid %u", (unsigned)uid);
		if (stopped == (stop ? all : 0))
			return;
		if (now_ns() > deadline)
			errx(1, "%u of %u processes are stopped", stopped, all);
		rest_ns(LOOK_NS);
	}
}

/* ---- the owner ---- */

static void wait_tasks(bool stopped)
{
	int64_t deadline = now_ns() + DEADLINE_NS;

	if (n_tasks)
		wait_cgroups(stopped, deadline);
	else
		wait_processes(stopped, deadline);
}

static void touch(const char *path, time_t ago)
{
	struct timespec times[2] = {{.tv_sec = time(NULL) - ago},
				    {.tv_nsec = UTIME_OMIT}};

	if (utimensat(AT_FDCWD, path, times, 0) < 0)
		err(1, "%s", path);
}

static int64_t event(int fifo, const char *path)
{
	int64_t start = now_ns();

	if (fifo < 0)
		touch(path, 0);
	else if (write(fifo, "x", 1) != 1)
		err(1, "%s", path);
	wait_tasks(true);
	return now_ns() - start;
}

/* The clock must not wait for a CPU itself. */
static void be_punctual(void)
{
	struct sched_param param = {.sched_priority = 1};

	if (sched_setscheduler(0, SCHED_FIFO, &param) < 0)
		warn("no real-time priority: figures include the stopwatch's "
		     "own waiting");
	mlockall(MCL_CURRENT | MCL_FUTURE);
}

int main(int argc, char **argv)
{
	bool writes, cgroups;
	long events, min_ms, max_ms;
	int fifo = -1;

	if (argc != 8)
		errx(2, "usage: stopwatch EVENTS MIN_MS MAX_MS write|touch "
			"FILE cgroups|processes FOLDER|UID");
	events = atol(argv[1]);
	min_ms = atol(argv[2]);
	max_ms = atol(argv[3]);
	writes = strcmp(argv[4], "write") == 0;
	cgroups = strcmp(argv[6], "cgroups") == 0;
	if (writes) {
		fifo = open(argv[5], O_WRONLY | O_CLOEXEC);
		if (fifo < 0)
			err(1, "%s", argv[5]);
	}
	if (cgroups) {
		nftw(argv[7], add_task, 16, FTW_PHYS);
		if (n_tasks == 0)
			errx(1, "%s: no task", argv[7]);
	}
	uid = (uid_t)atol(argv[7]);
	srandom((unsigned)now_ns());
	be_punctual();
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (events-- > 0) {
		if (!writes)
			touch(argv[5], HOURS_S);
		wait_tasks(false);
		rest_ns((min_ms + random() % (max_ms - min_ms + 1)) * 1000000);
		printf("%lld\n", (long long)event(fifo, argv[5]));
	}
	return 0;
}
