/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jointoken.c - the one line that lets a device in */
#include "config.h"

#include "jointoken.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "hex.h"

#define VERSION "1"
#define PREFIX  "sv" VERSION "-"

#define BODY  (sizeof(struct vol_jointoken))
#define CHECK 2
#define BYTES (BODY + CHECK)
#define CHARS ((BYTES * 8 + 4) / 5)

_Static_assert(BODY == VOL_JOINTOKEN_CONTROLLER + VOL_JOINTOKEN_ID +
			       VOL_JOINTOKEN_SECRET,
	       "bytes only, so no padding");
_Static_assert(sizeof(PREFIX) - 1 + CHARS + 1 == VOL_JOINTOKEN_SIZE, "size");

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

static uint16_t crc16(const uint8_t *bytes, size_t n)
{
	uint16_t crc = 0xffff;

	for (size_t i = 0; i < n; i++) {
		crc = (uint16_t)(crc ^ bytes[i] << 8);
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021
						      : crc << 1);
	}
	return crc;
}

const char *vol_jointoken_text(const struct vol_jointoken *token,
			       char text[VOL_JOINTOKEN_SIZE])
{
	uint8_t bytes[BYTES + 1] = {0}; /* the last character's spare bit */
	char *out = text + sizeof(PREFIX) - 1;
	uint16_t crc;

	memcpy(text, PREFIX, sizeof(PREFIX) - 1);
	memcpy(bytes, token, BODY);
	crc = crc16(bytes, BODY);
	bytes[BODY] = (uint8_t)(crc >> 8);
	bytes[BODY + 1] = (uint8_t)crc;
	for (size_t i = 0; i < CHARS; i++) {
		size_t bit = 5 * i;
		unsigned two =
			(unsigned)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];

		out[i] = alphabet[two >> (11 - bit % 8) & 31];
	}
	out[CHARS] = '\0';
	return text;
}

static int check_prefix(const char *text, struct vol_error *err)
{
	size_t digits;

	if (strncasecmp(text, PREFIX, sizeof(PREFIX) - 1) == 0)
		return 0;
	if (strncasecmp(text, PREFIX, strlen(text)) == 0)
		return vol_errorf_errno(err, ENODATA, "the token is cut off");
	digits = strncasecmp(text, "sv", 2) == 0
			 ? strspn(text + 2, "0123456789")
			 : 0;
	if (digits > 0 && digits <= 4 && text[2 + digits] == '-')
		return vol_errorf_errno(err, EPROTONOSUPPORT,
					"the token is of version %.*s; this "
					"device knows version " VERSION " only",
					(int)digits, text + 2);
	return vol_errorf_errno(err, EINVAL,
				"this is not a token: one begins with " PREFIX);
}

/* The characters as bytes, or the place of the first wrong one (from 1). */
static size_t decode(const char *chars, size_t n, uint8_t bytes[BYTES + 1])
{
	memset(bytes, 0, BYTES + 1);
	for (size_t i = 0; i < n; i++) {
		int c = tolower((unsigned char)chars[i]);
		const char *at = c ? strchr(alphabet, c) : NULL;
		size_t bit = 5 * i;
		unsigned two;

		if (!at)
			return i + 1;
		two = (unsigned)(at - alphabet) << (11 - bit % 8);
		bytes[bit / 8] |= (uint8_t)(two >> 8);
		bytes[bit / 8 + 1] |= (uint8_t)two;
	}
	return 0;
}

int vol_jointoken_parse(const char *text, struct vol_jointoken *token,
			struct vol_error *err)
{
	size_t prefix = sizeof(PREFIX) - 1, len, wrong;
	uint8_t bytes[BYTES + 1];
	uint16_t crc;

	if (!text || !*text)
		return vol_errorf_errno(err, EINVAL, "the token is empty");
	if (check_prefix(text, err) < 0)
		return -1;
	len = strnlen(text, VOL_JOINTOKEN_SIZE);
	wrong = decode(text + prefix,
		       len - prefix < CHARS ? len - prefix : CHARS, bytes);
	if (wrong)
		return vol_errorf_errno(err, EINVAL,
					"the token is mistyped: character %zu "
					"can not be in one",
					prefix + wrong);
	if (len < VOL_JOINTOKEN_SIZE - 1)
		return vol_errorf_errno(err, ENODATA,
					"the token is cut off: %zu of %d "
					"characters",
					len, VOL_JOINTOKEN_SIZE - 1);
	if (len > VOL_JOINTOKEN_SIZE - 1)
		return vol_errorf_errno(err, EINVAL,
					"the token is mistyped: longer than %d "
					"characters",
					VOL_JOINTOKEN_SIZE - 1);
	crc = (uint16_t)(bytes[BODY] << 8 | bytes[BODY + 1]);
	/* bytes[BYTES]: the spare bit, so that each token has one text. */
	if (crc != crc16(bytes, BODY) || bytes[BYTES] != 0)
		return vol_errorf_errno(err, EINVAL,
					"the token is mistyped: its check does "
					"not fit");
	memcpy(token, bytes, BODY);
	return 0;
}

bool vol_jointoken_is_of(const struct vol_jointoken *token,
			 const struct vol_fingerprint *key)
{
	return vol_equal_secret(token->controller, key->byte,
				sizeof(token->controller));
}
