/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_wallsfail.c - any text as the word that a wall could not be built
 *
 * What is accepted is harmless to a terminal and the same when it is written
 * and read again; any text can be made a reason.
 */
#include "config.h"

#include "fuzz.h"
#include "wallsfail.h"

static void check(const struct vol_wallsfail *fail)
{
	char text[VOL_WALLSFAIL_MAX];
	struct vol_wallsfail again;
	int len = vol_wallsfail_format(fail, text, sizeof(text));

	fuzz_assert(len > 0 && *fail->reason);
	for (const char *p = fail->reason; *p; p++)
		fuzz_assert(*p >= 0x20 && *p <= 0x7e);
	fuzz_assert(vol_wallsfail_parse("f", text, (size_t)len, &again, NULL) ==
		    0);
	fuzz_assert(again.job == fail->job);
	fuzz_assert(strcmp(again.reason, fail->reason) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vol_error err = {""};
	char *text = fuzz_string(data, size);
	struct vol_wallsfail fail;

	if (vol_wallsfail_parse("f", (const char *)data, size, &fail, &err) ==
	    0)
		check(&fail);
	else
		fuzz_assert(strncmp(err.text, "f:", 2) == 0);
	vol_wallsfail_set(&fail, 1, text);
	check(&fail);
	free(text);
	return 0;
}
