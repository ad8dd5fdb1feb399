/* SPDX-License-Identifier: GPL-2.0-or-later */
/* journal.h - what happened to the owner's machine, for `volunteer log`
 *
 * One line of JSON an event in state_dir/owner.log, at most VOL_JOURNAL_BYTES
 * in two files (the older is owner.log.1).  A damaged line is skipped.  Not
 * synced: after a power cut the last lines may be missing.
 */
#ifndef VOL_JOURNAL_H
#define VOL_JOURNAL_H

#include <jansson.h>
#include <stddef.h>

#include "error.h"

#define VOL_JOURNAL_BYTES (256 * 1024)

struct vol_journal;

/* Failing to write is logged once and never stops anything. */
struct vol_journal *vol_journal_create(const char *state_dir,
				       struct vol_error *err);
void vol_journal_destroy(struct vol_journal *j);

/* what: at most 9 letters ("parked", "opened", "not saved", "paused", ...). */
void vol_journal_add(struct vol_journal *j, const char *what, const char *fmt,
		     ...) __attribute__((format(printf, 3, 4)));

/* New reference: the last n, oldest first. */
json_t *vol_journal_tail(struct vol_journal *j, size_t n);

#endif
