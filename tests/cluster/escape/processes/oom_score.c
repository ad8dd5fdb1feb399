/* SPDX-License-Identifier: GPL-2.0-or-later */
/* oom_score.c - have the owner's program killed when memory is short
 *
 * Wall: pid namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", victim_pid());
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		blocked("open %s", path);
	if (write(fd, "1000", 4) != 4)
		blocked("write %s", path);
	reached("the owner's program goes first");
}
