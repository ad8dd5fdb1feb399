/* SPDX-License-Identifier: GPL-2.0-or-later */
/* first_descriptors.c - open what the first process of our world has open
 *
 * Wall: init that holds nothing
 * Bare: capable
 */
#include "../attempt.h"

int main(void)
{
	char path[64], target[4096];
	ssize_t len;

	errno = 0;
	for (int i = 0; i < 1024; i++) {
		snprintf(path, sizeof(path), "/proc/1/fd/%d", i);
		len = readlink(path, target, sizeof(target) - 1);
		if (len < 0)
			continue;
		target[len] = '\0';
		if (strcmp(target, "/dev/null") && open(path, O_PATH) >= 0)
			reached("descriptor %d of process 1 is %s", i, target);
	}
	blocked("nothing that process 1 has open");
}
