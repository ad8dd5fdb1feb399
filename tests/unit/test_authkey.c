/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_authkey.c - the Slurm key: codec, file, and who may have it */
#include "config.h"

#include "authkey.h"
#include "authkey_file.h"

#include <errno.h>
#include <sys/stat.h>

#include "vtest.h"

#include "hex.h"

/* Not SHA-256, but different for keys that differ in a byte. */
static int digest(const void *data, size_t len, uint8_t out[VOL_SHA256_BYTES],
		  struct vol_error *err)
{
	const uint8_t *byte = data;

	(void)err;
	memset(out, 0, VOL_SHA256_BYTES);
	for (size_t i = 0; i < len; i++)
		out[i % VOL_AUTHKEY_ID_BYTES] =
			(uint8_t)(31 * out[i % VOL_AUTHKEY_ID_BYTES] + byte[i]);
	return 0;
}

static void fill(struct vol_authkey *k, uint8_t byte, size_t len)
{
	uint8_t bytes[VOL_AUTHKEY_MAX];

	memset(bytes, byte, len);
	assert_int_equal(vol_authkey_set(k, bytes, len, digest, NULL), 0);
}

static void lengths_are_bounded(void **state)
{
	static const struct {
		size_t len;
		bool good;
	} cases[] = {
		{0, false},
		{VOL_AUTHKEY_MIN - 1, false},
		{VOL_AUTHKEY_MIN, true},
		{128, true},
		{VOL_AUTHKEY_MAX, true},
		{VOL_AUTHKEY_MAX + 1, false},
	};
	static const uint8_t bytes[VOL_AUTHKEY_MAX + 1];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct vol_authkey k = {.bytes = 7};
		struct vol_error err = {""};
		int rc = vol_authkey_set(&k, bytes, cases[i].len, digest, &err);

		assert_int_equal(rc == 0, cases[i].good);
		assert_int_equal(k.bytes, cases[i].good ? cases[i].len : 7);
	}
}

static void text_there_and_back(void **state)
{
	struct vol_authkey a = {0}, b = {0};
	char text[VOL_AUTHKEY_TEXT_SIZE];

	(void)state;
	assert_int_equal(vol_authkey_make(&a, digest, NULL), 0);
	assert_int_equal(a.bytes, VOL_AUTHKEY_NEW);
	assert_true(vol_authkey_id_valid(a.id));
	vol_authkey_text(&a, text);
	assert_true(vol_authkey_text_valid(text));
	assert_int_equal(vol_authkey_parse(&b, text, a.id, digest, NULL), 0);
	assert_memory_equal(&a, &b, sizeof(a));
	vol_authkey_wipe(&b);
	assert_int_equal(b.bytes, 0);
	for (size_t i = 0; i < sizeof(b.byte); i++)
		assert_int_equal(b.byte[i], 0);
	/* Two are not the same. */
	assert_int_equal(vol_authkey_make(&b, digest, NULL), 0);
	assert_string_not_equal(a.id, b.id);
}

static void what_is_no_key_changes_nothing(void **state)
{
	struct vol_authkey good = {0}, k;
	char text[VOL_AUTHKEY_TEXT_SIZE], other[VOL_AUTHKEY_TEXT_SIZE + 2];
	struct vol_error err = {""};

	(void)state;
	fill(&good, 0xab, 64);
	vol_authkey_text(&good, text);
	k = good;
	/* One digit of it is another one. */
	strcpy(other, text);
	other[17] = other[17] == '0' ? '1' : '0';
	assert_int_equal(vol_authkey_parse(&k, other, good.id, digest, &err),
			 -1);
	assert_int_equal(errno, EBADMSG);
	assert_null(strstr(err.text, "abababab"));
	for (size_t cut = 0; cut < 128; cut++) {
		strcpy(other, text);
		other[cut] = '\0';
		assert_int_equal(vol_authkey_parse(&k, other, good.id, digest,
						   &err),
				 -1);
	}
	strcpy(other, text);
	other[3] = 'g';
	assert_int_equal(vol_authkey_parse(&k, other, good.id, digest, &err),
			 -1);
	assert_int_equal(errno, EINVAL);
	memset(other, '0', sizeof(other) - 1);
	other[sizeof(other) - 1] = '\0';
	assert_int_equal(vol_authkey_parse(&k, other, good.id, digest, &err),
			 -1);
	assert_memory_equal(&k, &good, sizeof(k));
}

static void ids(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{"0123456789abcdef", true},  {"", false},
		{"0123456789abcde", false},  {"0123456789abcdef0", false},
		{"0123456789ABCDEF", false}, {"../../../../etc/", false},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++)
		assert_int_equal(vol_authkey_id_valid(cases[i].text),
				 cases[i].good);
}

