/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_sandbox.c - the sandbox as a list of who called what */
#include "config.h"

#include "fake_sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "atomicfile.h"
#include "stepwaits.h"

struct vol_sandbox {
	int unused;
};

static struct vol_sandbox sandbox;
struct fake_sandbox fake_sandbox;

static int called(char letter, bool fails, const char *reason,
		  struct vol_error *err)
{
	size_t n = strlen(fake_sandbox.calls);

	if (n + 1 < sizeof(fake_sandbox.calls)) {
		fake_sandbox.calls[n] = letter;
		fake_sandbox.calls[n + 1] = '\0';
	}
	return fails ? vol_errorf_errno(err, EPERM, "%s", reason) : 0;
}

struct vol_sandbox *vol_sandbox_create(const struct vol_walls *walls,
				       const struct vol_sandbox_job *job,
				       const char *state_dir,
				       struct vol_error *err)
{
	fake_sandbox.job = *job;
	fake_sandbox.scratch_bytes = walls->scratch_bytes;
	snprintf(fake_sandbox.script, sizeof(fake_sandbox.script), "%s",
		 job->script ? job->script : "");
	snprintf(fake_sandbox.state_dir, sizeof(fake_sandbox.state_dir), "%s",
		 state_dir);
	return called('C', fake_sandbox.no_create, "no create", err) ? NULL
								     : &sandbox;
}

int vol_sandbox_hide(struct vol_sandbox *s, struct vol_error *err)
{
	(void)s;
	return called('H', fake_sandbox.no_hide, "no hide", err);
}

int vol_sandbox_keep(struct vol_error *err)
{
	return called('K', fake_sandbox.no_keep, "no keep", err);
}

int vol_sandbox_pass(struct vol_sandbox *s, int fd, struct vol_error *err)
{
	(void)s;
	fake_sandbox.passed = fd;
	return called('P', fd < 3, "no pass", err);
}

int vol_sandbox_enter(struct vol_sandbox *s, uint32_t task, char *where,
		      size_t size, struct vol_error *err)
{
	(void)s;
	fake_sandbox.task = task;
	snprintf(where, size, "%s",
		 fake_sandbox.where ? fake_sandbox.where : "");
	called('E', fake_sandbox.no_enter, "no enter", err);
	if (!fake_sandbox.no_enter)
		return 0;
	errno = fake_sandbox.enter_errno ? fake_sandbox.enter_errno : EPERM;
	return -1;
}

int vol_sandbox_offer(struct vol_sandbox *s, const char *path,
		      struct vol_error *err)
{
	(void)s;
	if (called('O', fake_sandbox.no_offer, "no offer", err) == -1)
		return -1;
	/* As the real one leaves it. */
	if (chdir("/") == -1)
		return -1;
	return vol_file_replace(path, FAKE_OFFER, strlen(FAKE_OFFER), 0600, 0,
				err);
}

/* How it is asked to is a line on stderr. */
int vol_sandbox_restore(struct vol_sandbox *s, const struct vol_restore *how,
			struct vol_error *err)
{
	char path[PATH_MAX + 8];

	(void)s;
	snprintf(path, sizeof(path), "%s/step", how->dir);
	if (how->note)
		dprintf(STDERR_FILENO, "%s", how->note);
	dprintf(STDERR_FILENO, "restore%s%s%s\n",
		access(path, F_OK) == 0 ? "" : " nothing",
		how->roll_back ? " back" : "", how->remove ? "" : " left");
	if (how->waits && (!fake_sandbox.no_restore || fake_sandbox.ran) &&
	    vol_step_waits_end(how->waits, err) == -1)
		return -1;
	called('R', fake_sandbox.no_restore, "no restore", err);
	if (!fake_sandbox.no_restore)
		_exit(FAKE_RESTORED);
	return -1;
}

int vol_sandbox_bring(struct vol_sandbox *s, const char *dir,
		      struct vol_error *err)
{
	char path[PATH_MAX];

	(void)s;
	snprintf(path, sizeof(path), "%s/step", dir);
	return called('B', fake_sandbox.no_bring || access(path, F_OK) != 0,
		      "no bring", err);
}

const char *vol_sandbox_unbrought(const struct vol_sandbox *s)
{
	(void)s;
	return fake_sandbox.unbrought;
}

void vol_sandbox_end(struct vol_sandbox *s, const char *cgroup)
{
	(void)s;
	snprintf(fake_sandbox.cgroup, sizeof(fake_sandbox.cgroup), "%s",
		 cgroup);
	called('X', false, NULL, NULL);
}

void vol_sandbox_destroy(struct vol_sandbox *s)
{
	if (s)
		called('D', false, NULL, NULL);
}
