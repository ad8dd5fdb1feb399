/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keys.c - see which keys the owner's session holds
 *
 * Wall: user namespace, /proc without it
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char text[1 << 16];
	int fd = open("/proc/keys", O_RDONLY | O_CLOEXEC);
	ssize_t len, sum = 0;

	if (fd < 0)
		blocked("open /proc/keys");
	while ((len = read(fd, text + sum, sizeof(text) - sum)) > 0)
		sum += len;
	errno = 0;
	if (!memmem(text, sum, victim("key"), strlen(victim("key"))))
		blocked("no key of the owner in /proc/keys");
	reached("/proc/keys tells");
}
