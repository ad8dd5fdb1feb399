/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_choose.c - which controller a device tries, and which it never joins */
#include "config.h"

#include "device/choose.h"

#include "vtest.h"

static struct vol_choose c;

static int setup(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	return 0;
}

static bool add(enum vol_source source, const char *address, uint16_t port,
		const char *cluster, const char *instance)
{
	struct vol_candidate x = {.source = source, .port = port};

	snprintf(x.address, sizeof(x.address), "%s", address);
	snprintf(x.cluster, sizeof(x.cluster), "%s", cluster);
	snprintf(x.instance, sizeof(x.instance), "%s", instance);
	return vol_choose_add(&c, &x);
}

static void assert_next(const char *address)
{
	const struct vol_candidate *x = vol_choose_next(&c);

	if (!address) {
		assert_null(x);
		return;
	}
	assert_non_null(x);
	assert_string_equal(x->address, address);
}

static void none(void **state)
{
	(void)state;
	assert_next(NULL);
	assert_int_equal(vol_choose_count(&c), 0);
	vol_choose_remove(&c, VOL_SOURCE_MDNS, "x");
}

static void memory_first_then_turns(void **state)
{
	(void)state;
	snprintf(c.known, sizeof(c.known), "lab");
	assert_true(add(VOL_SOURCE_MDNS, "10.0.0.2", 1, "lab", "a"));
	assert_true(add(VOL_SOURCE_REMEMBERED, "10.0.0.1", 1, "lab", ""));
	assert_int_equal(vol_choose_count(&c), 2);
	assert_next("10.0.0.1");
	assert_next("10.0.0.2");
	assert_next("10.0.0.1");
	/* A new one has its turn next. */
	assert_true(add(VOL_SOURCE_MDNS, "10.0.0.3", 1, "lab", "b"));
	assert_next("10.0.0.3");
	assert_next("10.0.0.2");
}

static void loyal_to_the_known_cluster(void **state)
{
	(void)state;
	snprintf(c.known, sizeof(c.known), "lab");
	assert_true(add(VOL_SOURCE_MDNS, "10.0.0.66", 1, "evil", "a"));
	assert_next(NULL);
	assert_true(add(VOL_SOURCE_MDNS, "10.0.0.1", 1, "lab", "b"));
	assert_next("10.0.0.1");
	assert_next("10.0.0.1");
	assert_false(vol_choose_accepts(&c, VOL_SOURCE_MDNS, "evil"));
	assert_false(vol_choose_accepts(&c, VOL_SOURCE_REMEMBERED, "evil"));
	assert_true(vol_choose_accepts(&c, VOL_SOURCE_CONF, "evil"));
}

static void wanted_cluster_beats_memory(void **state)
{
	(void)state;
	snprintf(c.known, sizeof(c.known), "old");
	snprintf(c.wanted, sizeof(c.wanted), "new");
	assert_true(add(VOL_SOURCE_REMEMBERED, "10.0.0.1", 1, "old", ""));
	assert_true(add(VOL_SOURCE_MDNS, "10.0.0.2", 1, "new", "a"));
	assert_int_equal(vol_choose_count(&c), 1);
	assert_next("10.0.0.2");
	assert_next("10.0.0.2");
	assert_false(vol_choose_accepts(&c, VOL_SOURCE_CONF, "old"));
	assert_true(vol_choose_accepts(&c, VOL_SOURCE_CONF, "new"));
}

static void stranger_takes_any(void **state)
{
	(void)state;
	assert_true(add(VOL_SOURCE_MDNS, "10.0.0.1", 1, "a", "a"));
	assert_true(add(VOL_SOURCE_MDNS, "10.0.0.2", 1, "b", "b"));
	assert_next("10.0.0.1");
	assert_next("10.0.0.2");
}

