/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fence_file.c - the fence outlives discoveryd, as the jobs do */
#include "config.h"

#include "device/fence_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "names.h"

#define LINE_SIZE (VOL_DEVICE_ID_SIZE + 40)

static int format(char line[LINE_SIZE], const char *boot,
		  const struct vol_fence *fence)
{
	return snprintf(line, LINE_SIZE, "%.32s %" PRIu64 " %" PRIu32 "\n",
			boot, fence->acked_ms, fence->lease_ms);
}

int vol_fence_file_save(const char *path, const char *boot,
			const struct vol_fence *fence, struct vol_error *err)
{
	char line[LINE_SIZE];
	int len = format(line, boot, fence);

	return vol_file_replace(path, line, (size_t)len, 0644, 0, err);
}

int vol_fence_file_load(const char *path, const char *boot, uint64_t now_ms,
			struct vol_fence *fence, struct vol_error *err)
{
	struct vol_fence f = {.armed = true};
	char line[LINE_SIZE], its_boot[VOL_DEVICE_ID_SIZE];
	cleanup_free char *text = NULL;
	size_t len;

	*fence = (struct vol_fence){.armed = false};
	text = vol_file_read(path, LINE_SIZE, &len, err);
	if (!text)
		return errno == ENOENT ? 0 : -1;
	/* What was read must look the same when it is written again. */
	if (sscanf(text, "%32s %" SCNu64 " %" SCNu32, its_boot, &f.acked_ms,
		   &f.lease_ms) != 3 ||
	    format(line, its_boot, &f) != (int)len || strcmp(line, text) != 0)
		return vol_errorf_errno(err, EINVAL, "%s: damaged", path);
	if (strcmp(its_boot, boot) != 0)
		return 0;
	if (f.acked_ms > now_ms)
		return vol_errorf_errno(err, EINVAL, "%s: is of the future",
					path);
	*fence = f;
	return 0;
}
