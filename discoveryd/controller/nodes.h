/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nodes.h - the controller's side of the node table that schedulers read
 *
 * lib/nodetable.h at VOL_NODETABLE_FILE in the folder of the control socket
 * (/run/slurm-volunteer/controller by default), so that a second controller
 * with a socket elsewhere has a table of its own.
 *
 * What a device says is in the table before anything else is done about it:
 * the next scheduling decision sees it.  Only a device that is welcome, linked
 * and open by its own word is OPEN there:
 *
 *  linked, welcomed     as it says
 *  said goodbye         CLOSED
 *  all else             UNKNOWN: not heard yet since our start, no link, or not
 *                       let in yet
 *
 * A link that is silent for longer than two heartbeats and a second makes a
 * device UNKNOWN to readers by itself (quiet_s), long before its lease is over;
 * a daemon that ends leaves a table that goes stale by itself.
 *
 * Speeds are told as measured; in the table they are relative to the median of
 * all linked devices (VOL_SCORE_SPEED) and rounded to steps of a fifth, 1000
 * for all within a tenth of the median: less than that is noise of the
 * measurement, and machines that are the same must be the same here.
 */
#ifndef VOL_NODES_H
#define VOL_NODES_H

#include <stdint.h>

#include "error.h"
#include "nodetable.h"

struct vol_controller;
struct vol_member;
struct vol_nodes;

/* Make the table (also c->nodes), with the members that there are. */
struct vol_nodes *vol_nodes_create(struct vol_controller *c,
				   struct vol_error *err);
/* NULL-safe. */
void vol_nodes_destroy(struct vol_nodes *n);

/* The state that the table has to tell of a member. */
enum vol_nodetable_state vol_nodes_state(const struct vol_member *s);

/* The state and that it was heard now, in one store. */
void vol_nodes_mark(struct vol_member *s);
/* Everything. */
void vol_nodes_put(struct vol_member *s);
void vol_nodes_remove(struct vol_member *s);

/* As vol_nodetable_set_images. */
void vol_nodes_images(struct vol_nodes *n, uint32_t edition);
/* The path of a file beside the table, whose folder is made; malloc'ed. */
char *vol_nodes_beside(const struct vol_controller *c, const char *name,
		       struct vol_error *err);

/* Another figure was told, or a device came or went: the median is looked at
 * with the next beat. */
void vol_nodes_speeds_changed(struct vol_nodes *n);
/* Relative to the median, rounded. */
uint32_t vol_nodes_speed(const struct vol_member *s);
/* The rounding: VOL_SCORE_SPEED * 1.2^k. */
uint32_t vol_speed_step(uint32_t speed, uint32_t median);

#endif
