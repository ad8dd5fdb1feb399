/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fence_file.h - the fence outlives discoveryd, as the jobs do
 *
 * One line in /run: boot id, time of the last sign of life in ms of
 * CLOCK_BOOTTIME, lease in ms.  A discoveryd that was killed during an outage
 * so kills the jobs no later than the one before it would have.
 */
#ifndef VOL_FENCE_FILE_H
#define VOL_FENCE_FILE_H

#include "error.h"
#include "fence.h"

#define VOL_FENCE_FILE VOL_RUN_DIR "/fence"

/* boot: 32 hex digits.  Not synced: it need not survive the machine. */
int vol_fence_file_save(const char *path, const char *boot,
			const struct vol_fence *fence, struct vol_error *err);

/* *fence is not armed when there is no file or it is of another boot.  -1 with
 * EINVAL for anything that was not saved here, or lies in the future. */
int vol_fence_file_load(const char *path, const char *boot, uint64_t now_ms,
			struct vol_fence *fence, struct vol_error *err);

#endif
