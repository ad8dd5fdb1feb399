/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_atomicfile.c - a file is replaced whole or not at all */
#include "config.h"

#include "atomicfile.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "vtest.h"

/* dir/name; valid until the next call. */
static const char *in(void *dir, const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", (const char *)dir, name);
	return path;
}

static void assert_content(const char *path, const char *want, mode_t mode)
{
	struct stat st;
	size_t len = 42;
	char *text = vol_file_read(path, 100, &len, NULL);

	assert_non_null(text);
	assert_string_equal(text, want);
	assert_int_equal(len, strlen(want));
	free(text);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void replace_makes_and_changes(void **state)
{
	const char *path = in(*state, "f");
	mode_t mask = umask(077);

	assert_int_equal(vol_file_replace(path, "one", 3, 0644, 1, NULL), 0);
	assert_content(path, "one", 0644);
	assert_int_equal(vol_file_replace(path, "", 0, 0600, 0, NULL), 0);
	assert_content(path, "", 0600);
	assert_int_equal(vol_file_replace(path, "three", 5, 0640, 1, NULL), 0);
	assert_content(path, "three", 0640);
	assert_int_equal(vtest_count_entries(*state), 1);
	umask(mask);
}

static void replace_without_folder(void **state)
{
	char old[PATH_MAX];

	assert_non_null(getcwd(old, sizeof(old)));
	assert_int_equal(chdir(*state), 0);
	assert_int_equal(vol_file_replace("here", "x", 1, 0600, 1, NULL), 0);
	assert_content("here", "x", 0600);
	assert_int_equal(chdir(old), 0);
}

/* A symbolic link is replaced, not followed. */
static void replace_link(void **state)
{
	char victim[PATH_MAX];

	snprintf(victim, sizeof(victim), "%s", in(*state, "victim"));
	assert_int_equal(vol_file_replace(victim, "v", 1, 0600, 0, NULL), 0);
	assert_int_equal(symlink("victim", in(*state, "link")), 0);
	assert_int_equal(
		vol_file_replace(in(*state, "link"), "l", 1, 0600, 0, NULL), 0);
	assert_content(victim, "v", 0600);
	assert_content(in(*state, "link"), "l", 0600);
}

static void replace_fails_clean(void **state)
{
	static const struct {
		const char *name;
		int error;
	} rows[] = {
		{"missing/f", ENOENT},
		{"folder", EISDIR}, /* rename over a folder */
		{"folder/", EISDIR},
		{"file/f", ENOTDIR},
	};
	struct vol_error err;
	size_t i;

	assert_int_equal(mkdir(in(*state, "folder"), 0700), 0);
	assert_int_equal(
		vol_file_replace(in(*state, "file"), "x", 1, 0600, 0, NULL), 0);
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		err.text[0] = '\0';
		assert_int_equal(vol_file_replace(in(*state, rows[i].name), "x",
						  1, 0600, 1, &err),
				 -1);
		assert_int_equal(errno, rows[i].error);
		assert_contains(err.text, *state);
	}
	assert_int_equal(vtest_count_entries(*state), 2); /* no leftover */
}

/* A write that fails half-way: the old content stays, the temporary file
 * goes.  A limit on the size of files stands in for a full disk. */
