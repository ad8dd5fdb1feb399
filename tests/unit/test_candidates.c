/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_candidates.c - what the select plugin decides, without Slurm */
#include "config.h"

#include "candidates.h"
#include "atomicfile.h"
#include "nodetable_bed.h"

#define N 20

/* Their identities, as slurmctld's records would be. */
static char records[N];
static char names[N][16];

static struct vol_devices *start(struct bed *bed)
{
	struct vol_devices *d = vol_devices_create(bed->path, "");

	assert_non_null(d);
	bed_start(bed, 0);
	for (int i = 0; i < N; i++)
		snprintf(names[i], sizeof(names[i]), "desk%d", i);
	return d;
}

/* The owner may be back after half an hour; then the job's hour is lost. */
static void put(struct bed *bed, unsigned int i, enum vol_nodetable_state state,
		uint16_t chance, uint32_t speed)
{
	struct vol_nodetable_node node = bed_node(bed, i, 1);

	node.state = state;
	node.speed = speed;
	node.max_risk = VOL_OUTLOOK_ONE;
	for (size_t k = 0; k < VOL_OUTLOOK_POINTS; k++)
		node.outlook.survive[k] = k < 20 ? UINT16_MAX : chance;
	assert_int_equal(vol_nodetable_put(bed->table, &node, NULL), 0);
}

/* Open, and risky for that job. */
static void put_risk(struct bed *bed, unsigned int i, uint16_t chance,
		     uint32_t max_risk)
{
	struct vol_nodetable_node node = bed_node(bed, i, 1);

	node.state = VOL_NODETABLE_OPEN;
	node.max_risk = max_risk;
	for (size_t k = 0; k < VOL_OUTLOOK_POINTS; k++)
		node.outlook.survive[k] = chance;
	assert_int_equal(vol_nodetable_put(bed->table, &node, NULL), 0);
}

static int refresh(struct bed *bed, struct vol_devices *d, int64_t update)
{
	return vol_devices_refresh(d, ++bed->now_ms, N, update, &bed->err);
}

static uint32_t find(struct vol_devices *d, size_t i, size_t record, char *name)
{
	return vol_devices_slot(d, &vol_devices_places(d)[i], &records[record],
				&name);
}

static uint32_t slot_of(struct vol_devices *d, size_t i)
{
	return find(d, i, i, names[i]);
}

static uint32_t cost_of(struct vol_devices *d, struct vol_kind *kind,
			uint32_t slot)
{
	return vol_devices_cost(d, kind, slot,
				vol_nodeview_edition(vol_devices_view(d), slot),
				&vol_kind_costs(kind)[slot]);
}

static const struct vol_score_job job = {3600, 0, 30};

static struct vol_kind *list(struct vol_devices *d, struct vol_candidates *c)
{
	assert_int_equal(vol_candidates_begin(c, N), 0);
	for (uint32_t i = 0; i < N; i++)
		vol_candidates_add(c, i, slot_of(d, i));
	return vol_devices_kind(d, &job);
}

static void nothing_is_no_device(void **state)
{
	struct bed *bed = *state;
	struct vol_devices *d = vol_devices_create(bed->path, "");
	struct vol_candidates c = {0};

	vol_devices_destroy(NULL);
	assert_int_equal(refresh(bed, d, 0), -1);
	vol_devices_destroy(d);
	d = start(bed);
	assert_int_equal(refresh(bed, d, 0), 0);
	list(d, &c);
	assert_int_equal(c.n, N);
	assert_int_equal(c.devices, 0);
	assert_int_equal(vol_candidates_begin(&c, 0), 0);
	vol_candidates_judge(&c, d, vol_devices_kind(d, &job), 0, 1);
	assert_false(c.ordered);
	vol_candidates_forgive(&c, vol_devices_kind(d, &job), 0, 300);
	assert_false(c.ordered);
	vol_candidates_free(&c);
	vol_devices_destroy(d);
}

