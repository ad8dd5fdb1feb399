/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ckfiles.c - the files that a job has for itself, as a stranger lists
 * them
 */
#include "config.h"

#include "ckfiles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "vtest.h"

#define ROOM (UINT64_C(1) << 30)

static struct vol_rollback_entry entry(int how, const char *path)
{
	struct vol_rollback_entry e = {.how = how, .mode = 0755};

	if (how == VOL_ROLLBACK_TARGET)
		e.length = 1;
	snprintf(e.path, sizeof(e.path), "%s", path);
	return e;
}

static int check(const struct vol_rollback_entry *e, size_t n, uint64_t room,
		 struct vol_error *err)
{
	errno = 0;
	err->text[0] = '\0';
	return vol_ckfiles_check(e, n, room, err);
}

static void where(void **state)
{
	static const char *const good[] = {"/tmp/x",       "/tmp/x/y",
					   "/var/tmp/x",   "/home/a/x",
					   "/tmp/..x",     "/tmp/x y",
					   "/home/a/home", "/tmp/var/tmp/x"};
	static const char *const bad[] = {"",          "/",
					  "/tmp",      "/tmp/",
					  "/tmpx/y",   "/var/tmp",
					  "/var/x",    "/home",
					  "/home/a",   "/etc/x",
					  "/tmp/../x", "/tmp/x/..",
					  "/tmp/./x",  "/tmp//x",
					  "tmp/x",     "/tmp/x\n",
					  "/tmp/x/",   "/dev/shm/x",
					  "/run/x",    "/root/x",
					  "/proc/1/x", "/home/../etc/x"};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(good); i++)
		assert_true(vol_ckfiles_travels(good[i]));
	for (size_t i = 0; i < N_ELEMENTS(bad); i++)
		assert_false(vol_ckfiles_travels(bad[i]));
}

static void honest(void **state)
{
	struct vol_rollback_entry e[] = {
		entry(VOL_ROLLBACK_FOLDER, "/tmp/d"),
		entry(VOL_ROLLBACK_COPY, "/tmp/d/x"),
		entry(VOL_ROLLBACK_FOLDER, "/tmp/d/e"),
		entry(VOL_ROLLBACK_COPY, "/tmp/d/e/x"),
		/* Before "/tmp/d/", by their bytes. */
		entry(VOL_ROLLBACK_COPY, "/tmp/d x"),
		entry(VOL_ROLLBACK_COPY, "/tmp/d-"),
		entry(VOL_ROLLBACK_TARGET, "/tmp/link"),
		entry(VOL_ROLLBACK_COPY, "/home/alice/x"),
		entry(VOL_ROLLBACK_COPY, "/var/tmp/x"),
	};
	struct vol_error err;

	(void)state;
	e[1].length = 4096;
	e[3].mode = 0;
	e[5].mtime_ns = INT64_MAX;
	e[6].length = PATH_MAX - 1;
	assert_int_equal(check(e, N_ELEMENTS(e), ROOM, &err), 0);
	assert_int_equal(check(e, 0, 0, &err), 0);
	assert_int_equal(check(NULL, 0, 0, &err), 0);
}

struct change {
	const char *what;
	struct vol_rollback_entry e;
};

