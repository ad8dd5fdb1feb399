/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inherited.c - find a descriptor that was left open for us
 *
 * Wall: closed descriptors
 * Bare: user
 * Note: "bare" leaves one open, the way a careless daemon would
 */
#include "../attempt.h"

int main(void)
{
	char path[64], target[4096];
	ssize_t len;
	int fd;

	for (int i = 3; i < 4096; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", i);
		len = readlink(path, target, sizeof(target) - 1);
		if (len < 0)
			continue;
		target[len] = '\0';
		fd = openat(i, "secret", O_RDONLY | O_CLOEXEC);
		reached("descriptor %d is %s%s", i, target,
			fd < 0 ? "" : ", and the owner's file is in it");
	}
	errno = 0;
	blocked("only input, output and error are open");
}
