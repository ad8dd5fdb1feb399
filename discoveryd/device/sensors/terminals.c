/* SPDX-License-Identifier: GPL-2.0-or-later */
/* terminals.c - sensor: keys that reach a terminal
 *
 * The kernel notes in a terminal's access time when a program has read from
 * it, to 8 seconds: over ssh, in a window, on a console.  One that has just
 * been made counts as used.  Terminals of jobs (srun --pty) are not the
 * owner's; they are recognised by the descriptors of the processes in the jobs'
 * cgroups: of the tasks, and of slurmstepd, which has made them and keeps them
 * before the first task and after the last.
 */
#include "config.h"

#include "device/sensors/sensor.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "device/sensors/polling.h"
#include "device/sensors/sysfile.h"

/* Twice the kernel's step. */
#define HOLD_MS 16000
/* Clocks drift; a smaller step forward is no new use. */
#define STEP_MS 4000
/* More than that are not looked at. */
#define TOUCHED_MAX 256
#define DEPTH_MAX   16

#define PTS "/dev/pts"
/* Where the tasks of a step are; beside it, and where slurmstepd goes when the
 * step is over, is none.  Only root makes cgroups. */
#define TASKS "user"
/* It may go there while we look. */
#define LOOKS 2

/* Made for people: root, and what is left of all numbers without those of
 * services (login.defs), nobody and systemd's dynamic users. */
#define UID_FIRST         1000
#define UID_NOBODY        65534
#define UID_DYNAMIC_FIRST 61184
#define UID_DYNAMIC_LAST  65519

/* A terminal that was used after all that is known. */
struct touched {
	char path[32];
	dev_t dev;
	ino_t ino;
	struct timespec made; /* or given away */
	uint64_t at_ms;
	long number; /* below PTS, else -1 */
	bool of_job;
};

struct terminals {
	struct vol_sensor_host *host;
	struct vol_polling polling;
	uint64_t last_ms; /* newest use known, 0 = none */
	struct touched touched[TOUCHED_MAX];
	size_t n;
};

static bool of_person(uid_t uid)
{
	if (uid >= UID_DYNAMIC_FIRST && uid <= UID_DYNAMIC_LAST)
		return false;
	return uid == 0 || (uid >= UID_FIRST && uid != UID_NOBODY);
}

/* atime is of the wall clock.  One from the future (the clock was set back)
 * says nothing. */
static uint64_t used_ms(const struct timespec *atime)
{
	uint64_t now_ms = vol_sensor_now_ms();
	struct timespec wall;
	int64_t ago_ms;

	clock_gettime(CLOCK_REALTIME, &wall);
	ago_ms = (int64_t)(wall.tv_sec - atime->tv_sec) * 1000 +
		 (wall.tv_nsec - atime->tv_nsec) / 1000000;
	if (ago_ms < 0 && ago_ms > -1000)
		ago_ms = 0; /* a coarse clock and a fine one */
	if (ago_ms < 0 || (uint64_t)ago_ms >= now_ms)
		return 0;
	return now_ms - (uint64_t)ago_ms;
}

static int stat_at(const struct terminals *t, const char *file, struct stat *st)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s%s", t->host->root, file) <
			       (int)sizeof(path)
		       ? stat(path, st)
		       : -1;
}

static void look_at(struct terminals *t, const char *folder, const char *name,
		    bool root_too)
{
	struct touched one = {.number = -1};
	struct stat st;

	if (t->n == TOUCHED_MAX ||
	    snprintf(one.path, sizeof(one.path), "%s/%s", folder, name) >=
		    (int)sizeof(one.path) ||
	    stat_at(t, one.path, &st) < 0 || S_ISDIR(st.st_mode) ||
	    !of_person(st.st_uid) || (st.st_uid == 0 && !root_too))
		return;
	one.dev = st.st_dev;
	one.ino = st.st_ino;
	one.made = st.st_ctim;
	one.at_ms = used_ms(&st.st_atim);
	if (strcmp(folder, PTS) == 0)
		one.number = strtol(name, NULL, 10);
	if (one.at_ms > t->last_ms + STEP_MS)
		t->touched[t->n++] = one;
}

static void look_in(struct terminals *t, const char *folder, const char *prefix,
		    bool root_too)
{
	size_t len = strlen(prefix);
	char path[PATH_MAX];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "%s%s", t->host->root, folder);
	dir = opendir(path);
	while (dir && (e = readdir(dir)) != NULL)
		/* ptmx is read for output. */
		if (!strncmp(e->d_name, prefix, len) &&
		    (len > 0 || isdigit((unsigned char)e->d_name[0])))
			look_at(t, folder, e->d_name, root_too);
	if (dir)
		closedir(dir);
}

/* Input and output of a process; numbers of terminals alone would not do,
 * since each /dev/pts has its own. */
static void mark_process(struct terminals *t, long pid)
{
	for (int fd = 0; fd <= 2; fd++) {
		char path[PATH_MAX];
		struct stat st;

		snprintf(path, sizeof(path), "%s/proc/%ld/fd/%d", t->host->root,
			 pid, fd);
		if (stat(path, &st) < 0)
			continue;
		for (size_t i = 0; i < t->n; i++)
			if (t->touched[i].dev == st.st_dev &&
			    t->touched[i].ino == st.st_ino)
				t->touched[i].of_job = true;
	}
}

/* Behind walls a slurmstepd has a /dev/pts of its own, with the same numbers.
 */
