/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slurmd_child.c - start slurmd as a child where there is no systemd
 *
 * It must outlive us: its own session, nothing of ours open, its log in a file.
 */
#include "config.h"

#include "device/slurmd_start.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"

/* Kept once as LOG.1 when a slurmd starts: no slurmd logs more in a run that
 * anybody wants to read. */
#define LOG_MAX (16 * 1024 * 1024)

#define LAUNCHER VOL_LIBEXEC_DIR "/slurm-volunteer-launch"

void vol_slurmd_args(const struct vol_slurmd_paths *paths,
		     const struct vol_slurmd_spec *spec,
		     const char *argv[VOL_SLURMD_ARGS])
{
	const char *const slurmd[] = {paths->slurmd,
				      "-D",
				      "-Z",
				      "-N",
				      spec->node,
				      "--conf-server",
				      spec->conf_server,
				      "--conf",
				      spec->conf,
				      NULL};

	/* Also where it is not installed: slurmd does not start then. */
	*argv++ = LAUNCHER;
	*argv++ = "--";
	memcpy(argv, slurmd, sizeof(slurmd));
}

static int open_log(const char *path, struct vol_error *err)
{
	char dir[PATH_MAX], old[PATH_MAX];
	struct stat st;
	char *slash;
	int fd;

	if (snprintf(dir, sizeof(dir), "%s", path) >= (int)sizeof(dir) ||
	    snprintf(old, sizeof(old), "%s.1", path) >= (int)sizeof(old))
		return vol_errorf_errno(err, ENAMETOOLONG, "%s: too long",
					path);
	slash = strrchr(dir, '/');
	if (slash && slash != dir) {
		*slash = '\0';
		if (vol_mkdir_p(dir, 0755, err) < 0)
			return -1;
	}
	if (stat(path, &st) == 0 && st.st_size > LOG_MAX)
		rename(path, old);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
		  0640);
	if (fd < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	return fd;
}

static void raise_limit(int what, rlim_t n)
{
	struct rlimit limit = {n, n};

	/* Not allowed in a container: the jobs have what we have. */
	(void)setrlimit(what, &limit);
}

/* The daemon may be nicer treated than the jobs below slurmd should be. */
static void be_ordinary(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!write(fd, "0", 1);
		close(fd);
	}
	(void)setpriority(PRIO_PROCESS, 0, 0);
}

/* In the child; only calls that are safe after fork. */
static void become_slurmd(const char *const *argv, char *const *env, int log)
{
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	if (null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 ||
	    dup2(log, 2) < 0 || chdir("/") < 0)
		_exit(127);
	close_range(3, ~0U, 0);
	be_ordinary();
	raise_limit(RLIMIT_NOFILE, VOL_SLURMD_NOFILE);
	raise_limit(RLIMIT_MEMLOCK, RLIM_INFINITY);
	raise_limit(RLIMIT_STACK, RLIM_INFINITY);
	execve(argv[0], (char *const *)argv, env);
	dprintf(2, "discoveryd: can not run %s: %s\n", argv[0],
		strerror(errno));
	_exit(127);
}

pid_t vol_slurmd_start_child(const struct vol_slurmd_paths *paths,
			     const struct vol_slurmd_spec *spec,
			     struct vol_error *err)
{
	char marker[VOL_MARKER_SIZE], view[VOL_VIEW_SIZE];
	char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
		      "/sbin:/bin";
	char *env[] = {marker, view, path, NULL};
	const char *argv[VOL_SLURMD_ARGS];
	cleanup_fd int log = -1;
	pid_t pid;

	if (access(paths->slurmd, X_OK) < 0)
		return vol_errorf(err, "%s: %s", paths->slurmd,
				  strerror(errno));
	log = open_log(paths->log, err);
	if (log < 0)
		return -1;
	vol_procs_marker(spec->node, marker);
	vol_procs_view(spec->view, view);
	vol_slurmd_args(paths, spec, argv);
	pid = fork();
	if (pid < 0)
		return vol_errorf(err, "fork: %s", strerror(errno));
	if (pid == 0)
		become_slurmd(argv, env, log);
	return pid;
}
