/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timers.c - timerfds that CRIU leaves stopped
 *
 * The kernel winds a periodic one up again when it is read after it was due.
 * CRIU puts back that it was due, and not that: it would never be due again.
 */
#include "config.h"

#include "program.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"

#define FDINFO_MAX 16384

/* proc(5): "it_interval: (1, 0)". */
static bool read_time(const char *text, const char *name, struct timespec *t)
{
	const char *at = strstr(text, name);
	unsigned long long s, ns;

	if (!at || sscanf(at + strlen(name), " (%llu, %llu)", &s, &ns) != 2)
		return false;
	t->tv_sec = (time_t)s;
	t->tv_nsec = (long)ns;
	return true;
}

static bool is_stopped(const char *info, struct itimerspec *spec)
{
	unsigned long long due = 0;
	const char *at = strstr(info, "\nticks: ");

	return at && sscanf(at, " ticks: %llu", &due) == 1 && due > 0 &&
	       read_time(info, "\nit_value:", &spec->it_value) &&
	       read_time(info, "\nit_interval:", &spec->it_interval) &&
	       spec->it_value.tv_sec == 0 && spec->it_value.tv_nsec == 0 &&
	       (spec->it_interval.tv_sec || spec->it_interval.tv_nsec);
}

/* Due in a moment, and then each interval. */
static int wind_up(int process, int fd, struct itimerspec *spec,
		   struct vol_error *err)
{
	cleanup_fd int own = pidfd_getfd(process, fd, 0);

	spec->it_value.tv_nsec = 1;
	if (own < 0 || timerfd_settime(own, 0, spec, NULL) != 0)
		return vol_errorf(err, "timerfd: %s", strerror(errno));
	return 0;
}

int vol_timers_wind_up(pid_t pid, struct vol_error *err)
{
	cleanup_fd int process = pidfd_open(pid, 0);
	char path[320];
	struct dirent *e;
	int rc = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", (int)pid);
	dir = opendir(path);
	while (dir && process >= 0 && rc == 0 && (e = readdir(dir))) {
		cleanup_free char *info = NULL;
		struct itimerspec spec;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", (int)pid,
			 e->d_name);
		if (e->d_name[0] != '.')
			info = vol_file_read(path, FDINFO_MAX, NULL, NULL);
		if (info && is_stopped(info, &spec))
			rc = wind_up(process, atoi(e->d_name), &spec, err);
	}
	if (dir)
		closedir(dir);
	return rc;
}
