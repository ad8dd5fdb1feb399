/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_availability.c - any bytes as the model of a device
 *
 * With a right checksum, so that the rest is reached.  Besides memory errors:
 * whatever is accepted can be used, its curve never rises, and what is written
 * is what was read.
 */
#include "config.h"

#include "availability.h"
#include "fuzz.h"

static void set_checksum(uint8_t *buf)
{
	uint32_t sum = 2166136261u;

	for (unsigned int i = 8; i < VOL_AVAILABILITY_SIZE; i++)
		sum = (sum ^ buf[i]) * 16777619u;
	for (unsigned int i = 0; i < 4; i++)
		buf[4 + i] = (uint8_t)(sum >> 8 * i);
}

static void use(struct vol_availability *a, int64_t now)
{
	struct vol_spell spell = {.now = now, .away_since = now - 600};
	struct vol_availability_history h;
	struct vol_outlook o;

	vol_availability_note(a, now, VOL_AVAILABLE_YES);
	vol_availability_note(a, now + 900, VOL_AVAILABLE_NO);
	vol_availability_note(a, now + 1800, VOL_AVAILABLE_YES);
	vol_availability_outlook(a, &spell, &o);
	for (unsigned int i = 1; i < VOL_OUTLOOK_POINTS; i++)
		fuzz_assert(o.survive[i] <= o.survive[i - 1]);
	vol_availability_history(a, now, 7200, &h);
	fuzz_assert(h.weekdays <= 4 && h.weekdays_back <= h.weekdays);
	fuzz_assert(h.alike <= 20 && h.alike_back <= h.alike);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t buf[VOL_AVAILABILITY_SIZE] = "VAv1", out[VOL_AVAILABILITY_SIZE];
	struct vol_availability *a;
	struct vol_error err = {""};
	int64_t now = 0;

	a = vol_availability_decode(data, size, &err);
	fuzz_assert(a || err.text[0]);
	vol_availability_destroy(a);
	if (size > sizeof(buf) - 8)
		size = sizeof(buf) - 8;
	memcpy(buf + 8, data, size);
	set_checksum(buf);
	a = vol_availability_decode(buf, sizeof(buf), &err);
	if (!a)
		return 0;
	for (unsigned int i = 0; i < 8; i++)
		now |= (int64_t)((uint64_t)buf[8 + i] << 8 * i);
	vol_availability_encode(a, out);
	fuzz_assert(memcmp(buf + 8, out + 8, 24) == 0);
	use(a, now);
	vol_availability_destroy(a);
	return 0;
}