/* A device that calls itself like a node of the cluster beside. */
static void devices_of_another_cluster_are_none(void **state)
{
	struct bed *bed = *state;
	struct vol_devices *d = start(bed), *theirs;

	vol_nodetable_set_cluster(bed->table, "theirs");
	put(bed, 1, VOL_NODETABLE_PARKED, 0, 1000);
	assert_int_equal(refresh(bed, d, 0), -1);
	assert_int_equal(errno, EXDEV);
	theirs = vol_devices_create(bed->path, "theirs");
	assert_non_null(theirs);
	assert_int_equal(refresh(bed, theirs, 0), 0);
	assert_true(slot_of(theirs, 1) != VOL_NO_DEVICE);
	vol_devices_destroy(theirs);
	vol_devices_destroy(d);
}

static void only_open_ones_are_kept_and_ordered(void **state)
{
	struct bed *bed = *state;
	struct vol_devices *d = start(bed);
	struct vol_candidates c = {0};
	struct vol_kind *kind;

	put(bed, 1, VOL_NODETABLE_OPEN, UINT16_MAX, 1000);
	put(bed, 2, VOL_NODETABLE_OPEN, UINT16_MAX / 2, 1000);
	put(bed, 3, VOL_NODETABLE_OPEN, UINT16_MAX, 500);
	put(bed, 4, VOL_NODETABLE_PARKED, UINT16_MAX, 9000);
	put(bed, 5, VOL_NODETABLE_OPEN, UINT16_MAX, 2000);
	assert_int_equal(refresh(bed, d, 0), 0);
	kind = list(d, &c);
	assert_int_equal(c.devices, 5);
	vol_candidates_judge(&c, d, kind, 0, 1);
	assert_int_equal(c.dropped, 1);
	assert_true(c.list[4].dropped);
	assert_true(c.ordered);
	assert_int_equal(c.list[5].level, 0);
	assert_true(c.list[1].level > 0);
	assert_int_equal(c.list[0].level, c.list[1].level);
	assert_true(c.list[2].level > c.list[1].level);
	assert_true(c.list[3].level > c.list[1].level);

	vol_candidates_forgive(&c, vol_devices_kind(d, &job), 0, 300);
	assert_false(c.list[4].dropped);
	assert_int_equal(c.list[4].level, VOL_SCORE_LEVELS - 1);
	assert_int_equal(c.dropped, 0);
	vol_candidates_free(&c);
	vol_devices_destroy(d);
}

/* Until the job has waited for long enough; forgiven they come last. */
static void risky_ones_are_held(void **state)
{
	struct bed *bed = *state;
	struct vol_devices *d = start(bed);
	struct vol_candidates c = {0};
	struct vol_placement p = {0};
	struct vol_kind *kind;
	uint32_t wait;

	/* Certain; even; even, on a device of which little is known; gone. */
	put_risk(bed, 1, UINT16_MAX, 1000);
	put_risk(bed, 2, UINT16_MAX / 2, UINT16_MAX / 10);
	put_risk(bed, 3, UINT16_MAX / 2, VOL_OUTLOOK_ONE);
	put(bed, 4, VOL_NODETABLE_CLOSED, UINT16_MAX, 1000);
	assert_int_equal(refresh(bed, d, 0), 0);
	kind = list(d, &c);
	vol_candidates_judge(&c, d, kind, 0, 1);
	assert_int_equal(c.dropped, 2);
	assert_int_equal(c.held, 1);
	assert_true(c.list[2].dropped && c.list[2].held);
	assert_false(c.list[4].held);
	assert_false(c.list[1].dropped || c.list[3].dropped);
	vol_candidates_tell(&c, d, kind, &p);
	assert_int_equal(p.held, 1);
	assert_int_equal(p.dropped, 1);
	assert_int_equal(p.nodes[2].fate, VOL_PLACEMENT_HELD);
	assert_string_equal(p.nodes[2].name, "desk2");
	assert_true(p.nodes[2].figures.evicted > 0.4);

	wait = vol_score_wait(vol_kind_plan(kind), UINT16_MAX / 10,
			      UINT16_MAX - UINT16_MAX / 2);
	assert_in_range(wait, 1, VOL_SCORE_PATIENCE * 3600);
	vol_candidates_judge(&c, d, kind, wait - 10, 1);
	assert_int_equal(c.held, 1);
	vol_candidates_forgive(&c, kind, wait - 10, 300);
	assert_int_equal(c.held, 0);
	assert_int_equal(c.dropped, 0);
	assert_int_equal(c.list[2].later_s, 10);
	assert_int_equal(c.list[4].later_s, 300);
	assert_int_equal(c.list[1].later_s, 0);
	assert_int_equal(c.list[2].level, VOL_SCORE_LEVELS - 1);
	vol_candidates_judge(&c, d, kind, wait, 1);
	assert_int_equal(c.held, 0);
	assert_int_equal(c.dropped, 1);
	assert_int_equal(c.list[2].later_s, 0);
	/* Nothing else: the one that may do first comes first. */
	vol_candidates_begin(&c, N);
	vol_candidates_add(&c, 2, slot_of(d, 2));
	vol_candidates_add(&c, 4, slot_of(d, 4));
	vol_candidates_judge(&c, d, kind, 0, 1);
	assert_int_equal(c.dropped, 2);
	vol_candidates_forgive(&c, kind, 0, 300);
	assert_true(c.ordered);
	assert_int_equal(c.list[0].later_s, wait);
	assert_int_equal(c.list[0].level, VOL_SCORE_LEVELS - 1);
	assert_int_equal(c.list[1].level, 0);
	vol_candidates_judge(&c, d, kind, VOL_WAITED_ENOUGH, 1);
	assert_int_equal(c.held, 0);
	vol_candidates_free(&c);
	vol_devices_destroy(d);
}

