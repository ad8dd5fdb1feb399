/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_score.c - which of its candidates a job should take first */
#include "config.h"

#include "score.h"

#include <math.h>
#include <time.h>

#include "vtest.h"

#define UNIT VOL_SCORE_UNIT
/* The limit of a job that is taken to run for so long. */
#define LIMIT(run) ((uint32_t)((run)*UINT64_C(100) / VOL_SCORE_RUN_PCT))

static struct vol_outlook certain(uint16_t chance)
{
	struct vol_outlook o;

	for (unsigned int i = 0; i < VOL_OUTLOOK_POINTS; i++)
		o.survive[i] = chance;
	return o;
}

/* The owner comes at random, every mean_s seconds on average. */
static struct vol_outlook random_return(double mean_s)
{
	struct vol_outlook o;

	for (unsigned int i = 0; i < VOL_OUTLOOK_POINTS; i++)
		o.survive[i] = (uint16_t)lround(
			VOL_OUTLOOK_ONE *
			exp(-(double)vol_outlook_seconds(i) / mean_s));
	return o;
}

/* The owner comes at that point of the curve. */
static struct vol_outlook sure_return(unsigned int point)
{
	struct vol_outlook o = certain(VOL_OUTLOOK_ONE);

	for (unsigned int i = point; i < VOL_OUTLOOK_POINTS; i++)
		o.survive[i] = 0;
	return o;
}

static uint32_t cost(const struct vol_outlook *o, uint32_t speed,
		     struct vol_score_job job)
{
	struct vol_score_node node;
	struct vol_score_plan plan;

	vol_score_node(&node, o, speed);
	vol_score_plan(&plan, &job);
	return vol_score_cost(&plan, &node);
}

static void certain_costs_its_run_time(void **state)
{
	static const struct {
		uint32_t speed, cost;
	} rows[] = {
		{VOL_SCORE_SPEED, UNIT},
		{0, UNIT},
		{VOL_SCORE_SPEED * 2, UNIT / 2},
		{VOL_SCORE_SPEED / 2, UNIT * 2},
		{1, UNIT * 64},
		{UINT32_MAX, UNIT / 64},
	};
	static const uint32_t runs[] = {0,     1,       60,        3600,
					86400, 3306539, UINT32_MAX};
	const struct vol_outlook o = certain(VOL_OUTLOOK_ONE);

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		for (size_t j = 0; j < N_ELEMENTS(runs); j++)
			for (uint32_t saves = 0; saves < 2; saves++) {
				struct vol_score_job job = {runs[j], saves, 60};

				assert_int_equal(cost(&o, rows[i].speed, job),
						 rows[i].cost);
			}
}

/* At random: completion = (e^(T/m) - 1) * (m + restart), as is well known. */
static void random_return_costs_what_theory_says(void **state)
{
	static const struct {
		double mean_s;
		uint32_t run_s, restart_s;
	} rows[] = {
		{3600, 3600, 0},  {3600, 1800, 0},    {3600, 7200, 60},
		{7200, 600, 120}, {86400, 43200, 60}, {86400, 60, 0},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct vol_outlook o = random_return(rows[i].mean_s);
		struct vol_score_job job = {LIMIT(rows[i].run_s), 0,
					    rows[i].restart_s};
		double odds = exp(rows[i].run_s / rows[i].mean_s) - 1;
		double want = odds * (rows[i].mean_s + rows[i].restart_s) /
			      rows[i].run_s;
		double got = (double)cost(&o, 0, job) / UNIT;

		if (fabs(got / want - 1) > 0.02)
			fail_msg("row %zu: %f, not %f", i, got, want);
	}
}

/* What the chance of a return at one moment adds is never negative. */
static void higher_hazard_is_never_cheaper(void **state)
{
	static const struct vol_score_job jobs[] = {
		{600, 0, 0},     {3600, 0, 60},   {14400, 0, 60},
		{43200, 0, 600}, {14400, 600, 0}, {86400, 3600, 60},
	};
	unsigned int n = 0;

	(void)state;
	srand(1);
	for (unsigned int round = 0; round < 3000; round++) {
		double base = exp(rand() % 60 / 10.0 - 8), s = 1, s2 = 1;
		unsigned int worse = (unsigned int)rand() % 50;
		struct vol_outlook o, o2;

		for (unsigned int i = 0; i < VOL_OUTLOOK_POINTS; i++) {
			double hazard = base * (rand() % 100) / 100;

			s *= 1 - fmin(hazard, 0.9);
			s2 *= 1 - fmin(hazard + (i == worse ? 0.05 : 0), 0.9);
			o.survive[i] = (uint16_t)(s * VOL_OUTLOOK_ONE);
			o2.survive[i] = (uint16_t)(s2 * VOL_OUTLOOK_ONE);
		}
		for (size_t j = 0; j < N_ELEMENTS(jobs); j++) {
			/* Where the floor of what is useful does not count. */
			if (vol_outlook_survival(&o2, jobs[j].limit_s) < 0.05)
				continue;
			n++;
			if (cost(&o2, 0, jobs[j]) + 3 + UNIT / 200 <
			    cost(&o, 0, jobs[j]))
				fail_msg("round %u, job %zu: %u, then %u",
					 round, j, cost(&o, 0, jobs[j]),
					 cost(&o2, 0, jobs[j]));
		}
	}
	assert_true(n > 5000);
}

