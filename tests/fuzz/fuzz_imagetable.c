/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_imagetable.c - any bytes as the table of images; 's' in front puts the
 * right checksum at their end, as a hostile writer would
 *
 * What is taken is written as it was read, and each of its jobs is found.
 */
#include "config.h"

#include "fuzz.h"
#include "imagetable.h"
#include "nodetable_format.h"

static void check(const uint8_t *buf, size_t len)
{
	struct vol_imagetable t = {.edition = 0};
	struct vol_error err = {""};
	size_t again_len;
	void *again;

	if (vol_imagetable_decode(buf, len, &t, &err) < 0) {
		fuzz_assert(err.text[0] && !t.edition);
		return;
	}
	for (uint32_t i = 0; i < t.n_jobs; i++)
		fuzz_assert(vol_imagetable_find(&t, t.jobs[i].job) ==
			    &t.needs[t.jobs[i].need]);
	again = vol_imagetable_encode(&t, &again_len);
	fuzz_assert(again && again_len == len && memcmp(again, buf, len) == 0);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t sum;
	uint8_t *buf;

	if (size < 1)
		return 0;
	/* Aligned. */
	buf = malloc(size);
	if (!buf)
		abort();
	memcpy(buf, data + 1, size - 1);
	if (data[0] == 's' && size > sizeof(sum)) {
		size_t body = size - 1 - sizeof(sum);

		sum = vol_nodetable_checksum(buf, body);
		memcpy(buf + body, &sum, sizeof(sum));
	}
	check(buf, size - 1);
	free(buf);
	return 0;
}
