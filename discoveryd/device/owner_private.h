/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner_private.h - between owner.c (decides), owner_act.c (does),
 * owner_save.c and owner_period.c (save) and owner_json.c (tells) */
#ifndef VOL_OWNER_PRIVATE_H
#define VOL_OWNER_PRIVATE_H

#include "availability.h"
#include "ckperiod.h"
#include "ckplan.h"
#include "device/evictions.h"
#include "device/journal.h"
#include "device/owner.h"
#include "device/parkclock.h"
#include "device/pause.h"
#include "device/prospect.h"
#include "device/reflex.h"
#include "device/saver.h"
#include "device/sensors/sensors.h"
#include "device/users.h"
#include "ladder.h"

/* A desktop that runs more than this many jobs at once has no owner. */
#define VOL_OWNER_JOBS_MAX 1024

/* Of owner_period.c. */
struct vol_owner_period {
	struct vol_ckperiod turns;
	struct vol_ckrates rates; /* of all that is saved */
	struct vol_availability *habit;
	struct vol_outlook outlook;
	uint64_t outlook_ms; /* 0: there is none yet */
	uint64_t habit_saved_ms;
	bool broken_off;          /* what is being saved was told to end */
	uint64_t settle_until_ms; /* a dump may end that was called off */
};

struct vol_owner {
	sd_event *loop;
	const struct vol_device_conf *conf;
	struct vol_freezer *freezer;
	struct vol_steps *steps;
	const struct vol_owner_ops *ops;
	void *arg;
	struct vol_reflex *reflex;
	struct vol_sensors *sensors;
	struct vol_journal *journal;
	sd_event_source *timer;   /* the next look */
	sd_event_source *reclaim; /* enabled while memory is being taken */
	/* What is known. */
	struct vol_pause pause;
	bool linked, leaving;
	bool held; /* see vol_owner_hold */
	char jobs_cgroup[VOL_CGROUP_SIZE];
	char walls[VOL_WHY_SIZE]; /* why they can not be built, "": they can */
	struct vol_presence presence;
	struct vol_verdict verdict;
	struct vol_prospect prospect;
	struct vol_ladder ladder;
	struct vol_ladder before; /* this look */
	struct vol_ladder_orders orders;
	enum vol_fence_state fence;
	bool pressed;      /* memory is short */
	uint64_t sleep_ms; /* since when it is about to sleep, 0 = it is not */
	/* What was done. */
	bool throttled;
	struct vol_evictions evictions;
	const char *evictions_file; /* VOL_FENCED_FILE, but in tests */
	struct vol_saver *saver;    /* NULL: nothing is saved */
	struct vol_owner_period period;
	struct vol_parkclock parked;
	char boot[VOL_DEVICE_ID_SIZE];
	uint64_t saved_closed_ms; /* as in VOL_PARK_FILE; 0 = open */
	struct vol_users *users;
	bool undecided, was_undecided; /* who is welcome: now, before */
	bool reclaiming;
	uint64_t reclaimed; /* bytes of this time of being parked */
	char memory_note[VOL_WHY_SIZE];
	char throttle_note[VOL_WHY_SIZE];
	/* What the controller was told. */
	bool told;
	enum vol_harvest told_harvest;
	char told_why[VOL_WHY_SIZE];
	struct vol_prospect told_prospect;
};

/* Think again: sensors, policy, ladder, actions (owner.c). */
void vol_owner_look(struct vol_owner *o);

/* For vol_steps_judge: is it not welcome, or not known to be? */
bool vol_owner_doubts(const struct vol_step *step, void *arg);

/* Make the orders so; next_ms is lowered to when to look again. */
void vol_owner_act(struct vol_owner *o, uint64_t now_ms, uint64_t seen,
		   uint64_t *next_ms);
/* Is this job to be saved before it is asked for?  Then that has begun, or has
 * to wait for another one; it is due again when it is over (owner_save.c). */
bool vol_owner_save_first(struct vol_owner *o, const struct vol_eviction *x,
			  uint64_t now_ms);
/* What must outlive us of the evictions. */
int vol_owner_keep_evictions(const struct vol_owner *o, struct vol_error *err);
/* Saving must not last longer than what the machine is about to do. */
void vol_owner_limit_saving(struct vol_owner *o, uint64_t now_ms);
/* Say that it could not be saved. */
void vol_owner_note_unsaved(struct vol_owner *o, uint32_t job, const char *why);

/* With the saver come and go. */
void vol_owner_period_begin(struct vol_owner *o);
void vol_owner_period_end(struct vol_owner *o);
/* Something may write to what is frozen, and what is not, for a while. */
void vol_owner_settle(struct vol_owner *o);
/* Save a job that runs, if it is one's turn and nobody minds. */
void vol_owner_period(struct vol_owner *o, uint64_t now_ms, uint64_t *next_ms);
/* Of the saver: memory is written; it has ended, and was nobody else's. */
void vol_owner_written(struct vol_owner *o, uint32_t job);
void vol_owner_period_ended(struct vol_owner *o, const struct vol_saved *r);
/* Is this job, which has to leave, being saved by itself, and has not run since
 * its memory was written? */
bool vol_owner_period_serves(const struct vol_owner *o, uint32_t job);
/* Of a job that is being saved by itself, and still is: its end, if somebody
 * minds.  False: it is another one. */
bool vol_owner_limit_period(struct vol_owner *o);

/* Say harvest to the controller, when it is another one now. */
void vol_owner_tell(struct vol_owner *o);
/* Of a new link: everything. */
void vol_owner_tell_all(struct vol_owner *o);
/* The timer that takes memory in chunks. */
int vol_owner_on_reclaim(sd_event_source *source, uint64_t usec, void *arg);

#endif
