/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_jointoken.c - any string as a token
 *
 * What is accepted is, but for capitals, the one text of what was read; what is
 * refused has a printable reason and leaves the structure alone.
 */
#include "config.h"

#include "fuzz.h"
#include "jointoken.h"

#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = fuzz_string(data, size), again[VOL_JOINTOKEN_SIZE];
	struct vol_jointoken token, before;
	struct vol_error err = {""};

	memset(&token, 0x5a, sizeof(token));
	before = token;
	if (vol_jointoken_parse(s, &token, &err) == 0) {
		fuzz_assert(strcasecmp(vol_jointoken_text(&token, again), s) ==
			    0);
	} else {
		fuzz_assert(memcmp(&token, &before, sizeof(token)) == 0);
		fuzz_assert(err.text[0]);
		for (const char *p = err.text; *p; p++)
			fuzz_assert(*p >= 0x20 && *p <= 0x7e);
	}
	/* The check is two bytes: let those be right now and then. */
	if (size >= sizeof(token)) {
		memcpy(&before, data, sizeof(before));
		vol_jointoken_text(&before, again);
		fuzz_assert(vol_jointoken_parse(again, &token, NULL) == 0);
		fuzz_assert(memcmp(&token, &before, sizeof(token)) == 0);
	}
	free(s);
	return 0;
}
