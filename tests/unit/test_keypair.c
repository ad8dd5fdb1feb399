/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_keypair.c - a key file is made once, kept, and never trusted blindly */
#include "config.h"

#include "keypair.h"

#include <errno.h>
#include <sys/stat.h>

#include "atomicfile.h"
#include "digest.h"

#include "vtest.h"

/* The first key of RFC 8032 7.1, and the fingerprint of its public half. */
#define KNOWN                                                                \
	"-----BEGIN PRIVATE KEY-----\n"                                      \
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n" \
	"-----END PRIVATE KEY-----\n"
#define KNOWN_FINGERPRINT \
	"06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9"

static void put(const char *folder, const char *text, mode_t mode,
		char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/some.key", folder);
	unlink(path);
	assert_int_equal(
		vol_file_replace(path, text, strlen(text), mode, 0, NULL), 0);
}

static void made_once(void **state)
{
	char path[PATH_MAX];
	struct vol_keypair *a, *b;
	struct stat st;

	snprintf(path, sizeof(path), "%s/some.key", (char *)*state);
	a = vol_keypair_load(path, NULL);
	assert_non_null(a);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(vtest_count_entries(*state), 1);
	b = vol_keypair_load(path, NULL);
	assert_non_null(b);
	assert_true(vol_fingerprint_equal(vol_keypair_fingerprint(a),
					  vol_keypair_fingerprint(b)));
	vol_keypair_destroy(b);
	/* And each is another one. */
	b = vol_keypair_make(NULL);
	assert_false(vol_fingerprint_equal(vol_keypair_fingerprint(a),
					   vol_keypair_fingerprint(b)));
	vol_keypair_destroy(a);
	vol_keypair_destroy(b);
}

static void a_known_key(void **state)
{
	char path[PATH_MAX], text[VOL_FINGERPRINT_SIZE];
	struct vol_keypair *k;

	put(*state, KNOWN, 0600, path);
	k = vol_keypair_load(path, NULL);
	assert_non_null(k);
	vol_fingerprint_text(vol_keypair_fingerprint(k), text);
	assert_string_equal(text, KNOWN_FINGERPRINT);
	vol_keypair_destroy(k);
}

static void others_may_read(void **state)
{
	static const mode_t modes[] = {0640, 0604, 0644, 0660, 0606, 0601};
	char path[PATH_MAX];
	struct vol_error err;

	for (size_t i = 0; i < N_ELEMENTS(modes); i++) {
		put(*state, KNOWN, modes[i], path);
		assert_null(vol_keypair_load(path, &err));
		assert_int_equal(errno, EPERM);
		assert_contains(err.text, path);
	}
}

/* Whatever is there stays as it is. */
static void damaged_files(void **state)
{
	static const struct {
		const char *text, *reason;
	} rows[] = {
		{"", ""},
		{"\n", ""},
		{"0123456789abcdef0123456789abcdef\n", ""},
		{"-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n"
		 "-----END PRIVATE KEY-----\n",
		 ""},
		{"-----BEGIN PRIVATE KEY-----\n"
		 "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7\n",
		 ""},
		/* Half a file. */
		{"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw", ""},
		/* Of other kinds: ECDSA, Ed448. */
		{"-----BEGIN PRIVATE KEY-----\n"
		 "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAY8N4yHu7NDSz"
		 "+tzuxTwttQT8ESWiqXPMx2MIxhHmjuhRANCAATqj7L3JwZf1V1luL19k4si0Z"
		 "EidpdebLGWj9gDNEfEbYBQ6dKw+6ebLgLJyX2HWXg3RWtqRHsIKTjtD5gnvAq"
		 "O\n-----END PRIVATE KEY-----\n",
		 "not an Ed25519 key, but EC"},
		{"-----BEGIN PRIVATE KEY-----\n"
		 "MEcCAQAwBQYDK2VxBDsEOeIuepUEoo6qsiLVDvSARoFj9mb5BtkvGnHgI7AcH"
		 "QsFWAdrA9sWZRDckwt9dT6/uuL7mMiqgSzing==\n"
		 "-----END PRIVATE KEY-----\n",
		 "not an Ed25519 key, but EdDSA"},
	};
	char path[PATH_MAX];
	struct vol_error err;
	char *after;

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		put(*state, rows[i].text, 0600, path);
		err.text[0] = '\0';
		assert_null(vol_keypair_load(path, &err));
		assert_int_equal(errno, EBADMSG);
		assert_contains(err.text, path);
		assert_contains(err.text, "remove it");
		assert_contains(err.text, rows[i].reason);
		assert_printable(err.text);
		after = vol_file_read(path, 4096, NULL, NULL);
		assert_string_equal(after, rows[i].text);
		free(after);
	}
}

static void too_large(void **state)
{
	char path[PATH_MAX], *text = calloc(1, 8192);
	struct vol_error err;

	memset(text, 'A', 8191);
	put(*state, text, 0600, path);
	assert_null(vol_keypair_load(path, &err));
	assert_int_equal(errno, EFBIG);
	assert_contains(err.text, path);
	free(text);
}

static void no_file_at_all(void **state)
{
	char path[PATH_MAX];
	struct vol_error err;

	/* A folder, a link, and a folder that is not there. */
	assert_null(vol_keypair_load(*state, &err));
	assert_contains(err.text, *state);
	snprintf(path, sizeof(path), "%s/link", (char *)*state);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_null(vol_keypair_load(path, &err));
	assert_contains(err.text, path);
	snprintf(path, sizeof(path), "%s/none/some.key", (char *)*state);
	assert_null(vol_keypair_load(path, &err));
	assert_contains(err.text, "none/");
	vol_keypair_destroy(NULL);
}

static void foreign_keys(void **state)
{
	struct vol_fingerprint f;
	struct vol_error err;

	(void)state;
	assert_int_equal(vol_keypair_fingerprint_of("", 0, &f, &err), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(vol_keypair_fingerprint_of("\x30\x03\x02\x01", 4, &f,
						    &err),
			 -1);
	assert_int_equal(errno, EBADMSG);
	assert_printable(err.text);
}

/* FIPS 180-4's own examples. */
static void sha256(void **state)
{
	static const struct {
		const char *text, *digest;
	} rows[] = {
		{"",
		 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b"
		 "855"},
		{"abc",
		 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f2001"
		 "5ad"},
	};
	struct vol_fingerprint f;
	char text[VOL_FINGERPRINT_SIZE];

	(void)state;
	assert_int_equal(vol_sha256(NULL, 0, f.byte, NULL), 0);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		assert_int_equal(vol_sha256(rows[i].text, strlen(rows[i].text),
					    f.byte, NULL),
				 0);
		vol_fingerprint_text(&f, text);
		assert_string_equal(text, rows[i].digest);
	}
}

#define IN_A_FOLDER(test)                                         \
	cmocka_unit_test_setup_teardown(test, vtest_folder_setup, \
					vtest_folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(made_once),         IN_A_FOLDER(a_known_key),
		IN_A_FOLDER(others_may_read),   IN_A_FOLDER(damaged_files),
		IN_A_FOLDER(too_large),         IN_A_FOLDER(no_file_at_all),
		cmocka_unit_test(foreign_keys), cmocka_unit_test(sha256),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
