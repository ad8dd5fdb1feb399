/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_outbox.c - reports are numbered, kept, sent in order, and dropped when
 * they are acknowledged */
#include "config.h"

#include "outbox.h"

#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "wal_bed.h"

#define STREAM 0x1122334455667788
#define OTHER  0x99
#define NOW    INT64_C(1795000000123)

enum { STATE = 1, EVENT = 2, STATE2 = 3 };

static struct vol_outbox *load(const char *path, uint64_t fresh)
{
	struct vol_error err;
	struct vol_outbox *o = vol_outbox_load(path, fresh, &err);

	if (!o || *err.text)
		fail_msg("%s", err.text);
	return o;
}

static uint64_t add(struct vol_outbox *o, uint16_t kind, const char *text)
{
	return vol_outbox_append(o, kind, kind != EVENT, NOW, text,
				 strlen(text));
}

static void commit(struct vol_outbox *o)
{
	struct vol_wal_commit *c = vol_outbox_begin(o);
	struct vol_error why = {""};

	assert_non_null(c);
	vol_wal_commit_run(c);
	if (!vol_outbox_end(o, &why))
		fail_msg("%s", why.text);
}

/* All that may be sent, as "1>2:text 2>3:text" (the one before > its own). */
static const char *sendable(const struct vol_outbox *o, uint64_t from)
{
	static char text[1024];
	const struct vol_report *r;
	uint64_t after;
	size_t len = 0;

	*text = '\0';
	while ((r = vol_outbox_next(o, from, &after))) {
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"%s%d>%d:%s", len ? " " : "",
					(int)after, (int)r->seq,
					(const char *)r->data);
		from = r->seq;
	}
	return text;
}

static void only_what_is_on_disk_is_sent(void **state)
{
	struct vol_outbox *o = load(bed_path(state), STREAM);
	struct vol_wal_commit *c;
	uint64_t after;

	assert_int_equal(vol_outbox_stream(o), STREAM);
	assert_int_equal(add(o, STATE, "a"), 1);
	assert_int_equal(add(o, EVENT, "b"), 2);
	assert_null(vol_outbox_next(o, 0, &after));
	c = vol_outbox_begin(o);
	assert_non_null(c);
	assert_null(vol_outbox_begin(o)); /* one at a time */
	assert_int_equal(add(o, EVENT, "c"), 3);
	vol_wal_commit_run(c);
	assert_null(vol_outbox_next(o, 0, &after));
	assert_true(vol_outbox_end(o, NULL));
	assert_string_equal(sendable(o, 0), "0>1:a 1>2:b");
	commit(o);
	assert_string_equal(sendable(o, 0), "0>1:a 1>2:b 2>3:c");
	assert_string_equal(sendable(o, 2), "2>3:c");
	assert_null(vol_outbox_begin(o));
	vol_outbox_destroy(o);
}

static void bad_arguments(void **state)
{
	struct vol_outbox *o = load(bed_path(state), STREAM);
	char big[VOL_OUTBOX_DATA + 1];

	memset(big, 'x', sizeof(big));
	assert_int_equal(vol_outbox_append(o, 0, false, 0, "", 0), 0);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(vol_outbox_append(o, 1, false, 0, big, sizeof(big)),
			 0);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(
		vol_outbox_append(o, 1, false, 0, big, sizeof(big) - 1), 1);
	assert_int_equal(vol_outbox_append(o, 1, false, 0, big, 0), 2);
	commit(o);
	vol_outbox_destroy(o);
	o = load(bed_path(state), OTHER);
	assert_int_equal(vol_outbox_count(o), 2);
	vol_outbox_destroy(o);
	vol_outbox_destroy(NULL);
}

