/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uplink_fsm.c - when to dial, greet, ping and give up */
#include "config.h"

#include "device/uplink_fsm.h"

#include <string.h>

#define NEVER UINT64_MAX

static void enter(struct vol_uplink_fsm *f, enum vol_uplink_state state,
		  uint64_t now, uint64_t deadline)
{
	f->state = state;
	f->since_ms = now;
	f->deadline_ms = deadline;
}

static uint32_t clamp(uint32_t n, uint32_t min, uint32_t max)
{
	return n < min ? min : n > max ? max : n;
}

static bool jobs_may_live(const struct vol_uplink_fsm *f, uint64_t now)
{
	uint64_t next;

	return f->fence.armed &&
	       vol_fence_look(&f->fence, now, &next) != VOL_FENCE_KILL;
}

/* As long as the fence can be kept from falling, four tries a lease; then there
 * is no hurry any more. */
static void pace(struct vol_uplink_fsm *f, uint64_t now)
{
	uint64_t max = VOL_UPLINK_BACKOFF_MAX_MS;

	if (jobs_may_live(f, now) && f->fence.lease_ms / 4 < max)
		max = f->fence.lease_ms / 4;
	if (max < VOL_UPLINK_BACKOFF_MIN_MS)
		max = VOL_UPLINK_BACKOFF_MIN_MS;
	if (max != f->backoff.max_ms)
		vol_backoff_init(&f->backoff, VOL_UPLINK_BACKOFF_MIN_MS, max,
				 f->backoff.state);
}

static void acked(struct vol_uplink_fsm *f, uint64_t sent_ms)
{
	vol_fence_acked(&f->fence, sent_ms, f->lease_ms);
}

void vol_uplink_fsm_init(struct vol_uplink_fsm *f, uint64_t now, uint64_t seed,
			 const struct vol_fence *fence)
{
	*f = (struct vol_uplink_fsm){.seq = 0};
	vol_backoff_init(&f->backoff, VOL_UPLINK_BACKOFF_MIN_MS,
			 VOL_UPLINK_BACKOFF_MAX_MS, seed);
	if (fence) {
		f->fence = *fence;
		f->lease_ms = fence->lease_ms;
	}
	enter(f, VOL_UPLINK_LOOKING, now, NEVER);
}

static unsigned dial(struct vol_uplink_fsm *f, uint64_t now)
{
	f->reached = false;
	enter(f, VOL_UPLINK_DIALING, now, NEVER);
	return VOL_UPLINK_DO_DIAL;
}

/* Wait before the next try; at least min_ms, which a controller may ask for. */
static unsigned wait(struct vol_uplink_fsm *f, uint64_t now, uint64_t min_ms)
{
	unsigned todo = VOL_UPLINK_DO_CLOSE;
	uint64_t ms;

	pace(f, now);
	ms = vol_backoff_next(&f->backoff);
	if (f->state == VOL_UPLINK_UP)
		todo |= VOL_UPLINK_DO_LOST;
	f->asked_to_wait = min_ms > 0;
	enter(f, VOL_UPLINK_WAITING, now, now + (ms > min_ms ? ms : min_ms));
	return todo;
}

/* Somebody new is there: no need for a long wait any more, unless a controller
 * asked for it.  Not at once: thousands may hear of the same one. */
static void hurry(struct vol_uplink_fsm *f, uint64_t now)
{
	uint64_t soon;

	if (f->asked_to_wait)
		return;
	vol_backoff_reset(&f->backoff);
	soon = now + vol_backoff_next(&f->backoff);
	if (soon < f->deadline_ms)
		f->deadline_ms = soon;
}

unsigned vol_uplink_fsm_target(struct vol_uplink_fsm *f, uint64_t now)
{
	switch (f->state) {
	case VOL_UPLINK_LOOKING:
		return dial(f, now);
	case VOL_UPLINK_DIALING:
		if (f->reached) {
			f->others = true;
			return 0;
		}
		/* The address that we remember may be dead without a word. */
		if (now - f->since_ms < VOL_UPLINK_PATIENCE_MS) {
			f->deadline_ms = f->since_ms + VOL_UPLINK_PATIENCE_MS;
			return 0;
		}
		return VOL_UPLINK_DO_CLOSE | dial(f, now);
	case VOL_UPLINK_WAITING:
		hurry(f, now);
		break;
	case VOL_UPLINK_GREETING:
	case VOL_UPLINK_PENDING:
		f->others = true;
		break;
	case VOL_UPLINK_UP:
	case VOL_UPLINK_LEFT:
		break;
	}
	return 0;
}

unsigned vol_uplink_fsm_no_target(struct vol_uplink_fsm *f, uint64_t now)
{
	enter(f, VOL_UPLINK_LOOKING, now, NEVER);
	return 0;
}

unsigned vol_uplink_fsm_dialed(struct vol_uplink_fsm *f, uint64_t now,
			       bool others)
{
	f->others = others;
	/* Alone, it may take as long as the connection itself allows. */
	f->deadline_ms = others ? now + VOL_UPLINK_DIAL_MS : NEVER;
	return 0;
}

