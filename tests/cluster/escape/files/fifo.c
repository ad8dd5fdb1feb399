/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fifo.c - speak into a pipe that a program of the owner reads
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	const char *path = victim("fifo");
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		blocked("open %s", path);
	if (write(fd, "hello\n", 6) != 6)
		blocked("write %s", path);
	reached("%s took it", path);
}
