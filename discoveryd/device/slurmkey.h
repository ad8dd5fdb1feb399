/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slurmkey.h - the cluster's Slurm key on this device
 *
 * The controller hands it over the link (link.h: key, turn, turned); here it is
 * put where munged, or slurmd with auth/slurm, reads it, and that is started
 * again.  Files in state_dir, root's alone:
 *   slurmkey.json  {"given": id, "before": id, "due": bool}: the keys that we
 *                  put there last, any other is somebody's own, and kept as
 *                  auth_key.old when replaced; due: what reads it has not been
 *                  started again since
 *   slurmkey.next  the key that follows, until turn
 */
#ifndef VOL_SLURMKEY_H
#define VOL_SLURMKEY_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "error.h"
#include "link.h"

/* Before the key is exchanged tasks are stopped, and whatever ends at that
 * moment has told slurmctld: it was calm at that many looks in a row, or after
 * so many it is no use to wait.  And longer than HOLD tasks do not wait for
 * turned. */
#define VOL_SLURMKEY_CALM_LOOKS 4
#ifndef VOL_SLURMKEY_LOOK_MS /* tests have less patience */
#define VOL_SLURMKEY_LOOK_MS   100
#define VOL_SLURMKEY_LOOKS_MAX 80
#define VOL_SLURMKEY_HOLD_MS   30000
#endif

struct vol_slurmkey;

struct vol_slurmkey_ops {
	/* keyed, for the controller. */
	void (*send)(const struct vol_link_msg *msg, void *arg);
	/* Stop the tasks of all jobs, or let them go on. */
	void (*hold)(bool on, void *arg);
	/* Is nothing of a job under way that slurmctld is to hear of? */
	bool (*calm)(void *arg);
	/* vol_slurmkey_ready may have another answer now. */
	void (*changed)(void *arg);
};

/* path: auth_key of device.conf, "none": keys are none of our business.
 * restart: what makes munged read it, "none": nothing does.  Copied. */
struct vol_slurmkey *vol_slurmkey_create(sd_event *loop, const char *state_dir,
					 const char *path, const char *restart,
					 const struct vol_slurmkey_ops *ops,
					 void *arg, struct vol_error *err);
void vol_slurmkey_destroy(struct vol_slurmkey *k);

/* Into a hello: which key is in its place. */
void vol_slurmkey_hello(struct vol_slurmkey *k, struct vol_link_msg *hello);
void vol_slurmkey_welcomed(struct vol_slurmkey *k,
			   const struct vol_link_msg *welcome);
void vol_slurmkey_lost(struct vol_slurmkey *k);
/* key, turn or turned; *msg is wiped by the caller. */
void vol_slurmkey_message(struct vol_slurmkey *k,
			  const struct vol_link_msg *msg);

/* May slurmd start?  Not without a key, nor while one is on its way. */
bool vol_slurmkey_ready(struct vol_slurmkey *k);

/* For people: the id of the key in its place, "" for none. */
const char *vol_slurmkey_id(struct vol_slurmkey *k);

#endif