static void faster_is_cheaper(void **state)
{
	static const uint32_t speeds[] = {1,    10,    100,   500,       900,
					  999,  1000,  1100,  2000,      4000,
					  8000, 16000, 64000, UINT32_MAX};
	static const struct vol_score_job job = {7200, 0, 60};

	(void)state;
	for (unsigned int i = 20; i < VOL_OUTLOOK_POINTS; i++) {
		struct vol_outlook o = random_return(vol_outlook_seconds(i));
		uint32_t before = UINT32_MAX;

		for (size_t j = 0; j < N_ELEMENTS(speeds); j++) {
			uint32_t now = cost(&o, speeds[j], job);

			assert_true(now <= before);
			before = now;
		}
		/* A fast device may be worth its owner's return. */
		if (vol_outlook_seconds(i) > 4 * job.limit_s)
			assert_true(cost(&o, 2000, job) <
				    cost(&(struct vol_outlook){{0}}, 0, job));
	}
}

/* The order of the issue: stays for long enough < may not < will not. */
static void survivors_first(void **state)
{
	static const struct vol_score_job job = {LIMIT(3600), 0, 60};
	const struct vol_outlook stays = sure_return(32), /* 4 h */
		soon = sure_return(20),                   /* half an hour */
		later = sure_return(22), maybe = certain(VOL_OUTLOOK_ONE / 2);

	(void)state;
	assert_int_equal(cost(&stays, 0, job), UNIT);
	assert_true(cost(&stays, 0, job) < cost(&maybe, 0, job));
	assert_true(cost(&maybe, 0, job) < cost(&soon, 0, job));
	assert_true(cost(&soon, 0, job) < cost(&later, 0, job));
}

static void checkpoints(void **state)
{
	const struct vol_outlook o = random_return(7200);
	struct vol_score_job job = {LIMIT(14400), 0, 60};
	uint32_t never = cost(&o, 0, job), before = 0;

	(void)state;
	/* The more often the cheaper; seldom is like never. */
	for (job.checkpoint_s = 1; job.checkpoint_s < 14400;
	     job.checkpoint_s += 60) {
		uint32_t now = cost(&o, 0, job);

		assert_true(now + 2 >= before);
		assert_true(now < never);
		before = now;
	}
	job.checkpoint_s = 14400;
	assert_int_equal(cost(&o, 0, job), never);
	job.checkpoint_s = UINT32_MAX;
	assert_int_equal(cost(&o, 0, job), never);
	/* Every ten minutes, and one to begin again, in two hours. */
	job.checkpoint_s = 600;
	assert_in_range(cost(&o, 0, job), UNIT * 104 / 100, UNIT * 108 / 100);
	/* Survival weighs less. */
	job = (struct vol_score_job){14400, 600, 60};
	assert_true(cost(&(struct vol_outlook){{0}}, 0, job) >= UNIT);
}

/* A damaged curve: what rises is flat. */
static void rising(void **state)
{
	static const struct vol_score_job job = {3600, 0, 60};
	struct vol_outlook flat = random_return(7200), rises;

	(void)state;
	for (unsigned int i = 12; i < VOL_OUTLOOK_POINTS; i++)
		flat.survive[i] = flat.survive[11];
	rises = flat;
	for (unsigned int i = 12; i < VOL_OUTLOOK_POINTS; i += 2)
		rises.survive[i] = VOL_OUTLOOK_ONE;
	assert_int_equal(cost(&rises, 0, job), cost(&flat, 0, job));
}

static void unlimited(void **state)
{
	const struct vol_outlook o = random_return(7200);
	struct vol_score_job none = {0, 0, 60},
			     same = {LIMIT(VOL_SCORE_UNLIMITED_S), 0, 60};

	(void)state;
	assert_int_equal(cost(&o, 0, none), cost(&o, 0, same));
	assert_true(cost(&o, 0, none) > UNIT);
}

/* Any values at all: no overflow (the sanitizer looks), never below the run
 * time, and both ways to ask agree. */