static void equal_ones_are_not_ordered(void **state)
{
	struct bed *bed = *state;
	struct vol_devices *d = start(bed);
	struct vol_candidates c = {0};

	for (unsigned int i = 0; i < N; i++)
		put(bed, i, VOL_NODETABLE_OPEN, 1000, 1000);
	assert_int_equal(refresh(bed, d, 0), 0);
	vol_candidates_judge(&c, d, list(d, &c), 0, 1);
	assert_false(c.ordered);
	/* All dropped: nothing to order, and all alike when forgiven. */
	for (unsigned int i = 0; i < N; i++)
		put(bed, i, VOL_NODETABLE_CLOSED, 1000, 1000);
	assert_int_equal(refresh(bed, d, 0), 0);
	vol_candidates_judge(&c, d, list(d, &c), 0, 1);
	assert_int_equal(c.dropped, N);
	assert_false(c.ordered);
	vol_candidates_forgive(&c, vol_devices_kind(d, &job), 0, 300);
	assert_false(c.ordered);
	vol_candidates_free(&c);
	vol_devices_destroy(d);
}

static unsigned int count_levels(const struct vol_candidates *c)
{
	unsigned int n = 0, seen = 0;

	for (size_t i = 0; i < c->n; i++)
		seen |= 1u << c->list[i].level;
	for (; seen; seen &= seen - 1)
		n++;
	return n;
}

/* As many of the best as the job may need have levels of their own. */
static void the_worse_ones_are_put_together(void **state)
{
	struct bed *bed = *state;
	struct vol_devices *d = start(bed);
	struct vol_candidates fine = {0}, c = {0};
	struct vol_kind *kind;

	for (unsigned int i = 0; i < N; i++)
		put(bed, i, VOL_NODETABLE_OPEN, UINT16_MAX,
		    1000 - i * 1000 / (N + 10));
	assert_int_equal(refresh(bed, d, 0), 0);
	list(d, &fine);
	kind = list(d, &c);
	vol_candidates_judge(&fine, d, kind, 0, N);
	vol_candidates_judge(&c, d, kind, 0, 1);
	assert_true(fine.ordered && c.ordered);
	assert_true(count_levels(&c) < count_levels(&fine));
	for (size_t i = 0; i < N; i++) {
		if (i < 2 * VOL_CANDIDATES_FINE)
			assert_int_equal(c.list[i].level, fine.list[i].level);
		assert_true(c.list[i].level <= fine.list[i].level);
		assert_true(i == 0 || c.list[i].level >= c.list[i - 1].level);
	}
	vol_candidates_free(&fine);
	vol_candidates_free(&c);
	vol_devices_destroy(d);
}

