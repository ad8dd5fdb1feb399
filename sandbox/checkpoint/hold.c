/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hold.c - a job that stands still while CRIU takes it
 *
 * CRIU could freeze the cgroup, but not where systemd has mounted it
 * (nsdelegate): nobody may freeze or thaw the root of the cgroup namespace that
 * they are in, and that is what CRIU's is.  So the job is frozen before CRIU
 * comes, let go when CRIU has all of it in its trap, and, if it stood still
 * when we found it, frozen again by CRIU's hook before that lets go of it.
 */
#include "config.h"

#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"

/* Until it stands still, which a busy machine takes its time for. */
#define HOLD_MS 10000
/* How often it is looked whether somebody freezes a job that runs. */
#define LOOK_MS 5
/* Bytes of a list of numbers. */
#define THREADS_MAX (1 << 20)

int vol_cgroup_freeze(const char *path, bool freeze, struct vol_error *err)
{
	char file[PATH_MAX + 16];
	cleanup_fd int fd = -1;

	snprintf(file, sizeof(file), "%s/cgroup.freeze", path);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, freeze ? "1" : "0", 1) != 1)
		return vol_errorf(err, "%s: %s", file, strerror(errno));
	return 0;
}

int vol_cgroup_is_to_freeze(const char *path)
{
	char file[PATH_MAX + 16];
	cleanup_free char *text = NULL;

	snprintf(file, sizeof(file), "%s/cgroup.freeze", path);
	text = vol_file_read(file, 16, NULL, NULL);
	return !text ? -1 : text[0] == '1';
}

bool vol_cgroup_is_still(const char *path)
{
	cleanup_free char *text = NULL;
	char file[PATH_MAX + 16];

	snprintf(file, sizeof(file), "%s/cgroup.events", path);
	text = vol_file_read(file, 256, NULL, NULL);
	return text && strstr(text, "frozen 1");
}

int vol_hold(const char *cgroup, struct vol_error *err)
{
	char path[PATH_MAX + 16];

	if (vol_cgroup_freeze(cgroup, true, err) != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/cgroup.events", cgroup);
	for (unsigned int ms = 0; ms < HOLD_MS; ms++) {
		cleanup_free char *text = vol_file_read(path, 256, NULL, err);

		if (!text)
			return -1;
		if (strstr(text, "frozen 1"))
			return 0;
		usleep(1000);
	}
	return vol_errorf_errno(err, ETIMEDOUT, "%s: does not freeze", cgroup);
}

/* --- letting go ------------------------------------------------------------
 */

/* Of processes that are not the job's, and of ended ones: yes. */
static bool is_traced(const char *tid, ino_t inside)
{
	cleanup_free char *text = NULL;
	char path[64];
	char *line;

	if (vol_process_namespace(tid, "pid") != inside ||
	    vol_process_is_zombie(tid))
		return true;
	snprintf(path, sizeof(path), "/proc/%.16s/status", tid);
	text = vol_file_read(path, VOL_STATUS_MAX, NULL, NULL);
	line = text ? strstr(text, "\nTracerPid:") : NULL;
	return !line || atoi(line + strlen("\nTracerPid:")) > 0;
}

static bool all_are_traced(const char *cgroup, ino_t inside)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX + 16], *tid, *rest;

	snprintf(path, sizeof(path), "%s/cgroup.threads", cgroup);
	text = vol_file_read(path, THREADS_MAX, NULL, NULL);
	if (!text)
		return false;
	for (tid = strtok_r(text, "\n", &rest); tid;
	     tid = strtok_r(NULL, "\n", &rest))
		if (!is_traced(tid, inside))
			return false;
	return true;
}

