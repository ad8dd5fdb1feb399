/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_shortcode.c - both ends together, one in between, and all out of turn */
#include "config.h"

#include "shortcode.h"

#include <errno.h>

#include "plain_sha256.h"
#include "vtest.h"

enum { CONTROLLER = 1, DEVICE = 2, NONCE_C = 3, NONCE_D = 4, OTHER = 9 };

/* 32 bytes of one value. */
static const uint8_t *all(int value)
{
	static uint8_t bytes[256][32];

	memset(bytes[value], value, sizeof(bytes[value]));
	return bytes[value];
}

static void init(struct vol_shortcode *s, int controller, int device)
{
	struct vol_fingerprint c, d;

	memset(&c, controller, sizeof(c));
	memset(&d, device, sizeof(d));
	vol_shortcode_init(s, &c, &d);
}

static int no_digest(const void *data, size_t len,
		     uint8_t digest[VOL_SHA256_BYTES], struct vol_error *err)
{
	(void)data;
	(void)len;
	memset(digest, 0, VOL_SHA256_BYTES);
	return vol_errorf_errno(err, ENOTSUP, "no digest here");
}

static void start(struct vol_shortcode *c, struct vol_shortcode *d)
{
	init(c, CONTROLLER, DEVICE);
	init(d, CONTROLLER, DEVICE);
	assert_int_equal(
		vol_shortcode_begin(d, all(NONCE_D), plain_sha256, NULL), 0);
}

/* The code was computed with Python's hashlib. */
static void test_agree(void **state)
{
	struct vol_shortcode c, d;

	(void)state;
	start(&c, &d);
	assert_int_equal(d.state, VOL_SHORTCODE_COMMITTED);
	assert_string_equal(d.code, "");
	assert_int_equal(d.commit[0], 0xc1);
	assert_int_equal(d.commit[31], 0x59);
	assert_int_equal(
		vol_shortcode_committed(&c, d.commit, all(NONCE_C), NULL), 0);
	assert_int_equal(c.state, VOL_SHORTCODE_COMMITTED);
	assert_string_equal(c.code, "");
	assert_int_equal(
		vol_shortcode_answer(&d, c.nonce_c, plain_sha256, NULL), 0);
	assert_int_equal(d.state, VOL_SHORTCODE_AGREED);
	assert_int_equal(
		vol_shortcode_revealed(&c, d.nonce_d, plain_sha256, NULL), 0);
	assert_int_equal(c.state, VOL_SHORTCODE_AGREED);
	assert_string_equal(c.code, "034326");
	assert_string_equal(d.code, c.code);
}

/* All that goes into the code changes it. */
static void test_between(void **state)
{
	static const int seen[][4] = {
		{OTHER, DEVICE, NONCE_C, NONCE_D},
		{CONTROLLER, OTHER, NONCE_C, NONCE_D},
		{CONTROLLER, DEVICE, OTHER, NONCE_D},
		{CONTROLLER, DEVICE, NONCE_C, OTHER},
		{DEVICE, CONTROLLER, NONCE_C, NONCE_D},
		{CONTROLLER, DEVICE, NONCE_D, NONCE_C},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(seen); i++) {
		struct vol_shortcode d;

		init(&d, seen[i][0], seen[i][1]);
		assert_int_equal(vol_shortcode_begin(&d, all(seen[i][3]),
						     plain_sha256, NULL),
				 0);
		assert_int_equal(vol_shortcode_answer(&d, all(seen[i][2]),
						      plain_sha256, NULL),
				 0);
		assert_string_not_equal(d.code, "034326");
		assert_int_equal(strlen(d.code), 6);
	}
}

static void expect_failed(struct vol_shortcode *s, int rc, int errnum,
			  const char *part, const struct vol_error *err)
{
	assert_int_equal(rc, -1);
	assert_int_equal(errno, errnum);
	assert_contains(err->text, part);
	assert_int_equal(s->state, VOL_SHORTCODE_FAILED);
	assert_string_equal(s->code, "");
}

/* Another number than the committed one: each bit. */
static void test_wrong_reveal(void **state)
{
	struct vol_shortcode c, d;
	struct vol_error err;

	(void)state;
	for (size_t i = 0; i < 8 * VOL_SHORTCODE_NONCE; i++) {
		uint8_t nonce[VOL_SHORTCODE_NONCE];
		int rc;

		start(&c, &d);
		assert_int_equal(vol_shortcode_committed(&c, d.commit,
							 all(NONCE_C), NULL),
				 0);
		memcpy(nonce, d.nonce_d, sizeof(nonce));
		nonce[i / 8] ^= (uint8_t)(1 << i % 8);
		rc = vol_shortcode_revealed(&c, nonce, plain_sha256, &err);
		expect_failed(&c, rc, EPROTO, "committed", &err);
		/* The right one is too late. */
		rc = vol_shortcode_revealed(&c, d.nonce_d, plain_sha256, &err);
		expect_failed(&c, rc, EPROTO, "out of turn", &err);
	}
}

