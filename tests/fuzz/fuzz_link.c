/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_link.c - any JSON as a message of the link
 *
 * What is accepted is written as it was read: nothing is lost, added or bent.
 * What is refused leaves the structure alone and has a printable reason.
 */
#include "config.h"

#include "fuzz.h"
#include "link.h"

static void check_refused(const json_t *json)
{
	struct vol_link_msg msg, before;
	struct vol_error err = {""};

	memset(&msg, 0x5a, sizeof(msg));
	before = msg;
	fuzz_assert(vol_link_decode(json, &msg, &err) == -1);
	fuzz_assert(memcmp(&msg, &before, sizeof(msg)) == 0);
	fuzz_assert(err.text[0]);
	for (const char *p = err.text; *p; p++)
		fuzz_assert(*p >= 0x20 && *p <= 0x7e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *json = json_loadb((const char *)data, size,
				  JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	struct vol_link_msg msg;
	json_t *again;

	if (!json)
		return 0;
	if (vol_link_decode(json, &msg, NULL) == 0) {
		again = vol_link_encode(&msg);
		fuzz_assert(again && json_equal(json, again));
		json_decref(again);
	} else {
		check_refused(json);
	}
	json_decref(json);
	return 0;
}