int vol_hold_until_traced(const char *cgroup, pid_t pid1, pid_t criu,
			  unsigned int seconds, struct vol_error *err)
{
	cleanup_fd int fd = pidfd_open(criu, 0);
	struct pollfd end = {.fd = fd, .events = POLLIN};
	unsigned int ms = 0;
	char first[16];
	ino_t inside;
	int n = 0;

	snprintf(first, sizeof(first), "%d", (int)pid1);
	inside = vol_process_namespace(first, "pid");
	if (fd < 0 || inside == 0)
		return vol_errorf(err, "process %s: %s", first,
				  strerror(errno));
	while (n == 0 && ms < seconds * 1000 &&
	       !all_are_traced(cgroup, inside)) {
		n = poll(&end, 1, 1);
		/* One that is told to stop waits for CRIU, too. */
		if (n < 0 && errno == EINTR)
			n = 0;
		ms++;
	}
	return n > 0 ? 0 : vol_cgroup_freeze(cgroup, false, err);
}

/* --- while it runs ---------------------------------------------------------
 *
 * Where memory is written before, the job's cgroup is not frozen, so that
 * whoever protects the owner may freeze it at any moment, and it stands still.
 * But where CRIU has all of it in its trap, what it has a process do would not
 * come to its end.  Then it is thawed for that, which takes milliseconds in
 * which nothing of the job runs by itself, and frozen again as soon as CRIU
 * lets go.
 */

unsigned int vol_hold_mind(const char *cgroup, pid_t pid1, pid_t criu,
			   unsigned int seconds)
{
	const uint64_t all_ms = seconds * UINT64_C(1000);
	cleanup_fd int fd = pidfd_open(criu, 0);
	struct pollfd end = {.fd = fd, .events = POLLIN};
	bool thawed = false;
	char first[16];
	ino_t inside;
	uint64_t ms;

	snprintf(first, sizeof(first), "%d", (int)pid1);
	inside = vol_process_namespace(first, "pid");
	for (ms = 0; fd >= 0 && ms < all_ms; ms += thawed ? 1 : LOOK_MS) {
		if (poll(&end, 1, thawed ? 1 : LOOK_MS) > 0)
			break;
		if (thawed && !all_are_traced(cgroup, inside))
			thawed = vol_cgroup_freeze(cgroup, true, NULL) != 0;
		else if (!thawed && vol_cgroup_is_to_freeze(cgroup) == 1 &&
			 all_are_traced(cgroup, inside))
			thawed = vol_cgroup_freeze(cgroup, false, NULL) == 0;
	}
	if (thawed)
		vol_cgroup_freeze(cgroup, true, NULL);
	return ms < all_ms ? (unsigned int)((all_ms - ms + 999) / 1000) : 1;
}

/* --- and holding again ------------------------------------------------------
 */

int vol_hold_note(const char *dir, const char *cgroup, struct vol_error *err)
{
	char text[PATH_MAX + 32], path[PATH_MAX];
	int n = snprintf(text, sizeof(text), "%d %s", (int)getpid(), cgroup);

	snprintf(path, sizeof(path), "%s/" VOL_DUMP_FREEZE, dir);
	return vol_file_replace(path, text, (size_t)n, 0600, 0, err);
}

int vol_hold_again(const char *dir, struct vol_error *err)
{
	char path[PATH_MAX], cgroup[PATH_MAX];
	cleanup_free char *text = NULL;
	cleanup_fd int ns = -1;
	int pid;

	snprintf(path, sizeof(path), "%s/" VOL_DUMP_FREEZE, dir);
	if (access(path, F_OK) != 0)
		return 0;
	text = vol_file_read(path, sizeof(cgroup), NULL, err);
	if (!text)
		return -1;
	if (sscanf(text, "%d %4095s", &pid, cgroup) != 2)
		return vol_errorf_errno(err, EINVAL, "%s: damaged", path);
	/* From CRIU's cgroup namespace, which we are in as well, nobody may. */
	snprintf(path, sizeof(path), "/proc/%d/ns/cgroup", pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWCGROUP) != 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	return vol_cgroup_freeze(cgroup, true, err);
}
