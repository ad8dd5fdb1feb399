/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uplink_fsm.h - when to dial, greet, ping and give up; pure
 *
 * Every function takes the time and returns what to do now.  After each call
 * the caller sets its timer to vol_uplink_fsm_deadline.
 *
 * DIALING lasts until the handshake is done.
 *
 *   LOOKING --target--> DIALING --connected--> GREETING --welcome--> UP
 *      ^                   |                       |                  |
 *      '---- no target ----+------- WAITING <------+---- lost --------'
 *
 * A knock in place of the hello: GREETING --pending--> PENDING --approved-->
 * GREETING; see trust.h.
 */
#ifndef VOL_UPLINK_FSM_H
#define VOL_UPLINK_FSM_H

#include <stdbool.h>
#include <stdint.h>

#include "backoff.h"
#include "fence.h"
#include "link.h"

#define VOL_UPLINK_BACKOFF_MIN_MS 200
#define VOL_UPLINK_BACKOFF_MAX_MS 30000
/* How long one controller may take to accept the connection while others could
 * be tried, and to answer our hello: slurmctld may be slow behind it. */
#define VOL_UPLINK_DIAL_MS  1000
#define VOL_UPLINK_HELLO_MS 10000
/* A candidate that appears while we dial another one takes over after this. */
#define VOL_UPLINK_PATIENCE_MS 100
/* Bounds on what a controller may ask for. */
#define VOL_UPLINK_HEARTBEAT_MIN_MS 100
#define VOL_UPLINK_HEARTBEAT_MAX_MS 600000
#define VOL_UPLINK_RETRY_MAX_MS     3600000
/* Pings whose answer may still come. */
#define VOL_UPLINK_PINGS 16
/* One that waits for an administrator pings that often; a controller that says
 * nothing for so long is gone; and with others in sight another one, which may
 * be ours, is asked after so long. */
#define VOL_UPLINK_PENDING_PING_MS    15000
#define VOL_UPLINK_PENDING_SILENCE_MS 45000
#define VOL_UPLINK_PENDING_MS         180000

enum vol_uplink_state {
	VOL_UPLINK_LOOKING,
	VOL_UPLINK_WAITING,
	VOL_UPLINK_DIALING,
	VOL_UPLINK_GREETING,
	VOL_UPLINK_PENDING,
	VOL_UPLINK_UP,
	VOL_UPLINK_LEFT,
};

/* What to do, in this order. */
enum vol_uplink_do {
	VOL_UPLINK_DO_CLOSE = 1, /* drop the connection, if there is one */
	VOL_UPLINK_DO_LOST = 2,  /* the link was up and is not any more */
	VOL_UPLINK_DO_DIAL = 4,  /* ask for a target and dial it; without one,
				  * call vol_uplink_fsm_no_target */
	VOL_UPLINK_DO_HELLO = 8, /* or knock, when it is the first word */
	VOL_UPLINK_DO_PING = 16, /* send ping with .seq */
	VOL_UPLINK_DO_WELCOMED = 32,
	VOL_UPLINK_DO_PROBE = 64, /* ask the controller's host whether it is
				   * only its discoveryd that is gone; if so,
				   * call vol_uplink_fsm_nobody */
};

struct vol_uplink_fsm {
	/* Set by the caller when it dials: the peer is the one that may give
	 * us up. */
	bool at_home;
	/* Set by the caller when it greets: that was a knock.  Whoever hears
	 * one may be anybody, so it neither welcomes us nor keeps us from
	 * asking others. */
	bool knocked;
	enum vol_uplink_state state;
	bool reached; /* DIALING: somebody answers */
	bool others;  /* there were further candidates when it dialled */
	struct vol_backoff backoff;
	uint64_t deadline_ms; /* of the state; UINT64_MAX = none */
	uint64_t since_ms;    /* state entered */
	uint64_t ping_ms;     /* UP, PENDING: when the next ping is due */
	uint64_t heard_ms;    /* UP, PENDING: last pong or other sign of life */
	bool asked_to_wait;   /* WAITING: by the controller */
	uint32_t heartbeat_ms, lease_ms;
	uint32_t seq;
	uint64_t hello_ms;                  /* when it was sent */
	uint64_t sent_ms[VOL_UPLINK_PINGS]; /* by seq */
	uint64_t probed_ms;                 /* the last DO_PROBE */
	struct vol_fence fence;             /* outlives connections */
};

/* fence: of a life before this one, or NULL. */
void vol_uplink_fsm_init(struct vol_uplink_fsm *f, uint64_t now, uint64_t seed,
			 const struct vol_fence *fence);

/* A target has appeared. */
unsigned vol_uplink_fsm_target(struct vol_uplink_fsm *f, uint64_t now);

/* DO_DIAL was not possible: nobody to dial. */
unsigned vol_uplink_fsm_no_target(struct vol_uplink_fsm *f, uint64_t now);

/* DO_DIAL was begun; others = are there further candidates? */
unsigned vol_uplink_fsm_dialed(struct vol_uplink_fsm *f, uint64_t now,
			       bool others);

/* Somebody answers there: the handshake, which has a deadline of its own, is
 * not broken off for another candidate.  When thousands come back at once it
 * may take a while. */
unsigned vol_uplink_fsm_reached(struct vol_uplink_fsm *f, uint64_t now);

/* The handshake is done. */
unsigned vol_uplink_fsm_connected(struct vol_uplink_fsm *f, uint64_t now);

/* The connection failed or ended. */
unsigned vol_uplink_fsm_closed(struct vol_uplink_fsm *f, uint64_t now);

/* A message of the controller, decoded.  A message out of place closes. */
unsigned vol_uplink_fsm_message(struct vol_uplink_fsm *f, uint64_t now,
				const struct vol_link_msg *msg);

/* At refused_ms no discoveryd ran on the last known controller: its host
 * refused the link and took a connection to slurmctld afterwards.  One that
 * starts later gives nobody up before its start grace and the whole lease are
 * over, so this counts as a sign of life at that moment. */
void vol_uplink_fsm_nobody(struct vol_uplink_fsm *f, uint64_t refused_ms);

/* We will not have this controller, although it approves of us. */
unsigned vol_uplink_fsm_distrust(struct vol_uplink_fsm *f, uint64_t now);

/* We are not where we were (our address changed): begin again at once. */
unsigned vol_uplink_fsm_redial(struct vol_uplink_fsm *f, uint64_t now);

/* The deadline may have come. */
unsigned vol_uplink_fsm_time(struct vol_uplink_fsm *f, uint64_t now);

/* Stay away for good. */
unsigned vol_uplink_fsm_leave(struct vol_uplink_fsm *f, uint64_t now);

/* When to call vol_uplink_fsm_time; UINT64_MAX = not needed. */
uint64_t vol_uplink_fsm_deadline(const struct vol_uplink_fsm *f);

const char *vol_uplink_state_name(enum vol_uplink_state state);

#endif
