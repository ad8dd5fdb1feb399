/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hide-cgroup-v1.c - let slurmd run on a hybrid host (test bed only)
 *
 * On a host that boots with cgroup v1 controllers, /proc/PID/cgroup has one
 * line per v1 hierarchy and "0::/path" for cgroup v2.  Slurm's cgroup/v2
 * plugin refuses such a host ("Hybrid mode is not supported"), though
 * cgroup.freeze and cgroup.kill, which we test, work there.  Preloaded into
 * slurmd and its slurmstepd, this library answers open() of that file with a
 * copy that has the "0::" line alone.  All other opens pass through.
 *
 * Real devices never need it: a desktop with cgroup v1 is not supported.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static bool is_proc_cgroup(const char *path)
{
	size_t len = strlen(path);
	size_t tail = strlen("/cgroup");

	return !strncmp(path, "/proc/", strlen("/proc/")) && len > tail &&
	       !strcmp(path + len - tail, "/cgroup");
}

/* The "0::" line of fd as a new file; closes fd. */
static int unified_line(int fd)
{
	char text[16384]; /* a dozen lines of at most PATH_MAX in practice */
	ssize_t len = read(fd, text, sizeof(text) - 1);
	const char *line;
	int copy;

	close(fd);
	if (len < 0)
		return -1;
	text[len] = '\0';
	line = strncmp(text, "0::", 3) ? strstr(text, "\n0::") : text;
	copy = memfd_create("cgroup", MFD_CLOEXEC);
	if (copy < 0 || !line)
		return copy;
	line += *line == '\n';
	if (write(copy, line, strcspn(line, "\n") + 1) < 0 ||
	    lseek(copy, 0, SEEK_SET) < 0) {
		close(copy);
		return -1;
	}
	return copy;
}

static int hiding_open(const char *path, int flags, mode_t mode)
{
	int fd = syscall(SYS_openat, AT_FDCWD, path, flags, mode);

	return fd >= 0 && is_proc_cgroup(path) ? unified_line(fd) : fd;
}

/* glibc's four names of open(2): with and without large files, and the two
 * that _FORTIFY_SOURCE calls. */
#define DEFINE_OPEN(name)                                 \
	EXPORT int name(const char *path, int flags, ...) \
	{                                                 \
		va_list args;                             \
		mode_t mode = 0;                          \
                                                          \
		if (flags & (O_CREAT | __O_TMPFILE)) {    \
			va_start(args, flags);            \
			mode = va_arg(args, mode_t);      \
			va_end(args);                     \
		}                                         \
		return hiding_open(path, flags, mode);    \
	}

DEFINE_OPEN(open)
DEFINE_OPEN(open64)

EXPORT int __open_2(const char *path, int flags);
EXPORT int __open_2(const char *path, int flags)
{
	return hiding_open(path, flags, 0);
}

EXPORT int __open64_2(const char *path, int flags);
EXPORT int __open64_2(const char *path, int flags)
{
	return hiding_open(path, flags, 0);
}
