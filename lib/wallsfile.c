/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wallsfile.c - the files of walls.h and wallsfail.h, read and written */
#include "config.h"

#include "wallsfile.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "trusted.h"
#include "wallsfail.h"

int vol_wallsfile_read(const char *path, struct vol_walls *walls,
		       struct vol_error *err)
{
	cleanup_free char *text = NULL;
	size_t len;

	text = vol_file_read(path, VOL_WALLS_FILE_MAX, &len, err);
	if (!text)
		return -1;
	return vol_walls_parse(path, text, len, walls, err);
}

int vol_wallsfile_read_trusted(const char *path, struct vol_walls *walls,
			       struct vol_error *err)
{
	cleanup_free char *text = NULL;
	struct stat st;
	cleanup_fd int fd = vol_trusted_open(path, &st, err);
	size_t len;

	if (fd == -1)
		return -1;
	text = vol_file_read_fd(fd, path, VOL_WALLS_FILE_MAX, &len, err);
	if (!text)
		return -1;
	return vol_walls_parse(path, text, len, walls, err);
}

int vol_wallsfile_tell(const char *path, uint32_t job, const char *reason,
		       struct vol_error *err)
{
	char text[VOL_WALLSFAIL_MAX];
	struct vol_wallsfail fail;
	int len;

	vol_wallsfail_set(&fail, job, reason);
	len = vol_wallsfail_format(&fail, text, sizeof(text));
	if (len == -1)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	return vol_file_replace(path, text, (size_t)len, 0644, 0, err);
}
