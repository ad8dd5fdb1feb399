/* SPDX-License-Identifier: GPL-2.0-or-later */
/* committer.h - a thread that waits for the disk in the loop's place
 *
 * One commit of lib/wal.h at a time: begun on the loop, run on the thread, its
 * outcome noted on the loop, where the next one begins with all that has come
 * meanwhile.  One that failed is said (once for each reason) and tried again.
 */
#ifndef VOL_COMMITTER_H
#define VOL_COMMITTER_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "error.h"
#include "wal.h"

/* Between two tries. */
#define VOL_COMMITTER_RETRY_MS 1000

struct vol_committer;

/* Called on the loop. */
struct vol_committer_ops {
	/* What has to be written now, NULL: nothing. */
	struct vol_wal_commit *(*begin)(void *arg);
	/* It was run; false with *why: it is not on disk. */
	bool (*end)(void *arg, struct vol_error *why);
};

/* ops are borrowed. */
struct vol_committer *vol_committer_create(sd_event *loop,
					   const struct vol_committer_ops *ops,
					   void *arg, struct vol_error *err);
/* There may be something to write. */
void vol_committer_kick(struct vol_committer *c);
/* Write what is left, here and now. */
void vol_committer_flush(struct vol_committer *c);
/* Flush, then free.  NULL-safe. */
void vol_committer_destroy(struct vol_committer *c);

#endif
