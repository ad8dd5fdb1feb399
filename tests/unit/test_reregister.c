/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_reregister.c - a slurmd whose node stays lost is asked to register again
 * less and less often: each time it starts itself anew
 */
#include "config.h"

#include "controller.h"

#include "controller_bed.h"

#define CALM_MS 600000

/* Linked, slurmd up, and slurmctld does not hear it. */
static void start_from_mute(struct vol_situation *s)
{
	memset(s, 0, sizeof(*s));
	s->facts.sockets = s->node.sockets = 1;
	s->facts.cores_per_socket = s->node.cores = 4;
	s->facts.threads_per_core = s->node.threads = 1;
	s->facts.memory_mb = s->node.memory_mb = 4000;
	strcpy(s->node.features, "volunteer");
	s->slurmd = VOL_SLURMD_UP;
	s->slurmd_up_ms = 60000;
	s->harvest = VOL_HARVEST_OPEN;
	s->closed_ms = VOL_NEVER;
	s->since_reregister_ms = s->since_create_ms = VOL_NEVER;
	s->since_address_ms = s->since_down_ms = VOL_NEVER;
	s->since_restart_ms = s->since_replaced_ms = VOL_NEVER;
	s->since_resume_ms = 0; /* that did not help */
	s->slurm_known = s->exists = s->created = s->node.dynamic = true;
}

static void twice_as_long_after_each(void **state)
{
	static const struct {
		unsigned before;
		uint64_t since_ms;
		bool due;
	} rows[] = {
		{0, VOL_NEVER, true},  {0, 5001, true},
		{1, 5000, false},      {1, 5001, true},
		{2, 10000, false},     {2, 10001, true},
		{5, 80000, false},     {5, 80001, true},
		{7, 300000, false},    {7, 300001, true},
		{1000, 300000, false}, {1000, 300001, true},
		{UINT_MAX, 0, false},  {UINT_MAX, 300001, true},
	};
	struct vol_situation s;
	struct vol_decision d;

	(void)state;
	/* Mute, down, and down below a drain. */
	for (size_t i = 0; i < 3 * N_ELEMENTS(rows); i++) {
		start_from_mute(&s);
		s.reregisters = rows[i / 3].before;
		s.since_reregister_ms = rows[i / 3].since_ms;
		s.node.down = i % 3 > 0;
		s.node.drained = i % 3 == 2;
		if (s.node.drained)
			strcpy(s.node.reason, "new disk");
		vol_desired(&s, &d);
		if ((d.action == VOL_ACT_REREGISTER) != rows[i / 3].due)
			fail_msg("row %zu: %s (%s)", i / 3,
				 vol_action_name(d.action), d.reason);
	}
}

static void a_calm_time_is_an_end(void **state)
{
	(void)state;
	assert_int_equal(vol_reregisters(0, VOL_NEVER), 1);
	assert_int_equal(vol_reregisters(1, 5001), 2);
	assert_int_equal(vol_reregisters(7, 300001), 8);
	assert_int_equal(vol_reregisters(7, CALM_MS), 8);
	assert_int_equal(vol_reregisters(7, CALM_MS + 1), 1);
}

static void come_in(struct bed *bed, struct client *c)
{
	struct vol_link_msg m;

	fill_hello(bed, &m, ID_A, "desk");
	dial(bed, c);
	send_msg(c, &m);
	expect(bed, c, VOL_LINK_WELCOME, &m);
	say_state(c, VOL_SLURMD_STARTING);
	say_state(c, VOL_SLURMD_UP);
}

/* The request; meanwhile it keeps its link. */
static bool comes(struct client *c)
{
	struct vol_link_msg m;

	say_state(c, VOL_SLURMD_UP);
	return try_recv(c, &m) && m.type == VOL_LINK_REREGISTER;
}

static bool comes_within(struct bed *bed, struct client *c, uint64_t ms)
{
	uint64_t end = vol_controller_now_ms() + ms;

	while (vol_controller_now_ms() < end) {
		turn(bed);
		if (comes(c))
			return true;
	}
	return false;
}

/* Time is made to pass. */
static void of_a_device(void **state)
{
	struct bed *bed = *state;
	struct vol_controller *role = bed->role;
	struct vol_member *s;
	struct client c;

	come_in(bed, &c);
	s = vol_controller_member_at_node(role, "desk");
	run_until(bed, comes(&c));
	s->reregister_at -= 6000;
	run_until(bed, comes(&c));
	s->reregister_at -= 6000;
	assert_false(comes_within(bed, &c, 1500));
	s->reregister_at -= 5000;
	run_until(bed, comes(&c));
	assert_int_equal(s->reregisters, 3);
	hang_up(&c);
	run_until(bed, !s->peer);
	/* Another link is another matter. */
	come_in(bed, &c);
	run_until(bed, s->slurmd == VOL_SLURMD_UP);
	s->reregister_at -= 6000;
	run_until(bed, comes(&c));
	assert_int_equal(s->reregisters, 1);
	hang_up(&c);
}

#define TEST(_name) cmocka_unit_test_setup_teardown(_name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(twice_as_long_after_each),
		cmocka_unit_test(a_calm_time_is_an_end),
		TEST(of_a_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
