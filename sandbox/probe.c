/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe.c - what this machine can do, by doing it
 *
 * A child plays slurmstepd for a job of nobody's: what stands for that stands
 * for jobs.
 */
#include "config.h"

#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"

/* nobody and nogroup of every distribution; the user of an NFS client that
 * nobody knows. */
#define NOBODY 65534

struct result {
	bool built, ids;
	int errnum;
	struct vol_error reason, no_ids;
};

static void play_task(struct vol_sandbox *s, struct result *r, int out)
{
	char where[VOL_WALLS_PATH_SIZE];
	struct vol_error *err = &r->reason;

	if (vol_sandbox_keep(err) == 0) {
		if (setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
		    setresuid(NOBODY, NOBODY, NOBODY) != 0)
			vol_errorf(err, "%s", strerror(errno));
		else if (vol_sandbox_enter(s, 0, where, sizeof(where), err) ==
			 0)
			_exit(0);
	}
	r->errnum = errno;
	if (write(out, r, sizeof(*r)) < 0)
		_exit(2);
	_exit(1);
}

static int play_step(const struct vol_walls *walls, const char *state_dir,
		     struct result *r, int out)
{
	struct vol_sandbox_job job = {.uid = NOBODY,
				      .gid = NOBODY,
				      .user = "nobody",
				      .tasks = 1,
				      .network = walls->network};
	struct vol_sandbox *s;
	int status, null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid;

	for (int i = 0; i < 3; i++)
		dup2(null, i);
	/* What is kept for steps is kept elsewhere. */
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0)
		return vol_errorf(&r->reason, "new mount namespace: %s",
				  strerror(errno));
	s = vol_sandbox_create(walls, &job, state_dir, &r->reason);
	if (!s)
		return -1;
	r->ids = s->ids;
	r->no_ids = s->no_ids;
	if (vol_sandbox_hide(s, &r->reason) != 0)
		return -1;
	pid = fork();
	if (pid == 0)
		play_task(s, r, out);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0)
		return vol_errorf(&r->reason, "fork: %s", strerror(errno));
	vol_sandbox_destroy(s);
	/* 1: the task has told why. */
	if (status == 1 << 8)
		return 0;
	if (status != 0)
		return vol_errorf_errno(&r->reason, ECHILD,
					"the probe ended with status %#x",
					(unsigned int)status);
	r->built = true;
	if (write(out, r, sizeof(*r)) < 0)
		return -1;
	return 0;
}

static void play(const struct vol_walls *walls, const char *state_dir, int out)
{
	struct result r = {.built = false};

	if (play_step(walls, state_dir, &r, out) == 0)
		_exit(0);
	r.errnum = errno;
	if (write(out, &r, sizeof(r)) < 0)
		_exit(1);
	_exit(0);
}

int vol_sandbox_probe(const struct vol_walls *walls, const char *state_dir,
		      char *text, size_t size, struct vol_error *err)
{
	struct result r = {.built = false};
	int fd[2];
	ssize_t n;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) != 0)
		return vol_errorf(err, "pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		play(walls, state_dir, fd[1]);
	close(fd[1]);
	do
		n = read(fd[0], &r, sizeof(r));
	while (n < 0 && errno == EINTR);
	close(fd[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (pid < 0 || n != sizeof(r))
		return vol_errorf_errno(err, ECHILD, "the probe did not run");
	if (size > 0)
		text[0] = '\0';
	/* A machine that is not connected now: it will be when a job comes,
	 * and all else stood. */
	if (!r.built && r.errnum == ENETUNREACH)
		r.built = true;
	if (!r.built)
		return vol_errorf_errno(err, r.errnum, "%s", r.reason.text);
	if (r.ids)
		return 0;
	snprintf(text, size, "ids of the job's own: %s\n", r.no_ids.text);
	return 1;
}
