/* SPDX-License-Identifier: GPL-2.0-or-later */
/* accounts.c - learn who has accounts on the machine
 *
 * Wall: /etc/passwd of the job's own
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char text[65536] = "";
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		blocked("read /etc/passwd");
	errno = 0;
	if (!strstr(text, victim("account")))
		blocked("nobody in it");
	reached("the owner's account");
}
