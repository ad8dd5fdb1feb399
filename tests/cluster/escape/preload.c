/* SPDX-License-Identifier: GPL-2.0-or-later */
/* preload.c - a library that writes to $PRELOAD_FILE when it is loaded */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void __attribute__((constructor)) loaded(void)
{
	static const char mark[] = "a-stranger-was-here\n";
	const char *path = getenv("PRELOAD_FILE");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644) : -1;

	if (fd >= 0 && write(fd, mark, strlen(mark)) < 0)
		abort();
	if (fd >= 0)
		close(fd);
}
