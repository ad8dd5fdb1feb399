/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resume_bed.h - a batch script that was queued again, and a shell script in
 * place of the program that fetches its image
 */
#ifndef VOL_RESUME_BED_H
#define VOL_RESUME_BED_H

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>

#include "vtest.h"

#include "atomicfile.h"
#include "fake_sandbox.h"
#include "fake_spank.h"
#include "plugins/spank/plugin.h"
#include "spank_bed.h"
#include "stepfile.h"
#include "stepwaits.h"

#define BATCH   0xfffffffb
#define PROGRAM VOL_LIBEXEC_DIR "/slurm-volunteer-image"
#define FOLDERS VOL_STATE_DIR "/restore"
#define GOES_ON "volunteer: goes on from image "
#define BEGINS  "volunteer: the job starts from the beginning\n"

/* In place of slurm-volunteer-image: $older is what --before says, $dir where
 * the image goes; body is the rest. */
static void write_program(void *root, const char *body)
{
	char text[4096], path[PATH_MAX], *slash;
	int len;

	len = snprintf(text, sizeof(text),
		       "#!/bin/sh\n"
		       "echo \"$*\" >> %s/args\n"
		       "for dir; do case $dir in\n"
		       "--before=*) older=${dir#*=} ;;\n"
		       "--places=*) places=${dir#*=} ;;\n"
		       "esac; done\n"
		       "%s\n",
		       (char *)root, body);
	assert_true(len < (int)sizeof(text));
	snprintf(path, sizeof(path), "%s", in(root, PROGRAM));
	slash = strrchr(path, '/');
	*slash = '\0';
	assert_int_equal(vol_mkdir_p(path, 0755, NULL), 0);
	*slash = '/';
	assert_int_equal(
		vol_file_replace(path, text, (size_t)len, 0755, 0, NULL), 0);
}

/* A batch script in its run after so many, up to post_opt. */
static void start_as(void *root, const char *restarts, const char *how)
{
	static char script[] = "/spool/job00012/slurm_script";

	fake_sandbox.calls[0] = '\0';
	write_walls(root, true);
	init(S_CTX_REMOTE, 0, NULL);
	fake_spank.step = BATCH;
	fake_spank.tasks = 1;
	fake_spank.argv[0] = script;
	assert_int_equal(fake_spank_give_option("volunteer-checkpoint", how, 1),
			 0);
	spank_setenv(fake_spank_handle(), "SLURM_JOB_NUM_NODES", "1", 1);
	if (restarts)
		spank_setenv(fake_spank_handle(), "SLURM_RESTART_COUNT",
			     restarts, 1);
	post_opt();
	assert_int_equal(fake_spank.errors, 0);
}

static inline void start(void *root, const char *restarts)
{
	start_as(root, restarts, "on-evict");
}

static const char *expected_calls;

static pid_t begin_task(void *root, int *fd)
{
	char path[PATH_MAX], cwd[PATH_MAX], back[PATH_MAX];
	pid_t pid;

	snprintf(path, sizeof(path), "%s", in(root, "/stderr"));
	*fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
	assert_true(*fd >= 0);
	pid = fork();
	if (pid != 0)
		return pid;
	dup2(*fd, STDERR_FILENO);
	fake_spank.task = 0;
	if (chdir(root) != 0 || !getcwd(cwd, sizeof(cwd)))
		_exit(2);
	slurm_spank_task_init_privileged(fake_spank_handle(), 0, NULL);
	slurm_spank_task_init(fake_spank_handle(), 0, NULL);
	/* Slurm's exec. */
	if (fake_spank_env("VOLUNTEER_RESTORED"))
		dprintf(STDERR_FILENO, "restored %s\n",
			fake_spank_env("VOLUNTEER_RESTORED"));
	if (!getcwd(back, sizeof(back)) || strcmp(cwd, back) != 0)
		_exit(3);
	_exit(expected_calls && strcmp(fake_sandbox.calls, expected_calls) ? 4
									   : 0);
}

/* Its status, and what it wrote to its stderr. */
static int run_task(void *root, char *text, size_t size)
{
	int status, fd;
	ssize_t n;
	pid_t pid;

	unlink(in(root, "/args"));
	pid = begin_task(root, &fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	n = pread(fd, text, size - 1, 0);
	close(fd);
	assert_true(n >= 0 && WIFEXITED(status));
	text[n] = '\0';
	return WEXITSTATUS(status);
}

/* The calls of the program, a line each; free it. */
static char *args(void *root)
{
	return vol_file_read(in(root, "/args"), 65536, NULL, NULL);
}

static void nothing_is_left(void *root)
{
	assert_int_equal(vtest_count_entries(in(root, FOLDERS)), 0);
}

#endif