static void acknowledged_ones_are_dropped(void **state)
{
	struct vol_outbox *o = load(bed_path(state), STREAM);

	assert_int_equal(vol_outbox_ack(o, STREAM, 0), 0);
	for (const char *s = "abcde"; *s; s++)
		vol_outbox_append(o, EVENT, false, NOW, s, 1);
	assert_int_equal(vol_outbox_ack(o, STREAM, 1), -1);
	assert_int_equal(errno, ERANGE); /* we never sent it */
	commit(o);
	assert_int_equal(vol_outbox_ack(o, STREAM, 1), -1);
	assert_int_equal(errno, ERANGE); /* nor did we now */
	vol_outbox_sent(o, 5);
	vol_outbox_sent(o, 1); /* again */
	assert_int_equal(vol_outbox_ack(o, OTHER, 2), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(vol_outbox_ack(o, STREAM, 6), -1);
	assert_int_equal(errno, ERANGE);
	assert_true(vol_outbox_waits(o, 2));
	assert_int_equal(vol_outbox_ack(o, STREAM, 2), 0);
	assert_false(vol_outbox_waits(o, 2));
	assert_true(vol_outbox_waits(o, 5));
	assert_false(vol_outbox_waits(o, 6));
	assert_int_equal(vol_outbox_ack(o, STREAM, 1), 0); /* late */
	assert_int_equal(vol_outbox_acked(o), 2);
	assert_string_equal(sendable(o, 0), "2>3:c 3>4:d 4>5:e");
	assert_int_equal(vol_outbox_under_way(o, 0), 0);
	assert_int_equal(vol_outbox_under_way(o, 4), 2);
	assert_int_equal(vol_outbox_under_way(o, 9), 3);
	assert_int_equal(vol_outbox_ack(o, STREAM, 5), 0);
	assert_string_equal(sendable(o, 0), "");
	assert_int_equal(vol_outbox_count(o), 0);
	vol_outbox_destroy(o);
	/* It is not written down by itself: they come again. */
	o = load(bed_path(state), OTHER);
	assert_int_equal(vol_outbox_stream(o), STREAM);
	assert_string_equal(sendable(o, 0), ""); /* is it on disk? */
	commit(o);
	assert_string_equal(sendable(o, 0), "0>1:a 1>2:b 2>3:c 3>4:d 4>5:e");
	assert_int_equal(vol_outbox_ack(o, STREAM, 5), 0);
	assert_int_equal(add(o, EVENT, "f"), 6);
	vol_outbox_destroy(o);
}

static void it_is_all_there_again(void **state)
{
	const char *path = bed_path(state);
	struct vol_outbox *o = load(path, STREAM);
	const struct vol_report *r;
	uint64_t after;

	add(o, STATE, "parked");
	commit(o);
	add(o, EVENT, "evict");
	commit(o);
	vol_outbox_destroy(o);
	o = load(path, OTHER);
	assert_int_equal(vol_outbox_stream(o), STREAM);
	commit(o);
	r = vol_outbox_next(o, 0, &after);
	assert_int_equal(r->seq, 1);
	assert_int_equal(r->time_ms, NOW);
	assert_int_equal(r->kind, STATE);
	assert_true(r->state);
	assert_int_equal(r->len, 6);
	assert_string_equal(r->data, "parked");
	r = vol_outbox_next(o, 1, &after);
	assert_false(r->state);
	assert_int_equal(add(o, STATE, "open"), 3);
	vol_outbox_destroy(o);
}

static void the_layout_of_the_file(void **state)
{
	const char *path = bed_path(state);
	struct vol_outbox *o = load(path, STREAM);
	uint8_t *file, *p;
	size_t len;

	add(o, STATE, "x");
	add(o, EVENT, "evict");
	commit(o);
	vol_outbox_destroy(o);
	file = (uint8_t *)vol_file_read(path, 1 << 20, &len, NULL);
	assert_int_equal(len, 3 * 512);
	assert_memory_equal(file + 16, "VOLOUTBX", 8);
	assert_int_equal(vol_get32(file + 24), 1);
	assert_int_equal(vol_get64(file + 32), STREAM);
	assert_int_equal(vol_get64(file + 40), 0);
	p = file + 2 * 512 + 16;
	assert_int_equal(vol_get64(p), 2);
	assert_int_equal(vol_get64(p + 8), NOW);
	assert_int_equal(vol_get16(p + 16), EVENT);
	assert_int_equal(vol_get16(p + 18), 5);
	assert_int_equal(vol_get32(p + 20), 0);
	assert_memory_equal(p + 24, "evict", 6);
	free(file);
}

static void a_torn_tail_is_cut(void **state)
{
	const char *path = bed_path(state);
	struct vol_outbox *o = load(path, STREAM);

	add(o, EVENT, "a");
	commit(o);
	add(o, EVENT, "b");
	commit(o);
	vol_outbox_destroy(o);
	assert_int_equal(truncate(path, 2 * 512 + 100), 0);
	o = load(path, OTHER);
	commit(o);
	assert_string_equal(sendable(o, 0), "0>1:a");
	/* Nobody was told of the 2 that is gone. */
	assert_int_equal(add(o, EVENT, "c"), 2);
	commit(o);
	assert_int_equal(bed_size(path), 3 * 512);
	vol_outbox_destroy(o);
	o = load(path, OTHER);
	commit(o);
	assert_string_equal(sendable(o, 0), "0>1:a 1>2:c");
	vol_outbox_destroy(o);
}

static void a_damaged_file_is_said_and_set_aside(void **state)
{
	const char *path = bed_path(state);
	struct vol_outbox *o = load(path, STREAM);
	struct vol_error err;
	char aside[300];

	add(o, EVENT, "a");
	commit(o);
	add(o, EVENT, "b");
	commit(o);
	vol_outbox_destroy(o);
	bed_spoil(path, 512 + 60);
	o = vol_outbox_load(path, OTHER, &err);
	assert_non_null(o);
	assert_contains(err.text, path);
	assert_contains(err.text, "slot 1 is damaged");
	assert_int_equal(vol_outbox_stream(o), OTHER);
	assert_int_equal(vol_outbox_count(o), 0);
	snprintf(aside, sizeof(aside), "%s.damaged", path);
	assert_int_equal(bed_size(aside), 3 * 512);
	assert_int_equal(add(o, EVENT, "c"), 1);
	commit(o);
	vol_outbox_destroy(o);
	o = load(path, STREAM);
	assert_int_equal(vol_outbox_stream(o), OTHER);
	commit(o);
	assert_string_equal(sendable(o, 0), "0>1:c");
	vol_outbox_destroy(o);
	bed_spoil(path, 40);
	o = vol_outbox_load(path, STREAM, &err);
	assert_contains(err.text, "not a file of reports");
	vol_outbox_destroy(o);
	/* What can not be read at all is no damage. */
	assert_int_equal(mkdir(path, 0700), 0);
	assert_null(vol_outbox_load(path, STREAM, &err));
	assert_contains(err.text, path);
	assert_int_equal(rmdir(path), 0);
}

static void of_a_full_box_the_last_states_and_all_events_stay(void **state)
{
	struct vol_outbox *o = load(bed_path(state), STREAM);
	uint64_t seq = 0;
	int i;

	/* States of two kinds, and an event in between. */
	for (i = 0; i < VOL_OUTBOX_MAX; i++)
		seq = i == 700 ? add(o, EVENT, "e")
			       : add(o, i % 2 ? STATE : STATE2, "s");
	assert_int_equal(seq, VOL_OUTBOX_MAX);
	commit(o);
	assert_int_equal(add(o, STATE, "last"), seq + 1);
	assert_int_equal(vol_outbox_count(o), 3);
	commit(o);
	assert_string_equal(sendable(o, 0),
			    "0>701:e 701>1023:s 1023>1025:last");
	assert_int_equal(bed_size(bed_path(state)), 4 * 512);
	/* Full of events. */
	for (i = 3; i < VOL_OUTBOX_MAX; i++)
		assert_true(add(o, EVENT, "e") > 0);
	assert_true(add(o, EVENT, "e") == 0 && errno == ENOSPC);
	assert_true(add(o, STATE, "now") > 0);
	assert_true(add(o, STATE, "then") > 0);
	commit(o);
	/* With an acknowledgement there is room again. */
	vol_outbox_sent(o, 701);
	assert_int_equal(vol_outbox_ack(o, STREAM, 701), 0);
	assert_true(add(o, EVENT, "e") > 0);
	assert_true(add(o, EVENT, "e") == 0 && errno == ENOSPC);
	vol_outbox_destroy(o);
}

/* The file as long as it can get is read again. */
static void the_longest_file(void **state)
{
	const char *path = bed_path(state);
	struct vol_outbox *o = load(path, STREAM);
	size_t longest = 0;
	uint64_t seq = 0;
	int i, k;

	for (i = 0; i < 40; i++) {
		for (k = (int)vol_outbox_count(o);
		     k < (i % 3 ? VOL_OUTBOX_MAX : 100); k++)
			seq = add(o, EVENT, "e");
		commit(o);
		if ((size_t)bed_size(path) > longest)
			longest = (size_t)bed_size(path);
		vol_outbox_sent(o, seq);
		vol_outbox_ack(o, STREAM, seq - (uint64_t)(i % 7));
	}
	assert_in_range(longest, (VOL_OUTBOX_MAX + 1) * 512, VOL_OUTBOX_BYTES);
	vol_outbox_destroy(o);
	o = load(path, OTHER);
	/* What was sent by the life before is acknowledged to this one. */
	assert_int_equal(vol_outbox_ack(o, STREAM, seq), 0);
	vol_outbox_destroy(o);
}

static void a_disk_that_fails_is_tried_again(void **state)
{
	const char *path = bed_path(state);
	struct vol_outbox *o = load(path, STREAM);
	struct vol_wal_commit *c;
	struct vol_error why;

	add(o, EVENT, "a");
	commit(o);
	add(o, EVENT, "b");
	bed_smear(path, 1);
	c = vol_outbox_begin(o);
	vol_wal_commit_run(c);
	assert_false(vol_outbox_end(o, &why));
	assert_contains(why.text, path);
	assert_string_equal(sendable(o, 0), "0>1:a");
	add(o, EVENT, "c");
	commit(o);
	assert_string_equal(sendable(o, 0), "0>1:a 1>2:b 2>3:c");
	vol_outbox_destroy(o);
}

static void one_that_nobody_can_read_is_dropped(void **state)
{
	struct vol_outbox *o = load(bed_path(state), STREAM);

	for (const char *s = "abc"; *s; s++)
		vol_outbox_append(o, EVENT, false, NOW, s, 1);
	commit(o);
	vol_outbox_drop(o, 2);
	vol_outbox_drop(o, 2);
	vol_outbox_drop(o, 0);
	vol_outbox_drop(o, 9);
	assert_string_equal(sendable(o, 0), "0>1:a 1>3:c");
	vol_outbox_drop(o, 1);
	assert_string_equal(sendable(o, 0), "0>3:c");
	commit(o);
	assert_int_equal(bed_size(bed_path(state)), 2 * 512);
	vol_outbox_destroy(o);
}

/* Whoever knows more of us than we do: our file is an old one. */
static void a_stream_is_given_up_with_what_waits(void **state)
{
	const char *path = bed_path(state);
	struct vol_outbox *o = load(path, STREAM);
	struct vol_wal_commit *c;

	for (const char *s = "abc"; *s; s++)
		vol_outbox_append(o, EVENT, false, NOW, s, 1);
	commit(o);
	vol_outbox_sent(o, 1);
	assert_int_equal(vol_outbox_ack(o, STREAM, 1), 0);
	assert_int_equal(vol_outbox_ack(o, STREAM, 9), -1);
	add(o, EVENT, "d");
	c = vol_outbox_begin(o);
	vol_outbox_renew(o, OTHER);
	vol_wal_commit_run(c);
	assert_true(vol_outbox_end(o, NULL));
	assert_string_equal(sendable(o, 0), "");
	commit(o);
	assert_string_equal(sendable(o, 0), "0>1:b 1>2:c 2>3:d");
	vol_outbox_destroy(o);
	o = load(path, STREAM);
	assert_int_equal(vol_outbox_stream(o), OTHER);
	commit(o);
	assert_string_equal(sendable(o, 0), "0>1:b 1>2:c 2>3:d");
	vol_outbox_destroy(o);
}

/* The controller has 2 and 3 from the time after the file was copied; those of
 * the same numbers that were made since are others. */
static void an_old_file_that_was_put_back(void **state)
{
	const char *path = bed_path(state);
	struct vol_outbox *o = load(path, STREAM);

	add(o, EVENT, "a");
	commit(o);
	vol_outbox_destroy(o);
	o = load(path, OTHER);
	assert_int_equal(vol_outbox_ack(o, STREAM, 1), 0);
	for (const char *s = "BCDE"; *s; s++)
		vol_outbox_append(o, EVENT, false, NOW, s, 1);
	commit(o);
	assert_int_equal(vol_outbox_ack(o, STREAM, 3), -1);
	assert_int_equal(errno, ERANGE);
	vol_outbox_renew(o, OTHER);
	commit(o);
	assert_string_equal(sendable(o, 0), "0>1:B 1>2:C 2>3:D 3>4:E");
	assert_int_equal(vol_outbox_ack(o, OTHER, 2), -1);
	vol_outbox_sent(o, 2);
	assert_int_equal(vol_outbox_ack(o, OTHER, 2), 0);
	assert_string_equal(sendable(o, 0), "2>3:D 3>4:E");
	vol_outbox_destroy(o);
}

int main(void)
{
#define TEST(_name)                                                \
	cmocka_unit_test_setup_teardown(_name, vtest_folder_setup, \
					vtest_folder_teardown)
	const struct CMUnitTest tests[] = {
		TEST(bad_arguments),
		TEST(only_what_is_on_disk_is_sent),
		TEST(acknowledged_ones_are_dropped),
		TEST(it_is_all_there_again),
		TEST(the_layout_of_the_file),
		TEST(a_torn_tail_is_cut),
		TEST(a_damaged_file_is_said_and_set_aside),
		TEST(of_a_full_box_the_last_states_and_all_events_stay),
		TEST(the_longest_file),
		TEST(a_disk_that_fails_is_tried_again),
		TEST(one_that_nobody_can_read_is_dropped),
		TEST(a_stream_is_given_up_with_what_waits),
		TEST(an_old_file_that_was_put_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
