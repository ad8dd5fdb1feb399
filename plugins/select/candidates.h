/* SPDX-License-Identifier: GPL-2.0-or-later */
/* candidates.h - which candidates of a job are dropped, and the order of the
 * others; no Slurm header
 */
#ifndef VOL_SELECT_CANDIDATES_H
#define VOL_SELECT_CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices.h"
#include "placement.h"

struct vol_candidate {
	uint32_t node;   /* its number in slurmctld's table */
	uint32_t slot;   /* VOL_NO_DEVICE: a node like any other */
	uint32_t weight; /* the admin's */
	uint64_t kept;   /* what slurmctld had where the level was put */
	uint64_t order;  /* what was put there for a start */
	uint8_t level;
	uint8_t state;
	bool dropped;
	bool held; /* dropped, although it is open */
	bool taken;
	uint32_t later_s; /* it was forgiven, and may do in so long; else 0 */
};

struct vol_candidates {
	struct vol_candidate *list;
	size_t n, room;
	size_t devices; /* of them */
	size_t unfit;   /* behind them in list: set aside */
	size_t dropped;
	size_t held;  /* of those */
	bool ordered; /* not all that are left have the same level */
};

/* Begin a list of at most room candidates.  -1: no memory. */
int vol_candidates_begin(struct vol_candidates *c, size_t room);
void vol_candidates_free(struct vol_candidates *c);
static inline void vol_candidates_add(struct vol_candidates *c, uint32_t node,
				      uint32_t slot)
{
	struct vol_candidate *new = &c->list[c->n++];

	new->node = node;
	new->slot = slot;
	c->devices += slot != VOL_NO_DEVICE;
}

/* A job that has waited for so long takes any risk: it is to begin wherever it
 * can. */
#define VOL_WAITED_ENOUGH UINT32_MAX

/* Of so many nodes for each that a job needs, and a few more, each level is one
 * of its own; what is worse than those is put into every fourth.  To Slurm each
 * level is a list that it has to make. */
#define VOL_CANDIDATES_FINE   4
#define VOL_CANDIDATES_COARSE 4

/* Set the devices aside that can not go on with a saved job: they are none of
 * its candidates any more. */
void vol_candidates_fit(struct vol_candidates *c, const struct vol_devices *d,
			const struct vol_imagetable_need *need);

/* Drop the devices that are not open, and those that are riskier than a job
 * that has waited for so long takes; give the others a level.  A node that is
 * no device is like a device at reference speed that never leaves.  wanted: how
 * many nodes the job needs. */
void vol_candidates_judge(struct vol_candidates *c, struct vol_devices *d,
			  struct vol_kind *kind, uint32_t waited_s,
			  uint32_t wanted);
/* The job can not start without those that were dropped: take them in again,
 * after all others, and those that may do sooner before those that may do
 * later: one whose owner is there in owner_s, one that is held when the job has
 * waited for long enough, if the owner stays as likely to come. */
void vol_candidates_forgive(struct vol_candidates *c, struct vol_kind *kind,
			    uint32_t waited_s, uint32_t owner_s);

/* What became of the candidates, once taken says which the job got. */
void vol_candidates_tell(const struct vol_candidates *c, struct vol_devices *d,
			 const struct vol_kind *kind, struct vol_placement *p);

/* What the job says about itself in its environment for prologs, where
 * --volunteer-checkpoint puts it (see spank_volunteer(8)): seconds, 0 for
 * nothing or nonsense. */
#define VOL_CHECKPOINT_ENV "VOLUNTEER_CHECKPOINT"
uint32_t vol_checkpoint_from_env(char *const *env, size_t n);

#endif
