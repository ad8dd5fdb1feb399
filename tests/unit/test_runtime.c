/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_runtime.c - what names of image files say */
#include "config.h"

#include "runtime.h"

#include <errno.h>

#include "ckfit.h"
#include "vtest.h"

#define DIGEST \
	"3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b"

_Static_assert(VOL_RUNTIME_SIZE == VOL_CKRUNTIME_SIZE, "one name for both");

static void names(void **state)
{
	static const struct {
		const char *path;
		enum vol_runtime_kind kind;
		const char *digest;
	} rows[] = {
		{"/srv/" DIGEST ".squashfs", VOL_RUNTIME_SQUASHFS, DIGEST},
		{"/srv/" DIGEST ".erofs", VOL_RUNTIME_EROFS, DIGEST},
		{DIGEST ".erofs", VOL_RUNTIME_EROFS, DIGEST},
		{"/srv/a.erofs/b", VOL_RUNTIME_FOLDER, ""},
		{"/srv/" DIGEST, VOL_RUNTIME_FOLDER, ""},
		{"/srv/" DIGEST ".ext4", VOL_RUNTIME_FOLDER, ""},
		{"/srv/image", VOL_RUNTIME_FOLDER, ""},
		{"/srv/erofs", VOL_RUNTIME_FOLDER, ""},
		{"/srv/x.EROFS", VOL_RUNTIME_FOLDER, ""},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		enum vol_runtime_kind kind = VOL_RUNTIME_EROFS;
		char digest[VOL_RUNTIME_SIZE] = "x";
		struct vol_error err = {""};

		if (vol_runtime_parse(rows[i].path, &kind, digest, &err) != 0)
			fail_msg("%s: %s", rows[i].path, err.text);
		assert_int_equal(kind, rows[i].kind);
		assert_string_equal(digest, rows[i].digest);
	}
	assert_null(vol_runtime_type(VOL_RUNTIME_FOLDER));
	assert_string_equal(vol_runtime_type(VOL_RUNTIME_EROFS), "erofs");
	assert_string_equal(vol_runtime_type(VOL_RUNTIME_SQUASHFS), "squashfs");
}

static void no_names(void **state)
{
	static const char *const paths[] = {
		"/srv/lab.squashfs",
		"/srv/.erofs",
		"/srv/" DIGEST "0.erofs",
		"/srv/0" DIGEST ".erofs",
		"/srv/" DIGEST ".old.erofs",
		"/srv/3A7BD3E2360A3D29EEA436FCFB7E44C735D117C42D1C1835420B6B99"
		"42DD4F1B.erofs",
		"/srv/3a7bd3e2360a3d29eea436fcfb7e44c7.squashfs",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(paths); i++) {
		enum vol_runtime_kind kind = VOL_RUNTIME_FOLDER;
		char digest[VOL_RUNTIME_SIZE] = "x";
		struct vol_error err = {""};

		errno = 0;
		assert_int_equal(
			vol_runtime_parse(paths[i], &kind, digest, &err), -1);
		assert_int_equal(errno, EINVAL);
		assert_contains(err.text, "an image file is named by its "
					  "SHA-256, 64 lower-case hex digits");
		assert_int_equal(kind, VOL_RUNTIME_FOLDER);
		assert_string_equal(digest, "x");
	}
}

static void places(void **state)
{
	static const char *const others[] = {
		"",
		"/",
		"/srv/" DIGEST,
		VOL_RUNTIME_DIR,
		VOL_RUNTIME_DIR "/",
		VOL_RUNTIME_DIR "/" DIGEST "/usr",
		VOL_RUNTIME_DIR "/" DIGEST ".erofs",
		VOL_RUNTIME_DIR "/image",
		VOL_RUNTIME_DIR DIGEST,
	};

	(void)state;
	assert_string_equal(vol_runtime_of(VOL_RUNTIME_DIR "/" DIGEST), DIGEST);
	for (size_t i = 0; i < N_ELEMENTS(others); i++)
		assert_string_equal(vol_runtime_of(others[i]), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(no_names),
		cmocka_unit_test(places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
