/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_fingerprint.c - text and back, equality, and the identity in it */
#include "config.h"

#include "fingerprint.h"

#include <errno.h>

#include "vtest.h"

#define TEXT "00112233445566778899aabbccddeeff0123456789abcdef0f1e2d3c4b5a6978"

static void there_and_back(void **state)
{
	struct vol_fingerprint f;
	char text[VOL_FINGERPRINT_SIZE];

	(void)state;
	assert_int_equal(vol_fingerprint_parse(TEXT, &f, NULL), 0);
	assert_int_equal(f.byte[0], 0x00);
	assert_int_equal(f.byte[10], 0xaa);
	assert_int_equal(f.byte[31], 0x78);
	vol_fingerprint_text(&f, text);
	assert_string_equal(text, TEXT);
}

static void bad_texts(void **state)
{
	static const char *const rows[] = {
		"",
		"0",
		/* one short, one long, upper case, not hex */
		"0011223344556677889900aabbccddeeff0123456789abcdef0f1e2d3c4b5a6",
		TEXT "0",
		TEXT TEXT,
		"00112233445566778899AABBCCDDEEFF"
		"0123456789abcdef0f1e2d3c4b5a6978",
		"00112233445566778899aabbccddeefg"
		"0123456789abcdef0f1e2d3c4b5a6978",
		" 0112233445566778899aabbccddeeff"
		"0123456789abcdef0f1e2d3c4b5a6978",
		"0011223344556677-899aabbccddeeff"
		"0123456789abcdef0f1e2d3c4b5a6978",
		"0011223344556677\x80"
		"899aabbccddeeff0123456789abcdef0f1e2d3c4b5a6978",
		TEXT "\n",
	};
	struct vol_fingerprint f, before;
	struct vol_error err;

	(void)state;
	memset(&f, 0x5a, sizeof(f));
	before = f;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		err.text[0] = '\0';
		errno = 0;
		assert_int_equal(vol_fingerprint_parse(rows[i], &f, &err), -1);
		assert_int_equal(errno, EINVAL);
		assert_contains(err.text, "64 digits");
		assert_printable(err.text);
		assert_memory_equal(&f, &before, sizeof(f));
	}
}

/* Each single bit counts. */
static void equality(void **state)
{
	struct vol_fingerprint a, b;

	(void)state;
	assert_int_equal(vol_fingerprint_parse(TEXT, &a, NULL), 0);
	b = a;
	assert_true(vol_fingerprint_equal(&a, &b));
	for (size_t i = 0; i < 8 * sizeof(b.byte); i++) {
		b = a;
		b.byte[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_false(vol_fingerprint_equal(&a, &b));
	}
}

static void identity(void **state)
{
	struct vol_fingerprint f;
	char id[VOL_DEVICE_ID_SIZE];

	(void)state;
	assert_int_equal(vol_fingerprint_parse(TEXT, &f, NULL), 0);
	vol_fingerprint_id(&f, id);
	assert_string_equal(id, "00112233445566778899aabbccddeeff");
	assert_true(vol_device_id_valid(id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(bad_texts),
		cmocka_unit_test(equality),
		cmocka_unit_test(identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