static void configured_is_all(void **state)
{
	(void)state;
	snprintf(c.known, sizeof(c.known), "lab");
	add(VOL_SOURCE_MDNS, "10.0.0.2", 1, "lab", "a");
	add(VOL_SOURCE_REMEMBERED, "10.0.0.1", 1, "lab", "");
	add(VOL_SOURCE_CONF, "192.0.2.1", 1, "", "");
	add(VOL_SOURCE_CONF, "2001:db8::1", 1, "", "");
	assert_int_equal(vol_choose_count(&c), 2);
	assert_next("192.0.2.1");
	assert_next("2001:db8::1");
	assert_next("192.0.2.1");
}

static void mdns_comes_and_goes(void **state)
{
	(void)state;
	assert_true(add(VOL_SOURCE_MDNS, "10.0.0.1", 1, "lab", "a"));
	assert_true(add(VOL_SOURCE_MDNS, "10.1.0.1", 1, "lab", "a"));
	assert_true(add(VOL_SOURCE_MDNS, "10.0.0.2", 1, "lab", "b"));
	/* No news. */
	assert_false(add(VOL_SOURCE_MDNS, "10.0.0.1", 1, "lab", "a"));
	/* Another port or cluster is. */
	assert_true(add(VOL_SOURCE_MDNS, "10.0.0.1", 2, "lab", "a"));
	assert_true(add(VOL_SOURCE_MDNS, "10.0.0.1", 2, "lab2", "a"));
	vol_choose_remove(&c, VOL_SOURCE_MDNS, "a");
	assert_int_equal(vol_choose_count(&c), 1);
	assert_next("10.0.0.2");
	vol_choose_remove(&c, VOL_SOURCE_MDNS, NULL);
	assert_next(NULL);
}

static void not_for_us(void **state)
{
	char address[32];

	(void)state;
	assert_false(add(VOL_SOURCE_MDNS, "fe80::1%eth0", 1, "lab", "a"));
	assert_false(add(VOL_SOURCE_MDNS, "2001:db8::1", 1, "lab", "a"));
	assert_false(add(VOL_SOURCE_MDNS, "10.0.0.1", 0, "lab", "a"));
	/* This very machine comes last. */
	assert_true(add(VOL_SOURCE_MDNS, "127.0.0.1", 1, "lab", "a"));
	assert_true(add(VOL_SOURCE_MDNS, "10.0.0.1", 1, "lab", "a"));
	assert_next("10.0.0.1");
	/* A flood fills the table and no more. */
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(address, sizeof(address), "10.2.%u.%u", i / 256,
			 i % 256);
		add(VOL_SOURCE_MDNS, address, 1, "lab", "a");
	}
	assert_int_equal(vol_choose_count(&c), VOL_CANDIDATES);
	/* One that was tried in vain makes room. */
	assert_non_null(vol_choose_next(&c));
	assert_true(add(VOL_SOURCE_MDNS, "10.9.9.9", 1, "lab", "a"));
}

/* Forged records of other clusters can not keep the true one out. */
static void flood_of_strangers(void **state)
{
	char address[32];

	(void)state;
	snprintf(c.known, sizeof(c.known), "lab");
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(address, sizeof(address), "10.2.%u.%u", i / 256,
			 i % 256);
		add(VOL_SOURCE_MDNS, address, 1, "evil", "a");
	}
	assert_true(add(VOL_SOURCE_MDNS, "10.0.0.1", 1, "lab", "b"));
	assert_next("10.0.0.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(none, setup),
		cmocka_unit_test_setup(memory_first_then_turns, setup),
		cmocka_unit_test_setup(loyal_to_the_known_cluster, setup),
		cmocka_unit_test_setup(wanted_cluster_beats_memory, setup),
		cmocka_unit_test_setup(stranger_takes_any, setup),
		cmocka_unit_test_setup(configured_is_all, setup),
		cmocka_unit_test_setup(mdns_comes_and_goes, setup),
		cmocka_unit_test_setup(not_for_us, setup),
		cmocka_unit_test_setup(flood_of_strangers, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
