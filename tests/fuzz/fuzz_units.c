/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_units.c - any string as a duration, a size and a share
 *
 * Besides memory errors: what was parsed survives a round trip, a share is
 * never more than the whole, a refused string says why.
 */
#include "config.h"

#include "fuzz.h"
#include "units.h"

static void try_duration(const char *s)
{
	struct vol_error err = {""};
	uint64_t ms, again;
	char buf[32];

	if (vol_duration_parse(s, &ms, &err) != 0) {
		fuzz_assert(err.text[0]);
		return;
	}
	vol_duration_format(ms, buf, sizeof(buf));
	fuzz_assert(vol_duration_parse(buf, &again, NULL) == 0);
	fuzz_assert(again == ms);
}

static void try_size(const char *s)
{
	struct vol_error err = {""};
	uint64_t bytes, again;
	char buf[32];

	if (vol_size_parse(s, &bytes, &err) != 0) {
		fuzz_assert(err.text[0]);
		return;
	}
	/* One decimal, rounded down: never more, and less by under 10 %. */
	vol_size_format(bytes, buf, sizeof(buf));
	fuzz_assert(vol_size_parse(buf, &again, NULL) == 0);
	fuzz_assert(again <= bytes && bytes - again <= bytes / 10);
}

static void try_share(const char *s, enum vol_share_unit unit)
{
	static const uint64_t totals[] = {0, 1, 7, 1 << 20, UINT64_MAX};
	struct vol_error err = {""};
	struct vol_share share;
	size_t i;

	if (vol_share_parse(s, unit, &share, &err) != 0) {
		fuzz_assert(err.text[0]);
		return;
	}
	for (i = 0; i < sizeof(totals) / sizeof(totals[0]); i++)
		fuzz_assert(vol_share_apply(&share, totals[i]) <= totals[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = fuzz_string(data, size);

	try_duration(s);
	try_size(s);
	try_share(s, VOL_SHARE_COUNT);
	try_share(s, VOL_SHARE_SIZE);
	free(s);
	return 0;
}
