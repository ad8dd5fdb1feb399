/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seat.h - one device's place: what it says, what Slurm says, what is next */
#ifndef VOL_SEAT_H
#define VOL_SEAT_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "desired.h"
#include "link.h"
#include "registrar.h"

struct vol_controller;
struct vol_peer;

struct vol_seat {
	struct vol_controller *c;
	char id[VOL_DEVICE_ID_SIZE];
	char node_name[VOL_NODE_NAME_SIZE];
	struct vol_peer *peer; /* borrowed; NULL without a link */
	/* What the device said. */
	enum vol_presence presence;
	char hostname[VOL_HOSTNAME_SIZE];
	char address[VOL_ADDRESS_SIZE];
	char boot[VOL_DEVICE_ID_SIZE];
	char version[VOL_VERSION_SIZE];
	char slurm[VOL_VERSION_SIZE];
	struct vol_facts facts;
	enum vol_slurmd_state slurmd;
	bool busy;
	char farewell[VOL_REASON_SIZE];
	/* When; on vol_controller_now_ms's clock, 0 = never. */
	uint64_t slurmd_up_at, gone_at, here_at;
	uint64_t reregister_at, create_at, address_at, down_at, resume_at;
	uint64_t hold_until;
	time_t last_seen; /* for people and for forget_after */
	/* What Slurm said. */
	bool slurm_known, exists;
	bool created; /* the registry's word */
	struct vol_slurm_node node;
	/* What is under way. */
	bool unsaved; /* the registry must be on disk first */
	bool stale;   /* a fresh view must be had before the node is touched */
	bool pending; /* a wish of ours is at the registrar */
	bool welcomed;
	uint32_t look_ms;
	struct vol_decision decision;
	enum vol_node_state told;
	char told_reason[VOL_REASON_SIZE];
	char complaint[256]; /* last error that was logged */
	sd_event_source *timer;
};

struct vol_seat *vol_seat_create(struct vol_controller *c,
				 const struct vol_device *device);
void vol_seat_destroy(struct vol_seat *s);

/* The device said hello over peer and was let in. */
void vol_seat_attach(struct vol_seat *s, struct vol_peer *peer,
		     const struct vol_link_msg *hello);
/* A later message: STATE, FACTS or BYE. */
void vol_seat_message(struct vol_seat *s, const struct vol_link_msg *msg);
/* The link is gone; the device was heard last at heard_at. */
void vol_seat_detach(struct vol_seat *s, uint64_t heard_at);

void vol_seat_answer(struct vol_seat *s, const struct vol_answer *answer);
/* From the whole table; node is NULL when it is not in it. */
void vol_seat_view(struct vol_seat *s, const struct vol_slurm_node *node);
void vol_seat_slurm_away(struct vol_seat *s);

/* Decide and take the next step.  May free the seat (FORGET). */
void vol_seat_evaluate(struct vol_seat *s);

#endif
