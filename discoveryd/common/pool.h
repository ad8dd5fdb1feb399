/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pool.h - many descriptors behind one source of the event loop
 *
 * sd-event asks the kernel anew for all that is ready before each callback, so
 * that n ready descriptors cost n * n; with ten thousand links that is more
 * than they say.  A pool is an epoll instance of its own: the loop sees one
 * descriptor, and a turn of it serves a few of those that are ready.  The
 * kernel hands them out in turns, so none is served twice before all others.
 */
#ifndef VOL_POOL_H
#define VOL_POOL_H

#include <stdint.h>
#include <systemd/sd-event.h>

#include "error.h"

struct vol_pool;

struct vol_pool_entry {
	struct vol_pool *pool; /* NULL: it is in none */
	int fd;
	uint32_t events; /* of epoll(7); 0: not watched */
	void (*ready)(uint32_t events, void *arg);
	void *arg;
};

/* priority: as of sd_event_source_set_priority(3); turn: so many entries are
 * served before other sources of the loop are asked, at most VOL_POOL_TURN. */
#define VOL_POOL_TURN 64
struct vol_pool *vol_pool_create(sd_event *loop, int64_t priority,
				 unsigned turn, struct vol_error *err);
/* NULL-safe.  It goes when the last entry has left. */
void vol_pool_destroy(struct vol_pool *p);

/* Watch fd, which is set with ready and arg.  -1: *err says why. */
int vol_pool_add(struct vol_pool *p, struct vol_pool_entry *e, uint32_t events,
		 struct vol_error *err);
/* Other events; 0 for none, not even for errors.  -1 with errno. */
int vol_pool_watch(struct vol_pool_entry *e, uint32_t events);
/* Before fd is closed.  Legal in any callback of the pool, and without one. */
void vol_pool_remove(struct vol_pool_entry *e);

#endif
