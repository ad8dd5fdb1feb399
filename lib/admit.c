/* SPDX-License-Identifier: GPL-2.0-or-later */
/* admit.c - who may come in: the one decision, pure */
#include "config.h"

#include "admit.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const char *const approve_names[] = {
	[VOL_APPROVE_ASK] = "ask",
	[VOL_APPROVE_ALL] = "all",
	[VOL_APPROVE_TOKEN] = "token",
};

/* The order is that in which a refusal is looked for. */
static const struct vol_refusal other_key = {
	"bad_id", "it claims to be a device whose key it does not hold", 600000,
	false};
static const struct vol_refusal no_key = {
	"not_enrolled", "links without a key are not let in here", 600000,
	false};
static const struct vol_refusal revoked = {
	"not_enrolled", "an administrator has revoked this device", 600000,
	false};
static const struct vol_refusal clash = {
	"duplicate_id", "another key is known for this device", 600000, false};
/* One text for all that can be wrong: it must not help to guess. */
static const struct vol_refusal bad_token = {
	"bad_token", "this token is not valid, or not any more", 5000, false};
static const struct vol_refusal later = {
	"busy", "the token can not be checked just now", 2000, false};
static const struct vol_refusal want_token = {
	"not_enrolled", "this controller wants a token (volunteer join TOKEN)",
	60000, false};
static const struct vol_refusal want_knock = {
	"knock", "this device is not approved yet", 100, false};

static enum vol_admission refuse(const struct vol_refusal *why,
				 struct vol_refusal *refusal)
{
	*refusal = *why;
	return VOL_ADMIT_REFUSE;
}

static enum vol_admission with_token(const struct vol_admit *a,
				     struct vol_refusal *refusal)
{
	switch (a->token) {
	case VOL_TOKEN_GIVEN:
		return VOL_ADMIT_REDEEM;
	case VOL_TOKEN_OK:
		return VOL_ADMIT_APPROVE_TOKEN;
	case VOL_TOKEN_LATER:
		return refuse(&later, refusal);
	default:
		return refuse(&bad_token, refusal);
	}
}

enum vol_admission vol_admit(const struct vol_admit *a,
			     struct vol_refusal *refusal)
{
	if (a->key == VOL_KEY_OTHER)
		return refuse(&other_key, refusal);
	if (a->key == VOL_KEY_NONE)
		return refuse(&no_key, refusal);
	if (a->standing == VOL_STANDING_REVOKED)
		return refuse(&revoked, refusal);
	if (a->standing == VOL_STANDING_CLASH)
		return refuse(&clash, refusal);
	if (a->standing == VOL_STANDING_APPROVED)
		return VOL_ADMIT_IN;
	if (a->token != VOL_TOKEN_NONE)
		return with_token(a, refusal);
	if (a->mode == VOL_APPROVE_ALL)
		return VOL_ADMIT_APPROVE_ALL;
	if (a->mode == VOL_APPROVE_TOKEN)
		return refuse(&want_token, refusal);
	return a->knock ? VOL_ADMIT_PEND : refuse(&want_knock, refusal);
}

enum vol_admit_standing vol_admit_standing(const struct vol_device *device,
					   const struct vol_fingerprint *key)
{
	char text[VOL_FINGERPRINT_SIZE] = "";

	if (!device)
		return VOL_STANDING_STRANGER;
	/* Also of one that shows no key, or another one with this identity. */
	if (device->standing == VOL_REVOKED)
		return VOL_STANDING_REVOKED;
	if (key)
		vol_fingerprint_text(key, text);
	/* An entry without a key takes the first that its identity is of. */
	if (*device->fingerprint && strcmp(device->fingerprint, text) != 0)
		return VOL_STANDING_CLASH;
	return device->standing == VOL_APPROVED ? VOL_STANDING_APPROVED
						: VOL_STANDING_PENDING;
}

enum vol_admit_key vol_admit_key(const char *id,
				 const struct vol_fingerprint *key)
{
	char own[VOL_DEVICE_ID_SIZE];

	if (!key)
		return VOL_KEY_NONE;
	vol_fingerprint_id(key, own);
	return strcmp(own, id) == 0 ? VOL_KEY_PROVEN : VOL_KEY_OTHER;
}

enum vol_admit_token vol_admit_token(enum vol_redeem redeem)
{
	switch (redeem) {
	case VOL_REDEEM_OK:
		return VOL_TOKEN_OK;
	case VOL_REDEEM_FAILED:
		return VOL_TOKEN_LATER;
	default:
		return VOL_TOKEN_BAD;
	}
}

const char *vol_approve_name(enum vol_approve mode)
{
	return mode <= VOL_APPROVE_TOKEN ? approve_names[mode] : "unknown";
}

int vol_approve_parse(const char *text, enum vol_approve *mode)
{
	for (int i = VOL_APPROVE_ASK; i <= VOL_APPROVE_TOKEN; i++) {
		if (strcmp(text, approve_names[i]) == 0) {
			*mode = i;
			return 0;
		}
	}
	errno = EINVAL;
	return -1;
}
