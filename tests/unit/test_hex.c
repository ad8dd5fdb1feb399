/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_hex.c - hexadecimal digits, and the tests' own SHA-256 */
#include "config.h"

#include "hex.h"

#include "plain_sha256.h"
#include "vtest.h"

static void test_encode(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x7f, 0x80, 0xab, 0xff};
	char text[11];

	(void)state;
	vol_hex_encode(bytes, sizeof(bytes), text);
	assert_string_equal(text, "007f80abff");
	vol_hex_encode(bytes, 0, text);
	assert_string_equal(text, "");
}

static void test_decode(void **state)
{
	static const char *const bad[] = {
		NULL,    "",
		"0",     "01",
		"0a0",   "0a0b0",
		"0a0B",  "0a 0",
		"0a0g",  " 0a0b",
		"0x0a",  "-a0b",
		"0a\n0", "\xb0\xb1\xb2\xb3",
	};
	uint8_t bytes[2] = {0x55, 0x55};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		assert_false(vol_hex_decode(bad[i], bytes, 2));
		assert_int_equal(bytes[0], 0x55);
		assert_int_equal(bytes[1], 0x55);
	}
	assert_true(vol_hex_decode("f00d", bytes, 2));
	assert_int_equal(bytes[0], 0xf0);
	assert_int_equal(bytes[1], 0x0d);
	assert_true(vol_hex_decode("", bytes, 0));
}

static void test_equal(void **state)
{
	uint8_t a[32], b[32];

	(void)state;
	memset(a, 0xa5, sizeof(a));
	memcpy(b, a, sizeof(a));
	assert_true(vol_equal_secret(a, b, sizeof(a)));
	assert_true(vol_equal_secret(a, b, 0));
	for (size_t i = 0; i < 8 * sizeof(a); i++) {
		b[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_false(vol_equal_secret(a, b, sizeof(a)));
		b[i / 8] = a[i / 8];
	}
}

static void test_random(void **state)
{
	uint8_t a[32] = {0}, b[32] = {0};

	(void)state;
	assert_int_equal(vol_random(a, sizeof(a)), 0);
	assert_int_equal(vol_random(b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
}

/* FIPS 180-4's own examples (NIST, "Example values", SHA256.pdf), and lengths
 * around a block's end against sha256sum(1). */
static void test_sha256(void **state)
{
	static const struct {
		const char *data, *digest;
	} vectors[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb924"
		     "27ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223"
			"b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039"
		 "a33ce45964ff2167f6ecedd419db06c1"},
	};
	uint8_t digest[VOL_SHA256_BYTES], block[64];
	char text[2 * VOL_SHA256_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(vectors); i++) {
		assert_int_equal(plain_sha256(vectors[i].data,
					      strlen(vectors[i].data), digest,
					      NULL),
				 0);
		vol_hex_encode(digest, sizeof(digest), text);
		assert_string_equal(text, vectors[i].digest);
	}
	memset(block, 'x', sizeof(block));
	plain_sha256(block, sizeof(block), digest, NULL);
	vol_hex_encode(digest, sizeof(digest), text);
	assert_string_equal(
		text,
		"7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode), cmocka_unit_test(test_decode),
		cmocka_unit_test(test_equal),  cmocka_unit_test(test_random),

		cmocka_unit_test(test_sha256),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