/* What is kept from call to call follows what it was made from. */
static void costs_follow_the_table_and_the_job(void **state)
{
	struct bed *bed = *state;
	struct vol_devices *d = start(bed);
	struct vol_score_job other = job;
	struct vol_score_plan plan;
	struct vol_score_node node;
	struct vol_kind *kind;

	put(bed, 7, VOL_NODETABLE_OPEN, 30000, 1000);
	assert_int_equal(refresh(bed, d, 0), 0);
	for (uint32_t run = 1; run < 40; run++) {
		other.limit_s = run * 600;
		kind = vol_devices_kind(d, &other);
		vol_score_plan(&plan, &other);
		vol_score_node(&node,
			       &vol_nodeview_node(vol_devices_view(d),
						  slot_of(d, 7))
					->outlook,
			       1000);
		assert_int_equal(cost_of(d, kind, slot_of(d, 7)),
				 vol_score_cost(&plan, &node));
		kind = vol_devices_kind(d, &job);
		vol_score_plan(&plan, &job);
		assert_int_equal(cost_of(d, kind, slot_of(d, 7)),
				 vol_score_cost(&plan, &node));
	}
	put(bed, 7, VOL_NODETABLE_OPEN, 10000, 2000);
	assert_int_equal(refresh(bed, d, 0), 0);
	vol_score_node(
		&node,
		&vol_nodeview_node(vol_devices_view(d), slot_of(d, 7))->outlook,
		2000);
	assert_int_equal(cost_of(d, kind, slot_of(d, 7)),
			 vol_score_cost(&plan, &node));
	vol_devices_destroy(d);
}

static void names_are_looked_at_again(void **state)
{
	struct bed *bed = *state;
	struct vol_devices *d = start(bed);
	uint32_t slot;

	put(bed, 7, VOL_NODETABLE_OPEN, 1, 1000);
	put(bed, 8, VOL_NODETABLE_OPEN, 1, 1000);
	assert_int_equal(refresh(bed, d, 0), 0);
	slot = slot_of(d, 7);
	assert_int_not_equal(slot, VOL_NO_DEVICE);
	assert_int_equal(slot_of(d, 9), VOL_NO_DEVICE);
	/* Another record, another name. */
	assert_int_equal(find(d, 7, 9, names[9]), VOL_NO_DEVICE);
	/* The same record with another name: not now, but soon. */
	assert_int_equal(find(d, 7, 9, names[8]), VOL_NO_DEVICE);
	assert_int_equal(refresh(bed, d, 1), 0);
	assert_int_equal(find(d, 7, 9, names[8]), slot + 1);
	assert_int_equal(find(d, 7, 9, names[7]), slot + 1);
	bed_pass(bed, 1000);
	assert_int_equal(refresh(bed, d, 1), 0);
	assert_int_equal(find(d, 7, 9, names[7]), slot);
	/* And at once when the table has another one. */
	put(bed, 9, VOL_NODETABLE_OPEN, 1, 1000);
	assert_int_equal(refresh(bed, d, 1), 0);
	assert_int_not_equal(slot_of(d, 9), VOL_NO_DEVICE);
	vol_devices_destroy(d);
}

static void the_table_is_read_once_a_millisecond(void **state)
{
	struct bed *bed = *state;
	struct vol_devices *d = start(bed);
	const uint8_t *states;

	put(bed, 3, VOL_NODETABLE_OPEN, 1, 1000);
	assert_int_equal(refresh(bed, d, 1), 0);
	put(bed, 3, VOL_NODETABLE_PARKED, 1, 1000);
	assert_int_equal(vol_devices_refresh(d, bed->now_ms, N, 1, NULL), 0);
	states = vol_nodeview_states(vol_devices_view(d));
	assert_int_equal(states[0], VOL_NODETABLE_OPEN);
	assert_int_equal(refresh(bed, d, 1), 0);
	assert_int_equal(states[0], VOL_NODETABLE_PARKED);
	/* One that could not be read is asked for again. */
	assert_int_equal(truncate(bed->path, 10), 0);
	assert_int_equal(refresh(bed, d, 1), -1);
	assert_int_equal(vol_devices_refresh(d, bed->now_ms, N, 1, NULL), -1);
	vol_devices_destroy(d);
}

