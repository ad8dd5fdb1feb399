/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_pin.c - whose key a device insists on, and where it keeps it */
#include "config.h"

#include "device/pin.h"

#include <errno.h>
#include <sys/stat.h>

#include "atomicfile.h"

#include "vtest.h"

#define KEY   "00112233445566778899aabbccddeeff0123456789abcdef0f1e2d3c4b5a6978"
#define OTHER "11112233445566778899aabbccddeeff0123456789abcdef0f1e2d3c4b5a6978"

static struct vol_fingerprint key(const char *text)
{
	struct vol_fingerprint f;

	assert_int_equal(vol_fingerprint_parse(text, &f, NULL), 0);
	return f;
}

static void kept(void **state)
{
	struct vol_pin pin, again;
	struct vol_fingerprint first = key(KEY), other = key(OTHER);
	char path[PATH_MAX];

	assert_int_equal(vol_pin_load(*state, &pin, NULL), 0);
	assert_false(pin.known);
	assert_int_equal(vol_pin_keep(*state, &pin, &first, "lab", NULL), 0);
	assert_int_equal(vol_pin_load(*state, &again, NULL), 0);
	assert_true(again.known);
	assert_true(vol_fingerprint_equal(&again.key, &first));
	assert_string_equal(again.cluster, "lab");
	/* The same again is not written. */
	snprintf(path, sizeof(path), "%s/" VOL_PIN_FILE, (char *)*state);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(vol_pin_keep(*state, &pin, &first, "lab", NULL), 0);
	assert_int_equal(access(path, F_OK), -1);
	/* Another key, or another cluster, is. */
	assert_int_equal(vol_pin_keep(*state, &pin, &other, "lab", NULL), 0);
	assert_int_equal(vol_pin_keep(*state, &pin, &other, "hall", NULL), 0);
	assert_int_equal(vol_pin_load(*state, &again, NULL), 0);
	assert_true(vol_fingerprint_equal(&again.key, &other));
	assert_string_equal(again.cluster, "hall");
}

/* A disk that is full is no reason to trust somebody else. */
static void not_written(void **state)
{
	struct vol_fingerprint first = key(KEY);
	struct vol_pin pin = {.known = false};
	struct vol_error err;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/none", (char *)*state);
	assert_int_equal(vol_pin_keep(path, &pin, &first, "lab", &err), -1);
	assert_contains(err.text, "none/");
	assert_true(pin.known);
	assert_true(vol_fingerprint_equal(&pin.key, &first));
}

static void damaged(void **state)
{
	static const char *const rows[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"cluster\": \"lab\"}",
		"{\"key\": \"" KEY "\"}",
		"{\"cluster\": \"lab\", \"key\": \"0123\"}",
		"{\"cluster\": \"lab\", \"key\": \"" KEY "0\"}",
		"{\"cluster\": 1, \"key\": \"" KEY "\"}",
		"{\"cluster\": \"lab\", \"key\": \"" KEY "\", \"x\": 1}",
		"{\"cluster\": \"lab\", \"key\": \"" OTHER "\", \"key\": \"" KEY
		"\"}",
		"{\"cluster\": \"a234567890b234567890c234567890d234567890"
		"e234567890f234567890g234567890\", \"key\": \"" KEY "\"}",
	};
	struct vol_error err;
	char path[PATH_MAX];
	struct vol_pin pin;

	snprintf(path, sizeof(path), "%s/" VOL_PIN_FILE, (char *)*state);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		assert_int_equal(vol_file_replace(path, rows[i],
						  strlen(rows[i]), 0644, 0,
						  NULL),
				 0);
		assert_int_equal(vol_pin_load(*state, &pin, &err), -1);
		assert_int_equal(errno, EBADMSG);
		assert_false(pin.known);
		assert_contains(err.text, path);
		assert_contains(err.text, "remove it");
		assert_printable(err.text);
	}
}

static void choices(void **state)
{
	static const struct {
		const char *known, *of; /* what is kept */
		const char *conf, *cluster;
		const char *choice; /* NULL: anybody */
	} rows[] = {
		{NULL, NULL, NULL, NULL, NULL},
		{NULL, NULL, NULL, "lab", NULL},
		{KEY, "lab", NULL, NULL, KEY},
		{KEY, "lab", NULL, "lab", KEY},
		/* The owner names another cluster. */
		{KEY, "lab", NULL, "hall", NULL},
		/* The owner's word before anything else. */
		{NULL, NULL, OTHER, NULL, OTHER},
		{KEY, "lab", OTHER, NULL, OTHER},
		{KEY, "lab", OTHER, "hall", OTHER},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct vol_device_conf conf = {
			.controller_key = (char *)rows[i].conf,
			.cluster = (char *)rows[i].cluster,
		};
		struct vol_pin pin = {.known = rows[i].known != NULL};
		struct vol_tls_pin choice;

		if (pin.known) {
			pin.key = key(rows[i].known);
			strcpy(pin.cluster, rows[i].of);
		}
		vol_pin_choose(&pin, &conf, &choice);
		if (!rows[i].choice) {
			assert_int_equal(choice.bytes, 0);
			continue;
		}
		assert_int_equal(choice.bytes, VOL_FINGERPRINT_BYTES);
		assert_memory_equal(choice.key.byte, key(rows[i].choice).byte,
				    VOL_FINGERPRINT_BYTES);
	}
}

#define IN_A_FOLDER(test)                                         \
	cmocka_unit_test_setup_teardown(test, vtest_folder_setup, \
					vtest_folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(kept),
		IN_A_FOLDER(not_written),
		IN_A_FOLDER(damaged),
		cmocka_unit_test(choices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