unsigned vol_uplink_fsm_reached(struct vol_uplink_fsm *f, uint64_t now)
{
	(void)now;
	if (f->state == VOL_UPLINK_DIALING) {
		f->reached = true;
		f->deadline_ms = NEVER;
	}
	return 0;
}

unsigned vol_uplink_fsm_connected(struct vol_uplink_fsm *f, uint64_t now)
{
	enter(f, VOL_UPLINK_GREETING, now, now + VOL_UPLINK_HELLO_MS);
	f->knocked = false;
	f->hello_ms = now;
	return VOL_UPLINK_DO_HELLO;
}

unsigned vol_uplink_fsm_closed(struct vol_uplink_fsm *f, uint64_t now)
{
	unsigned probe = 0;

	if (f->state == VOL_UPLINK_LEFT || f->state == VOL_UPLINK_WAITING)
		return VOL_UPLINK_DO_CLOSE;
	/* Twice a heartbeat: with a wait between two dials, which may be a
	 * quarter of the lease, that is still sooner than the half of it at
	 * which jobs are parked. */
	if (f->state == VOL_UPLINK_DIALING && jobs_may_live(f, now) &&
	    now - f->probed_ms >= f->heartbeat_ms / 2) {
		f->probed_ms = now;
		probe = VOL_UPLINK_DO_PROBE;
	}
	return wait(f, now, 0) | probe;
}

void vol_uplink_fsm_nobody(struct vol_uplink_fsm *f, uint64_t refused_ms)
{
	if (f->fence.armed)
		acked(f, refused_ms);
}

static unsigned welcomed(struct vol_uplink_fsm *f, uint64_t now,
			 const struct vol_link_msg *msg)
{
	if (f->state != VOL_UPLINK_GREETING || f->knocked)
		return wait(f, now, 0);
	f->heartbeat_ms = clamp(msg->heartbeat_ms, VOL_UPLINK_HEARTBEAT_MIN_MS,
				VOL_UPLINK_HEARTBEAT_MAX_MS);
	/* A lease shorter than two heartbeats would end by itself. */
	f->lease_ms = clamp(msg->lease_ms, 2 * f->heartbeat_ms, UINT32_MAX);
	acked(f, f->hello_ms);
	pace(f, now);
	vol_backoff_reset(&f->backoff);
	enter(f, VOL_UPLINK_UP, now, NEVER);
	f->heard_ms = now;
	/* A welcome may be late, and the lease began with the hello. */
	f->ping_ms = f->hello_ms + f->heartbeat_ms;
	return VOL_UPLINK_DO_WELCOMED;
}

static void ponged(struct vol_uplink_fsm *f, uint32_t seq)
{
	/* In a uint32_t, an answer to a ping of the future is long ago. */
	if (seq > 0 && f->seq - seq < VOL_UPLINK_PINGS)
		acked(f, f->sent_ms[seq % VOL_UPLINK_PINGS]);
}

static unsigned refused(struct vol_uplink_fsm *f, uint64_t now,
			const struct vol_link_msg *msg)
{
	uint64_t ms = clamp(msg->retry_ms, 0, VOL_UPLINK_RETRY_MAX_MS);
	unsigned todo;

	/* It has heard us, only slurmctld does not answer it. */
	if (f->at_home && f->fence.armed && f->state == VOL_UPLINK_GREETING &&
	    !f->knocked && !strcmp(msg->code, "slurm_away"))
		acked(f, f->hello_ms);
	if (f->knocked && f->others)
		ms = 0;
	todo = wait(f, now, ms);
	f->asked_to_wait = ms > 0 && !f->knocked;
	return todo;
}

/* ---- the door ---- */

static unsigned pending(struct vol_uplink_fsm *f, uint64_t now)
{
	if (f->state != VOL_UPLINK_GREETING)
		return wait(f, now, 0);
	enter(f, VOL_UPLINK_PENDING, now, NEVER);
	f->ping_ms = now + VOL_UPLINK_PENDING_PING_MS;
	return 0;
}

/* The hello that is due now has as long as any. */
static unsigned approved(struct vol_uplink_fsm *f, uint64_t now)
{
	if (f->state != VOL_UPLINK_GREETING && f->state != VOL_UPLINK_PENDING)
		return wait(f, now, 0);
	return vol_uplink_fsm_connected(f, now);
}

unsigned vol_uplink_fsm_distrust(struct vol_uplink_fsm *f, uint64_t now)
{
	return wait(f, now, VOL_UPLINK_BACKOFF_MAX_MS);
}

static unsigned pending_time(struct vol_uplink_fsm *f, uint64_t now)
{
	if (now - f->heard_ms >= VOL_UPLINK_PENDING_SILENCE_MS ||
	    (f->others && now - f->since_ms >= VOL_UPLINK_PENDING_MS))
		return wait(f, now, 0);
	if (now < f->ping_ms)
		return 0;
	f->ping_ms = now + VOL_UPLINK_PENDING_PING_MS;
	f->seq++;
	return VOL_UPLINK_DO_PING;
}

