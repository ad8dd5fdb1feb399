/* SPDX-License-Identifier: GPL-2.0-or-later */
/* park_file.h - since when jobs are parked outlives discoveryd, as they do
 *
 * A file in /run: boot id and the moment at which the machine was closed (0 =
 * it is open), then for each job for how long it was stopped, and since when
 * it is (0 = it is not).  All in ms of CLOCK_BOOTTIME.  Without it a daemon
 * that was killed would promise the owner all of parked_max once more, and the
 * jobs would lose the time for which they were stopped before.
 */
#ifndef VOL_PARK_FILE_H
#define VOL_PARK_FILE_H

#include <stdint.h>

#include "device/parkclock.h"
#include "error.h"

#define VOL_PARK_FILE VOL_RUN_DIR "/parked"

/* boot: 32 hex digits.  Not synced: it need not survive the machine. */
int vol_park_file_save(const char *path, const char *boot, uint64_t closed_ms,
		       const struct vol_parkclock *c, struct vol_error *err);

/* No file, or one of another boot: *closed_ms is now_ms and *c (zeroed, or of
 * an earlier call) empty; the same for one that says "open", but for *c.  -1
 * with EINVAL for anything that was not saved here or lies in the future: then
 * *closed_ms is 0, as if nobody had been allowed here since the machine began.
 */
int vol_park_file_load(const char *path, const char *boot, uint64_t now_ms,
		       uint64_t *closed_ms, struct vol_parkclock *c,
		       struct vol_error *err);

#endif
