/* SPDX-License-Identifier: GPL-2.0-or-later */
/* saver.h - have a frozen job saved by a process of its own
 *
 *	PROGRAM --conf=FILE --wait=TIME --progress --job=N --restarts=N
 *		--cause=CAUSE [--pre | --files [--signal=N --grace=TIME]] save
 *		CGROUP
 * (discoveryd/image.c) dumps the tasks below CGROUP and brings the image to the
 * controller.  It gets what the machine has to spare: SCHED_IDLE and the idle
 * class of the disk.  While it runs, the step is lent to it (freezer.h), and
 * comes back however it ends, or before that, once its memory is written.
 * With --pre the step is not stopped at first, and not lent: at the stage
 *"stop" it is, and then the program reads a line on its standard input.
 *
 * The time is what the owner's side says, and may be made shorter at any
 * moment.  When it is up, the program gets SIGTERM, so that it can remove what
 * it has on disk, and VOL_SAVER_GRACE_MS later its process group SIGKILL.  A
 * discoveryd that dies has it sent SIGTERM by the kernel.  What one that was
 * killed has left on the disk is removed right after, and when discoveryd
 * starts, by
 *
 *	PROGRAM --conf=FILE tidy
 */
#ifndef VOL_SAVER_H
#define VOL_SAVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "ckmanifest.h"
#include "device/freezer.h"
#include "error.h"
#include "stepfile.h"

/* Removing a folder of images takes less. */
#define VOL_SAVER_GRACE_MS 1000
#define VOL_SAVER_WHY_SIZE 160

/* The program's exit status; every other one is an error of its own. */
enum {
	VOL_SAVER_EXIT_SAVED = 0,
	VOL_SAVER_EXIT_REFUSED = 3,   /* by the controller */
	VOL_SAVER_EXIT_UNMOVABLE = 5, /* nobody can save this job */
};

struct vol_saved {
	uint32_t job;
	enum vol_ckcause cause;
	bool saved;
	char why[VOL_SAVER_WHY_SIZE]; /* not, printable; "" else */
	/* Of one that was: the store's number, and how long it is. */
	uint32_t number;
	uint64_t bytes;
	uint64_t memory;           /* of the job, in bytes */
	uint32_t dump_ms, send_ms; /* as the program measured */
	uint32_t pre_ms;           /* of its memory, while it ran */
	uint64_t took_ms;          /* from the start to the end */
};

/* Both are called from the loop.  written: the step's memory is on disk, and
 * vol_saver_give_back may be called; not said of one that has ended already.
 * done: once for each that was begun. */
struct vol_saver_ops {
	void (*written)(uint32_t job, void *arg);
	void (*done)(const struct vol_saved *result, void *arg);
	/* Of one that began while it ran: stop the step's job. */
	void (*hold)(uint32_t job, void *arg);
};

struct vol_saver;

/* conf: see device.conf(5).  freezer and ops are borrowed, the texts are
 * copied. */
struct vol_saver *vol_saver_create(sd_event *loop, struct vol_freezer *freezer,
				   const char *program, const char *conf,
				   const struct vol_saver_ops *ops, void *arg,
				   struct vol_error *err);
/* Kills what still runs; done is not called.  NULL-safe. */
void vol_saver_destroy(struct vol_saver *s);

/* Save this step, within ms; one that saves itself may run a little for
 * grace_ms of that, 0: not at all.  One at a time: EBUSY, as when it is
 * suspended or not born yet; ENOENT when it is over. */
int vol_saver_begin(struct vol_saver *s, const struct vol_step *step,
		    enum vol_ckcause cause, uint64_t ms, uint64_t grace_ms,
		    struct vol_error *err);

/* The same of a step that runs, for VOL_CKCAUSE_PERIODIC: what can be written
 * while it does is.  Until hold was called it stops and goes as the freezer has
 * it.  Pays from so much memory on, bytes (sandbox/checkpoint/pre.c). */
#define VOL_SAVER_PRE_LEAST (UINT64_C(32) << 20)
int vol_saver_begin_before(struct vol_saver *s, const struct vol_step *step,
			   uint64_t ms, struct vol_error *err);

/* The job that is being saved, 0 = none. */
uint32_t vol_saver_job(const struct vol_saver *s);
/* Of that one: why, and whether its memory is written. */
enum vol_ckcause vol_saver_cause(const struct vol_saver *s);
bool vol_saver_written(const struct vol_saver *s);

/* The step stops or goes as the freezer has it, and what is written is sent on
 * meanwhile.  Only when it is written. */
void vol_saver_give_back(struct vol_saver *s);

/* There are only so many ms left from now on.  Never more than before; 0: none,
 * not even for the grace, and the step comes back at once.  why: for the
 * result.  done is not called from here. */
void vol_saver_limit(struct vol_saver *s, uint64_t ms, const char *why);

/* New reference: {"job": 7, "cause": "evict" | "periodic", "stage": "pre" |
 * "stop" | "dump" | "send", "bytes": N}, or null. */
json_t *vol_saver_json(const struct vol_saver *s);

#endif
