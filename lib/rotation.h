/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rotation.h - a new Slurm key for all devices and the controller, pure
 *
 * munged has one key, so for a moment some hosts speak with the old one and
 * others with the new, and nothing that they sign is believed across.  What
 * Slurm does not try again in that moment would be lost, so nothing is to
 * happen in it:
 *
 *  PREPARE  the new key is brought to all linked devices, which keep it beside
 *           the one in use.  It is in our memory only
 *  CLOSE    partitions take no new starts; launches that are under way end
 *  TURN     devices stop the tasks of their jobs, take the new key, and wait
 *  SELF     the key is put in its place here
 *  OPEN     devices let their jobs go on, partitions are opened again
 *  UNDO     given up before TURN: partitions are opened again
 *
 * What would be lost: slurmstepd tells slurmctld of the end of a batch job for
 * as long as it gets no answer (slurmstepd/mgr.c,
 * _send_complete_batch_script_msg), but since 24.11 a message whose signature
 * is not believed is answered (slurmctld/controller.c, _on_msg), answers are
 * not signed, and that is the end of it: slurmctld takes the job for a running
 * one until the node registers, and runs it again.  Steps of srun and their
 * launches fail at once.  What slurmctld wants of slurmd (the end of jobs,
 * pings, registrations) and the ends of prologs are asked for again.  So tasks
 * are stopped before a device turns, and it waits until no slurmstepd is
 * without tasks.
 *
 * Devices first: what one of them signed with the old key just before that is
 * still believed here.
 *
 * Until TURN is on disk nothing has happened: a controller that is killed comes
 * back in NONE, or in UNDO.  From then on there is no way but forward.
 */
#ifndef VOL_ROTATION_H
#define VOL_ROTATION_H

#include <stdbool.h>

#include "link.h"

enum vol_rotation_phase {
	VOL_ROTATION_NONE,
	VOL_ROTATION_PREPARE,
	VOL_ROTATION_CLOSE,
	VOL_ROTATION_TURN,
	VOL_ROTATION_SELF,
	VOL_ROTATION_OPEN,
	VOL_ROTATION_UNDO,
};
#define VOL_ROTATION_PHASES (VOL_ROTATION_UNDO + 1)

enum vol_rotation_event {
	VOL_ROTATION_BEGIN,    /* an administrator wants it */
	VOL_ROTATION_PREPARED, /* all that are linked have it, or time is up */
	VOL_ROTATION_CLOSED,   /* partitions are closed, and calm */
	VOL_ROTATION_TURNED,   /* all have turned, or time is up */
	VOL_ROTATION_PLACED,   /* it is used here */
	VOL_ROTATION_OPENED,   /* partitions are open again */
	VOL_ROTATION_STOP,     /* the administrator thought better of it */
	VOL_ROTATION_FAIL,     /* what the phase is for can not be done */
	VOL_ROTATION_START,    /* this phase was found on disk */
};
#define VOL_ROTATION_EVENTS (VOL_ROTATION_START + 1)

/* What to do, in this order; the phase is the new one by then. */
enum vol_rotation_do {
	VOL_ROTATION_DO_SAVE = 1,   /* first of all, the phase goes to disk */
	VOL_ROTATION_DO_SEND = 2,   /* look at each device: vol_rotation_due */
	VOL_ROTATION_DO_CLOSE = 4,  /* partitions */
	VOL_ROTATION_DO_PLACE = 8,  /* put the key in its place here */
	VOL_ROTATION_DO_OPEN = 16,  /* partitions */
	VOL_ROTATION_DO_DONE = 32,  /* the new key is the key now */
	VOL_ROTATION_DO_DROP = 64,  /* forget the new key */
	VOL_ROTATION_DO_WRONG = 128 /* the event is none of this phase */
};

/* What follows from the event; *phase is changed. */
unsigned vol_rotation_step(enum vol_rotation_phase *phase,
			   enum vol_rotation_event event);

/* Is the new key the cluster's from here on? */
bool vol_rotation_turning(enum vol_rotation_phase phase);

/* What we know of a device. */
struct vol_rotation_device {
	bool approved;    /* and not revoked since */
	bool allowed;     /* vol_handout_allows */
	bool proven;      /* it holds its key, over TLS, and was welcomed */
	const char *has;  /* id of the key in use there, "": none */
	const char *next; /* id of the key beside it, "": none */
};

enum vol_rotation_send {
	VOL_SEND_NOTHING,
	VOL_SEND_KEY_NOW,  /* the key that is or becomes the cluster's */
	VOL_SEND_KEY_NEXT, /* the new key, to be kept */
	VOL_SEND_TURN,
};

/* The next message for this device; current and next: ids of the keys, "" for
 * none.  Nothing ever for one that is not approved, allowed and proven. */
enum vol_rotation_send vol_rotation_due(enum vol_rotation_phase phase,
					const char *current, const char *next,
					const struct vol_rotation_device *d);

const char *vol_rotation_phase_name(enum vol_rotation_phase phase);

#endif
