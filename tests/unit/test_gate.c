/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_gate.c - who is let on its way in, and who makes room */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "gate.h"

#include "vtest.h"

#define PLACES   VOL_GATE_PLACES
#define PATIENCE VOL_GATE_PATIENCE_MS

static struct vol_gate gate;
static struct vol_gate_place places[2 * PLACES];

static struct vol_gate_place *enter(size_t i, const char *address, uint64_t now)
{
	struct vol_gate_network net;

	vol_gate_network(address, &net);
	return vol_gate_enter(&gate, &places[i], &net, now);
}

static int setup(void **state)
{
	(void)state;
	memset(&gate, 0, sizeof(gate));
	memset(places, 0, sizeof(places));
	return 0;
}

static void networks(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{"192.0.2.7", "192.0.2.7", true},
		{"192.0.2.7", "192.0.2.8", false},
		{"2001:db8::1", "2001:db8::2", true},
		{"2001:db8::1", "2001:db8::ffff:0:0:2", true},
		{"2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
		{"192.0.2.7", "2001:db8::1", false},
		{"local", "local", true},
		{"local", "192.0.2.7", false},
		/* What could be mistaken for another kind. */
		{"0.0.0.0", "::", false},
		{"0.0.0.0", "local", false},
		{"", "local", true},
	};
	struct vol_gate_network a, b;
	char longest[200];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		vol_gate_network(rows[i].a, &a);
		vol_gate_network(rows[i].b, &b);
		if ((memcmp(&a, &b, sizeof(a)) == 0) != rows[i].same)
			fail_msg("%s and %s", rows[i].a, rows[i].b);
	}
	memset(longest, '1', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	vol_gate_network(longest, &a);
	vol_gate_network("local", &b);
	assert_memory_equal(&a, &b, sizeof(a));
}

/* A building behind one address may have all places, and waits for no more
 * than that somebody is through. */
static void one_address_may_have_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < PLACES; i++) {
		assert_int_equal(vol_gate_wait_ms(&gate, 100), 0);
		assert_null(enter(i, "192.0.2.7", 100));
	}
	assert_int_equal(vol_gate_wait_ms(&gate, 100), PATIENCE);
	assert_int_equal(vol_gate_wait_ms(&gate, 600), PATIENCE - 500);
	vol_gate_leave(&gate, &places[17]);
	assert_int_equal(vol_gate_wait_ms(&gate, 600), 0);
	assert_null(enter(17, "192.0.2.7", 600));
	assert_int_equal(gate.n, PLACES);
}

/* One that sits on as many as it can get makes room for all others, and nobody
 * else does. */
static void who_holds_most_makes_room(void **state)
{
	size_t i;

	(void)state;
	enter(0, "198.51.100.1", 0);
	enter(1, "198.51.100.1", 0);
	for (i = 2; i < PLACES; i++)
		enter(i, "192.0.2.7", 50 + i);
	/* The longest of the greedy one counts, not the longest of all. */
	assert_int_equal(vol_gate_wait_ms(&gate, 1000), PATIENCE + 52 - 1000);
	assert_int_equal(vol_gate_wait_ms(&gate, PATIENCE + 52), 0);
	assert_ptr_equal(enter(PLACES, "203.0.113.9", PATIENCE + 52),
			 &places[2]);
	assert_int_equal(gate.n, PLACES);
	assert_ptr_equal(enter(PLACES + 1, "192.0.2.7", PATIENCE + 53),
			 &places[3]);
	assert_ptr_equal(enter(PLACES + 2, "198.51.100.1", PATIENCE + 54),
			 &places[4]);
}

/* With one place for each of many networks there is no greedy one. */
static void the_longest_of_equals(void **state)
{
	char address[32];
	size_t i;

	(void)state;
	for (i = 0; i < PLACES; i++) {
		snprintf(address, sizeof(address), "10.0.%zu.%zu", i / 256,
			 i % 256);
		/* Neither the first nor the last group. */
		assert_null(enter(i, address, i == 99 ? 0 : 10));
	}
	assert_int_equal(vol_gate_wait_ms(&gate, PATIENCE), 0);
	/* All groups are taken, too. */
	assert_ptr_equal(enter(PLACES, "10.1.0.0", PATIENCE), &places[99]);
	assert_int_equal(gate.n, PLACES);
	assert_int_equal(vol_gate_wait_ms(&gate, PATIENCE), 10);
}

/* Asked or not, there are never more. */
static void never_more_than_places(void **state)
{
	size_t left = 0, i;

	(void)state;
	for (i = 0; i < 2 * PLACES; i++)
		left += enter(i, "192.0.2.7", 5) != NULL;
	assert_int_equal(gate.n, PLACES);
	assert_int_equal(left, PLACES);
	for (i = 0; i < 2 * PLACES; i++)
		vol_gate_leave(&gate, &places[i]);
	assert_int_equal(gate.n, 0);
	for (i = 0; i < PLACES; i++)
		assert_int_equal(gate.groups[i].n, 0);
}

static void leaving_in_any_order(void **state)
{
	static const unsigned char orders[][4] = {
		{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 2, 0, 3}, {2, 0, 3, 1}};

	(void)state;
	for (size_t o = 0; o < sizeof(orders) / sizeof(orders[0]); o++) {
		setup(NULL);
		for (size_t i = 0; i < 4; i++)
			enter(i, i == 2 ? "::1" : "127.0.0.1", i);
		for (size_t i = 0; i < 4; i++) {
			vol_gate_leave(&gate, &places[orders[o][i]]);
			vol_gate_leave(&gate, &places[orders[o][i]]);
			assert_int_equal(gate.n, 3 - i);
		}
		/* Nothing points to what has left. */
		for (size_t i = 0; i < PLACES; i++)
			assert_true(!gate.groups[i].oldest &&
				    !gate.groups[i].newest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks),
		cmocka_unit_test_setup(one_address_may_have_all, setup),
		cmocka_unit_test_setup(who_holds_most_makes_room, setup),
		cmocka_unit_test_setup(the_longest_of_equals, setup),
		cmocka_unit_test_setup(never_more_than_places, setup),
		cmocka_unit_test_setup(leaving_in_any_order, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
