/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_uplink_fsm.c - dialing, greeting, pinging and giving up on a clock */
#include "config.h"

#include "device/uplink_fsm.h"

#include "vtest.h"

#define CLOSE    VOL_UPLINK_DO_CLOSE
#define LOST     VOL_UPLINK_DO_LOST
#define DIAL     VOL_UPLINK_DO_DIAL
#define HELLO    VOL_UPLINK_DO_HELLO
#define PING     VOL_UPLINK_DO_PING
#define WELCOMED VOL_UPLINK_DO_WELCOMED
#define PROBE    VOL_UPLINK_DO_PROBE

static struct vol_uplink_fsm f;
static uint64_t now;

static int setup(void **state)
{
	(void)state;
	now = 1000000;
	vol_uplink_fsm_init(&f, now, 1, NULL);
	return 0;
}

static unsigned hear(enum vol_link_type type, uint32_t retry_ms)
{
	struct vol_link_msg msg = {.type = type,
				   .heartbeat_ms = 5000,
				   .lease_ms = 15000,
				   .seq = f.seq,
				   .retry_ms = retry_ms};

	return vol_uplink_fsm_message(&f, now, &msg);
}

static void come_up(void)
{
	assert_int_equal(vol_uplink_fsm_target(&f, now), DIAL);
	vol_uplink_fsm_dialed(&f, now, false);
	assert_int_equal(vol_uplink_fsm_connected(&f, now), HELLO);
	assert_int_equal(hear(VOL_LINK_WELCOME, 0), WELCOMED);
	assert_int_equal(f.state, VOL_UPLINK_UP);
}

/* To the deadline and beyond it; how long that was. */
static uint64_t sleep_until_due(void)
{
	uint64_t before = now;

	assert_true(vol_uplink_fsm_deadline(&f) != UINT64_MAX);
	if (vol_uplink_fsm_deadline(&f) > now)
		now = vol_uplink_fsm_deadline(&f);
	return now - before;
}

static void looks_until_found(void **state)
{
	(void)state;
	assert_int_equal(f.state, VOL_UPLINK_LOOKING);
	assert_true(vol_uplink_fsm_deadline(&f) == UINT64_MAX);
	assert_int_equal(vol_uplink_fsm_time(&f, now + 1000000), 0);
	assert_int_equal(vol_uplink_fsm_target(&f, now), DIAL);
	assert_int_equal(vol_uplink_fsm_no_target(&f, now), 0);
	assert_int_equal(f.state, VOL_UPLINK_LOOKING);
	come_up();
}

static void pings_and_lease(void **state)
{
	(void)state;
	come_up();
	for (uint32_t i = 1; i <= 3; i++) {
		assert_int_equal(sleep_until_due(), 5000);
		assert_int_equal(vol_uplink_fsm_time(&f, now - 1), 0);
		assert_int_equal(vol_uplink_fsm_time(&f, now), PING);
		assert_int_equal(f.seq, i);
		assert_int_equal(hear(VOL_LINK_PONG, 0), 0);
	}
	/* Silence: one more ping, then another try while there is time. */
	sleep_until_due();
	assert_int_equal(vol_uplink_fsm_time(&f, now), PING);
	assert_int_equal(sleep_until_due(), 5000);
	assert_int_equal(vol_uplink_fsm_time(&f, now), CLOSE | LOST);
	assert_int_equal(f.state, VOL_UPLINK_WAITING);
	assert_in_range(sleep_until_due(), VOL_UPLINK_BACKOFF_MIN_MS, 400);
	assert_int_equal(vol_uplink_fsm_time(&f, now), DIAL);
}

/* A machine that slept finds the lease over at its first look. */
static void sleep_ends_the_lease(void **state)
{
	(void)state;
	come_up();
	now += 3600 * 1000;
	assert_int_equal(vol_uplink_fsm_time(&f, now), CLOSE | LOST);
}

