/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_admit.c - the decision at the door, for everything that can be
 *
 * The tables below name all 450 combinations, one letter for each.
 */
#include "config.h"

#include "admit.h"

#include <errno.h>

#include "vtest.h"

#define N_MODES     3
#define N_KEYS      3
#define N_STANDINGS 5
#define N_TOKENS    5

/* + let in   A approve, by the mode   T approve, by the token   ? redeem first
 * P pending  and refused:
 * x another key's message   n no key      r revoked   c clash   b bad token
 * l token later             t wants a token   k knock first */
static const struct {
	bool knock;
	enum vol_admit_key key;
	/* One text a mode (ask, all, token); in it one word for each standing
	 * (stranger, pending, approved, revoked, clash), one letter for each
	 * token (none, given, ok, bad, later). */
	const char *expected[N_MODES];
} tables[] = {
	{false,
	 VOL_KEY_NONE,
	 {"nnnnn nnnnn nnnnn nnnnn nnnnn", "nnnnn nnnnn nnnnn nnnnn nnnnn",
	  "nnnnn nnnnn nnnnn nnnnn nnnnn"}},
	{true,
	 VOL_KEY_NONE,
	 {"nnnnn nnnnn nnnnn nnnnn nnnnn", "nnnnn nnnnn nnnnn nnnnn nnnnn",
	  "nnnnn nnnnn nnnnn nnnnn nnnnn"}},
	{false,
	 VOL_KEY_OTHER,
	 {"xxxxx xxxxx xxxxx xxxxx xxxxx", "xxxxx xxxxx xxxxx xxxxx xxxxx",
	  "xxxxx xxxxx xxxxx xxxxx xxxxx"}},
	{true,
	 VOL_KEY_OTHER,
	 {"xxxxx xxxxx xxxxx xxxxx xxxxx", "xxxxx xxxxx xxxxx xxxxx xxxxx",
	  "xxxxx xxxxx xxxxx xxxxx xxxxx"}},
	{false,
	 VOL_KEY_PROVEN,
	 {"k?Tbl k?Tbl +++++ rrrrr ccccc", "A?Tbl A?Tbl +++++ rrrrr ccccc",
	  "t?Tbl t?Tbl +++++ rrrrr ccccc"}},
	{true,
	 VOL_KEY_PROVEN,
	 {"P?Tbl P?Tbl +++++ rrrrr ccccc", "A?Tbl A?Tbl +++++ rrrrr ccccc",
	  "t?Tbl t?Tbl +++++ rrrrr ccccc"}},
};

static const struct {
	char letter;
	const char *code, *part;
	uint32_t retry_min_ms;
} refusals[] = {
	{'x', "bad_id", "key it does not hold", 60000},
	{'n', "not_enrolled", "without a key", 60000},
	{'r', "not_enrolled", "revoked", 60000},
	{'c', "duplicate_id", "another key", 60000},
	{'b', "bad_token", "not valid", 1000},
	{'l', "busy", "just now", 1000},
	{'t', "not_enrolled", "wants a token", 60000},
	{'k', "knock", "not approved", 0},
};

static char letter_of(enum vol_admission verdict,
		      const struct vol_refusal *refusal)
{
	switch (verdict) {
	case VOL_ADMIT_IN:
		return '+';
	case VOL_ADMIT_APPROVE_ALL:
		return 'A';
	case VOL_ADMIT_APPROVE_TOKEN:
		return 'T';
	case VOL_ADMIT_REDEEM:
		return '?';
	case VOL_ADMIT_PEND:
		return 'P';
	case VOL_ADMIT_REFUSE:
		break;
	}
	for (size_t i = 0; i < N_ELEMENTS(refusals); i++)
		if (strcmp(refusal->code, refusals[i].code) == 0 &&
		    strstr(refusal->reason, refusals[i].part)) {
			assert_true(refusal->retry_ms >=
				    refusals[i].retry_min_ms);
			return refusals[i].letter;
		}
	return '!';
}

static void test_all(void **state)
{
	size_t looked = 0;

	(void)state;
	assert_int_equal(N_ELEMENTS(tables), 2 * N_KEYS);
	for (size_t i = 0;
	     i < N_ELEMENTS(tables) * N_MODES * N_STANDINGS * N_TOKENS; i++) {
		struct vol_admit a = {
			.token = i % N_TOKENS,
			.standing = i / N_TOKENS % N_STANDINGS,
			.mode = i / N_TOKENS / N_STANDINGS % N_MODES,
		};
		size_t table = i / N_TOKENS / N_STANDINGS / N_MODES;
		struct vol_refusal refusal = {"", "", 0, false};
		char want, got;

		a.knock = tables[table].knock;
		a.key = tables[table].key;
		want = tables[table].expected[a.mode][6 * a.standing + a.token];
		got = letter_of(vol_admit(&a, &refusal), &refusal);
		if (got != want)
			fail_msg("%s, key %d, mode %d, standing %d, token %d: "
				 "%c instead of %c",
				 a.knock ? "knock" : "hello", a.key, a.mode,
				 a.standing, a.token, got, want);
		looked++;
	}
	assert_int_equal(looked, 450);
}

