/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reflex.h - from the owner's first input to frozen tasks, on its own thread
 *
 * A thread of real-time priority waits for the input devices and closes the
 * freezer at the first byte; everything else (why, for how long, what Slurm
 * should know) is decided later on the event loop, which may be busy or
 * waiting for somebody.  Bytes are drained and never looked at.  After an
 * event a device rests until the thread's next look, at most once a second, so
 * that a typing owner costs nothing.
 *
 * The thread never opens the freezer.  The loop does, with the count of inputs
 * that its decision was based on: if there was another input since, nothing is
 * thawed.
 */
#ifndef VOL_REFLEX_H
#define VOL_REFLEX_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "device/freezer.h"
#include "error.h"

struct vol_reflex;

struct vol_reflex_state {
	uint64_t inputs;        /* times that a device was found to have some */
	uint64_t last_input_ms; /* CLOCK_BOOTTIME; 0 = none yet */
	unsigned devices;       /* working ones */
	char last_device[64];   /* name of the one that spoke last */
};

/* changed is called on the loop after input, at most once a second while it
 * goes on, and when a device fails.  freezer is borrowed. */
struct vol_reflex *vol_reflex_create(sd_event *loop,
				     struct vol_freezer *freezer,
				     void (*changed)(void *arg), void *arg,
				     struct vol_error *err);
void vol_reflex_destroy(struct vol_reflex *r);

/* Watch fd (taken over also on error; non-blocking).  A FIFO is opened anew for
 * reading and writing, so that it has no end when its writers go. */
int vol_reflex_add(struct vol_reflex *r, int fd, const char *name,
		   struct vol_error *err);
/* By name; no error when it is gone already. */
void vol_reflex_remove(struct vol_reflex *r, const char *name);

void vol_reflex_state(struct vol_reflex *r, struct vol_reflex_state *state);

/* Thaw if there was no input after the seen-th.  -1 with EAGAIN otherwise;
 * changed tells of it. */
int vol_reflex_open(struct vol_reflex *r, uint64_t seen);
/* Close by decision; measured like a reaction to input. */
void vol_reflex_close(struct vol_reflex *r);

/* Histogram of reactions (wake-up of the thread -> kernel says frozen) with at
 * least one task: {"count": n, "max_us": n, "last_us": n, "bounds_us":
 * [500, 1000, ...], "counts": [...]} with one count more than bounds. */
json_t *vol_reflex_json(struct vol_reflex *r);

#endif