static void backs_off_and_recovers(void **state)
{
	uint64_t longest = 0;

	(void)state;
	assert_int_equal(vol_uplink_fsm_target(&f, now), DIAL);
	for (int i = 0; i < 40; i++) {
		uint64_t wait;

		vol_uplink_fsm_dialed(&f, now, false);
		assert_int_equal(vol_uplink_fsm_closed(&f, now), CLOSE);
		wait = sleep_until_due();
		assert_in_range(wait, VOL_UPLINK_BACKOFF_MIN_MS,
				VOL_UPLINK_BACKOFF_MAX_MS);
		if (wait > longest)
			longest = wait;
		assert_int_equal(vol_uplink_fsm_time(&f, now), DIAL);
	}
	assert_true(longest > VOL_UPLINK_BACKOFF_MAX_MS / 4);
	/* Success: begin from the start again. */
	vol_uplink_fsm_dialed(&f, now, false);
	vol_uplink_fsm_connected(&f, now);
	hear(VOL_LINK_WELCOME, 0);
	assert_int_equal(vol_uplink_fsm_closed(&f, now), CLOSE | LOST);
	assert_in_range(sleep_until_due(), VOL_UPLINK_BACKOFF_MIN_MS, 400);
}

static void refused(void **state)
{
	(void)state;
	assert_int_equal(vol_uplink_fsm_target(&f, now), DIAL);
	vol_uplink_fsm_connected(&f, now);
	assert_int_equal(hear(VOL_LINK_REFUSE, 60000), CLOSE);
	/* The end of the connection that follows changes nothing. */
	assert_int_equal(vol_uplink_fsm_closed(&f, now), CLOSE);
	/* Nor does somebody who shows up: we were asked to wait. */
	assert_int_equal(vol_uplink_fsm_target(&f, now), 0);
	assert_int_equal(sleep_until_due(), 60000);
	assert_int_equal(vol_uplink_fsm_time(&f, now), DIAL);

	/* Not for ever, though. */
	vol_uplink_fsm_connected(&f, now);
	assert_int_equal(hear(VOL_LINK_REFUSE, UINT32_MAX), CLOSE);
	assert_int_equal(sleep_until_due(), VOL_UPLINK_RETRY_MAX_MS);
}

static void refused_later(void **state)
{
	(void)state;
	come_up();
	assert_int_equal(hear(VOL_LINK_REFUSE, 100), CLOSE | LOST);
}

/* The controller came back: no need to sit out a long wait. */
static void target_shortens_the_wait(void **state)
{
	(void)state;
	assert_int_equal(vol_uplink_fsm_target(&f, now), DIAL);
	for (int i = 0; i < 20; i++) {
		vol_uplink_fsm_dialed(&f, now, false);
		vol_uplink_fsm_closed(&f, now);
		sleep_until_due();
		vol_uplink_fsm_time(&f, now);
	}
	vol_uplink_fsm_closed(&f, now);
	assert_int_equal(vol_uplink_fsm_target(&f, now), 0);
	assert_in_range(sleep_until_due(), 0, 400);
	assert_int_equal(vol_uplink_fsm_time(&f, now), DIAL);
}

static void dead_address_gives_way(void **state)
{
	(void)state;
	/* Alone: no deadline of ours. */
	assert_int_equal(vol_uplink_fsm_target(&f, now), DIAL);
	vol_uplink_fsm_dialed(&f, now, false);
	assert_true(vol_uplink_fsm_deadline(&f) == UINT64_MAX);
	/* Another one appears at once: the first gets its chance. */
	now += 10;
	assert_int_equal(vol_uplink_fsm_target(&f, now), 0);
	sleep_until_due();
	assert_int_equal(vol_uplink_fsm_time(&f, now), CLOSE | DIAL);
	/* Two to choose from: one second each. */
	vol_uplink_fsm_dialed(&f, now, true);
	assert_int_equal(sleep_until_due(), VOL_UPLINK_DIAL_MS);
	assert_int_equal(vol_uplink_fsm_time(&f, now), CLOSE | DIAL);
	/* One that appears while we have waited long already takes over. */
	vol_uplink_fsm_dialed(&f, now, true);
	now += VOL_UPLINK_PATIENCE_MS;
	assert_int_equal(vol_uplink_fsm_target(&f, now), CLOSE | DIAL);
}

