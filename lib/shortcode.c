/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shortcode.c - six digits that both ends of a link compute and a person
 * compares */
#include "config.h"

#include "shortcode.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hex.h"

#define LABEL_COMMIT "slurm-volunteer code commit"
#define LABEL_CODE   "slurm-volunteer code"
#define CODES        1000000

void vol_shortcode_init(struct vol_shortcode *s,
			const struct vol_fingerprint *controller,
			const struct vol_fingerprint *device)
{
	memset(s, 0, sizeof(*s));
	s->controller = *controller;
	s->device = *device;
}

static int fail(struct vol_shortcode *s, const char *reason,
		struct vol_error *err)
{
	s->state = VOL_SHORTCODE_FAILED;
	memset(s->code, 0, sizeof(s->code));
	return vol_errorf_errno(err, EPROTO, "code: %s", reason);
}

/* errno and *err are the library's. */
static int no_digest(struct vol_shortcode *s, struct vol_error *err)
{
	s->state = VOL_SHORTCODE_FAILED;
	return vol_error_prefix(err, "code");
}

/* Labels have different lengths, and all that follows has a fixed one, so no
 * input of one digest is one of the other. */
static int commit_to(const uint8_t nonce[VOL_SHORTCODE_NONCE],
		     vol_sha256_f sha256, uint8_t commit[VOL_SHA256_BYTES],
		     struct vol_error *err)
{
	uint8_t text[sizeof(LABEL_COMMIT) - 1 + VOL_SHORTCODE_NONCE];

	memcpy(text, LABEL_COMMIT, sizeof(LABEL_COMMIT) - 1);
	memcpy(text + sizeof(LABEL_COMMIT) - 1, nonce, VOL_SHORTCODE_NONCE);
	return sha256(text, sizeof(text), commit, err);
}

static int agree(struct vol_shortcode *s, vol_sha256_f sha256,
		 struct vol_error *err)
{
	struct {
		char label[sizeof(LABEL_CODE) - 1];
		uint8_t controller[VOL_FINGERPRINT_BYTES];
		uint8_t device[VOL_FINGERPRINT_BYTES];
		uint8_t nonce_c[VOL_SHORTCODE_NONCE];
		uint8_t nonce_d[VOL_SHORTCODE_NONCE];
	} text;
	uint8_t d[VOL_SHA256_BYTES];
	uint64_t number = 0;

	memcpy(text.label, LABEL_CODE, sizeof(text.label));
	memcpy(text.controller, s->controller.byte, sizeof(text.controller));
	memcpy(text.device, s->device.byte, sizeof(text.device));
	memcpy(text.nonce_c, s->nonce_c, sizeof(text.nonce_c));
	memcpy(text.nonce_d, s->nonce_d, sizeof(text.nonce_d));
	if (sha256(&text, sizeof(text), d, err) < 0)
		return no_digest(s, err);
	for (int i = 0; i < 8; i++)
		number = number << 8 | d[i];
	snprintf(s->code, sizeof(s->code), "%06" PRIu32,
		 (uint32_t)(number % CODES));
	s->state = VOL_SHORTCODE_AGREED;
	return 0;
}

int vol_shortcode_begin(struct vol_shortcode *s,
			const uint8_t nonce[VOL_SHORTCODE_NONCE],
			vol_sha256_f sha256, struct vol_error *err)
{
	if (s->state != VOL_SHORTCODE_NEW)
		return fail(s, "begun twice", err);
	memcpy(s->nonce_d, nonce, sizeof(s->nonce_d));
	if (commit_to(nonce, sha256, s->commit, err) < 0)
		return no_digest(s, err);
	s->state = VOL_SHORTCODE_COMMITTED;
	return 0;
}

int vol_shortcode_answer(struct vol_shortcode *s,
			 const uint8_t nonce[VOL_SHORTCODE_NONCE],
			 vol_sha256_f sha256, struct vol_error *err)
{
	if (s->state != VOL_SHORTCODE_COMMITTED)
		return fail(s, "a number out of turn", err);
	memcpy(s->nonce_c, nonce, sizeof(s->nonce_c));
	return agree(s, sha256, err);
}

int vol_shortcode_committed(struct vol_shortcode *s,
			    const uint8_t commit[VOL_SHA256_BYTES],
			    const uint8_t nonce[VOL_SHORTCODE_NONCE],
			    struct vol_error *err)
{
	if (s->state != VOL_SHORTCODE_NEW)
		return fail(s, "committed twice", err);
	memcpy(s->commit, commit, sizeof(s->commit));
	memcpy(s->nonce_c, nonce, sizeof(s->nonce_c));
	s->state = VOL_SHORTCODE_COMMITTED;
	return 0;
}

int vol_shortcode_revealed(struct vol_shortcode *s,
			   const uint8_t nonce[VOL_SHORTCODE_NONCE],
			   vol_sha256_f sha256, struct vol_error *err)
{
	uint8_t commit[VOL_SHA256_BYTES];

	if (s->state != VOL_SHORTCODE_COMMITTED)
		return fail(s, "a number out of turn", err);
	if (commit_to(nonce, sha256, commit, err) < 0)
		return no_digest(s, err);
	if (!vol_equal_secret(commit, s->commit, sizeof(commit)))
		return fail(s, "the number is not the one that was committed",
			    err);
	memcpy(s->nonce_d, nonce, sizeof(s->nonce_d));
	return agree(s, sha256, err);
}
