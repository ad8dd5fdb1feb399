/* SPDX-License-Identifier: GPL-2.0-or-later */
/* client_files.c - srun's input and output files, opened inside the sandbox
 *
 * As srun would open them (launch_common_set_stdio_fds), with one difference:
 * what srun itself has to say goes where the tasks' error output goes.
 */
#include "config.h"

#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "srunline.h"

static const char *const names[VOL_SRUNFILES] = {"stdin", "stdout", "stderr"};

/* As srun does for a folder that is not there yet. */
static void make_folders(const char *path)
{
	char dir[PATH_MAX];

	for (size_t i = 1; path[i] && i < sizeof(dir); i++)
		if (path[i] == '/') {
			memcpy(dir, path, i);
			dir[i] = '\0';
			(void)mkdir(dir, 0755);
		}
}

static int open_file(const char *path, int n, bool append,
		     struct vol_error *err)
{
	int flags =
		n == 0 ? O_RDONLY
		       : O_WRONLY | O_CREAT | O_APPEND | (append ? 0 : O_TRUNC);
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0 && errno == ENOENT && n != 0) {
		make_folders(path);
		fd = open(path, flags | O_CLOEXEC, 0644);
	}
	if (fd < 0)
		return vol_errorf(err, "Could not open %s file: %s", names[n],
				  strerror(errno));
	return fd;
}

static int put(int fd, int n, struct vol_error *err)
{
	if (dup2(fd, n) < 0)
		return vol_errorf(err, "%s: %s", names[n], strerror(errno));
	return 0;
}

static int open_all(const struct vol_srunline *line, char *env[],
		    struct vol_error *err)
{
	char path[VOL_SRUNFILES][PATH_MAX] = {""};

	for (int n = 0; n < VOL_SRUNFILES; n++) {
		int fd;

		if (line->file[n] != VOL_SRUNFILE_OURS)
			continue;
		if (vol_srunline_file(line->file_name[n], env, path[n],
				      PATH_MAX, err) < 0)
			return -1;
		/* One name, one open file. */
		if (n == 2 && !strcmp(path[2], path[1])) {
			if (put(1, 2, err) < 0)
				return -1;
			continue;
		}
		fd = open_file(path[n], n, line->append, err);
		if (fd < 0 || put(fd, n, err) < 0)
			return -1;
		close(fd);
	}
	if (line->file[1] == VOL_SRUNFILE_OURS &&
	    line->file[2] == VOL_SRUNFILE_NONE)
		return put(1, 2, err);
	return 0;
}

int vol_client_files(char *argv[], char *env[], struct vol_error *err)
{
	const char *id = getenv("SLURM_JOB_ID");
	unsigned long job = id ? strtoul(id, NULL, 10) : 0;
	struct vol_srunline line;
	int rc;

	if (vol_srunline_parse(argv, (uint32_t)job, &line, err) < 0)
		return -1;
	rc = open_all(&line, env, err);
	vol_srunline_release(&line);
	return rc;
}