/* A handshake that has begun is not broken off: it may be slow since thousands
 * make theirs at the same time. */
static void a_slow_handshake(void **state)
{
	(void)state;
	assert_int_equal(vol_uplink_fsm_target(&f, now), DIAL);
	vol_uplink_fsm_dialed(&f, now, true);
	assert_int_equal(vol_uplink_fsm_reached(&f, now), 0);
	assert_true(vol_uplink_fsm_deadline(&f) == UINT64_MAX);
	now += 5000;
	assert_int_equal(vol_uplink_fsm_target(&f, now), 0);
	assert_int_equal(vol_uplink_fsm_time(&f, now), 0);
	assert_int_equal(vol_uplink_fsm_closed(&f, now) & ~PROBE, CLOSE);
	/* The next one begins anew. */
	sleep_until_due();
	assert_int_equal(vol_uplink_fsm_time(&f, now), DIAL);
	vol_uplink_fsm_dialed(&f, now, true);
	assert_int_equal(sleep_until_due(), VOL_UPLINK_DIAL_MS);
	assert_int_equal(vol_uplink_fsm_time(&f, now), CLOSE | DIAL);
	vol_uplink_fsm_reached(&f, now);
	assert_int_equal(vol_uplink_fsm_connected(&f, now), HELLO);
	/* Of a link that is being closed. */
	vol_uplink_fsm_closed(&f, now);
	assert_int_equal(vol_uplink_fsm_reached(&f, now), 0);
	assert_true(vol_uplink_fsm_deadline(&f) != UINT64_MAX);
}

static void silent_controller(void **state)
{
	(void)state;
	assert_int_equal(vol_uplink_fsm_target(&f, now), DIAL);
	vol_uplink_fsm_connected(&f, now);
	assert_int_equal(sleep_until_due(), VOL_UPLINK_HELLO_MS);
	assert_int_equal(vol_uplink_fsm_time(&f, now), CLOSE);
	assert_int_equal(f.state, VOL_UPLINK_WAITING);
}

static void out_of_place(void **state)
{
	static const enum vol_link_type before_welcome[] = {
		VOL_LINK_PONG,  VOL_LINK_NODE, VOL_LINK_REREGISTER,
		VOL_LINK_HELLO, VOL_LINK_PING, VOL_LINK_BYE};
	static const enum vol_link_type after_it[] = {
		VOL_LINK_WELCOME, VOL_LINK_HELLO, VOL_LINK_STATE,
		VOL_LINK_FACTS,   VOL_LINK_PING,  VOL_LINK_BYE};

	for (size_t i = 0; i < N_ELEMENTS(before_welcome); i++) {
		setup(state);
		vol_uplink_fsm_target(&f, now);
		vol_uplink_fsm_connected(&f, now);
		assert_int_equal(hear(before_welcome[i], 0), CLOSE);
	}
	for (size_t i = 0; i < N_ELEMENTS(after_it); i++) {
		setup(state);
		come_up();
		assert_int_equal(hear(after_it[i], 0), CLOSE | LOST);
	}
}

/* A controller can not make us ping in a frenzy or fall off by itself. */
static void odd_wishes(void **state)
{
	static const struct {
		uint32_t heartbeat_ms, lease_ms;
	} rows[] = {{0, 0}, {1, 1}, {UINT32_MAX, 1}, {5000, 100}};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct vol_link_msg msg = {.type = VOL_LINK_WELCOME,
					   .heartbeat_ms = rows[i].heartbeat_ms,
					   .lease_ms = rows[i].lease_ms};

		setup(state);
		vol_uplink_fsm_target(&f, now);
		vol_uplink_fsm_connected(&f, now);
		vol_uplink_fsm_message(&f, now, &msg);
		assert_in_range(sleep_until_due(), VOL_UPLINK_HEARTBEAT_MIN_MS,
				VOL_UPLINK_HEARTBEAT_MAX_MS);
		assert_int_equal(vol_uplink_fsm_time(&f, now), PING);
		assert_true(f.lease_ms >= 2 * f.heartbeat_ms);
	}
}

