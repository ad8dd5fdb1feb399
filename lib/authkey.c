/* SPDX-License-Identifier: GPL-2.0-or-later */
/* authkey.c - the cluster's Slurm key */
#include "config.h"

#include "authkey.h"

#include <errno.h>
#include <string.h>

#include "hex.h"

#define HEX "0123456789abcdef"

void vol_authkey_wipe(struct vol_authkey *k)
{
	explicit_bzero(k, sizeof(*k));
}

int vol_authkey_set(struct vol_authkey *k, const void *data, size_t len,
		    vol_sha256_f sha256, struct vol_error *err)
{
	uint8_t digest[VOL_SHA256_BYTES];

	if (len < VOL_AUTHKEY_MIN || len > VOL_AUTHKEY_MAX)
		return vol_errorf_errno(err, ERANGE,
					"a key of %zu bytes: want %d to %d",
					len, VOL_AUTHKEY_MIN, VOL_AUTHKEY_MAX);
	if (sha256(data, len, digest, err) < 0)
		return -1;
	vol_authkey_wipe(k);
	memcpy(k->byte, data, len);
	k->bytes = len;
	vol_hex_encode(digest, VOL_AUTHKEY_ID_BYTES, k->id);
	return 0;
}

int vol_authkey_make(struct vol_authkey *k, vol_sha256_f sha256,
		     struct vol_error *err)
{
	uint8_t bytes[VOL_AUTHKEY_NEW];
	int rc;

	if (vol_random(bytes, sizeof(bytes)) < 0)
		return vol_errorf(err, "no random numbers: %s",
				  strerror(errno));
	rc = vol_authkey_set(k, bytes, sizeof(bytes), sha256, err);
	explicit_bzero(bytes, sizeof(bytes));
	return rc;
}

int vol_authkey_parse(struct vol_authkey *k, const char *text, const char *id,
		      vol_sha256_f sha256, struct vol_error *err)
{
	struct vol_authkey fresh = {.bytes = 0};
	uint8_t bytes[VOL_AUTHKEY_MAX];
	int rc = -1;

	if (!vol_authkey_text_valid(text) ||
	    !vol_hex_decode(text, bytes, strlen(text) / 2))
		vol_errorf_errno(err, EINVAL, "that is not a key");
	else if (vol_authkey_set(&fresh, bytes, strlen(text) / 2, sha256, err) <
		 0)
		rc = -1;
	else if (strcmp(fresh.id, id) != 0)
		vol_errorf_errno(err, EBADMSG,
				 "the key is %s, and was called %s", fresh.id,
				 id);
	else
		rc = 0;
	if (rc == 0)
		*k = fresh;
	explicit_bzero(bytes, sizeof(bytes));
	vol_authkey_wipe(&fresh);
	return rc;
}

void vol_authkey_text(const struct vol_authkey *k,
		      char text[VOL_AUTHKEY_TEXT_SIZE])
{
	vol_hex_encode(k->byte, k->bytes, text);
}

bool vol_authkey_id_valid(const char *text)
{
	return strlen(text) == VOL_AUTHKEY_ID_SIZE - 1 &&
	       strspn(text, HEX) == VOL_AUTHKEY_ID_SIZE - 1;
}

bool vol_authkey_text_valid(const char *text)
{
	size_t len = strlen(text);

	return len % 2 == 0 && len >= 2 * VOL_AUTHKEY_MIN &&
	       len <= 2 * VOL_AUTHKEY_MAX && strspn(text, HEX) == len;
}

bool vol_handout_allows(enum vol_handout handout, const char *by)
{
	switch (handout) {
	case VOL_HANDOUT_ALL:
		return true;
	case VOL_HANDOUT_APPROVED:
		return strncmp(by, "token ", strlen("token ")) == 0 ||
		       strncmp(by, "uid ", strlen("uid ")) == 0;
	case VOL_HANDOUT_NO:
		break;
	}
	return false;
}
