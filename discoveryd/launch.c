/* SPDX-License-Identifier: GPL-2.0-or-later */
/* launch.c - slurm-volunteer-launch: become slurmd, in volunteer.slice
 *
 *	slurm-volunteer-launch [--] SLURMD [ARGUMENT...]
 *
 * Where the slice can not be had slurmd runs without: volunteering is more
 * than its weights.  Where the owner's files can not be hidden it does not run:
 * slurmd itself opens files as the job's user (sbcast) and runs programs
 * (sbatch --get-user-env), and no wall of a step's is around that.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "device/hardware.h"
#include "device/slice.h"
#include "sandbox.h"
#include "sandbox/checkpoint.h"
#include "stepfile.h"
#include "walls.h"
#include "wallsfail.h"
#include "wallsfile.h"

#define WALLS        VOL_RUN_DIR "/" VOL_WALLS_NAME
#define WALLS_FAILED VOL_RUN_DIR "/" VOL_WALLSFAIL_NAME
#define SERVER       VOL_LIBEXEC_DIR "/slurm-volunteer-checkpoint"

static void try_slice(const char *node)
{
	struct vol_error err;

	if (vol_slice_enter(node, &err) == 0) {
		unlink(VOL_SLICE_REASON);
		return;
	}
	fprintf(stderr, "slurm-volunteer-launch: not in " VOL_SLICE ": %s\n",
		err.text);
	(void)vol_file_replace(VOL_SLICE_REASON, err.text, strlen(err.text),
			       0644, 0, NULL);
}

static int hide(struct vol_error *err)
{
	cleanup_free struct vol_walls *walls = malloc(sizeof(*walls));

	if (!walls)
		return vol_errorf(err, "out of memory");
	if (vol_wallsfile_read_trusted(WALLS, walls, err) < 0)
		return -1;
	return walls->up ? vol_sandbox_hide_for(walls, err) : 0;
}

/* For discoveryd.  No job is 0. */
static void tell(const char *reason)
{
	fprintf(stderr,
		"slurm-volunteer-launch: slurmd does not start, since it would "
		"reach the owner's files: %s\n",
		reason);
	(void)vol_wallsfile_tell(WALLS_FAILED, 0, reason, NULL);
}

/* What an earlier start has told is no longer true. */
static void take_back(void)
{
	cleanup_free char *text = NULL;
	struct vol_wallsfail fail;
	size_t len;

	text = vol_file_read(WALLS_FAILED, VOL_WALLSFAIL_MAX, &len, NULL);
	if (text &&
	    vol_wallsfail_parse(WALLS_FAILED, text, len, &fail, NULL) == 0 &&
	    fail.job == 0)
		unlink(WALLS_FAILED);
}

/* Root's alone.  What an earlier one left is of nobody. */
static int listen_for_saving(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX,
				      .sun_path = VOL_SERVE_SOCKET};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	mode_t old = umask(077);
	int rc = -1;

	unlink(VOL_SERVE_SOCKET);
	if (fd >= 0)
		rc = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(old);
	if (rc == 0 && listen(fd, 4) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void __attribute__((noreturn)) become_server(int fd, pid_t slurmd)
{
	char pid[16];
	char *const words[] = {(char *)SERVER, (char *)"serve", pid, NULL};
	char *const env[] = {NULL};

	snprintf(pid, sizeof(pid), "%d", (int)slurmd);
	if (dup2(fd, STDIN_FILENO) == STDIN_FILENO)
		execve(SERVER, words, env);
	_exit(127);
}

/* Jobs can be saved only by a descendant of slurmd, which we are about to be
 * (checkpoint.h).  Without one they are moved as if they could not be.  It is
 * not our child: slurmd would not wait for one that is killed. */
static void start_server(void)
{
	int fd = listen_for_saving();
	pid_t slurmd = getpid(), pid = fd < 0 ? -1 : fork();

	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			become_server(fd, slurmd);
		_exit(pid < 0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (pid < 0)
		fprintf(stderr,
			"slurm-volunteer-launch: jobs can not be saved: %s\n",
			strerror(errno));
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	const char *node = getenv(VOL_ENV_DEVICE);
	struct vol_error err = {""};
	char **command = argv + 1;

	if (argc > 1 && !strcmp(*command, "--"))
		command++;
	if (argc < 2 || !*command) {
		fprintf(stderr, "usage: slurm-volunteer-launch [--] SLURMD "
				"[ARGUMENT...]\n");
		return 2;
	}
	if (!node) {
		fprintf(stderr, "slurm-volunteer-launch: " VOL_ENV_DEVICE
				" is not set; discoveryd sets it\n");
		return 2;
	}
	try_slice(node);
	if (hide(&err) < 0) {
		tell(err.text);
		return 126;
	}
	take_back();
	start_server();
	/* slurmd counts with hwloc, too. */
	setenv("HWLOC_COMPONENTS", VOL_HWLOC_COMPONENTS, 1);
	execv(*command, command);
	fprintf(stderr, "slurm-volunteer-launch: can not run %s: %s\n",
		*command, strerror(errno));
	return 127;
}
