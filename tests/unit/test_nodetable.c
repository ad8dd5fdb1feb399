/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_nodetable.c - what one process writes another reads */
#include "config.h"

#include "nodetable_bed.h"

static void assert_same(const struct vol_nodetable_node *a,
			const struct vol_nodetable_node *b)
{
	assert_non_null(a);
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->why, b->why);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->heard_s, b->heard_s);
	assert_int_equal(a->quiet_s, b->quiet_s);
	assert_int_equal(a->since, b->since);
	assert_int_equal(a->away_since, b->away_since);
	assert_int_equal(a->closes_at, b->closes_at);
	assert_int_equal(a->speed, b->speed);
	assert_int_equal(a->on_battery, b->on_battery);
	assert_memory_equal(&a->outlook, &b->outlook, sizeof(a->outlook));
	assert_int_equal(a->outlook_at, b->outlook_at);
	assert_int_equal(a->evictions_day, b->evictions_day);
	assert_int_equal(a->evictions_week, b->evictions_week);
	assert_int_equal(a->evictions, b->evictions);
	assert_int_equal(a->last_eviction, b->last_eviction);
	assert_int_equal(a->max_risk, b->max_risk);
	assert_int_equal(a->cached, b->cached);
}

static void nothing_is_missing(void **state)
{
	struct bed *bed = *state;

	bed_refused(bed, ENOENT, "No such file");
	assert_int_equal(vol_nodeview_slots(bed->view), 0);
	assert_int_equal(vol_nodeview_slot(bed->view, "desk0"), UINT32_MAX);
	assert_int_equal(vol_nodeview_slot(bed->view, ""), UINT32_MAX);
	assert_null(vol_nodeview_node(bed->view, 0));
	assert_int_equal(vol_nodeview_state(bed->view, 7), VOL_NODETABLE_FREE);
	/* Not asked for again within a second. */
	bed_start(bed, 0);
	bed_refused(bed, ENOENT, "No such file");
	bed_pass(bed, 1000);
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(vol_nodeview_refresh(bed->view, bed->now_ms, NULL), 0);
	vol_nodetable_destroy(NULL);
	vol_nodeview_destroy(NULL);
}

static void records_arrive_as_they_were_put(void **state)
{
	struct bed *bed = *state;
	struct vol_nodetable_node node;
	uint32_t slot;

	bed_start(bed, 0);
	for (unsigned int i = 0; i < 40; i++)
		bed_put(bed, i, 1000 + i);
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(vol_nodeview_slots(bed->view), 40);
	for (unsigned int i = 0; i < 40; i++) {
		node = bed_node(bed, i, 1000 + i);
		assert_same(bed_find(bed, node.name), &node);
	}
	assert_null(bed_find(bed, "desk"));
	assert_null(bed_find(bed, "desk40"));

	slot = vol_nodeview_slot(bed->view, "desk7");
	assert_int_equal(vol_nodeview_edition(bed->view, slot), 1);
	bed_put(bed, 7, 1);
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(vol_nodeview_edition(bed->view, slot), 2);
	assert_int_equal(vol_nodeview_node(bed->view, slot)->speed, 1);
	assert_int_equal(vol_nodeview_edition(bed->view, slot + 1), 1);
	/* The same once more is no news. */
	bed_put(bed, 7, 1);
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(vol_nodeview_edition(bed->view, slot), 2);
}

static void what_no_reader_takes_is_not_written(void **state)
{
	struct bed *bed = *state;
	struct vol_nodetable_node node = bed_node(bed, 1, 1);

	bed_start(bed, 0);
	memset(node.why, 'y', sizeof(node.why));
	node.why[3] = '\x1b';
	node.outlook.survive[3] = 5;
	node.outlook.survive[4] = 6;
	assert_int_equal(vol_nodetable_put(bed->table, &node, NULL), 0);
	assert_int_equal(bed_refresh(bed), 0);
	assert_non_null(bed_find(bed, "desk1"));
	assert_printable(bed_find(bed, "desk1")->why);
	assert_int_equal(strlen(bed_find(bed, "desk1")->why), VOL_WHY_SIZE - 1);

	node.name[0] = '\0';
	assert_int_equal(vol_nodetable_put(bed->table, &node, &bed->err), -1);
	assert_int_equal(errno, EINVAL);
	node = bed_node(bed, 1, 1);
	node.id[0] = '\0';
	assert_int_equal(vol_nodetable_put(bed->table, &node, &bed->err), -1);
	assert_contains(bed->err.text, "without id");
}

