/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shared_memory.c - see which shared memory the owner's programs have
 *
 * Wall: ipc namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char line[512];
	FILE *file = fopen("/proc/sysvipc/shm", "re");
	unsigned long wanted = victim_number("sysv_key");

	if (!file)
		blocked("open /proc/sysvipc/shm");
	while (fgets(line, sizeof(line), file))
		if (strtoul(line, NULL, 10) == wanted)
			reached("/proc/sysvipc/shm tells");
	errno = 0;
	blocked("no shared memory of the owner in /proc/sysvipc/shm");
}
