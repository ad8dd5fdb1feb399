/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host_name.c - give the machine another name
 *
 * Wall: no capabilities, uts namespace
 * Bare: capable
 */
#include "../attempt.h"

int main(void)
{
	char name[256];

	if (gethostname(name, sizeof(name)))
		cannot("read the name");
	/* The name that it has. */
	if (sethostname(name, strlen(name)))
		blocked("sethostname");
	reached("the machine is called %s", name);
}