static void slurmctlds_table_grows(void **state)
{
	struct bed *bed = *state;
	struct vol_devices *d = start(bed);

	put(bed, 3, VOL_NODETABLE_OPEN, 1, 1000);
	put(bed, 15, VOL_NODETABLE_OPEN, 1, 1000);
	assert_int_equal(vol_devices_refresh(d, bed->now_ms, 10, 1, NULL), 0);
	assert_int_equal(slot_of(d, 3), 0);
	assert_int_equal(slot_of(d, 9), VOL_NO_DEVICE);
	assert_int_equal(vol_devices_refresh(d, bed->now_ms, N, 1, NULL), 0);
	for (size_t i = 10; i < N; i++)
		assert_int_equal(slot_of(d, i), i == 15 ? 1 : VOL_NO_DEVICE);
	assert_int_equal(vol_devices_refresh(d, bed->now_ms, 10, 1, NULL), 0);
	assert_int_equal(slot_of(d, 3), 0);
	vol_devices_destroy(d);
}

static void some_of_each_fate_are_told(void **state)
{
	struct bed *bed = *state;
	struct vol_devices *d = start(bed);
	struct vol_candidates c = {0};
	struct vol_placement p;
	struct vol_kind *kind;

	for (unsigned int i = 0; i < 18; i++)
		put(bed, i, i % 3 ? VOL_NODETABLE_OPEN : VOL_NODETABLE_CLOSED,
		    (uint16_t)(UINT16_MAX - (100u << (17 - i) / 2)), 1000);
	assert_int_equal(refresh(bed, d, 0), 0);
	kind = list(d, &c);
	vol_candidates_judge(&c, d, kind, 0, 1);
	for (uint32_t i = 0; i < N; i++) {
		c.list[i].weight = i == 1 ? 1 : 10;
		c.list[i].taken = i == 17;
	}
	vol_candidates_tell(&c, d, kind, &p);
	assert_int_equal(p.taken, 1);
	assert_int_equal(p.passed, 11);
	assert_int_equal(p.dropped, 6);
	assert_int_equal(p.others, 2);
	assert_int_equal(p.n_nodes, 1 + 3 + 2);
	assert_string_equal(p.nodes[0].name, "desk17");
	assert_int_equal(p.nodes[0].fate, VOL_PLACEMENT_TAKEN);
	/* By the admin's weight, then by level. */
	assert_string_equal(p.nodes[1].name, "desk1");
	assert_string_equal(p.nodes[2].name, "desk16");
	assert_string_equal(p.nodes[3].name, "desk14");
	assert_true(p.nodes[3].level > p.nodes[2].level);
	assert_true(p.nodes[3].figures.evicted > p.nodes[2].figures.evicted);
	assert_int_equal(p.nodes[4].fate, VOL_PLACEMENT_DROPPED);
	assert_int_equal(p.nodes[4].state, VOL_NODETABLE_CLOSED);
	/* A job on all of them. */
	for (uint32_t i = 0; i < N; i++)
		c.list[i].taken = true;
	vol_candidates_tell(&c, d, kind, &p);
	assert_int_equal(p.taken, 18);
	assert_int_equal(p.n_nodes, VOL_PLACEMENT_NODES / 2);
	vol_candidates_free(&c);
	vol_devices_destroy(d);
}

static void jobs_say_how_often_they_save(void **state)
{
	static const struct {
		const char *text;
		uint32_t seconds;
	} cases[] = {
		{"VOLUNTEER_CHECKPOINT=600", 600},
		{"VOLUNTEER_CHECKPOINT=4294967295", UINT32_MAX},
		{"VOLUNTEER_CHECKPOINT=4294967296", 0},
		{"VOLUNTEER_CHECKPOINT=99999999999999999999999", 0},
		{"VOLUNTEER_CHECKPOINT=", 0},
		{"VOLUNTEER_CHECKPOINT", 0},
		{"VOLUNTEER_CHECKPOINT=10m", 0},
		{"VOLUNTEER_CHECKPOINT=-1", 0},
		{"VOLUNTEER_CHECKPOINTS=1", 0},
		{"volunteer_checkpoint=1", 0},
		{"", 0},
	};
	char *env[3] = {(char *)"A=1", NULL, NULL};

	(void)state;
	assert_int_equal(vol_checkpoint_from_env(NULL, 0), 0);
	assert_int_equal(vol_checkpoint_from_env(NULL, 7), 0);
	assert_int_equal(vol_checkpoint_from_env(env, 3), 0);
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		env[2] = (char *)cases[i].text;
		assert_int_equal(vol_checkpoint_from_env(env, 3),
				 cases[i].seconds);
		assert_int_equal(vol_checkpoint_from_env(env, 2), 0);
	}
}