static void redials_when_moved(void **state)
{
	(void)state;
	assert_int_equal(vol_uplink_fsm_redial(&f, now), 0);
	come_up();
	assert_int_equal(vol_uplink_fsm_redial(&f, now), CLOSE | LOST | DIAL);
	vol_uplink_fsm_closed(&f, now);
	assert_int_equal(vol_uplink_fsm_redial(&f, now), CLOSE | DIAL);
}

/* ---- the fence ---- */

static enum vol_fence_state fence(void)
{
	uint64_t next;

	return vol_fence_look(&f.fence, now, &next);
}

static unsigned pong(uint32_t seq)
{
	struct vol_link_msg msg = {.type = VOL_LINK_PONG, .seq = seq};

	return vol_uplink_fsm_message(&f, now, &msg);
}

static unsigned refuse(const char *code)
{
	struct vol_link_msg msg = {.type = VOL_LINK_REFUSE, .retry_ms = 100};

	snprintf(msg.code, sizeof(msg.code), "%s", code);
	return vol_uplink_fsm_message(&f, now, &msg);
}

/* The lease runs from the moment something was sent, not answered. */
static void counts_from_the_hello(void **state)
{
	uint64_t sent = now;

	(void)state;
	assert_false(f.fence.armed);
	assert_int_equal(vol_uplink_fsm_target(&f, now), DIAL);
	assert_int_equal(vol_uplink_fsm_connected(&f, now), HELLO);
	now += 4000;
	assert_false(f.fence.armed);
	assert_int_equal(hear(VOL_LINK_WELCOME, 0), WELCOMED);
	assert_true(f.fence.armed);
	assert_int_equal(f.fence.acked_ms, sent);
	assert_int_equal(f.fence.lease_ms, 15000);
	/* So does the heartbeat. */
	assert_int_equal(sleep_until_due(), 1000);
	assert_int_equal(vol_uplink_fsm_time(&f, now), PING);
}

static void counts_from_the_ping(void **state)
{
	/* Which ping is answered, and whose time counts then: 0, 1 or 2. */
	static const struct {
		uint32_t answered;
		int counts;
	} rows[] = {
		{1, 1}, {2, 2},          {1, 2}, /* late: never backwards */
		{0, 2},                          /* there is none */
		{3, 2}, {UINT32_MAX, 2},         /* not sent yet */
	};
	uint64_t sent[3];

	(void)state;
	come_up();
	sent[0] = now;
	for (int i = 1; i < 3; i++) {
		now += 5000;
		f.heard_ms = now;
		assert_int_equal(vol_uplink_fsm_time(&f, now), PING);
		sent[i] = now;
		now += 700;
	}
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		assert_int_equal(pong(rows[i].answered), 0);
		assert_int_equal(f.fence.acked_ms, sent[rows[i].counts]);
	}
}

/* Of more pings than are remembered, the old ones count for nothing. */
static void forgets_old_pings(void **state)
{
	uint64_t acked;

	(void)state;
	come_up();
	acked = f.fence.acked_ms;
	for (int i = 0; i < VOL_UPLINK_PINGS + 1; i++) {
		now += 5000;
		f.heard_ms = now;
		assert_int_equal(vol_uplink_fsm_time(&f, now), PING);
	}
	assert_int_equal(pong(1), 0);
	assert_int_equal(f.fence.acked_ms, acked);
	assert_int_equal(pong(2), 0);
	assert_int_equal(f.fence.acked_ms, acked + 10000);
}

static void fence_outlives_the_link(void **state)
{
	(void)state;
	come_up();
	assert_int_equal(fence(), VOL_FENCE_OK);
	assert_int_equal(vol_uplink_fsm_closed(&f, now), CLOSE | LOST);
	now += 8000;
	assert_int_equal(fence(), VOL_FENCE_PARK);
	assert_int_equal(vol_uplink_fsm_time(&f, now), DIAL);
	assert_int_equal(vol_uplink_fsm_connected(&f, now), HELLO);
	/* Connected is not answered. */
	assert_int_equal(fence(), VOL_FENCE_PARK);
	now += 5000;
	assert_int_equal(fence(), VOL_FENCE_KILL);
	assert_int_equal(hear(VOL_LINK_WELCOME, 0), WELCOMED);
	assert_int_equal(fence(), VOL_FENCE_OK);
}