static void replace_on_full_disk(void **state)
{
	const char *path = in(*state, "f");
	struct rlimit was, small;
	struct vol_error err;
	int ret, error;

	assert_int_equal(vol_file_replace(path, "old", 3, 0600, 0, NULL), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = was;
	small.rlim_cur = 4;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	ret = vol_file_replace(path, "new content", 11, 0600, 0, &err);
	error = errno;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(ret, -1);
	assert_int_equal(error, EFBIG);
	assert_contains(err.text, path);
	assert_content(path, "old", 0600);
	assert_int_equal(vtest_count_entries(*state), 1);
}

static void names_too_long(void **state)
{
	char name[PATH_MAX + 10];
	struct vol_error err;

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(vol_file_replace(name, "x", 1, 0600, 0, &err), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(vol_mkdir_p(name, 0700, &err), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_null(vol_file_read(name, 10, NULL, &err));
	assert_int_equal(errno, ENAMETOOLONG);
}

static void touch(const char *folder, const char *name)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
}

/* A daemon that is killed again and again must not fill its folder. */
static void leftovers_are_removed(void **state)
{
	static const char *const others[] = {
		"x",         ".x",       ".x.12345",         ".x.1234567",
		".y.123456", "x.123456", ".x.damage.123456",
	};
	char path[PATH_MAX];

	for (size_t i = 0; i < N_ELEMENTS(others); i++)
		touch(*state, others[i]);
	touch(*state, ".x.abcDEF");
	touch(*state, ".x.123456");
	snprintf(path, sizeof(path), "%s/x", (char *)*state);
	vol_file_tidy(path);
	assert_int_equal(vtest_count_entries(*state), N_ELEMENTS(others));
	vol_file_tidy(path);
	vol_file_tidy("/nowhere/x");
	vol_file_tidy("/");
	assert_int_equal(vtest_count_entries(*state), N_ELEMENTS(others));
}

static void read_limits(void **state)
{
	static const struct {
		size_t size, max;
		int error;
	} rows[] = {
		{0, 0, 0},         {1, 0, EFBIG},         {10, 10, 0},
		{11, 10, EFBIG},   {4094, 4094, 0},       {4095, 4095, 0},
		{4096, 4096, 0},   {4097, 4096, EFBIG},   {20000, 20000, 0},
		{20000, 65536, 0}, {20000, 19999, EFBIG},
	};
	static char data[20000];
	const char *path = in(*state, "f");
	struct vol_error err;
	size_t i, len;
	char *text;

	memset(data, 'd', sizeof(data));
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		assert_int_equal(vol_file_replace(path, data, rows[i].size,
						  0600, 0, NULL),
				 0);
		text = vol_file_read(path, rows[i].max, &len, &err);
		if (rows[i].error) {
			assert_null(text);
			assert_int_equal(errno, rows[i].error);
			assert_contains(err.text, "larger than");
			continue;
		}
		assert_non_null(text);
		assert_int_equal(len, rows[i].size);
		assert_memory_equal(text, data, len);
		assert_int_equal(text[len], '\0');
		free(text);
	}
}

static void read_odd_files(void **state)
{
	struct vol_error err;
	size_t len;
	char *text;

	assert_null(vol_file_read(in(*state, "missing"), 10, NULL, &err));
	assert_int_equal(errno, ENOENT);
	assert_contains(err.text, "missing");
	assert_null(vol_file_read(*state, 10, NULL, &err));
	assert_int_equal(errno, EISDIR);
	/* /proc files say that they are empty. */
	text = vol_file_read("/proc/self/status", 65536, &len, NULL);
	assert_non_null(text);
	assert_true(len > 100);
	free(text);
	/* Would hang if the open waited for a writer. */
	assert_int_equal(mkfifo(in(*state, "fifo"), 0600), 0);
	text = vol_file_read(in(*state, "fifo"), 10, NULL, NULL);
	assert_non_null(text);
	assert_string_equal(text, "");
	free(text);
}

static void folders_are_made(void **state)
{
	static const char *const names[] = {"a/b/c", "a/b/c", "a//d/", "."};
	mode_t mask = umask(077);
	struct stat st;
	size_t i;

	for (i = 0; i < N_ELEMENTS(names); i++) {
		assert_int_equal(vol_mkdir_p(in(*state, names[i]), 0755, NULL),
				 0);
		assert_int_equal(stat(in(*state, names[i]), &st), 0);
		assert_true(S_ISDIR(st.st_mode));
	}
	umask(mask);
	assert_int_equal(stat(in(*state, "a/b"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755); /* whatever the umask */
	assert_int_equal(stat(*state, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700); /* was there: as it was */
	assert_int_equal(vol_mkdir_p("/", 0755, NULL), 0);
}

static void folders_are_refused(void **state)
{
	struct vol_error err;

	assert_int_equal(vol_mkdir_p("", 0755, &err), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(
		vol_file_replace(in(*state, "f"), "x", 1, 0600, 0, NULL), 0);
	assert_int_equal(vol_mkdir_p(in(*state, "f"), 0755, &err), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(vol_mkdir_p(in(*state, "f/sub"), 0755, &err), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_contains(err.text, "/f");
}

#define TEST(name)                                                \
	cmocka_unit_test_setup_teardown(name, vtest_folder_setup, \
					vtest_folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(replace_makes_and_changes),
		TEST(replace_without_folder),
		TEST(replace_link),
		TEST(replace_fails_clean),
		TEST(replace_on_full_disk),
		TEST(names_too_long),
		TEST(leftovers_are_removed),
		TEST(read_limits),
		TEST(read_odd_files),
		TEST(folders_are_made),
		TEST(folders_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
