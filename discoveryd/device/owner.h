/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner.h - the owner's side of the device: sensors, policy, ladder, actions
 *
 * Sensors and the reflex say what happens at the machine, policy and ladder
 * (lib/) what follows; this object makes it so: thaws, has jobs moved away,
 * gives memory back, and tells the controller.  It decides alone; whatever it
 * says to the controller comes after the tasks have stopped.
 */
#ifndef VOL_OWNER_H
#define VOL_OWNER_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "device/device_conf.h"
#include "device/freezer.h"
#include "device/steps.h"
#include "error.h"
#include "fence.h"
#include "link.h"

struct vol_owner;

struct vol_owner_ops {
	/* Send to the controller; -1 when the link is not up. */
	int (*send)(const struct vol_link_msg *msg, void *arg);
	/* Keep a report for it (reporter.h); 0: there is no room. */
	uint64_t (*report)(const struct vol_link_msg *msg, void *arg);
	/* Has it not been applied yet? */
	bool (*waits)(uint64_t report, void *arg);
	/* The fence as the link sees it. */
	void (*fence)(struct vol_fence *fence, void *arg);
};

/* conf, freezer and steps are borrowed until destroy (conf until reload). */
struct vol_owner *vol_owner_create(sd_event *loop,
				   const struct vol_device_conf *conf,
				   struct vol_freezer *freezer,
				   struct vol_steps *steps,
				   const struct vol_owner_ops *ops, void *arg,
				   struct vol_error *err);
/* Save the jobs that want it before they are moved away, by this program
 * (saver.h), which reads the file conf.  Without this call none is. */
int vol_owner_save_by(struct vol_owner *o, const char *program,
		      const char *conf, struct vol_error *err);
/* Leaves what is frozen frozen. */
void vol_owner_destroy(struct vol_owner *o);

/* Another configuration is in force; conf is borrowed from now on. */
void vol_owner_reload(struct vol_owner *o, const struct vol_device_conf *conf);

/* Steps have come or gone. */
void vol_owner_steps(struct vol_owner *o);
/* The folder below which jobs are (absolute), once slurmd runs. */
void vol_owner_jobs_cgroup(struct vol_owner *o, const char *folder);
/* The link came up (the controller must be told all) or went away. */
void vol_owner_link(struct vol_owner *o, bool up);
/* "evicted" of the controller. */
void vol_owner_message(struct vol_owner *o, const struct vol_link_msg *msg);
/* Why no job could be walled in, NULL: one could; copied. */
void vol_owner_walls(struct vol_owner *o, const char *trouble);
/* Stop the tasks of all jobs for a moment, whatever is decided, or end that. */
void vol_owner_hold(struct vol_owner *o, bool on);
/* discoveryd is leaving: no new jobs, and running ones move away at once. */
void vol_owner_leave(struct vol_owner *o);

/* What device/speed.h has measured meanwhile. */
void vol_owner_speed(struct vol_owner *o, uint32_t speed);

/* For hello and status. */
void vol_owner_harvest(struct vol_owner *o, struct vol_link_msg *msg);
json_t *vol_owner_json(struct vol_owner *o);

/* May this user pause, resume and set?  root, those named by owners, and
 * whoever sits at the machine. */
bool vol_owner_may_control(struct vol_owner *o, uid_t uid);
/* Is this user named by owners?  To sit here is not enough for all. */
bool vol_owner_is_named(const struct vol_owner *o, uid_t uid);
/* The name of a user for people; NULL when it is not known, or not yet. */
const char *vol_owner_user(const struct vol_owner *o, uid_t uid);

/* until: wall clock, 0 = until resumed.  Kept over restarts. who: for the log.
 */
int vol_owner_pause(struct vol_owner *o, time_t until, const char *who,
		    struct vol_error *err);
int vol_owner_resume(struct vol_owner *o, const char *who,
		     struct vol_error *err);

/* Add an event (journal.h). */
void vol_owner_note(struct vol_owner *o, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The last n events, oldest first: [{"time_ms":, "what":, "text":}]. */
json_t *vol_owner_log(struct vol_owner *o, size_t n);

#endif
