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

static struct vol_uplink_fsm f;
static uint64_t now;

static int setup(void **state)
{
	(void)state;
	now = 1000000;
	vol_uplink_fsm_init(&f, now, 1);
	return 0;
}

static unsigned hear(enum vol_link_type type, uint32_t retry_ms)
{
	struct vol_link_msg msg = {.type = type,
				   .heartbeat_ms = 5000,
				   .lease_ms = 15000,
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
	/* Silence: two pings, then the lease is over. */
	sleep_until_due();
	assert_int_equal(vol_uplink_fsm_time(&f, now), PING);
	sleep_until_due();
	assert_int_equal(vol_uplink_fsm_time(&f, now), PING);
	sleep_until_due();
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
		cmocka_unit_test_setup(silent_controller, setup),
		cmocka_unit_test_setup(out_of_place, setup),
		cmocka_unit_test_setup(odd_wishes, setup),
		cmocka_unit_test_setup(redials_when_moved, setup),
		cmocka_unit_test_setup(stays_away, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
