/* SPDX-License-Identifier: GPL-2.0-or-later */
/* limits.c - what the container around this machine allows
 *
 * A file that is missing or odd means no limit: guessing low would only hide
 * what slurmd sees anyway.
 */
#include "config.h"

#include "device/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atomicfile.h"
#include "cleanup.h"

/* One or two numbers. */
#define FILE_MAX 128

static char *read_at(const char *root, const char *path)
{
	char full[512];
	size_t len;

	if (snprintf(full, sizeof(full), "%s%s", root, path) >=
	    (int)sizeof(full))
		return NULL;
	return vol_file_read(full, FILE_MAX, &len, NULL);
}

static uint64_t read_memory(const char *root)
{
	static const char *const paths[] = {
		"/sys/fs/cgroup/memory.max",
		"/sys/fs/cgroup/memory/memory.limit_in_bytes",
	};
	uint64_t limit = UINT64_MAX;

	for (size_t i = 0; i < 2; i++) {
		cleanup_free char *text = read_at(root, paths[i]);
		uint64_t n;

		if (text && sscanf(text, "%" SCNu64, &n) == 1 && n > 0 &&
		    n < limit)
			limit = n;
	}
	return limit;
}

/* Quotas below one CPU still leave one: Slurm knows no less. */
static uint32_t whole_cpus(int64_t quota, int64_t period)
{
	int64_t n;

	if (quota <= 0 || period <= 0)
		return 0;
	n = quota / period;
	return n < 1 ? 1 : n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static uint32_t read_cpus(const char *root)
{
	cleanup_free char *v2 = read_at(root, "/sys/fs/cgroup/cpu.max");
	cleanup_free char *quota_text =
		read_at(root, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
	cleanup_free char *period_text =
		read_at(root, "/sys/fs/cgroup/cpu/cpu.cfs_period_us");
	int64_t quota, period;

	if (v2 && sscanf(v2, "%" SCNd64 " %" SCNd64, &quota, &period) == 2)
		return whole_cpus(quota, period);
	if (quota_text && period_text &&
	    sscanf(quota_text, "%" SCNd64, &quota) == 1 &&
	    sscanf(period_text, "%" SCNd64, &period) == 1)
		return whole_cpus(quota, period);
	return 0;
}

void vol_limits_read(const char *root, struct vol_limits *limits)
{
	limits->memory_bytes = read_memory(root);
	limits->cpus = read_cpus(root);
}
