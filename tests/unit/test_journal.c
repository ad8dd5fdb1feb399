/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_journal.c - the owner's journal: order, bounds, damage */
#include "config.h"

#include "device/journal.h"

#include <sys/stat.h>
#include <time.h>

#include "log.h"
#include "vtest.h"

static char path[PATH_MAX], older[PATH_MAX];

static struct vol_journal *create(void **state)
{
	struct vol_journal *j = vol_journal_create(*state, NULL);

	snprintf(path, sizeof(path), "%s/owner.log", (char *)*state);
	snprintf(older, sizeof(older), "%s/owner.log.1", (char *)*state);
	assert_non_null(j);
	return j;
}

static void put(const char *text)
{
	FILE *f = fopen(path, "a");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static const char *text_of(const json_t *list, size_t i)
{
	return json_string_value(
		json_object_get(json_array_get(list, i), "text"));
}

static void expect(struct vol_journal *j, size_t n, const char *texts)
{
	json_t *list = vol_journal_tail(j, n);
	char all[1024] = "";
	size_t i;

	assert_non_null(list);
	for (i = 0; i < json_array_size(list); i++) {
		strcat(all, i ? "|" : "");
		strcat(all, text_of(list, i));
	}
	assert_string_equal(all, texts);
	json_decref(list);
}

static void in_order(void **state)
{
	struct vol_journal *j = create(state);
	json_int_t before = (json_int_t)time(NULL) * 1000, at;
	const char *what;
	json_t *list;

	expect(j, 10, "");
	vol_journal_add(j, "parked", "owner present since %s", "10:31");
	vol_journal_add(j, "opened", "nobody here for %d min", 5);
	vol_journal_add(j, "paused", "by ann");
	expect(j, 0, "");
	expect(j, 1, "by ann");
	expect(j, 2, "nobody here for 5 min|by ann");
	expect(j, 99, "owner present since 10:31|nobody here for 5 min|by ann");
	list = vol_journal_tail(j, 1);
	assert_int_equal(json_unpack(list, "[{s:I, s:s}]", "time_ms", &at,
				     "what", &what),
			 0);
	assert_string_equal(what, "paused");
	assert_true(at >= before && at < before + 600 * 1000);
	json_decref(list);
	vol_journal_destroy(j);
	/* Kept over restarts. */
	j = create(state);
	vol_journal_add(j, "opened", "again");
	expect(j, 2, "by ann|again");
	vol_journal_destroy(j);
	vol_journal_destroy(NULL);
}

static void damaged_lines(void **state)
{
	struct vol_journal *j = create(state);

	put("\n");
	put("junk\n");
	put("{\"time_ms\": 1, \"what\": \"x\", \"text\": \"one\"}\n");
	put("{\"time_ms\": \"1\", \"what\": \"x\", \"text\": \"no\"}\n");
	put("{\"time_ms\": 1, \"what\": \"x\"}\n");
	put("[1, 2]\n");
	/* A power cut in the middle of a line. */
	put("{\"time_ms\": 1, \"wh");
	expect(j, 9, "one");
	vol_journal_add(j, "x", "two");
	vol_journal_add(j, "x", "three");
	expect(j, 9, "one|two|three");
	vol_journal_destroy(j);
}

static void hostile_texts(void **state)
{
	struct vol_journal *j = create(state);
	char text[1000];
	json_t *list;

	memset(text, '"', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	vol_journal_add(j, "set", "a\nb\033[2J\\\xff");
	vol_journal_add(j, "set", "%s", text);
	list = vol_journal_tail(j, 9);
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(text_of(list, 0), "a?b?[2J'?");
	assert_true(strlen(text_of(list, 1)) < 200);
	json_decref(list);
	vol_journal_destroy(j);
}

static void stays_small(void **state)
{
	struct vol_journal *j = create(state);
	struct stat st, st_older;
	json_t *list;
	unsigned i;

	/* Some three times as much as fits. */
	for (i = 0; i < 3 * VOL_JOURNAL_BYTES / 100; i++)
		vol_journal_add(j, "test", "event %06u %060d", i, 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(stat(older, &st_older), 0);
	assert_true(st.st_size + st_older.st_size <= VOL_JOURNAL_BYTES);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(vtest_count_entries(*state), 2);
	/* The last ones are there without a gap, over both files. */
	list = vol_journal_tail(j, 1000);
	assert_int_equal(json_array_size(list), 1000);
	for (i = 0; i < 1000; i++)
		assert_int_equal(strtoul(text_of(list, i) + 6, NULL, 10),
				 3 * VOL_JOURNAL_BYTES / 100 - 1000 + i);
	json_decref(list);
	vol_journal_destroy(j);
}

static void count(enum vol_log_level level, const char *msg, void *arg)
{
	(void)level;
	(void)msg;
	++*(unsigned *)arg;
}

static void can_not_write(void **state)
{
	struct vol_journal *j = create(state);
	unsigned warned = 0;

	vol_log_set(count, &warned, VOL_LOG_WARN);
	assert_int_equal(mkdir(path, 0700), 0);
	vol_journal_add(j, "x", "lost");
	vol_journal_add(j, "x", "lost");
	assert_int_equal(warned, 1);
	expect(j, 9, "");
	assert_int_equal(rmdir(path), 0);
	vol_journal_add(j, "x", "written");
	expect(j, 9, "written");
	/* A link that leads elsewhere is not followed. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	vol_journal_add(j, "x", "lost");
	assert_int_equal(warned, 2);
	vol_log_set(NULL, NULL, VOL_LOG_ERR);
	vol_journal_destroy(j);
}

static void long_folder(void **state)
{
	char folder[PATH_MAX];
	struct vol_error err;

	(void)state;
	memset(folder, 'x', sizeof(folder) - 1);
	folder[sizeof(folder) - 1] = '\0';
	assert_null(vol_journal_create(folder, &err));
}

#define WITH_FOLDER(test)                                         \
	cmocka_unit_test_setup_teardown(test, vtest_folder_setup, \
					vtest_folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(in_order),      WITH_FOLDER(damaged_lines),
		WITH_FOLDER(hostile_texts), WITH_FOLDER(stays_small),
		WITH_FOLDER(can_not_write), cmocka_unit_test(long_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
