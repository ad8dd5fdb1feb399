/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_authkey.c - any text as a Slurm key of a message
 *
 * What is accepted says the same again, and an error quotes nothing of it.
 */
#include "config.h"

#include "authkey.h"
#include "fuzz.h"

/* Good enough to tell keys apart. */
static int digest(const void *data, size_t len, uint8_t out[VOL_SHA256_BYTES],
		  struct vol_error *err)
{
	const uint8_t *byte = data;

	(void)err;
	memset(out, 0, VOL_SHA256_BYTES);
	for (size_t i = 0; i < len; i++)
		out[i % VOL_AUTHKEY_ID_BYTES] ^= byte[i];
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[2 * VOL_AUTHKEY_TEXT_SIZE], again[VOL_AUTHKEY_TEXT_SIZE];
	struct vol_authkey k = {.bytes = 0};
	struct vol_error err = {""};
	size_t half, len = size < sizeof(text) ? size : sizeof(text) - 1;

	memcpy(text, data, len);
	text[len] = '\0';
	half = strlen(text) / 2;
	if (vol_authkey_parse(&k, text, "0000000000000000", digest, &err) < 0) {
		fuzz_assert(k.bytes == 0);
		fuzz_assert(half < 16 || !strstr(err.text, text));
		return 0;
	}
	fuzz_assert(k.bytes == half);
	fuzz_assert(k.bytes >= VOL_AUTHKEY_MIN && k.bytes <= VOL_AUTHKEY_MAX);
	vol_authkey_text(&k, again);
	fuzz_assert(strcmp(text, again) == 0);
	return 0;
}
