/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pause.c - the owner's pause, kept in a file over restarts and reboots */
#include "config.h"

#include "device/pause.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "text.h"

#define FILE_NAME "paused"
/* One number of at most 19 digits and a newline. */
#define FILE_MAX_BYTES 64

static int name_file(const char *state_dir, char path[PATH_MAX],
		     struct vol_error *err)
{
	int n = snprintf(path, PATH_MAX, "%s/%s", state_dir, FILE_NAME);

	if (n < 0 || n >= PATH_MAX)
		return vol_errorf_errno(err, ENAMETOOLONG, "%s: %s", state_dir,
					strerror(ENAMETOOLONG));
	return 0;
}

int vol_pause_load(const char *state_dir, struct vol_pause *pause,
		   struct vol_error *err)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	uint64_t until;
	size_t len;

	*pause = (struct vol_pause){.on = true};
	if (name_file(state_dir, path, err) < 0)
		return -1;
	text = vol_file_read(path, FILE_MAX_BYTES, &len, err);
	if (!text && errno == ENOENT) {
		pause->on = false;
		return 0;
	}
	if (!text)
		return -1;
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (vol_text_number(text, len, 0, INT64_MAX, &until) < 0)
		return vol_errorf_errno(err, EINVAL,
					"%s: not a time: paused until resumed",
					path);
	pause->until = (time_t)until;
	return 0;
}

static int remove_file(const char *state_dir, const char *path,
		       struct vol_error *err)
{
	cleanup_fd int folder = -1;

	if (unlink(path) < 0 && errno != ENOENT)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	folder = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 || fsync(folder) < 0)
		return vol_errorf(err, "%s: %s", state_dir, strerror(errno));
	return 0;
}

int vol_pause_save(const char *state_dir, const struct vol_pause *pause,
		   struct vol_error *err)
{
	char path[PATH_MAX], text[FILE_MAX_BYTES];
	int len;

	if (name_file(state_dir, path, err) < 0)
		return -1;
	if (!pause->on)
		return remove_file(state_dir, path, err);
	len = snprintf(text, sizeof(text), "%" PRId64 "\n",
		       (int64_t)pause->until);
	return vol_file_replace(path, text, (size_t)len, 0644, 1, err);
}

bool vol_pause_over(struct vol_pause *pause, time_t now)
{
	if (!pause->on || !pause->until || now < pause->until)
		return false;
	*pause = (struct vol_pause){.on = false};
	return true;
}
