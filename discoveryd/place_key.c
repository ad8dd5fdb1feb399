/* SPDX-License-Identifier: GPL-2.0-or-later */
/* place_key.c - slurm-volunteer-auth-key: put a new Slurm key in its place
 *
 * slurm-volunteer-auth-key FROM TO PROGRAM [ARGUMENT...]
 *
 * The controller's discoveryd runs as Slurm's user and can neither write what
 * munged reads nor restart it.  It leaves a new key in FROM; root, started by a
 * path unit that watches for that file, runs this: FROM replaces TO, whose
 * former content stays as TO.old, PROGRAM has it read, and FROM is removed, by
 * which discoveryd knows.  Whatever fails, FROM stays, and it can be run again.
 *
 * What it does for Slurm's user is to replace one key by another one: that user
 * commands the cluster anyway.  FROM is opened as a file and no link, and only
 * its bytes go anywhere.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "authkey_file.h"
#include "digest.h"
#include "log.h"

static int place(const char *from, const char *to, struct vol_error *err)
{
	struct vol_authkey key = {.bytes = 0}, present = {.bytes = 0};
	struct vol_error why;
	int rc = -1;

	if (vol_authkey_load(from, &key, vol_sha256, err) < 0)
		goto out;
	/* We were killed before the program was run. */
	rc = 0;
	if (vol_authkey_load(to, &present, vol_sha256, &why) == 0 &&
	    strcmp(present.id, key.id) == 0)
		goto out;
	rc = vol_authkey_install(to, &key, true, err);
	if (rc == 0)
		vol_info("key %s put into %s", key.id, to);
out:
	vol_authkey_wipe(&key);
	vol_authkey_wipe(&present);
	return rc;
}

static int run(char **argv, struct vol_error *err)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return vol_errorf(err, "fork: %s", strerror(errno));
	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return vol_errorf(err, "wait: %s", strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return vol_errorf_errno(err, EIO, "%s failed (%#x)", argv[0],
					(unsigned)status);
	return 0;
}

int main(int argc, char **argv)
{
	struct vol_error err;

	vol_log_set(vol_log_sink_daemon, NULL, VOL_LOG_INFO);
	if (argc < 4) {
		vol_err("usage: %s FROM TO PROGRAM [ARGUMENT...]",
			argc ? argv[0] : "slurm-volunteer-auth-key");
		return EX_USAGE;
	}
	if (place(argv[1], argv[2], &err) < 0 || run(argv + 3, &err) < 0) {
		vol_err("%s", err.text);
		return EXIT_FAILURE;
	}
	if (unlink(argv[1]) < 0 && errno != ENOENT) {
		vol_err("%s: %s", argv[1], strerror(errno));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
