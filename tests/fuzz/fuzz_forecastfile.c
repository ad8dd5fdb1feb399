/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_forecastfile.c - any bytes as the controller's file of forecasts
 *
 * What is accepted can be read record by record and is written as it was read.
 * The checksum is put right first, so that mutations get behind it.
 */
#include "config.h"

#include "forecastfile.h"
#include "fuzz.h"

static void check_accepted(const uint8_t *buf, size_t size, uint32_t n,
			   int64_t saved)
{
	struct vol_forecastfile_record r;
	uint8_t *again;
	size_t len;

	again = vol_forecastfile_new(n, saved, &len);
	fuzz_assert(again && len == size);
	for (uint32_t i = 0; i < n; i++) {
		vol_forecastfile_get(buf, i, &r);
		fuzz_assert(vol_device_id_valid(r.id));
		fuzz_assert(vol_forecastfile_find(buf, n, r.id) == i);
		vol_forecastfile_put(again, i, &r);
		(void)vol_tally_week(&r.evictions, saved);
		vol_tally_add(&r.evictions, saved);
		fuzz_assert(vol_tally_day(&r.evictions, saved) <=
			    vol_tally_week(&r.evictions, saved));
		vol_availability_destroy(vol_availability_decode(
			r.model, sizeof(r.model), NULL));
	}
	vol_forecastfile_seal(again);
	fuzz_assert(memcmp(again, buf, size) == 0);
	free(again);
}

static void check(const uint8_t *buf, size_t size)
{
	struct vol_error err = {""};
	int64_t saved;
	uint32_t n;

	if (vol_forecastfile_check(buf, size, &n, &saved, &err) == 0) {
		check_accepted(buf, size, n, saved);
		return;
	}
	fuzz_assert(err.text[0]);
	for (const char *p = err.text; *p; p++)
		fuzz_assert(*p >= 0x20 && *p <= 0x7e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t n;
	uint8_t *copy;

	check(data, size);
	if (size < VOL_FORECASTFILE_HEADER)
		return 0;
	copy = malloc(size);
	fuzz_assert(copy);
	memcpy(copy, data, size);
	n = (uint32_t)((size - VOL_FORECASTFILE_HEADER) /
		       VOL_FORECASTFILE_RECORD);
	memcpy(copy + 12,
	       &(uint8_t[]){(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16),
			    (uint8_t)(n >> 24)},
	       4);
	vol_forecastfile_seal(copy);
	check(copy, size);
	free(copy);
	return 0;
}
