/* SPDX-License-Identifier: GPL-2.0-or-later */
/* first_environment.c - read what the first process of our world was
 * started with
 *
 * Wall: init without an environment
 * Bare: capable
 */
#include "../attempt.h"

int main(void)
{
	int fd = open("/proc/1/environ", O_RDONLY | O_CLOEXEC);
	char text[4096];
	ssize_t len;

	if (fd < 0)
		blocked("open /proc/1/environ");
	len = read(fd, text, sizeof(text) - 1);
	if (len < 0)
		blocked("read /proc/1/environ");
	text[len] = '\0';
	errno = 0;
	if (!len)
		blocked("/proc/1/environ is empty");
	reached("%s", text);
}
