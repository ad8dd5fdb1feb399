/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_forecastfile.c - written as documented, read as written, or refused */
#include "config.h"

#include "forecastfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vtest.h"

#define SAVED INT64_C(1795000000)

static void fill(struct vol_forecastfile_record *r, char digit)
{
	memset(r, 0, sizeof(*r));
	memset(r->id, digit, sizeof(r->id) - 1);
	r->evictions.total = 0x01020304;
	r->evictions.newest = 0x05060708;
	r->evictions.last = INT64_C(0x1112131415161718);
	r->evictions.slots[0] = 0x2122;
	r->evictions.slots[VOL_TALLY_SLOTS - 1] = 0x3132;
	memset(r->model, digit, sizeof(r->model));
}

static uint8_t *make(uint32_t n, size_t *len)
{
	struct vol_forecastfile_record r;
	uint8_t *buf = vol_forecastfile_new(n, SAVED, len);
	uint32_t i;

	assert_non_null(buf);
	for (i = 0; i < n; i++) {
		fill(&r, (char)('a' + i));
		vol_forecastfile_put(buf, i, &r);
	}
	vol_forecastfile_seal(buf);
	return buf;
}

static void comes_back(void **state)
{
	struct vol_forecastfile_record want, got;
	struct vol_error err = {""};
	int64_t saved = 0;
	uint32_t n = 99, i, count;
	uint8_t *buf;
	size_t len;

	(void)state;
	for (count = 0; count <= 6; count++) {
		buf = make(count, &len);
		assert_int_equal(len, 32 + count * 672);
		assert_int_equal(
			vol_forecastfile_check(buf, len, &n, &saved, &err), 0);
		assert_int_equal(n, count);
		assert_int_equal(saved, SAVED);
		for (i = 0; i < count; i++) {
			fill(&want, (char)('a' + i));
			memset(&got, 0, sizeof(got));
			vol_forecastfile_get(buf, i, &got);
			assert_memory_equal(&got, &want, sizeof(got));
			assert_int_equal(vol_forecastfile_find(buf, n, want.id),
					 i);
		}
		fill(&want, 'f');
		assert_int_equal(vol_forecastfile_find(buf, n, want.id),
				 count == 6 ? 5 : UINT32_MAX);
		fill(&want, '0');
		assert_int_equal(vol_forecastfile_find(buf, n, want.id),
				 UINT32_MAX);
		free(buf);
	}
}

/* The places that the header names. */
static void layout(void **state)
{
	static const struct {
		size_t at, len;
		const char *bytes;
	} places[] = {
		{0, 8, "VOLFCAST"},
		{8, 4, "\x01\x00\x00\x00"},
		{12, 4, "\x01\x00\x00\x00"},
		{32, 4, "aaaa"},
		{32 + 32, 4, "\x04\x03\x02\x01"},
		{32 + 36, 4, "\x08\x07\x06\x05"},
		{32 + 40, 8, "\x18\x17\x16\x15\x14\x13\x12\x11"},
		{32 + 48, 2, "\x22\x21"},
		{32 + 158, 2, "\x32\x31"},
		{32 + 160, 4, "aaaa"},
	};
	size_t len, i;
	uint8_t *buf = make(1, &len);

	(void)state;
	for (i = 0; i < N_ELEMENTS(places); i++)
		if (memcmp(buf + places[i].at, places[i].bytes, places[i].len))
			fail_msg("at %zu", places[i].at);
	free(buf);
}

static void refuse(const uint8_t *buf, size_t len, const char *why)
{
	struct vol_error err = {""};
	int64_t saved = 7;
	uint32_t n = 7;

	errno = 0;
	assert_int_equal(vol_forecastfile_check(buf, len, &n, &saved, &err),
			 -1);
	assert_int_equal(errno, EINVAL);
	assert_contains(err.text, why);
	assert_printable(err.text);
	assert_int_equal(n, 7);
	assert_int_equal(saved, 7);
}

static void damaged(void **state)
{
	struct vol_forecastfile_record r;
	size_t len, i;
	uint8_t *buf = make(3, &len);

	(void)state;
	refuse(NULL, 0, "not a forecast file");
	for (i = 0; i < len; i++)
		refuse(buf, i, "");
	for (i = 0; i < len; i++) {
		buf[i] ^= 0x10;
		refuse(buf, len, "");
		buf[i] ^= 0x10;
	}
	buf[8] = 2;
	vol_forecastfile_seal(buf);
	refuse(buf, len, "version 2");
	buf[8] = 1;
	/* Two of one, or the wrong way round: nobody could find them. */
	fill(&r, 'a');
	vol_forecastfile_put(buf, 1, &r);
	vol_forecastfile_seal(buf);
	refuse(buf, len, "record 2: out of order");
	fill(&r, 'X');
	vol_forecastfile_put(buf, 1, &r);
	vol_forecastfile_seal(buf);
	refuse(buf, len, "record 2: not an identity");
	free(buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(layout),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
