/* SPDX-License-Identifier: GPL-2.0-or-later */
/* refusals.h - log what was refused once, without a flood and in bounded memory
 *
 * Remembers hashes of the last (peer, reason) pairs.  A hostile LAN can invent
 * peers and reasons without end, so new pairs are also rationed; what was left
 * out is counted and reported with the next line that is let through.
 */
#ifndef VOL_REFUSALS_H
#define VOL_REFUSALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"

/* Pairs remembered, oldest forgotten first. */
#define VOL_REFUSALS_PAIRS 512
/* Lines in a row before rationing sets in, and the ration after that. */
#define VOL_REFUSALS_BURST    300
#define VOL_REFUSALS_EVERY_MS 10000

struct vol_refusals {
	uint64_t seed; /* so that a peer can not aim for a collision */
	uint64_t pair[VOL_REFUSALS_PAIRS];
	size_t n, next;
	uint32_t credit;
	uint64_t filled_ms;
	uint64_t left_out;
};

void vol_refusals_init(struct vol_refusals *r, uint64_t now_ms);

/* Should (peer, reason) be logged now?  *left_out: how many lines were
 * suppressed by the ration since the last line. */
bool vol_refusals_new(struct vol_refusals *r, const char *peer,
		      const char *reason, uint64_t now_ms, uint64_t *left_out);

/* The same, and log "what PEER: REASON" as a warning. */
void vol_refusals_log(struct vol_refusals *r, const char *what,
		      const char *peer, const char *reason);

/* The same with "'PEER' at WHERE"; one peer in several places is one line. */
void vol_refusals_log_at(struct vol_refusals *r, const char *what,
			 const char *peer, const char *where,
			 const char *reason);

#endif