static void who_may_have_it(void **state)
{
	static const struct {
		const char *by;
		bool approved, all;
	} cases[] = {
		{"token 0a1b2c3d", true, true},
		{"uid 0", true, true},
		{"uid 1000", true, true},
		{"all", false, true},
		{"", false, true},
		{"uid", false, true},
		{"tokens", false, true},
		{"all uid 0", false, true},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		assert_int_equal(vol_handout_allows(VOL_HANDOUT_APPROVED,
						    cases[i].by),
				 cases[i].approved);
		assert_int_equal(vol_handout_allows(VOL_HANDOUT_ALL,
						    cases[i].by),
				 cases[i].all);
		assert_false(vol_handout_allows(VOL_HANDOUT_NO, cases[i].by));
	}
	assert_false(vol_handout_allows((enum vol_handout)9, "uid 0"));
}

static void name(char *path, const char *folder, const char *file)
{
	snprintf(path, PATH_MAX, "%s/%s", folder, file);
}

static void installed_and_loaded(void **state)
{
	struct vol_authkey a = {0}, b = {0}, got = {0};
	char path[PATH_MAX], old[PATH_MAX];
	struct stat st;

	name(path, *state, "munge.key");
	name(old, *state, "munge.key.old");
	fill(&a, 1, 64);
	fill(&b, 2, 1024);
	assert_int_equal(vol_authkey_load(path, &got, digest, NULL), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(vol_authkey_install(path, &a, true, NULL), 0);
	assert_int_equal(access(old, F_OK), -1);
	assert_int_equal(vol_authkey_load(path, &got, digest, NULL), 0);
	assert_string_equal(got.id, a.id);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(vol_authkey_install(path, &b, true, NULL), 0);
	assert_int_equal(vol_authkey_load(old, &got, digest, NULL), 0);
	assert_string_equal(got.id, a.id);
	assert_int_equal(stat(old, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(vol_authkey_install(path, &a, false, NULL), 0);
	assert_int_equal(vol_authkey_load(old, &got, digest, NULL), 0);
	assert_string_equal(got.id, a.id);
	assert_int_equal(vol_authkey_load(path, &got, digest, NULL), 0);
	assert_string_equal(got.id, a.id);
	assert_int_equal(vtest_count_entries(*state), 2);
}

/* munged reads it as the user whose the folder is. */
static void it_is_the_folders_owners(void **state)
{
	struct vol_authkey a = {0};
	char path[PATH_MAX];
	struct stat st;

	if (geteuid() != 0)
		skip();
	fill(&a, 1, 64);
	name(path, *state, "munge.key");
	assert_int_equal(chown(*state, 4711, 4712), 0);
	assert_int_equal(vol_authkey_install(path, &a, false, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 4711);
	assert_int_equal(st.st_gid, 4712);
	assert_int_equal(st.st_mode & 07777, 0400);
}

static void files_that_are_not_taken(void **state)
{
	struct vol_authkey a = {0}, got = {0};
	char path[PATH_MAX], link[PATH_MAX];
	struct vol_error err = {""};
	static const mode_t bad[] = {0404, 0402, 0420, 0666, 0444};

	fill(&a, 1, 64);
	name(path, *state, "key");
	name(link, *state, "link");
	assert_int_equal(vol_authkey_install(path, &a, false, NULL), 0);
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		assert_int_equal(chmod(path, bad[i]), 0);
		assert_int_equal(vol_authkey_load(path, &got, digest, &err),
				 -1);
		assert_int_equal(errno, EPERM);
	}
	/* How an ACL for one user looks. */
	assert_int_equal(chmod(path, 0440), 0);
	assert_int_equal(vol_authkey_load(path, &got, digest, &err), 0);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(vol_authkey_load(link, &got, digest, &err), -1);
	assert_int_equal(vol_authkey_load(*state, &got, digest, &err), -1);
	unlink(link);
	assert_int_equal(mkfifo(link, 0600), 0);
	assert_int_equal(vol_authkey_load(link, &got, digest, &err), -1);
	assert_int_equal(truncate(path, 31), 0);
	assert_int_equal(vol_authkey_load(path, &got, digest, &err), -1);
	assert_contains(err.text, path);
	assert_string_equal(got.id, a.id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(text_there_and_back),
		cmocka_unit_test(what_is_no_key_changes_nothing),
		cmocka_unit_test(ids),
		cmocka_unit_test(who_may_have_it),
		cmocka_unit_test_setup_teardown(installed_and_loaded,
						vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(it_is_the_folders_owners,
						vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(files_that_are_not_taken,
						vtest_folder_setup,
						vtest_folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