/* What the table must never say, whatever is in it. */
static void test_rules(void **state)
{
	(void)state;
	for (int i = 0; i < 450; i++) {
		struct vol_admit a = {
			.token = i % 5,
			.standing = i / 5 % 5,
			.mode = i / 25 % 3,
			.key = i / 75 % 3,
			.knock = i / 225,
		};
		struct vol_refusal refusal;
		enum vol_admission v = vol_admit(&a, &refusal);
		bool in = v != VOL_ADMIT_REFUSE && v != VOL_ADMIT_PEND &&
			  v != VOL_ADMIT_REDEEM;

		if (a.standing == VOL_STANDING_REVOKED ||
		    a.standing == VOL_STANDING_CLASH || a.key == VOL_KEY_OTHER)
			assert_int_equal(v, VOL_ADMIT_REFUSE);
		if (in && a.standing != VOL_STANDING_APPROVED &&
		    a.mode != VOL_APPROVE_ALL)
			assert_int_equal(a.token, VOL_TOKEN_OK);
		if (v != VOL_ADMIT_REFUSE)
			assert_int_equal(a.key, VOL_KEY_PROVEN);
		/* No use of a token is lost on who is in, or never will be. */
		if (v == VOL_ADMIT_REDEEM)
			assert_true(a.standing <= VOL_STANDING_PENDING);
	}
}

static void test_standing(void **state)
{
	struct vol_fingerprint key = {{1, 2}}, other = {{1, 2}};
	struct vol_device d = {.standing = VOL_APPROVED};

	(void)state;
	other.byte[31] = 9;
	assert_int_equal(vol_admit_standing(NULL, NULL), VOL_STANDING_STRANGER);
	assert_int_equal(vol_admit_standing(NULL, &key), VOL_STANDING_STRANGER);
	/* From before there were keys. */
	assert_int_equal(vol_admit_standing(&d, NULL), VOL_STANDING_APPROVED);
	assert_int_equal(vol_admit_standing(&d, &key), VOL_STANDING_APPROVED);
	vol_fingerprint_text(&key, d.fingerprint);
	assert_int_equal(vol_admit_standing(&d, &key), VOL_STANDING_APPROVED);
	assert_int_equal(vol_admit_standing(&d, &other), VOL_STANDING_CLASH);
	assert_int_equal(vol_admit_standing(&d, NULL), VOL_STANDING_CLASH);
	d.standing = VOL_PENDING;
	assert_int_equal(vol_admit_standing(&d, &key), VOL_STANDING_PENDING);
	assert_int_equal(vol_admit_standing(&d, &other), VOL_STANDING_CLASH);
	d.standing = VOL_REVOKED;
	assert_int_equal(vol_admit_standing(&d, &key), VOL_STANDING_REVOKED);
	assert_int_equal(vol_admit_standing(&d, &other), VOL_STANDING_REVOKED);
	assert_int_equal(vol_admit_standing(&d, NULL), VOL_STANDING_REVOKED);
}

static void test_key(void **state)
{
	struct vol_fingerprint key = {{0xab, 0xcd}};

	(void)state;
	assert_int_equal(vol_admit_key("abcd0000000000000000000000000000",
				       NULL),
			 VOL_KEY_NONE);
	assert_int_equal(vol_admit_key("abcd0000000000000000000000000000",
				       &key),
			 VOL_KEY_PROVEN);
	assert_int_equal(vol_admit_key("abcd0000000000000000000000000001",
				       &key),
			 VOL_KEY_OTHER);
	assert_int_equal(vol_admit_key("", &key), VOL_KEY_OTHER);
}

static void test_words(void **state)
{
	enum vol_approve mode;

	(void)state;
	for (int i = VOL_APPROVE_ASK; i <= VOL_APPROVE_TOKEN; i++) {
		assert_int_equal(vol_approve_parse(vol_approve_name(i), &mode),
				 0);
		assert_int_equal(mode, i);
	}
	assert_int_equal(vol_approve_parse("All", &mode), -1);
	assert_int_equal(errno, EINVAL);
	assert_string_equal(vol_approve_name(99), "unknown");
	for (int i = VOL_REDEEM_UNKNOWN; i < VOL_REDEEM_FAILED; i++)
		assert_int_equal(vol_admit_token(i), VOL_TOKEN_BAD);
	assert_int_equal(vol_admit_token(VOL_REDEEM_OK), VOL_TOKEN_OK);
	assert_int_equal(vol_admit_token(VOL_REDEEM_FAILED), VOL_TOKEN_LATER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),      cmocka_unit_test(test_rules),
		cmocka_unit_test(test_standing), cmocka_unit_test(test_key),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