static bool shares_pts(const struct terminals *t, long pid)
{
	char path[PATH_MAX];
	struct stat ours, theirs;

	snprintf(path, sizeof(path), "%s/proc/%ld/root" PTS, t->host->root,
		 pid);
	return stat_at(t, PTS, &ours) == 0 && stat(path, &theirs) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/* By the other end of a terminal, which tells its number. */
static void mark_stepd(struct terminals *t, long pid)
{
	char path[PATH_MAX], text[512];
	struct dirent *e;
	DIR *dir;

	if (!shares_pts(t, pid))
		return;
	snprintf(path, sizeof(path), "%s/proc/%ld/fdinfo", t->host->root, pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir)) != NULL) {
		const char *at;
		long number;

		if (vol_sysfile_read(t->host->root, text, sizeof(text),
				     "/proc/%ld/fdinfo/%s", pid,
				     e->d_name) < 0 ||
		    !(at = strstr(text, "\ntty-index:")) ||
		    sscanf(at, " tty-index: %ld", &number) != 1)
			continue;
		for (size_t i = 0; i < t->n; i++)
			if (t->touched[i].number == number)
				t->touched[i].of_job = true;
	}
	if (dir)
		closedir(dir);
}

static void mark_jobs(struct terminals *t, const char *folder, bool tasks,
		      int depth)
{
	char path[PATH_MAX];
	cleanup_file FILE *procs = NULL;
	struct dirent *e;
	long pid;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
	procs = fopen(path, "re");
	while (procs && fscanf(procs, "%ld", &pid) == 1) {
		mark_process(t, pid);
		if (!tasks)
			mark_stepd(t, pid);
	}
	dir = depth > 0 ? opendir(folder) : NULL;
	while (dir && (e = readdir(dir)) != NULL) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.' ||
		    snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) >=
			    (int)sizeof(path))
			continue;
		mark_jobs(t, path, tasks || strcmp(e->d_name, TASKS) == 0,
			  depth - 1);
	}
	if (dir)
		closedir(dir);
}

/* Its job may have ended, and slurmstepd with it, before we looked for it: then
 * it is gone, or another one has its number by now. */
static bool is_there(const struct terminals *t, const struct touched *one)
{
	struct stat st;

	return stat_at(t, one->path, &st) == 0 && st.st_dev == one->dev &&
	       st.st_ino == one->ino && st.st_ctim.tv_sec == one->made.tv_sec &&
	       st.st_ctim.tv_nsec == one->made.tv_nsec;
}

static bool all_of_jobs(const struct terminals *t)
{
	size_t i = 0;

	while (i < t->n && t->touched[i].of_job)
		i++;
	return i == t->n;
}

static void find_touched(struct terminals *t)
{
	char folder[PATH_MAX];

	t->n = 0;
	/* A console of root's is a login prompt: sensor input sees its keys. */
	look_in(t, PTS, "", true);
	look_in(t, "/dev", "tty", false);
	snprintf(folder, sizeof(folder), "%s%s", t->host->root,
		 t->host->jobs_cgroup);
	for (int looks = 0;
	     looks < LOOKS && t->host->jobs_cgroup[0] && !all_of_jobs(t);
	     looks++)
		mark_jobs(t, folder, false, DEPTH_MAX);
	for (size_t i = 0; i < t->n; i++) {
		const struct touched *one = &t->touched[i];

		if (!one->of_job && one->at_ms > t->last_ms && is_there(t, one))
			t->last_ms = one->at_ms;
	}
}

static void look(void *self)
{
	struct terminals *t = self;
	struct vol_sensors *s = t->host->sensors;
	char path[PATH_MAX];
	bool claims;

	snprintf(path, sizeof(path), "%s" PTS, t->host->root);
	if (access(path, R_OK | X_OK) < 0) {
		vol_sensor_report(s, VOL_SENSOR_TERMINALS, VOL_SAYS_UNKNOWN, 0,
				  "%s: %s", path, strerror(errno));
		vol_polling_next(&t->polling, t->host->watching, false);
		return;
	}
	find_touched(t);
	claims = t->last_ms != 0 && vol_sensor_now_ms() < t->last_ms + HOLD_MS;
	if (claims)
		vol_sensor_report(s, VOL_SENSOR_TERMINALS, VOL_SAYS_PRESENT, 0,
				  "somebody types in a terminal");
	else
		vol_sensor_report(s, VOL_SENSOR_TERMINALS, VOL_SAYS_AWAY,
				  t->last_ms, "nobody types in a terminal");
	vol_polling_next(&t->polling, t->host->watching, claims);
}

static void terminals_destroy(void *self)
{
	struct terminals *t = self;

	if (!t)
		return;
	vol_polling_fini(&t->polling);
	free(t);
}

static void *terminals_create(struct vol_sensor_host *host,
			      struct vol_error *err)
{
	struct terminals *t = calloc(1, sizeof(*t));

	if (!t) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	t->host = host;
	if (vol_polling_init(&t->polling, host->loop, VOL_POLL_S, look, t,
			     err) < 0) {
		terminals_destroy(t);
		return NULL;
	}
	look(t);
	return t;
}

const struct vol_sensor_ops vol_sensor_terminals = {
	.id = VOL_SENSOR_TERMINALS,
	.create = terminals_create,
	.destroy = terminals_destroy,
	.reload = look,
};