static void marks_need_no_record(void **state)
{
	struct bed *bed = *state;
	const struct vol_nodetable_node *node;
	uint32_t slot;

	bed_start(bed, 0);
	bed_put(bed, 1, 10);
	bed_put(bed, 2, 20);
	assert_int_equal(bed_refresh(bed), 0);
	slot = vol_nodeview_slot(bed->view, "desk2");
	assert_int_equal(vol_nodeview_state(bed->view, slot),
			 VOL_NODETABLE_OPEN);
	vol_nodetable_mark(bed->table, bed_node(bed, 2, 0).id,
			   VOL_NODETABLE_PARKED, bed->now_ms / 1000 + 2);
	vol_nodetable_mark(bed->table, "nobody", VOL_NODETABLE_PARKED, 0);
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(vol_nodeview_state(bed->view, slot),
			 VOL_NODETABLE_PARKED);
	node = vol_nodeview_node(bed->view, slot);
	assert_int_equal(node->state, VOL_NODETABLE_PARKED);
	assert_int_equal(node->heard_s, bed->now_ms / 1000 + 2);
	assert_int_equal(vol_nodeview_edition(bed->view, slot), 1);
	assert_int_equal(bed_find(bed, "desk1")->state, VOL_NODETABLE_OPEN);
}

static void silence_is_not_knowing(void **state)
{
	struct bed *bed = *state;
	uint32_t slot;

	bed_start(bed, 0);
	bed_put(bed, 1, 10);
	assert_int_equal(bed_refresh(bed), 0);
	slot = vol_nodeview_slot(bed->view, "desk1");
	bed_pass(bed, 30000);
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(vol_nodeview_state(bed->view, slot),
			 VOL_NODETABLE_OPEN);
	bed_pass(bed, 1000);
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(vol_nodeview_state(bed->view, slot),
			 VOL_NODETABLE_UNKNOWN);
	assert_int_equal(vol_nodeview_node(bed->view, slot)->state,
			 VOL_NODETABLE_UNKNOWN);
	/* Heard in the future: of another boot, or garbage. */
	vol_nodetable_mark(bed->table, bed_node(bed, 1, 0).id,
			   VOL_NODETABLE_OPEN, bed->now_ms / 1000 + 60);
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(vol_nodeview_state(bed->view, slot),
			 VOL_NODETABLE_UNKNOWN);
}

static void a_slot_changes_hands(void **state)
{
	struct bed *bed = *state;
	uint64_t roster;
	uint32_t slot;

	bed_start(bed, 0);
	bed_put(bed, 1, 10);
	bed_put(bed, 2, 20);
	assert_int_equal(bed_refresh(bed), 0);
	roster = vol_nodeview_roster(bed->view);
	slot = vol_nodeview_slot(bed->view, "desk1");
	assert_int_equal(bed_refresh(bed), 0);
	bed_put(bed, 2, 21);
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(vol_nodeview_roster(bed->view), roster);

	vol_nodetable_remove(bed->table, bed_node(bed, 1, 0).id);
	vol_nodetable_remove(bed->table, "nobody");
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_not_equal(vol_nodeview_roster(bed->view), roster);
	roster = vol_nodeview_roster(bed->view);
	assert_null(bed_find(bed, "desk1"));
	assert_int_equal(vol_nodeview_state(bed->view, slot),
			 VOL_NODETABLE_FREE);
	assert_non_null(bed_find(bed, "desk2"));

	bed_put(bed, 3, 30);
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_not_equal(vol_nodeview_roster(bed->view), roster);
	assert_int_equal(vol_nodeview_slot(bed->view, "desk3"), slot);
	assert_int_equal(bed_find(bed, "desk3")->speed, 30);

	/* Unseen by the reader: gone and another one there. */
	vol_nodetable_remove(bed->table, bed_node(bed, 3, 0).id);
	bed_put(bed, 4, 40);
	assert_int_equal(bed_refresh(bed), 0);
	assert_null(bed_find(bed, "desk3"));
	assert_int_equal(bed_find(bed, "desk4")->speed, 40);
	/* And back as it was. */
	vol_nodetable_remove(bed->table, bed_node(bed, 4, 0).id);
	assert_int_equal(bed_refresh(bed), 0);
	bed_put(bed, 4, 40);
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(bed_find(bed, "desk4")->speed, 40);
}

static void it_grows_without_a_gap(void **state)
{
	struct bed *bed = *state;
	struct vol_nodetable_node node;

	bed_start(bed, 0);
	for (unsigned int i = 0; i < 1000; i++) {
		bed_put(bed, i, i);
		/* At the same millisecond: the old file says where to look. */
		if (i % 50 == 0)
			assert_int_equal(bed_refresh(bed), 0);
	}
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(vol_nodeview_slots(bed->view), 1000);
	for (unsigned int i = 0; i < 1000; i++) {
		node = bed_node(bed, i, i);
		assert_same(bed_find(bed, node.name), &node);
	}
	assert_int_equal(vtest_count_entries(bed->folder), 1);
}

