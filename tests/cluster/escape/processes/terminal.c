/* SPDX-License-Identifier: GPL-2.0-or-later */
/* terminal.c - write onto a terminal of the owner
 *
 * Wall: devpts of the job's own
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	const char *path = victim("terminal");
	int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		blocked("open %s", path);
	if (write(fd, "password: ", 10) != 10)
		blocked("write %s", path);
	reached("%s shows it", path);
}
