/* SPDX-License-Identifier: GPL-2.0-or-later */
/* world.h - devices that open and close, and what the product knows of them
 *
 * A trace is turned into closed spans: from the owner's first touch until
 * idle_after seconds after the last one of what is less than that apart, as
 * the device's policy has it.  The model of each device is the product's
 * (lib/availability.c), fed as discoveryd feeds it: on each change and every
 * quarter of an hour.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "availability_private.h"
#include "score.h"
#include "trace.h"

struct closed {
	int64_t start, end;
	int64_t last_touch;
};

struct device {
	struct closed *closed;
	size_t n;
	/* Now. */
	size_t next; /* the first span that is not over */
	bool open;
	int64_t away_since; /* the owner's last touch */
	struct vol_availability model;
	/* As in the node table: not older than a minute. */
	struct vol_outlook outlook;
	struct vol_score_node score;
	int64_t outlook_at;
};

struct world {
	int64_t epoch, now, end;
	struct device *device;
	size_t n;
	bool learn; /* feed the models */
};

/* At second 0.  0 or -1: no memory. */
int world_create(struct world *w, const struct trace *t, int64_t idle_after);
/* One that shares the spans; destroyed before the other. */
int world_copy(struct world *w, const struct world *from);
void world_destroy(struct world *w);
void world_destroy_copy(struct world *w);

/* The next change of any device after now, at most limit.  Linear. */
int64_t device_change(const struct device *d);
/* Go on to then; devices are what they are at that moment. */
void world_advance(struct world *w, int64_t then);
/* When it closes, if it is open: the future. */
int64_t device_closes(const struct world *w, const struct device *d);
/* Renew outlook and score, if they are older than a minute. */
void device_look(const struct world *w, struct device *d);
/* Seconds that devices are open from start until end, all together. */
double world_open_s(const struct world *w, int64_t start, int64_t end);

#endif