enum step { BEGIN, ANSWER, COMMITTED, REVEALED };

static int take(struct vol_shortcode *s, enum step step, vol_sha256_f sha256,
		struct vol_error *err)
{
	uint8_t commit[VOL_SHA256_BYTES];
	struct vol_shortcode d;

	init(&d, CONTROLLER, DEVICE);
	vol_shortcode_begin(&d, all(NONCE_D), plain_sha256, NULL);
	memcpy(commit, d.commit, sizeof(commit));
	switch (step) {
	case BEGIN:
		return vol_shortcode_begin(s, all(NONCE_D), sha256, err);
	case ANSWER:
		return vol_shortcode_answer(s, all(NONCE_C), sha256, err);
	case COMMITTED:
		return vol_shortcode_committed(s, commit, all(NONCE_C), err);
	default:
		return vol_shortcode_revealed(s, all(NONCE_D), sha256, err);
	}
}

/* Every state of either end, and every step that is not the next one. */
static void test_out_of_turn(void **state)
{
	/* The way of each end, and how far it has come. */
	static const enum step device[] = {BEGIN, ANSWER};
	static const enum step controller[] = {COMMITTED, REVEALED};

	(void)state;
	for (int side = 0; side < 2; side++) {
		const enum step *way = side ? controller : device;

		for (int done = 0; done <= 2; done++) {
			/* A step of the other end is possible for a new one
			 * only, whose end is not known yet, and for one that
			 * has committed: both ends hold the same then. */
			for (int step = BEGIN; step <= REVEALED; step++) {
				struct vol_shortcode s;
				struct vol_error err;
				bool first = step == BEGIN || step == COMMITTED;

				init(&s, CONTROLLER, DEVICE);
				for (int i = 0; i < done; i++)
					assert_int_equal(take(&s, way[i],
							      plain_sha256,
							      NULL),
							 0);
				if (done < 2 && first == (done == 0))
					continue;
				expect_failed(
					&s, take(&s, step, plain_sha256, &err),
					EPROTO, "code: ", &err);
				/* For good. */
				for (int i = BEGIN; i <= REVEALED; i++)
					expect_failed(&s,
						      take(&s, i, plain_sha256,
							   &err),
						      EPROTO, "code: ", &err);
			}
		}
	}
}

/* A device that answers a number in place of its commit's reveal, recorded from
 * another link: the controller's number is another one there. */
static void test_replay(void **state)
{
	struct vol_shortcode first, again, d;

	(void)state;
	start(&first, &d);
	vol_shortcode_committed(&first, d.commit, all(NONCE_C), NULL);
	assert_int_equal(
		vol_shortcode_answer(&d, first.nonce_c, plain_sha256, NULL), 0);
	assert_int_equal(vol_shortcode_revealed(&first, d.nonce_d, plain_sha256,
						NULL),
			 0);
	init(&again, CONTROLLER, OTHER);
	vol_shortcode_committed(&again, d.commit, all(OTHER), NULL);
	assert_int_equal(vol_shortcode_revealed(&again, d.nonce_d, plain_sha256,
						NULL),
			 0);
	assert_string_not_equal(again.code, first.code);
}

static void test_no_digest(void **state)
{
	struct vol_shortcode s;
	struct vol_error err;

	(void)state;
	init(&s, CONTROLLER, DEVICE);
	expect_failed(&s, take(&s, BEGIN, no_digest, &err), ENOTSUP, "digest",
		      &err);
	init(&s, CONTROLLER, DEVICE);
	assert_int_equal(take(&s, BEGIN, plain_sha256, NULL), 0);
	expect_failed(&s, take(&s, ANSWER, no_digest, &err), ENOTSUP, "digest",
		      &err);
	init(&s, CONTROLLER, DEVICE);
	assert_int_equal(take(&s, COMMITTED, plain_sha256, NULL), 0);
	expect_failed(&s, take(&s, REVEALED, no_digest, &err), ENOTSUP,
		      "digest", &err);
}

/* Six digits each, leading zeros kept, spread over all of the range. */
static void test_spread(void **state)
{
	unsigned tenths[10] = {0};

	(void)state;
	for (int i = 0; i < 250; i++) {
		struct vol_shortcode d;

		init(&d, CONTROLLER, DEVICE);
		vol_shortcode_begin(&d, all(i), plain_sha256, NULL);
		vol_shortcode_answer(&d, all(NONCE_C), plain_sha256, NULL);
		assert_int_equal(strspn(d.code, "0123456789"), 6);
		assert_int_equal(strlen(d.code), 6);
		tenths[d.code[0] - '0']++;
	}
	for (size_t i = 0; i < N_ELEMENTS(tenths); i++)
		assert_in_range(tenths[i], 5, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agree),
		cmocka_unit_test(test_between),
		cmocka_unit_test(test_wrong_reveal),
		cmocka_unit_test(test_out_of_turn),
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_no_digest),
		cmocka_unit_test(test_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
