/* SPDX-License-Identifier: GPL-2.0-or-later */
/* passwd.c - change who is who on the machine
 *
 * Wall: no capabilities, read-only system
 * Bare: capable
 */
#include "../attempt.h"

int main(void)
{
	/* Opened and left as it is. */
	if (open("/etc/passwd", O_WRONLY | O_APPEND | O_CLOEXEC) < 0)
		blocked("open /etc/passwd to write");
	reached("/etc/passwd is open");
}
