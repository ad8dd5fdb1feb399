/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vtest.h - what every unit test needs around cmocka */
#ifndef VOL_VTEST_H
#define VOL_VTEST_H

/* cmocka.h wants these before itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A macro of cmocka's, of a name that is ours in many places. */
#undef stop

#include <dirent.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* cmocka 2 renamed it and warns about the old name. */
#ifdef assert_uint_in_range
#undef assert_in_range
#define assert_in_range assert_uint_in_range
#endif

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* Fail and show the text if part is not in it. */
#define assert_contains(text, part) \
	vtest_contains(text, part, __FILE__, __LINE__)

static inline void vtest_contains(const char *text, const char *part,
				  const char *file, int line)
{
	if (strstr(text, part))
		return;
	print_error("\"%s\" does not contain \"%s\"\n", text, part);
	_fail(file, line);
}

/* Reasons name hostile peers; nothing of theirs may reach a terminal. */
static inline void assert_printable(const char *text)
{
	for (; *text; text++)
		assert_true(*text >= 0x20 && *text <= 0x7e);
}

/* Setup and teardown of a test with a folder of its own: *state is its path,
 * malloc'ed. */
static inline int vtest_folder_setup(void **state)
{
	char *path = strdup("/tmp/vol-test.XXXXXX");

	if (!path || !mkdtemp(path))
		return -1;
	*state = path;
	return 0;
}

/* Number of entries of a folder, hidden ones included. */
static inline size_t vtest_count_entries(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	size_t n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)))
		n += strcmp(e->d_name, ".") != 0 &&
		     strcmp(e->d_name, "..") != 0;
	closedir(dir);
	return n;
}

static inline int vtest_remove_cb(const char *path, const struct stat *st,
				  int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static inline int vtest_folder_teardown(void **state)
{
	/* Children first, links not followed, few descriptors. */
	int ret = nftw(*state, vtest_remove_cb, 8, FTW_DEPTH | FTW_PHYS);

	free(*state);
	return ret;
}

#endif
