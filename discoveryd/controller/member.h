/* SPDX-License-Identifier: GPL-2.0-or-later */
/* member.h - one device of the cluster: what it says, what Slurm says, what is
 * next */
#ifndef VOL_MEMBER_H
#define VOL_MEMBER_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "desired.h"
#include "forecast.h"
#include "intake.h"
#include "keyring.h"
#include "link.h"
#include "nodetable.h"
#include "note.h"
#include "registrar.h"

struct vol_controller;
struct vol_peer;

struct vol_member {
	struct vol_controller *c;
	/* The registry's: its hostname, address, facts and last_seen are as it
	 * said last.  Not there any more when the member is destroyed. */
	struct vol_device *device;
	char id[VOL_DEVICE_ID_SIZE];
	char node_name[VOL_NODE_NAME_SIZE];
	struct vol_peer *peer;     /* borrowed; NULL without a link */
	struct vol_peer *claimant; /* likewise; would like to be it */
	/* What the device said. */
	enum vol_contact contact;
	char boot[VOL_DEVICE_ID_SIZE];
	char version[VOL_VERSION_SIZE];
	char slurm[VOL_VERSION_SIZE];
	enum vol_slurmd_state slurmd;
	bool slurmd_ended; /* one that ran, since it linked */
	bool busy;
	enum vol_harvest harvest;
	char *why;         /* it is not open; owned, ask vol_member_why */
	time_t away_since; /* its owner's last sign of life, 0: not known */
	time_t closes_at;  /* by its owner's hours, 0: not foreseen */
	bool on_battery;
	uint32_t speed;                  /* as measured, 0: not known */
	uint32_t lease_ms, heartbeat_ms; /* as it was told, 0 = never */
	char *farewell;                  /* owned; ask vol_member_farewell */
	struct vol_member_auth auth;     /* the Slurm key, keyring.h */
	/* Its reports (reports.h): of the link that it has. */
	uint64_t stream;
	struct vol_intake intake;
	bool asked_again; /* it was asked for a report that is missing */
	/* When; on vol_controller_now_ms's clock, 0 = never. */
	uint64_t slurmd_up_at, gone_at, here_at;
	uint64_t replaced_at; /* a slurmd came up in place of another one */
	uint64_t closed_at;   /* 0: open, or was closed when it joined */
	uint64_t reregister_at, create_at, address_at, down_at, resume_at;
	unsigned reregisters; /* in a row, desired.h */
	uint64_t hold_until;
	/* What the node table says of it (nodes.h). */
	enum vol_nodetable_state shown;
	time_t shown_since;
	uint64_t heard_s;
	struct vol_forecast *forecast; /* owned */
	uint32_t kind;   /* of its machine; 0: ask vol_fits_kind */
	uint32_t kinds;  /* that it was the first of */
	char *saves_not; /* why no saved job can go on there; owned, or NULL */
	/* What Slurm said. */
	bool slurm_known, exists;
	bool created; /* the registry's word */
	bool revoked; /* so is this; its node goes as soon as it can */
	/* "": none; else its node is deleted, then made anew by that name. */
	char new_name[VOL_NODE_NAME_SIZE];
	struct vol_note node;
	bool held;        /* by an administrator */
	bool undrainable; /* it refused to, last time */
	/* What is under way. */
	bool unsaved; /* the registry must be on disk first */
	/* The node is not touched before a view is here that was begun after
	 * this refresh; 0 = none is awaited. */
	uint64_t stale;
	bool pending;    /* a wish of ours is at the registrar */
	bool jobs_noted; /* those that slurmctld may be about to requeue */
	bool welcomed;
	uint32_t look_ms;
	struct vol_decision decision;
	enum vol_node_state told;
	/* Owned, or NULL: most have neither. */
	char *told_reason;
	char *complaint; /* last error that was logged */
	sd_event_source *timer;
};

struct vol_member *vol_member_create(struct vol_controller *c,
				     struct vol_device *device);
void vol_member_destroy(struct vol_member *s);

/* The device said hello over peer and was let in. */
void vol_member_attach(struct vol_member *s, struct vol_peer *peer,
		       const struct vol_link_msg *hello);
/* A later message: STATE, HARVEST, MOVED, EVICT, CHECK, PARKED, FACTS,
 * MACHINE, KEYED or BYE. */
void vol_member_message(struct vol_member *s, const struct vol_link_msg *msg);
/* The link is gone; the device was heard last at heard_at. */
void vol_member_detach(struct vol_member *s, uint64_t heard_at);

/* Its key opens nothing any more: close the link, and have the node drained,
 * its jobs run elsewhere, and the node deleted.  May free the member. */
void vol_member_revoke(struct vol_member *s);

/* Delete the node and make it anew by this name, which is free; the device
 * starts its slurmd again.  EBUSY while jobs are on it or slurmctld is away;
 * given up when slurmctld refuses. */
int vol_member_rename(struct vol_member *s, const char *name,
		      struct vol_error *err);

void vol_member_answer(struct vol_member *s, const struct vol_answer *answer);
/* From the whole table; node is NULL when it is not in it. */
void vol_member_view(struct vol_member *s, const struct vol_slurm_node *node);
void vol_member_slurm_away(struct vol_member *s);

/* Must what leaves its node not start there again?  Then with what reason the
 * node is to be drained. */
bool vol_member_shuts(const struct vol_member *s, char reason[VOL_REASON_SIZE]);
/* Somebody else has drained it for that. */
void vol_member_drained(struct vol_member *s, const char *reason);
/* May slurmctld give its node a job although it shuts? */
bool vol_member_ajar(const struct vol_member *s);

/* The label of its node in Slurm, by which the node is known to be ours. */
#define VOL_MEMBER_LABEL      "volunteer device, host "
#define VOL_MEMBER_LABEL_SIZE 256
void vol_member_label(const struct vol_member *s,
		      char label[VOL_MEMBER_LABEL_SIZE]);

/* A copy of text in the place of *kept, NULL for "" (or without memory). */
void vol_member_keep(char **kept, const char *text);

/* Why it is not open, as the device says it; "" if it does not. */
const char *vol_member_why(const struct vol_member *s);

/* With what reason a node is set down that is LEFT or LOST. */
const char *vol_member_farewell(const struct vol_member *s);

/* For how long it may be silent: until then it keeps its jobs, whatever was
 * configured since. */
uint64_t vol_member_lease_ms(const struct vol_member *s);

/* Decide and take the next step.  May free the member (FORGET). */
void vol_member_evaluate(struct vol_member *s);

#endif
