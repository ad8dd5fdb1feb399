/* SPDX-License-Identifier: GPL-2.0-or-later */
/* desired.h - what to do next about one device's node; pure
 *
 * Level-triggered: given everything that is known, name the one next step.
 * The caller takes it, looks again and asks again, so a lost answer, a restart
 * of any daemon or an administrator's hand in between need no case of their
 * own.  No Slurm header, no clock, no allocation.
 */
#ifndef VOL_DESIRED_H
#define VOL_DESIRED_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster.h"
#include "facts.h"
#include "link.h"

/* Reasons with this prefix are ours to lift; all others are not.  What follows
 * it while the owner needs the machine is the device's "why". */
#define VOL_REASON_PREFIX "volunteer: "

/* "Never happened" for the since_ fields. */
#define VOL_NEVER UINT64_MAX

enum vol_contact {
	VOL_CONTACT_HERE,      /* linked */
	VOL_CONTACT_SILENT,    /* link broken, grace not over */
	VOL_CONTACT_LOST,      /* grace over */
	VOL_CONTACT_LEFT,      /* said bye */
	VOL_CONTACT_FORGOTTEN, /* away for so long that it is deleted */
};

enum vol_action {
	VOL_ACT_NONE, /* all is well, or nothing can be done */
	VOL_ACT_WAIT, /* something is under way: look again soon */
	VOL_ACT_CREATE,
	VOL_ACT_DELETE,
	VOL_ACT_RENAME, /* the name is not ours: choose another one */
	VOL_ACT_DOWN,
	VOL_ACT_DRAIN,
	VOL_ACT_RESUME,
	VOL_ACT_ADDRESS,
	VOL_ACT_FEATURES,
	VOL_ACT_COMMENT,
	VOL_ACT_REREGISTER, /* ask the device to send SIGHUP to slurmd */
	VOL_ACT_FORGET,     /* nothing is left in Slurm: drop the entry */
};

struct vol_situation {
	/* What the device says. */
	enum vol_contact contact;
	struct vol_facts facts;
	char address[VOL_ADDRESS_SIZE];
	char comment[256];
	char farewell[VOL_REASON_SIZE]; /* words for DOWN when LOST or LEFT */
	bool revoked; /* FORGOTTEN, but its slurmd may be there */
	bool fenced;  /* so long ago that it has killed its jobs itself */
	enum vol_slurmd_state slurmd;
	bool busy;
	uint64_t slurmd_up_ms; /* for how long slurmd has been up */
	enum vol_harvest harvest;
	char why[VOL_WHY_SIZE];
	/* For how long it has not been open; VOL_NEVER when it was not when it
	 * joined: then nobody waits for a short visit to end. */
	uint64_t closed_ms;
	uint64_t drain_after_ms; /* a shorter visit is not worth an RPC */
	/* What was done about it. */
	unsigned reregisters; /* vol_reregisters; 0: on this link, and by this
			       * slurmctld, none was asked for */
	bool undrainable;     /* slurmctld would not */
	uint64_t since_reregister_ms, since_create_ms, since_address_ms;
	uint64_t since_down_ms, since_resume_ms;
	uint64_t since_restart_ms;  /* slurmctld started */
	uint64_t since_replaced_ms; /* another slurmd came up, linked */
	/* What Slurm says. */
	bool slurm_known; /* the rest was heard from slurmctld */
	bool exists;
	bool created; /* by us, as far as the registry knows */
	struct vol_slurm_node node;
	bool held; /* vol_node_held */
};

struct vol_decision {
	enum vol_action action;
	/* What the device is told, and whether it may start its slurmd. */
	enum vol_node_state node;
	bool welcome;
	bool facts_ok; /* the node in Slurm is this machine */
	bool ghosts;   /* slurmctld will requeue jobs whose ends it forgot */
	char reason[VOL_REASON_SIZE]; /* why; for DOWN and DRAIN Slurm's too */
};

/* Does an administrator keep the node out of service?  before: the answer to
 * the look before this one, since slurmctld writes its own reason over theirs
 * when it rejects a registration. */
bool vol_node_held(const struct vol_slurm_node *n, bool before);

/* Was it drained by slurmctld since a step did not start, of which the device
 * says (why, also with our prefix) that no wall could be built around it?  The
 * device knows when it can again, so our reason may take the place of Slurm's,
 * which tells nobody anything. */
bool vol_node_unwalled(const struct vol_slurm_node *n, const char *why);

/* It is about to be asked to register again, since_ms after the last time: how
 * many times in a row that makes, by which the next time is put off. */
unsigned vol_reregisters(unsigned before, uint64_t since_ms);

/* Must the node be drained now because its owner needs the machine? */
bool vol_owner_closes(const struct vol_situation *s);
/* And with what reason. */
void vol_closed_reason(enum vol_harvest harvest, const char *why,
		       char reason[VOL_REASON_SIZE]);

void vol_desired(const struct vol_situation *s, struct vol_decision *d);

const char *vol_action_name(enum vol_action action);
const char *vol_contact_name(enum vol_contact contact);

#endif
