/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hex.c - bytes as lower-case hexadecimal digits, and comparing secrets */
#include "config.h"

#include "hex.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

static const char digits[] = "0123456789abcdef";

void vol_hex_encode(const uint8_t *bytes, size_t n, char *text)
{
	for (size_t i = 0; i < n; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * n] = '\0';
}

static uint8_t value(char digit)
{
	return (uint8_t)(strchr(digits, digit) - digits);
}

bool vol_hex_decode(const char *text, uint8_t *bytes, size_t n)
{
	if (!text || strspn(text, digits) != 2 * n || text[2 * n])
		return false;
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(value(text[2 * i]) << 4 |
				     value(text[2 * i + 1]));
	return true;
}

bool vol_equal_secret(const uint8_t *a, const uint8_t *b, size_t n)
{
	/* volatile: or a compiler may leave the loop at the first one. */
	volatile uint8_t differ = 0;

	for (size_t i = 0; i < n; i++)
		differ |= a[i] ^ b[i];
	return differ == 0;
}

int vol_random(uint8_t *bytes, size_t n)
{
	while (n > 0) {
		ssize_t got = getrandom(bytes, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		bytes += got;
		n -= (size_t)got;
	}
	return 0;
}
