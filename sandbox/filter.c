/* SPDX-License-Identifier: GPL-2.0-or-later */
/* filter.c - load the seccomp filter that filter_compile.c made */
#include "config.h"

#include "private.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>

static const struct sock_filter code[] = {
#include "filter.inc"
};

int vol_filter_apply(struct vol_error *err)
{
	const struct sock_fprog prog = {
		.len = sizeof(code) / sizeof(code[0]),
		/* The kernel copies it. */
		.filter = (struct sock_filter *)(uintptr_t)code,
	};

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) != 0)
		return vol_errorf(err, "seccomp: %s", strerror(errno));
	return 0;
}