/* Of three kinds; only the second may go on with the job. */
static void unfit_devices_are_set_aside(void **state)
{
	const struct vol_imagetable_need need = {{UINT64_C(1) << 2}};
	const struct vol_imagetable_job saved = {42, 0};
	const struct vol_imagetable table = {5, 1, 1, &saved, &need};
	const struct vol_imagetable_need *found;
	struct bed *bed = *state;
	struct vol_devices *d = start(bed);
	struct vol_candidates c = {0};
	struct vol_kind *kind;
	char path[PATH_MAX];
	size_t len;
	void *buf;

	for (unsigned int i = 0; i < 9; i++) {
		struct vol_nodetable_node node = bed_node(bed, i, 1);

		node.state = VOL_NODETABLE_OPEN;
		node.machine = i % 3;
		node.max_risk = VOL_OUTLOOK_ONE;
		assert_int_equal(vol_nodetable_put(bed->table, &node, NULL), 0);
	}
	assert_int_equal(refresh(bed, d, 0), 0);
	assert_null(vol_devices_need(d, 42));
	/* The header tells of it before it is there, and then it is. */
	vol_nodetable_set_images(bed->table, 5);
	assert_int_equal(refresh(bed, d, 0), 0);
	assert_null(vol_devices_need(d, 42));
	snprintf(path, sizeof(path), "%s/images", bed->folder);
	buf = vol_imagetable_encode(&table, &len);
	assert_int_equal(vol_file_replace(path, buf, len, 0644, 0, NULL), 0);
	free(buf);
	bed->now_ms += 1000;
	vol_nodetable_beat(bed->table, bed->now_ms);
	assert_int_equal(refresh(bed, d, 0), 0);
	assert_null(vol_devices_need(d, 41));
	found = vol_devices_need(d, 42);
	assert_non_null(found);
	kind = list(d, &c);
	vol_candidates_fit(&c, d, found);
	assert_int_equal(c.unfit, 6);
	assert_int_equal(c.n, N - 6);
	assert_int_equal(c.devices, 3);
	/* Their order is kept; those that are no devices stay. */
	assert_int_equal(c.list[0].node, 2);
	assert_int_equal(c.list[1].node, 5);
	assert_int_equal(c.list[2].node, 8);
	for (size_t i = 3; i < c.n; i++)
		assert_int_equal(c.list[i].node, 6 + i);
	for (size_t i = c.n; i < N; i++)
		assert_true(c.list[i].node < 9 && c.list[i].node % 3 != 2);
	vol_candidates_judge(&c, d, kind, 0, 1);
	assert_int_equal(c.dropped, 0);
	/* Removed from the table, it goes anywhere again. */
	vol_nodetable_set_images(bed->table, 0);
	assert_int_equal(refresh(bed, d, 0), 0);
	assert_null(vol_devices_need(d, 42));
	vol_candidates_free(&c);
	vol_devices_destroy(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bed_test(nothing_is_no_device),
		bed_test(devices_of_another_cluster_are_none),
		bed_test(only_open_ones_are_kept_and_ordered),
		bed_test(risky_ones_are_held),
		bed_test(equal_ones_are_not_ordered),
		bed_test(the_worse_ones_are_put_together),
		bed_test(costs_follow_the_table_and_the_job),
		bed_test(names_are_looked_at_again),
		bed_test(the_table_is_read_once_a_millisecond),
		bed_test(slurmctlds_table_grows),
		bed_test(some_of_each_fate_are_told),
		bed_test(unfit_devices_are_set_aside),
		cmocka_unit_test(jobs_say_how_often_they_save),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