static void extremes_and_agreement(void **state)
{
	static const uint32_t values[] = {
		0, 1, 59, 60, 61, 600, 3600, 86400, 3306539, UINT32_MAX};
	static const uint32_t speeds[] = {0, 1, 999, 1000, 64001, UINT32_MAX};
	const size_t n = N_ELEMENTS(values);

	(void)state;
	srand(2);
	for (unsigned int i = 0; i < n * n * n * N_ELEMENTS(speeds); i++) {
		struct vol_score_job job = {values[i % n], values[i / n % n],
					    values[i / n / n % n]};
		struct vol_score_node node;
		struct vol_score_plan plan;
		struct vol_score_figures f;
		struct vol_outlook o;
		double unit, c;

		for (unsigned int j = 0; j < VOL_OUTLOOK_POINTS; j++)
			o.survive[j] = (uint16_t)rand();
		o.survive[0] = i % 2 ? 0 : VOL_OUTLOOK_ONE;
		vol_score_node(&node, &o, speeds[i / n / n / n]);
		vol_score_plan(&plan, &job);
		vol_score_explain(&plan, &node, &f);
		unit = plan.run_s / (double)UNIT;
		c = vol_score_cost(&plan, &node);
		assert_true(c * unit >= f.run_s * 0.99 - unit);
		assert_true(f.evicted >= 0 && f.evicted <= 1);
		assert_float_equal(f.run_s + f.wasted_s, f.completion_s, 1e-3);
		if (fabs(c - f.completion_s / unit) > 2 + c * 0.01)
			fail_msg("%u: %f, not %f", i, c, f.completion_s / unit);
	}
}

static struct vol_score_plan plan_of(uint32_t limit_s, uint32_t checkpoint_s)
{
	struct vol_score_job job = {limit_s, checkpoint_s, 60};
	struct vol_score_plan plan;

	vol_score_plan(&plan, &job);
	return plan;
}

/* What is left of a chance of survival. */
static void risk(void **state)
{
	const struct vol_score_plan hours = plan_of(5 * 3600, 0);
	const struct vol_outlook o = random_return(3 * 3600);
	struct vol_score_node node;

	(void)state;
	vol_score_node(&node, &o, VOL_SCORE_SPEED);
	assert_int_equal(hours.run_s, 3 * 3600);
	assert_float_equal((double)vol_score_risk(&hours, &node) /
				   VOL_OUTLOOK_ONE,
			   1 - exp(-1), 0.01);
	/* Half as fast, twice as long. */
	vol_score_node(&node, &o, VOL_SCORE_SPEED / 2);
	assert_float_equal((double)vol_score_risk(&hours, &node) /
				   VOL_OUTLOOK_ONE,
			   1 - exp(-2), 0.01);
}

/* The longer it waits the more it takes, and at last anything. */
static void patience(void **state)
{
	enum { ONE = VOL_OUTLOOK_ONE, TENTH = ONE / 10 };
	static const struct {
		uint32_t limit_s, checkpoint_s, max_risk, waited_s, allowed;
	} rows[] = {
		{3600, 0, 3 * TENTH, 0, 3 * TENTH},
		{3600, 0, 3 * TENTH, 4320, 3 * TENTH + (ONE - 3 * TENTH) / 2},
		{3600, 0, 3 * TENTH, 8640, ONE},
		{3600, 0, 3 * TENTH, UINT32_MAX, ONE},
		{3600, 0, 0, 0, 0},
		{3600, 0, ONE, 0, ONE},
		{3600, 0, UINT32_MAX, 0, ONE},
		{1, 0, 0, 0, 0},
		{1, 0, 0, 4, ONE},
		/* A day at most, whatever the limit is. */
		{UINT32_MAX, 0, 0, VOL_SCORE_PATIENCE_MAX_S / 2, ONE / 2},
		{UINT32_MAX, 0, 0, VOL_SCORE_PATIENCE_MAX_S, ONE},
		/* Without a limit: not at all. */
		{0, 0, 0, 0, ONE},
		/* Saves its state twice; not quite twice. */
		{3600, 1080, 0, 0, ONE},
		{3600, 1200, 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct vol_score_plan plan =
			plan_of(rows[i].limit_s, rows[i].checkpoint_s);
		uint32_t got = vol_score_allowed(&plan, rows[i].max_risk,
						 rows[i].waited_s);

		if (got != rows[i].allowed)
			fail_msg("row %zu: %u, not %u", i, got,
				 rows[i].allowed);
	}
}

/* When it has waited for so long, and no sooner, the risk is allowed. */
static void wait_ends(void **state)
{
	static const uint32_t limits[] = {1, 60, 3600, 86400, UINT32_MAX};
	static const uint32_t most[] = {0, 1, VOL_SCORE_MAX_RISK, 65534};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(limits) * N_ELEMENTS(most); i++) {
		struct vol_score_plan plan = plan_of(limits[i % 5], 0);
		uint32_t max_risk = most[i / 5];

		for (uint32_t r = 0; r <= VOL_OUTLOOK_ONE; r += 257) {
			uint32_t s = vol_score_wait(&plan, max_risk, r);

			assert_true(vol_score_allowed(&plan, max_risk, s) >= r);
			assert_true(s == 0 || vol_score_allowed(&plan, max_risk,
								s - 1) < r);
		}
	}
	assert_int_equal(vol_score_wait(&(struct vol_score_plan){0},
					VOL_OUTLOOK_ONE, VOL_OUTLOOK_ONE),
			 0);
	/* One that never waits. */
	assert_int_equal(vol_score_wait(&(struct vol_score_plan){.run_s = 60},
					0, VOL_OUTLOOK_ONE),
			 0);
}

