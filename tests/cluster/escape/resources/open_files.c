/* SPDX-License-Identifier: GPL-2.0-or-later */
/* open_files.c - have more files open than a job should
 *
 * Wall: rlimits
 * Bare: user
 */
#include "../attempt.h"

#include <sys/resource.h>

int main(void)
{
	const rlim_t wanted = victim_number("open_files") + 1;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		cannot("read the limit");
	if (limit.rlim_max < wanted)
		limit.rlim_max = wanted;
	limit.rlim_cur = wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		blocked("set the limit");
	reached("%llu files", (unsigned long long)wanted);
}