static void fence_outlives_the_daemon(void **state)
{
	struct vol_fence old = {true, now - 9000, 15000};

	(void)state;
	vol_uplink_fsm_init(&f, now, 1, &old);
	assert_int_equal(fence(), VOL_FENCE_PARK);
	now += 4000;
	assert_int_equal(fence(), VOL_FENCE_KILL);
	/* Nothing to be known is not the same as all is well. */
	vol_uplink_fsm_init(&f, now, 1, NULL);
	assert_false(f.fence.armed);
	vol_uplink_fsm_nobody(&f, now);
	assert_false(f.fence.armed);
}

/* A controller that refuses us without having asked slurmctld may still give
 * us up. */
static void refusal_is_no_answer(void **state)
{
	static const struct {
		const char *code;
		bool home, counts;
	} rows[] = {
		{"slurm_away", true, true},
		/* Another controller of that name. */
		{"slurm_away", false, false},
		{"busy", true, false},
		{"duplicate_id", true, false},
		{"not_enrolled", true, false},
		{"table_full", true, false},
		{"version", true, false},
		{"", true, false},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		setup(state);
		come_up();
		vol_uplink_fsm_closed(&f, now);
		f.at_home = rows[i].home;
		now += 6000;
		vol_uplink_fsm_time(&f, now);
		vol_uplink_fsm_connected(&f, now);
		assert_int_equal(refuse(rows[i].code), CLOSE);
		assert_int_equal(f.fence.acked_ms,
				 rows[i].counts ? now : now - 6000);
	}
	/* Never welcomed, so there is nothing to be given up. */
	setup(state);
	vol_uplink_fsm_target(&f, now);
	vol_uplink_fsm_connected(&f, now);
	refuse("slurm_away");
	assert_false(f.fence.armed);
}

/* While jobs could be saved, a lease has four tries; then it is slow again. */
static void hurries_while_it_matters(void **state)
{
	uint64_t lost, longest = 0;

	(void)state;
	come_up();
	lost = now;
	vol_uplink_fsm_closed(&f, now);
	for (int i = 0; i < 60; i++) {
		bool hurry = fence() != VOL_FENCE_KILL;
		uint64_t wait = sleep_until_due();

		if (hurry)
			assert_in_range(wait, VOL_UPLINK_BACKOFF_MIN_MS,
					15000 / 4);
		if (wait > longest)
			longest = wait;
		vol_uplink_fsm_time(&f, now);
		vol_uplink_fsm_dialed(&f, now, false);
		vol_uplink_fsm_closed(&f, now);
	}
	assert_true(now - lost > 60000);
	assert_true(longest > VOL_UPLINK_BACKOFF_MAX_MS / 4);
}

/* A tiny lease makes no frenzy. */
static void hurries_with_measure(void **state)
{
	struct vol_link_msg msg = {
		.type = VOL_LINK_WELCOME, .heartbeat_ms = 100, .lease_ms = 200};

	(void)state;
	vol_uplink_fsm_target(&f, now);
	vol_uplink_fsm_connected(&f, now);
	assert_int_equal(vol_uplink_fsm_message(&f, now, &msg), WELCOMED);
	vol_uplink_fsm_closed(&f, now);
	assert_in_range(sleep_until_due(), VOL_UPLINK_BACKOFF_MIN_MS, 400);
}

static unsigned fail_to_dial(void)
{
	sleep_until_due();
	assert_int_equal(vol_uplink_fsm_time(&f, now), DIAL);
	vol_uplink_fsm_dialed(&f, now, false);
	return vol_uplink_fsm_closed(&f, now);
}

