/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fingerprint.c - the name of a key */
#include "config.h"

#include "fingerprint.h"

#include <errno.h>
#include <string.h>

#include "text.h"

static void write_hex(const uint8_t *byte, size_t n, char *text)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		text[2 * i] = hex[byte[i] >> 4];
		text[2 * i + 1] = hex[byte[i] & 15];
	}
	text[2 * n] = '\0';
}

void vol_fingerprint_text(const struct vol_fingerprint *f,
			  char text[VOL_FINGERPRINT_SIZE])
{
	write_hex(f->byte, sizeof(f->byte), text);
}

static uint8_t nibble(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

int vol_fingerprint_parse(const char *text, struct vol_fingerprint *f,
			  struct vol_error *err)
{
	size_t len = strnlen(text, VOL_FINGERPRINT_SIZE);
	char excerpt[VOL_EXCERPT_SIZE];

	if (len != VOL_FINGERPRINT_SIZE - 1 ||
	    strspn(text, "0123456789abcdef") != len)
		return vol_errorf_errno(
			err, EINVAL,
			"%s: not the fingerprint of a key, which has %d digits "
			"of 0-9 and a-f",
			vol_text_excerpt(text, len, excerpt),
			VOL_FINGERPRINT_SIZE - 1);
	for (size_t i = 0; i < sizeof(f->byte); i++)
		f->byte[i] = (uint8_t)(nibble(text[2 * i]) << 4 |
				       nibble(text[2 * i + 1]));
	return 0;
}

bool vol_fingerprint_equal(const struct vol_fingerprint *a,
			   const struct vol_fingerprint *b)
{
	/* volatile: no compiler may find out that it can stop early. */
	volatile uint8_t difference = 0;

	for (size_t i = 0; i < sizeof(a->byte); i++)
		difference = difference | (a->byte[i] ^ b->byte[i]);
	return difference == 0;
}

void vol_fingerprint_id(const struct vol_fingerprint *f,
			char id[VOL_DEVICE_ID_SIZE])
{
	write_hex(f->byte, (VOL_DEVICE_ID_SIZE - 1) / 2, id);
}