static void it_is_full_at_slurms_limit(void **state)
{
	struct bed *bed = *state;
	struct vol_nodetable_node node = bed_node(bed, 0, 0);

	vol_nodetable_destroy(bed->table);
	bed->table = vol_nodetable_create(bed->path, UINT32_MAX, &bed->err);
	assert_non_null(bed->table);
	/* Finding a free slot is linear: few are enough to see the end. */
	bed_put(bed, 1, 1);
	vol_nodetable_beat(bed->table, bed->now_ms);
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(vol_nodetable_put(bed->table, &node, &bed->err), 0);
}

static void a_new_writer_takes_over(void **state)
{
	struct bed *bed = *state;
	struct vol_nodetable *killed;

	bed_start(bed, 0);
	bed_put(bed, 1, 10);
	bed_put(bed, 2, 20);
	assert_int_equal(bed_refresh(bed), 0);
	/* The old one is never told; its reader is, in the same millisecond. */
	killed = bed->table;
	bed->table = NULL;
	bed_start(bed, 0);
	bed_put(bed, 2, 21);
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(bed_find(bed, "desk2")->speed, 21);
	assert_null(bed_find(bed, "desk1"));
	assert_int_equal(vol_nodeview_slots(bed->view), 1);
	vol_nodetable_destroy(killed);
}

static void a_silent_writer_is_stale(void **state)
{
	struct bed *bed = *state;

	bed_start(bed, 0);
	bed_put(bed, 1, 10);
	bed->now_ms += VOL_NODETABLE_STALE_MS;
	assert_int_equal(bed_refresh(bed), 0);
	bed->now_ms++;
	bed_refused(bed, ESTALE, "silent");
	bed_pass(bed, 0);
	assert_int_equal(bed_refresh(bed), 0);
	bed->now_ms -= 60000;
	bed_refused(bed, ESTALE, "future");
}

static void a_removed_file_is_used_and_comes_back(void **state)
{
	struct bed *bed = *state;

	bed_start(bed, 0);
	bed_put(bed, 1, 10);
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(unlink(bed->path), 0);
	bed->now_ms += 2000;
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(bed_find(bed, "desk1")->speed, 10);
	assert_true(vol_nodetable_beat(bed->table, bed->now_ms));
	assert_false(vol_nodetable_beat(bed->table, bed->now_ms));
	bed_pass(bed, 1000);
	bed_put(bed, 1, 11);
	assert_int_equal(bed_refresh(bed), 0);
	assert_int_equal(bed_find(bed, "desk1")->speed, 11);
}

static void the_writer_mends_what_was_spoilt(void **state)
{
	const uint64_t ones[2] = {UINT64_MAX, UINT64_MAX};
	const struct {
		off_t size; /* -1: as it is */
		uint64_t at;
	} damage[] = {
		{0, 0},   {100, 0}, {VOL_NODETABLE_HEADER, 0},
		{-1, 0},  {-1, 32}, {-1, VOL_NODETABLE_HEADER},
		{-1, 20},
	};
	struct bed *bed = *state;

	bed_start(bed, 0);
	bed_put(bed, 1, 10);
	for (size_t i = 0; i < N_ELEMENTS(damage); i++) {
		bed_pass(bed, 2000);
		assert_int_equal(bed_refresh(bed), 0);
		if (damage[i].size >= 0)
			assert_int_equal(truncate(bed->path, damage[i].size),
					 0);
		else
			bed_spoil(bed, damage[i].at, ones, sizeof(ones));
		(void)bed_refresh(bed);
		bed->now_ms += 2000;
		assert_true(vol_nodetable_beat(bed->table, bed->now_ms));
		assert_int_equal(bed_refresh(bed), 0);
		assert_int_equal(bed_find(bed, "desk1")->speed, 10 + i);
		bed_put(bed, 1, (uint32_t)(11 + i));
		assert_int_equal(bed_refresh(bed), 0);
		assert_int_equal(bed_find(bed, "desk1")->speed, 11 + i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bed_test(nothing_is_missing),
		bed_test(records_arrive_as_they_were_put),
		bed_test(what_no_reader_takes_is_not_written),
		bed_test(marks_need_no_record),
		bed_test(silence_is_not_knowing),
		bed_test(a_slot_changes_hands),
		bed_test(it_grows_without_a_gap),
		bed_test(it_is_full_at_slurms_limit),
		bed_test(a_new_writer_takes_over),
		bed_test(a_silent_writer_is_stale),
		bed_test(a_removed_file_is_used_and_comes_back),
		bed_test(the_writer_mends_what_was_spoilt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