static void levels(void **state)
{
	static const uint32_t worsts[] = {0,    1,    63,    64,        100,
					  1000, 5000, 50000, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(worsts); i++) {
		uint32_t best = worsts[i] > 70 ? 70 : worsts[i];
		unsigned int before = 0;

		for (uint32_t c = best; c < best + 100000; c += 1 + c / 100) {
			unsigned int now = vol_score_level(c, best, worsts[i]);

			assert_in_range(now, before, VOL_SCORE_LEVELS - 2);
			before = now;
		}
	}
	/* Fine near the best, whatever the worst is. */
	assert_int_equal(vol_score_level(UNIT, UNIT, UINT32_MAX), 0);
	assert_int_not_equal(
		vol_score_level(UNIT + UNIT / 100, UNIT, UINT32_MAX), 0);
	assert_int_equal(vol_score_level(UINT32_MAX, UNIT, UINT32_MAX),
			 vol_score_level(6 * UNIT, UNIT, UINT32_MAX));
	/* One step is seen where all are near. */
	assert_int_equal(vol_score_level(UNIT + 1, UNIT, UNIT + 7), 1);
	/* A cost outside of the candidates'. */
	assert_int_equal(vol_score_level(0, UNIT, 2 * UNIT), 0);
	assert_int_equal(vol_score_level(UINT32_MAX, UNIT, UNIT), 0);
}

static void weights(void **state)
{
	const uint32_t max = UINT32_MAX >> VOL_SCORE_BITS;

	(void)state;
	assert_int_equal(vol_score_weight(0, 0), 0);
	assert_int_equal(vol_score_weight(1, 0), VOL_SCORE_LEVELS);
	assert_true(vol_score_weight(1, 15) < vol_score_weight(2, 0));
	assert_int_equal(vol_score_weight(1, 1000), vol_score_weight(1, 15));
	assert_int_equal(vol_score_weight(UINT32_MAX, 5),
			 vol_score_weight(max, 5));
	assert_int_equal(vol_score_weight(UINT32_MAX, 1000), UINT32_MAX);
}

/* 10 000 candidates in each scheduling attempt.  Sanitizers and a busy machine
 * are in the figure: the limit is far from what it prints without them. */
static void speed(void **state)
{
	enum { N = 10000, ROUNDS = 20 };
	struct vol_score_node *nodes = malloc(N * sizeof(*nodes));
	struct vol_score_job job = {7200, 600, 60};
	struct timespec start, end;
	struct vol_score_plan plan;
	uint64_t sum = 0;
	double ns;

	(void)state;
	assert_non_null(nodes);
	for (unsigned int i = 0; i < N; i++) {
		struct vol_outlook o = random_return(60 + 10 * i);

		vol_score_node(&nodes[i], &o, 500 + i % 1000);
	}
	vol_score_plan(&plan, &job);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	for (unsigned int r = 0; r < ROUNDS; r++)
		for (unsigned int i = 0; i < N; i++)
			sum += vol_score_cost(&plan, &nodes[i]);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	ns = ((double)(end.tv_sec - start.tv_sec) * 1e9 +
	      (double)(end.tv_nsec - start.tv_nsec)) /
	     (N * ROUNDS);
	print_message("%.1f ns a candidate (sum %llu)\n", ns,
		      (unsigned long long)sum);
	assert_true(ns < 1000);
	free(nodes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certain_costs_its_run_time),
		cmocka_unit_test(random_return_costs_what_theory_says),
		cmocka_unit_test(higher_hazard_is_never_cheaper),
		cmocka_unit_test(faster_is_cheaper),
		cmocka_unit_test(survivors_first),
		cmocka_unit_test(checkpoints),
		cmocka_unit_test(rising),
		cmocka_unit_test(unlimited),
		cmocka_unit_test(extremes_and_agreement),
		cmocka_unit_test(risk),
		cmocka_unit_test(patience),
		cmocka_unit_test(wait_ends),
		cmocka_unit_test(levels),
		cmocka_unit_test(weights),
		cmocka_unit_test(speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
