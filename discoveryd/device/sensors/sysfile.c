/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysfile.c - small files of the kernel (/proc, /sys), read without malloc */
#include "config.h"

#include "device/sensors/sysfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"

static ssize_t read_path(const char *root, char *buf, size_t size,
			 const char *fmt, va_list ap)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s", root);
	cleanup_fd int fd = -1;
	ssize_t len;

	buf[0] = '\0';
	if (n < (int)sizeof(path))
		n += vsnprintf(path + n, sizeof(path) - (size_t)n, fmt, ap);
	if (n >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	/* Nothing here may block the loop, whatever somebody puts there. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	len = fd < 0 ? -1 : read(fd, buf, size - 1);
	if (len < 0)
		return -1;
	if (len > 0 && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return len;
}

ssize_t vol_sysfile_read(const char *root, char *buf, size_t size,
			 const char *fmt, ...)
{
	va_list ap;
	ssize_t len;

	va_start(ap, fmt);
	len = read_path(root, buf, size, fmt, ap);
	va_end(ap);
	return len;
}

int vol_sysfile_number(const char *root, int64_t *number, const char *fmt, ...)
{
	char buf[32], *end;
	va_list ap;
	ssize_t len;
	long long n;

	va_start(ap, fmt);
	len = read_path(root, buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (len < 0)
		return -1;
	errno = 0;
	n = strtoll(buf, &end, 10);
	if (end == buf || *end || errno) {
		errno = EINVAL;
		return -1;
	}
	*number = n;
	return 0;
}

int vol_sysfile_key(const char *text, const char *key, uint64_t *number)
{
	size_t len = strlen(key);

	for (const char *line = text; line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (!strncmp(line, key, len) && line[len] == ' ')
			return sscanf(line + len, "%" SCNu64, number) == 1 ? 0
									   : -1;
	return -1;
}
