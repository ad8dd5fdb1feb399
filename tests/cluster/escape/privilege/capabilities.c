/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capabilities.c - find a capability that nobody took away
 *
 * Wall: empty capability sets
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char line[256];
	FILE *file = fopen("/proc/self/status", "re");

	if (!file)
		cannot("open /proc/self/status");
	while (fgets(line, sizeof(line), file)) {
		/* CapInh, CapPrm, CapEff, CapBnd, CapAmb */
		if (strncmp(line, "Cap", 3))
			continue;
		if (strtoull(line + strcspn(line, "\t"), NULL, 16))
			reached("%.*s", (int)strcspn(line, "\n"), line);
	}
	errno = 0;
	blocked("all five sets are empty");
}