static uint64_t pending_deadline(const struct vol_uplink_fsm *f)
{
	uint64_t due = f->heard_ms + VOL_UPLINK_PENDING_SILENCE_MS;

	if (f->others && f->since_ms + VOL_UPLINK_PENDING_MS < due)
		due = f->since_ms + VOL_UPLINK_PENDING_MS;
	return f->ping_ms < due ? f->ping_ms : due;
}

unsigned vol_uplink_fsm_message(struct vol_uplink_fsm *f, uint64_t now,
				const struct vol_link_msg *msg)
{
	bool up = f->state == VOL_UPLINK_UP;

	if (!up && f->state != VOL_UPLINK_GREETING &&
	    f->state != VOL_UPLINK_PENDING)
		return 0;
	f->heard_ms = now;
	if (up && msg->type == VOL_LINK_PONG)
		ponged(f, msg->seq);
	switch (msg->type) {
	case VOL_LINK_WELCOME:
		return welcomed(f, now, msg);
	case VOL_LINK_REFUSE:
		return refused(f, now, msg);
	case VOL_LINK_NONCE:
		return f->state == VOL_UPLINK_GREETING ? 0 : wait(f, now, 0);
	case VOL_LINK_PENDING:
		return pending(f, now);
	case VOL_LINK_APPROVED:
		return approved(f, now);
	case VOL_LINK_PONG:
		return up || f->state == VOL_UPLINK_PENDING ? 0
							    : wait(f, now, 0);
	case VOL_LINK_NODE:
	case VOL_LINK_REREGISTER:
	case VOL_LINK_EVICTED:
	case VOL_LINK_ACK:
	case VOL_LINK_KEY:
	case VOL_LINK_TURN:
	case VOL_LINK_TURNED:
		return up ? 0 : wait(f, now, 0);
	default:
		return wait(f, now, 0);
	}
}

unsigned vol_uplink_fsm_redial(struct vol_uplink_fsm *f, uint64_t now)
{
	unsigned todo = VOL_UPLINK_DO_CLOSE;

	if (f->state == VOL_UPLINK_LEFT || f->state == VOL_UPLINK_LOOKING)
		return 0;
	if (f->state == VOL_UPLINK_UP)
		todo |= VOL_UPLINK_DO_LOST;
	vol_backoff_reset(&f->backoff);
	return todo | dial(f, now);
}

/* A link that is silent for that long is dead.  Earlier than the lease, so that
 * another try can still keep the fence from falling. */
static uint64_t silence_ms(const struct vol_uplink_fsm *f)
{
	return (uint64_t)f->lease_ms * 2 / 3;
}

static unsigned up_time(struct vol_uplink_fsm *f, uint64_t now)
{
	if (now - f->heard_ms >= silence_ms(f))
		return wait(f, now, 0);
	if (now < f->ping_ms)
		return 0;
	f->ping_ms = now + f->heartbeat_ms;
	f->seq++;
	f->sent_ms[f->seq % VOL_UPLINK_PINGS] = now;
	return VOL_UPLINK_DO_PING;
}

unsigned vol_uplink_fsm_time(struct vol_uplink_fsm *f, uint64_t now)
{
	if (f->state == VOL_UPLINK_UP)
		return up_time(f, now);
	if (f->state == VOL_UPLINK_PENDING)
		return pending_time(f, now);
	if (now < f->deadline_ms)
		return 0;
	switch (f->state) {
	case VOL_UPLINK_WAITING:
		return dial(f, now);
	case VOL_UPLINK_DIALING:
		/* Another candidate: no wait in between. */
		return VOL_UPLINK_DO_CLOSE | dial(f, now);
	case VOL_UPLINK_GREETING:
		return wait(f, now, 0);
	case VOL_UPLINK_LOOKING:
	case VOL_UPLINK_PENDING:
	case VOL_UPLINK_UP:
	case VOL_UPLINK_LEFT:
		break;
	}
	return 0;
}

unsigned vol_uplink_fsm_leave(struct vol_uplink_fsm *f, uint64_t now)
{
	enter(f, VOL_UPLINK_LEFT, now, NEVER);
	return 0;
}

uint64_t vol_uplink_fsm_deadline(const struct vol_uplink_fsm *f)
{
	uint64_t silence = f->heard_ms + silence_ms(f);

	if (f->state == VOL_UPLINK_PENDING)
		return pending_deadline(f);
	if (f->state != VOL_UPLINK_UP)
		return f->deadline_ms;
	return f->ping_ms < silence ? f->ping_ms : silence;
}

const char *vol_uplink_state_name(enum vol_uplink_state state)
{
	static const char *const names[] = {
		[VOL_UPLINK_LOOKING] = "looking",
		[VOL_UPLINK_WAITING] = "waiting",
		[VOL_UPLINK_DIALING] = "dialing",
		[VOL_UPLINK_GREETING] = "greeting",
		[VOL_UPLINK_PENDING] = "pending",
		[VOL_UPLINK_UP] = "up",
		[VOL_UPLINK_LEFT] = "left",
	};

	return names[state];
}
