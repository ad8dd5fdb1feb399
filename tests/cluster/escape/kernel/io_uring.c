/* SPDX-License-Identifier: GPL-2.0-or-later */
/* io_uring.c - make an io_uring, past whatever looks at system calls
 *
 * Wall: seccomp
 * Bare: user
 * Needs: CONFIG_IO_URING and kernel.io_uring_disabled=0
 */
#include "../attempt.h"

#include <linux/io_uring.h>

int main(void)
{
	struct io_uring_params params = {0};

	if (syscall(SYS_io_uring_setup, 4, &params) < 0)
		blocked("io_uring_setup");
	reached("an io_uring");
}
