/* SPDX-License-Identifier: GPL-2.0-or-later */
/* desk_private.h - between the files of the desk */
#ifndef VOL_DESK_PRIVATE_H
#define VOL_DESK_PRIVATE_H

#include <systemd/sd-event.h>

#include "controller.h"
#include "desk.h"
#include "evict.h"
#include "parked.h"
#include "registrar.h"

/* Of one device; no machine runs more of them side by side. */
#define VOL_DESK_JOBS 1024

/* A device's wish to be rid of a job, or its question whether Slurm ends it. */
struct vol_ask {
	char device[VOL_DEVICE_ID_SIZE];
	char node[VOL_NODE_NAME_SIZE];
	uint32_t job;
	bool exclude, force;
	bool check;      /* nothing but the question */
	bool taken;      /* the round that runs read the jobs after it came */
	uint64_t report; /* which said so; 0: none, only a question */
	time_t asked;    /* when the device said so */
	time_t trouble;  /* since when slurmctld has some with it, 0: not */
	char why[VOL_WHY_SIZE];
};

/* What is kept on disk. */
struct vol_desk_memory {
	struct vol_revival *revivals; /* owned */
	size_t n_revivals;
	struct vol_grant *grants; /* owned */
	size_t n_grants;
	bool changed;
};

enum vol_change_kind {
	VOL_CHANGE_REQUEUE, /* for an ask */
	VOL_CHANGE_CANCEL,  /* likewise */
	VOL_CHANGE_REVIVE,
	VOL_CHANGE_EXTEND,
};

struct vol_change {
	enum vol_change_kind kind;
	struct vol_slurm_job job; /* numbers only, no texts */
	struct vol_slurm_job_update update;
	int32_t nice;
	char *excluded;     /* owned */
	struct vol_ask ask; /* of the first two */
	/* REQUEUE: why the asking device's node is drained first; "" = it is
	 * not. */
	char drain[VOL_REASON_SIZE];
	bool drained;
	bool alone; /* a call to drain it with others failed */
	bool done;
	int error;
	struct vol_error why;
};

/* One round's work for the registrar's thread: first the reading, then, with
 * what came of it, the changes. */
#define VOL_DESK_SINGLES 3

struct vol_desk_round {
	struct vol_errand errand; /* first */
	struct vol_desk *desk;    /* NULL: it is gone */
	uint32_t ids[VOL_DESK_SINGLES];
	size_t n_ids;
	size_t n_leaving; /* of the desk's, when the jobs were asked for */
	bool all;
	bool failed;          /* what is not in jobs may exist all the same */
	struct vol_error why; /* it failed */
	bool trouble;         /* a change has to be tried again */
	struct vol_slurm_jobs jobs;
	struct vol_change *changes; /* owned */
	size_t n_changes;
	uint64_t took_ms;
};

struct vol_desk {
	struct vol_controller *c;
	struct vol_desk_memory memory;
	struct vol_ask *asks; /* owned */
	size_t n_asks;
	char (*leaving)[VOL_NODE_NAME_SIZE]; /* owned */
	size_t n_leaving;
	struct vol_desk_round *round; /* at the registrar, or NULL */
	sd_event_source *timer;
	bool settle;        /* a grant is due */
	bool look_parked;   /* parked jobs may come near their end */
	uint64_t parked_ms; /* when that was looked at last */
	uint64_t ended_ms, not_before_ms; /* the last round; its price */
	char complaint[256];              /* last error that was logged */
};

/* Room for one more, zeroed, at the end of *list of *n; NULL without memory. */
void *vol_desk_grow(void *list, size_t *n, size_t size);

/* desk_file.c; path of state_dir.  A missing file is an empty memory. */
int vol_desk_load(const char *dir, struct vol_desk_memory *m,
		  struct vol_error *err);
int vol_desk_save(const char *dir, struct vol_desk_memory *m,
		  struct vol_error *err);
void vol_desk_memory_clear(struct vol_desk_memory *m);

/* desk_decide.c: what was read in, what to change out (into round->changes). */
void vol_desk_decide(struct vol_desk *d, struct vol_desk_round *round);
/* What came of changes.  false: slurmctld had trouble with it; it will be tried
 * again. */
bool vol_desk_note_asked(struct vol_desk *d, const struct vol_change *c);
void vol_desk_note_revived(struct vol_desk *d, const struct vol_change *c);

/* desk_work.c: on the registrar's thread. */
bool vol_desk_read(struct vol_errand *errand, struct vol_error *why);
bool vol_desk_change(struct vol_errand *errand, struct vol_error *why);
void vol_desk_round_free(struct vol_errand *errand);

#endif
