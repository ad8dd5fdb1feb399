/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_exactly_once.c - reports between devices and a controller that die
 *
 * Model checking of the two pure halves (reports_model.h): by random walks from
 * fixed seeds and, for the deaths, by enumeration (every_point_once).
 */
#include "config.h"

#include "reports_model.h"

#include "vtest.h"

static struct model model; /* too large for a stack */

static void without_crashes(void **state)
{
	fault_seed(1);
	model_start(&model, *state);
	model_run(&model, 2000);
	assert_int_equal(model_judge(&model, false), 0);
	assert_int_equal(model.crashes, 0);
	assert_int_equal(model.repeats, 0);
	model_end(&model);
}

static void random_deaths(const char *folder, uint64_t seed, unsigned power,
			  bool lossy)
{
	fault_seed(seed);
	model_start(&model, folder);
	model.power = power;
	model.lossy = lossy;
	model.every = 60;
	fault_plan(model.every);
	model_run(&model, 2000);
	print_message("%u changes, %u deaths, %u reports came again after "
		      "being applied\n",
		      model.changes, model.crashes, model.repeats);
	assert_int_equal(model_judge(&model, false), 0);
	/* It was worth it. */
	assert_true(model.crashes > 100);
	assert_true(model.repeats > 10);
	model_end(&model);
}

static void killed_at_random(void **state)
{
	random_deaths(*state, 2, 0, false);
}

static void power_cut_at_random(void **state)
{
	random_deaths(*state, 3, 100, false);
}

static void all_of_it_with_lost_messages(void **state)
{
	for (uint64_t seed = 10; seed < 14; seed++)
		random_deaths(*state, seed, 50, true);
}

/* The same short story, with one death at its first, second, ... point. */
static void every_point_once(void **state)
{
	unsigned before, points, n;

	fault_seed(4);
	model_start(&model, *state);
	before = fault_points();
	model_run(&model, 30);
	points = fault_points() - before;
	model_end(&model);
	assert_in_range(points, 100, 2000);
	for (n = 1; n <= 2 * points; n++) {
		fault_seed(4);
		model_start(&model, *state);
		model.power = n <= points ? 0 : 100;
		fault_plan(n <= points ? n : n - points);
		while (model.changes < 30) {
			unsigned i = fault_random(N_DEVICES);

			if (fault_random(4) == 0)
				model_change(&model, &model.devices[i]);
			model_step(&model);
		}
		/* The plan goes on until somebody has died of it. */
		while (!model_all_quiet(&model))
			model_step(&model);
		model_settle(&model);
		assert_int_equal(model_judge(&model, false), 0);
		assert_in_range(model.crashes, 0, 1);
		model_end(&model);
	}
	print_message("%u points, killed and cut at each\n", points);
}

/* Nobody is there for a month: states give way, evictions do not. */
static void a_long_absence(void **state)
{
	struct device *d = &model.devices[0];

	fault_seed(5);
	model_start(&model, *state);
	while (model.changes < 1500) {
		model_change(&model, d);
		fault_machine(&d->disk);
		model_commit(d);
		fault_machine(NULL);
	}
	/* Room was made once, at 1024. */
	assert_in_range(vol_outbox_count(d->outbox), 300, 1000);
	model_settle(&model);
	assert_int_equal(model_judge(&model, true), 0);
	model_end(&model);
}

/* Were Slurm not asked what it knows, the model would tell. */
static void the_judge_is_awake(void **state)
{
	fault_seed(6);
	model_start(&model, *state);
	model.blind = true;
	model.every = 60;
	fault_plan(model.every);
	model_run(&model, 2000);
	assert_true(model_judge(&model, false) > 0);
	model_end(&model);
}

int main(void)
{
#define TEST(_name)                                                \
	cmocka_unit_test_setup_teardown(_name, vtest_folder_setup, \
					vtest_folder_teardown)
	const struct CMUnitTest tests[] = {
		TEST(without_crashes),     TEST(killed_at_random),
		TEST(power_cut_at_random), TEST(all_of_it_with_lost_messages),
		TEST(every_point_once),    TEST(a_long_absence),
		TEST(the_judge_is_awake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
