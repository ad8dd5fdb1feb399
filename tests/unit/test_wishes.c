/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_wishes.c - what waits for the registrar's thread, and for how long */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wishes.h"

#include "vtest.h"

static struct vol_wishes queue;

static int setup(void **state)
{
	(void)state;
	vol_wishes_init(&queue);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vol_wishes_clear(&queue);
	return 0;
}

static struct vol_job *make(const char *node, enum vol_action action)
{
	struct vol_job *job = calloc(1, sizeof(*job));

	assert_non_null(job);
	snprintf(job->wish.node, sizeof(job->wish.node), "%s", node);
	job->wish.action = action;
	return job;
}

static void add(const char *node, enum vol_action action)
{
	vol_wishes_add(&queue, make(node, action));
}

static void add_many(const char *prefix, unsigned n, enum vol_action action)
{
	char node[32];

	for (unsigned i = 0; i < n; i++) {
		snprintf(node, sizeof(node), "%s%u", prefix, i);
		add(node, action);
	}
}

/* "a b c" */
static void expect_list(const struct vol_job *list, const char *nodes)
{
	char text[256] = "";

	for (; list; list = list->next)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "%s%s", *text ? " " : "", list->wish.node);
	assert_string_equal(text, nodes);
}

static void free_list(struct vol_job *job)
{
	struct vol_job *next;

	for (; job; job = next) {
		next = job->next;
		free(job);
	}
}

static void expect_taken(bool round, const char *nodes)
{
	struct vol_job *list = vol_wishes_take(&queue, round);

	expect_list(list, nodes);
	free_list(list);
}

static void what_waits(void **state)
{
	static const struct {
		enum vol_action action;
		unsigned n;
		bool now, waits;
	} rows[] = {
		{VOL_ACT_CREATE, 1, true, false},
		{VOL_ACT_CREATE, 1000, true, false},
		{VOL_ACT_DELETE, 1, true, false},
		{VOL_ACT_DOWN, 1, true, false},
		{VOL_ACT_ADDRESS, 1, true, false},
		{VOL_ACT_FEATURES, 1, true, false},
		{VOL_ACT_COMMENT, 1, true, false},
		{VOL_ACT_DRAIN, 1, false, true},
		{VOL_ACT_DRAIN, 1000, false, true},
		{VOL_ACT_RESUME, 1, false, true},
		{VOL_ACT_WAIT, 1, true, false},
		{VOL_ACT_WAIT, VOL_WISHES_FEW, true, false},
		{VOL_ACT_WAIT, VOL_WISHES_FEW + 1, false, true},
		{VOL_ACT_WAIT, 10000, false, true},
	};
	struct vol_job *list;
	unsigned n;

	(void)state;
	assert_false(vol_wishes_due(&queue, true));
	assert_false(vol_wishes_await_round(&queue));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		add_many("d", rows[i].n, rows[i].action);
		if (vol_wishes_due(&queue, false) != rows[i].now ||
		    vol_wishes_await_round(&queue) != rows[i].waits)
			fail_msg("row %zu", i);
		assert_true(vol_wishes_due(&queue, true));
		list = vol_wishes_take(&queue, !rows[i].now);
		n = 0;
		for (const struct vol_job *job = list; job; job = job->next)
			n++;
		assert_int_equal(n, rows[i].n);
		free_list(list);
		assert_int_equal(queue.n, 0);
		assert_false(vol_wishes_due(&queue, true));
	}
}

static void in_their_order(void **state)
{
	(void)state;
	add("a", VOL_ACT_CREATE);
	add("b", VOL_ACT_DRAIN);
	add("c", VOL_ACT_WAIT);
	add("d", VOL_ACT_RESUME);
	expect_taken(false, "a c");
	add("e", VOL_ACT_DOWN);
	add("f", VOL_ACT_DRAIN);
	expect_taken(true, "b d e f");
	expect_taken(true, "");
	/* The end is where it should be, after all and after some. */
	add("g", VOL_ACT_DRAIN);
	expect_taken(false, "");
	add("h", VOL_ACT_DRAIN);
	expect_taken(true, "g h");
}

static void one_for_each_node(void **state)
{
	struct vol_wish wish = {.action = VOL_ACT_DRAIN};
	struct vol_job *job;

	(void)state;
	assert_null(vol_wishes_find(&queue, "a"));
	add("a", VOL_ACT_WAIT);
	add("b", VOL_ACT_CREATE);
	job = vol_wishes_find(&queue, "a");
	assert_non_null(job);
	strcpy(wish.node, "a");
	vol_wishes_replace(&queue, job, &wish);
	assert_ptr_equal(vol_wishes_find(&queue, "a"), job);
	/* It waits now, at its place. */
	assert_true(vol_wishes_await_round(&queue));
	expect_taken(false, "b");
	expect_taken(true, "a");
	assert_null(vol_wishes_find(&queue, "a"));
}

static void put_back_in_front(void **state)
{
	struct vol_job *list;

	(void)state;
	add("a", VOL_ACT_CREATE);
	add("b", VOL_ACT_CREATE);
	add("c", VOL_ACT_CREATE);
	list = vol_wishes_take(&queue, false);
	add("d", VOL_ACT_CREATE);
	/* Newer than the one that was taken. */
	add("b", VOL_ACT_DELETE);
	vol_wishes_put_back(&queue, list);
	assert_int_equal(queue.n, 4);
	assert_int_equal(vol_wishes_find(&queue, "b")->wish.action,
			 VOL_ACT_DELETE);
	expect_taken(false, "a c d b");
	/* Into an empty queue, then behind it. */
	vol_wishes_put_back(&queue, make("e", VOL_ACT_WAIT));
	add("f", VOL_ACT_WAIT);
	vol_wishes_put_back(&queue, NULL);
	expect_taken(false, "e f");
}

/* More than buckets: some share one. */
static void thousands_are_found(void **state)
{
	char node[32];
	struct vol_job *list;

	(void)state;
	add_many("desk", 10000, VOL_ACT_CREATE);
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(node, sizeof(node), "desk%u", i);
		assert_string_equal(vol_wishes_find(&queue, node)->wish.node,
				    node);
	}
	assert_null(vol_wishes_find(&queue, "desk10000"));
	list = vol_wishes_take(&queue, false);
	for (size_t i = 0; i < VOL_WISHES_BUCKETS; i++)
		assert_null(queue.buckets[i]);
	vol_wishes_put_back(&queue, list);
	assert_int_equal(queue.n, 10000);
}

int main(void)
{
#define queue_test(_f) cmocka_unit_test_setup_teardown(_f, setup, teardown)
	const struct CMUnitTest tests[] = {
		queue_test(what_waits),          queue_test(in_their_order),
		queue_test(one_for_each_node),   queue_test(put_back_in_front),
		queue_test(thousands_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
