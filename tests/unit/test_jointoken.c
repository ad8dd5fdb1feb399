/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_jointoken.c - the token's text: vectors, slips of the hand, versions */
#include "config.h"

#include "jointoken.h"

#include <ctype.h>
#include <errno.h>

#include "vtest.h"

#define ALPHABET "abcdefghijklmnopqrstuvwxyz234567"

/* Made with Python's base64.b32encode and a CRC that gives 0x29b1 for
 * "123456789", as CRC-16/CCITT-FALSE must. */
#define ZEROS \
	"sv1-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaacatk"
#define ONES "sv1-7777777777777777777777777777777777777777777777777777777774wqy"
#define COUNT \
	"sv1-aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypsaijcep4qa"

static void fill(struct vol_jointoken *token, int first, int step)
{
	uint8_t *bytes = (uint8_t *)token;

	for (size_t i = 0; i < sizeof(*token); i++)
		bytes[i] = (uint8_t)(first + (int)i * step);
}

static void test_vectors(void **state)
{
	static const struct {
		int first, step;
		const char *text;
	} vectors[] = {{0, 0, ZEROS}, {255, 0, ONES}, {0, 1, COUNT}};
	struct vol_jointoken token, back;
	char text[VOL_JOINTOKEN_SIZE];
	struct vol_error err = {""};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(vectors); i++) {
		fill(&token, vectors[i].first, vectors[i].step);
		assert_string_equal(vol_jointoken_text(&token, text),
				    vectors[i].text);
		assert_int_equal(strlen(text), VOL_JOINTOKEN_SIZE - 1);
		if (vol_jointoken_parse(text, &back, &err) < 0)
			fail_msg("%s", err.text);
		assert_memory_equal(&back, &token, sizeof(token));
		for (char *p = text; *p; p++)
			*p = (char)toupper((unsigned char)*p);
		assert_int_equal(vol_jointoken_parse(text, &back, NULL), 0);
		assert_memory_equal(&back, &token, sizeof(token));
	}
}

static void refuse(const char *text, int errnum, const char *part)
{
	struct vol_jointoken token, before;
	struct vol_error err = {""};

	memset(&token, 0x5a, sizeof(token));
	before = token;
	errno = 0;
	assert_int_equal(vol_jointoken_parse(text, &token, &err), -1);
	assert_contains(err.text, part);
	assert_int_equal(errno, errnum);
	assert_printable(err.text);
	assert_memory_equal(&token, &before, sizeof(token));
	/* What is in a log is read by many. */
	if (text && strlen(text) > 30)
		assert_null(strstr(err.text, "ibceqtcqkrm"));
}

static void test_words(void **state)
{
	static const struct {
		const char *text;
		int errnum;
		const char *part;
	} bad[] = {
		{NULL, EINVAL, "empty"},
		{"", EINVAL, "empty"},
		{"desk1", EINVAL, "one begins with sv1-"},
		{"-", EINVAL, "not a token"},
		{" " COUNT, EINVAL, "not a token"},
		{"tskey-auth-abc", EINVAL, "not a token"},
		{"sv-", EINVAL, "not a token"},
		{"sv12345-aaaa", EINVAL, "not a token"},
		{"s", ENODATA, "cut off"},
		{"sv1", ENODATA, "cut off"},
		{"sv1-", ENODATA, "cut off: 4 of 65"},
		{"sv2-aaaa", EPROTONOSUPPORT, "version 2;"},
		{"SV17-", EPROTONOSUPPORT, "version 17;"},
		{COUNT "a", EINVAL, "longer than 65"},
		{COUNT " ", EINVAL, "longer than 65"},
		{COUNT COUNT COUNT, EINVAL, "longer than 65"},
		/* The spare bit. */
		{"sv1-aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypsai"
		 "jcep4qb",
		 EINVAL, "check does not fit"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++)
		refuse(bad[i].text, bad[i].errnum, bad[i].part);
}

static void test_cut(void **state)
{
	char text[] = COUNT;

	(void)state;
	for (size_t len = VOL_JOINTOKEN_SIZE - 2; len > 0; len--) {
		text[len] = '\0';
		refuse(text, ENODATA, "cut off");
	}
}

/* Each character in place of each other one, and two neighbours swapped. */
static void test_mistyped(void **state)
{
	char text[] = COUNT, place[32];

	(void)state;
	for (size_t i = 4; i < VOL_JOINTOKEN_SIZE - 1; i++) {
		char right = text[i];

		for (const char *c = ALPHABET; *c; c++) {
			text[i] = *c;
			if (*c != right)
				refuse(text, EINVAL, "check does not fit");
		}
		snprintf(place, sizeof(place), "character %zu can", i + 1);
		for (int c = 1; c < 256; c++) {
			text[i] = (char)c;
			if (!strchr(ALPHABET, tolower(c)))
				refuse(text, EINVAL, place);
		}
		text[i] = right;
		if (i > 4 && text[i - 1] != right) {
			text[i] = text[i - 1];
			text[i - 1] = right;
			refuse(text, EINVAL, "check does not fit");
			text[i - 1] = text[i];
			text[i] = right;
		}
	}
}

static void test_is_of(void **state)
{
	struct vol_fingerprint key;
	struct vol_jointoken token;

	(void)state;
	fill(&token, 7, 3);
	memset(&key, 0xee, sizeof(key));
	memcpy(key.byte, token.controller, sizeof(token.controller));
	assert_true(vol_jointoken_is_of(&token, &key));
	for (size_t i = 0; i < sizeof(token.controller); i++) {
		key.byte[i] ^= 1;
		assert_false(vol_jointoken_is_of(&token, &key));
		key.byte[i] ^= 1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors), cmocka_unit_test(test_words),
		cmocka_unit_test(test_cut),     cmocka_unit_test(test_mistyped),
		cmocka_unit_test(test_is_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
