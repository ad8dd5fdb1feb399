/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_xxh64.c - a fast sum of a file's bytes */
#include "config.h"

#include "xxh64.h"

#include "vtest.h"

static uint64_t sum(const void *data, size_t len)
{
	struct vol_xxh64 h;

	vol_xxh64_begin(&h);
	vol_xxh64_add(&h, data, len);
	return vol_xxh64_sum(&h);
}

/* What xxhsum(1), of xxhash 0.8, says of them. */
static void as_others_have_it(void **state)
{
	static const struct {
		const char *text;
		uint64_t sum;
	} known[] = {
		{"", UINT64_C(0xef46db3751d8e999)},
		{"a", UINT64_C(0xd24ec4f1a98c6e5b)},
		{"abc", UINT64_C(0x44bc2cf5ad770999)},
		{"Nobody inspects the spammish repetition",
		 UINT64_C(0xfbcea83c8a378bf1)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_int_equal(sum(known[i].text, strlen(known[i].text)),
				 known[i].sum);
	assert_int_equal(sum(NULL, 0), known[0].sum);
}

/* However the bytes come, and each of them counts. */
static void pieces_are_the_whole(void **state)
{
	uint8_t data[200];
	uint64_t whole;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 37);
	for (size_t len = 0; len <= sizeof(data); len++) {
		whole = sum(data, len);
		for (size_t piece = 1; piece <= 70; piece++) {
			struct vol_xxh64 h;

			vol_xxh64_begin(&h);
			for (size_t at = 0; at < len; at += piece)
				vol_xxh64_add(&h, data + at,
					      len - at < piece ? len - at
							       : piece);
			assert_int_equal(vol_xxh64_sum(&h), whole);
		}
		if (len == 0)
			continue;
		assert_int_not_equal(sum(data, len - 1), whole);
		data[len / 2] ^= 1;
		assert_int_not_equal(sum(data, len), whole);
		data[len / 2] ^= 1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_others_have_it),
		cmocka_unit_test(pieces_are_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