static void probes_after_a_failed_dial(void **state)
{
	uint64_t last = 0;
	int probes = 0;

	(void)state;
	/* Nobody has ever welcomed us: there is nobody to ask about. */
	vol_uplink_fsm_target(&f, now);
	vol_uplink_fsm_dialed(&f, now, false);
	assert_int_equal(vol_uplink_fsm_closed(&f, now), CLOSE);
	setup(state);
	come_up();
	/* A link that breaks is not a dial that fails. */
	assert_int_equal(vol_uplink_fsm_closed(&f, now), CLOSE | LOST);
	while (fence() != VOL_FENCE_KILL) {
		unsigned todo = fail_to_dial();

		if (fence() == VOL_FENCE_KILL)
			break;
		assert_true(todo == CLOSE || todo == (CLOSE | PROBE));
		if (!(todo & PROBE))
			continue;
		assert_true(now - last >= 2500);
		last = now;
		probes++;
	}
	assert_in_range(probes, 2, 5);
	/* Too late: nothing is left to be saved. */
	for (int i = 0; i < 5; i++)
		assert_int_equal(fail_to_dial(), CLOSE);
}

/* discoveryd of the controller is gone for minutes; nobody else is. */
static void nobody_there_counts(void **state)
{
	(void)state;
	come_up();
	vol_uplink_fsm_closed(&f, now);
	for (int i = 0; i < 1000; i++) {
		uint64_t asked;

		/* Not even parked. */
		assert_int_equal(fence(), VOL_FENCE_OK);
		if (!(fail_to_dial() & PROBE))
			continue;
		asked = now;
		now += 30;
		vol_uplink_fsm_nobody(&f, asked);
		assert_int_equal(f.fence.acked_ms, asked);
		assert_int_equal(fence(), VOL_FENCE_OK);
	}
	assert_int_equal(fence(), VOL_FENCE_OK);
	/* An answer that comes late does not turn the clock back. */
	vol_uplink_fsm_nobody(&f, 1000000);
	assert_true(f.fence.acked_ms > 1000000);
}

static void stays_away(void **state)
{
	(void)state;
	come_up();
	assert_int_equal(vol_uplink_fsm_leave(&f, now), 0);
	assert_int_equal(vol_uplink_fsm_target(&f, now), 0);
	assert_int_equal(vol_uplink_fsm_redial(&f, now), 0);
	assert_int_equal(vol_uplink_fsm_closed(&f, now), CLOSE);
	assert_int_equal(hear(VOL_LINK_PONG, 0), 0);
	assert_int_equal(vol_uplink_fsm_time(&f, now + 100000), 0);
	assert_true(vol_uplink_fsm_deadline(&f) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(looks_until_found, setup),
		cmocka_unit_test_setup(pings_and_lease, setup),
		cmocka_unit_test_setup(sleep_ends_the_lease, setup),
		cmocka_unit_test_setup(backs_off_and_recovers, setup),
		cmocka_unit_test_setup(refused, setup),
		cmocka_unit_test_setup(refused_later, setup),
		cmocka_unit_test_setup(target_shortens_the_wait, setup),
		cmocka_unit_test_setup(dead_address_gives_way, setup),
		cmocka_unit_test_setup(a_slow_handshake, setup),
		cmocka_unit_test_setup(silent_controller, setup),
		cmocka_unit_test_setup(out_of_place, setup),
		cmocka_unit_test_setup(odd_wishes, setup),
		cmocka_unit_test_setup(redials_when_moved, setup),
		cmocka_unit_test_setup(counts_from_the_hello, setup),
		cmocka_unit_test_setup(counts_from_the_ping, setup),
		cmocka_unit_test_setup(forgets_old_pings, setup),
		cmocka_unit_test_setup(fence_outlives_the_link, setup),
		cmocka_unit_test_setup(fence_outlives_the_daemon, setup),
		cmocka_unit_test_setup(refusal_is_no_answer, setup),
		cmocka_unit_test_setup(hurries_while_it_matters, setup),
		cmocka_unit_test_setup(hurries_with_measure, setup),
		cmocka_unit_test_setup(probes_after_a_failed_dial, setup),
		cmocka_unit_test_setup(nobody_there_counts, setup),
		cmocka_unit_test_setup(stays_away, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
