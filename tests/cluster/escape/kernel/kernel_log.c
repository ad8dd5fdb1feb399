/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_log.c - read the log of the kernel
 *
 * Wall: no capabilities, seccomp
 * Bare: capable
 */
#include "../attempt.h"

#include <sys/klog.h>

int main(void)
{
	const int read_all = 3;
	char text[4096];

	if (klogctl(read_all, text, sizeof(text)) < 0)
		blocked("syslog");
	reached("the log");
}