/* One of these behind an honest list. */
static void hostile(void **state)
{
	struct change rows[] = {
		{"no folder of the job's", entry(VOL_ROLLBACK_COPY, "/etc/x")},
		{"no folder of the job's", entry(VOL_ROLLBACK_FOLDER, "/tmp")},
		{"no folder of the list", entry(VOL_ROLLBACK_COPY, "/tmp/n/x")},
		{"no folder of the list", entry(VOL_ROLLBACK_COPY, "/tmp/l/x")},
		{"no folder of the list", entry(VOL_ROLLBACK_COPY, "/tmp/f/x")},
		{"no folder of the list",
		 entry(VOL_ROLLBACK_COPY, "/tmp/d/e/f")},
		{"no folder of the list",
		 entry(VOL_ROLLBACK_COPY, "/home/a/b/x")},
		{"twice", entry(VOL_ROLLBACK_COPY, "/tmp/f")},
		{"twice", entry(VOL_ROLLBACK_TARGET, "/tmp/d")},
		{"no file, folder or link", entry(VOL_ROLLBACK_STAT, "/tmp/x")},
		{"no file, folder or link", entry(VOL_ROLLBACK_SUM, "/tmp/x")},
		{"no file, folder or link", entry(VOL_ROLLBACK_LINK, "/tmp/x")},
		{"no file, folder or link",
		 entry(VOL_ROLLBACK_OTHER, "/tmp/x")},
		{"no file, folder or link", entry(-1, "/tmp/x")},
		{"no file, folder or link", entry(99, "/tmp/x")},
		{"permissions", entry(VOL_ROLLBACK_COPY, "/tmp/x")},
		{"permissions", entry(VOL_ROLLBACK_FOLDER, "/tmp/x")},
		{"is open", entry(VOL_ROLLBACK_COPY, "/tmp/x")},
		{"with a length", entry(VOL_ROLLBACK_FOLDER, "/tmp/x")},
		{"leads nowhere", entry(VOL_ROLLBACK_TARGET, "/tmp/x")},
		{"leads nowhere", entry(VOL_ROLLBACK_TARGET, "/tmp/x")},
		{"that no file has", entry(VOL_ROLLBACK_COPY, "/tmp/x")},
		{"that no file has", entry(VOL_ROLLBACK_COPY, "/tmp/x")},
		{"too long a name", entry(VOL_ROLLBACK_COPY, "/tmp/")},
		{"no folder of the job's", entry(VOL_ROLLBACK_COPY, "/tmp/x")},
	};
	struct vol_rollback_entry e[] = {
		entry(VOL_ROLLBACK_FOLDER, "/tmp/d"),
		entry(VOL_ROLLBACK_TARGET, "/tmp/l"),
		entry(VOL_ROLLBACK_COPY, "/tmp/f"),
		{.how = VOL_ROLLBACK_COPY},
	};
	struct vol_error err;

	(void)state;
	rows[15].e.mode = 04755;
	rows[16].e.mode = 01777;
	rows[17].e.opened = VOL_ROLLBACK_WRITE;
	rows[18].e.length = 1;
	rows[19].e.length = 0;
	rows[20].e.length = PATH_MAX;
	rows[21].e.length = UINT64_C(1) << 63;
	rows[22].e.mtime_ns = UINT64_MAX;
	memset(rows[23].e.path + 5, 'x', 256);
	memset(rows[24].e.path + 6, 'x', sizeof(rows[24].e.path) - 6);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		e[3] = rows[i].e;
		assert_int_equal(check(e, 4, UINT64_MAX, &err), -1);
		assert_int_equal(errno, EPERM);
		assert_contains(err.text, rows[i].what);
		assert_printable(err.text);
	}
}

/* A folder has to be there before what is in it. */
static void order(void **state)
{
	struct vol_rollback_entry e[] = {
		entry(VOL_ROLLBACK_COPY, "/tmp/d/x"),
		entry(VOL_ROLLBACK_FOLDER, "/tmp/d"),
	};
	struct vol_error err;

	(void)state;
	assert_int_equal(check(e, 2, ROOM, &err), -1);
	assert_int_equal(errno, EPERM);
	assert_contains(err.text, "\"/tmp/d/x\": is in no folder of the list");
}

static void room(void **state)
{
	struct vol_rollback_entry e[] = {
		entry(VOL_ROLLBACK_COPY, "/tmp/a"),
		entry(VOL_ROLLBACK_COPY, "/tmp/b"),
	};
	struct vol_error err;

	(void)state;
	e[0].length = 1;
	e[1].length = 4097;
	assert_int_equal(check(e, 2, 3 * 4096, &err), 0);
	assert_int_equal(check(e, 2, 3 * 4096 - 1, &err), -1);
	assert_int_equal(errno, ENOTSUP);
	assert_contains(err.text, "more than the 12287 bytes");
	/* No sum of them is small. */
	e[0].length = e[1].length = INT64_MAX;
	assert_int_equal(check(e, 2, UINT64_MAX, &err), -1);
	assert_int_equal(errno, ENOTSUP);
}

/* As many as there can be, all within each other or side by side. */
static void many(void **state)
{
	struct vol_rollback_entry *e = calloc(VOL_ROLLBACK_MAX, sizeof(*e));
	struct vol_error err;

	(void)state;
	assert_non_null(e);
	for (size_t i = 0; i < VOL_ROLLBACK_MAX; i++) {
		e[i] = entry(VOL_ROLLBACK_FOLDER, "");
		snprintf(e[i].path, sizeof(e[i].path), "/tmp/%0250zu", i);
	}
	assert_int_equal(check(e, VOL_ROLLBACK_MAX, 0, &err), 0);
	memcpy(e[4000].path, e[7].path, sizeof(e[7].path));
	assert_int_equal(check(e, VOL_ROLLBACK_MAX, 0, &err), -1);
	assert_contains(err.text, "twice");
	free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where),   cmocka_unit_test(honest),
		cmocka_unit_test(hostile), cmocka_unit_test(order),
		cmocka_unit_test(room),    cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
