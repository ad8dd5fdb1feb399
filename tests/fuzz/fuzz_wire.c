/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_wire.c - a byte stream in steps of any size
 *
 * The first byte is the size of a step; 'j' frames the rest as one message
 * instead, so that the parser is reached without guessing a length.  What is
 * read does not depend on the steps, memory is bounded, and what was read can
 * be written and read again.
 */
#include "config.h"

#include "fuzz.h"
#include "wire.h"

#include <errno.h>

#define HEAD 4

static void check_again(const json_t *msg)
{
	struct vol_wire_reader r = VOL_WIRE_READER_INIT;
	struct vol_error err = {""};
	size_t len;
	char *frame = vol_wire_encode(msg, &len, &err);
	json_t *again = NULL;

	if (!frame) {
		/* 1e9 was read, 1000000000.0 is written. */
		fuzz_assert(errno == EMSGSIZE && err.text[0]);
		return;
	}
	fuzz_assert(vol_wire_feed(&r, frame, len, NULL) == 0);
	fuzz_assert(vol_wire_next(&r, &again, NULL) == 1);
	fuzz_assert(json_equal(msg, again));
	fuzz_assert(r.len == 0);
	json_decref(again);
	free(frame);
	vol_wire_reset(&r);
}

/* How many messages are read before the stream ends or breaks. */
static size_t read_stream(const uint8_t *data, size_t size, size_t step)
{
	struct vol_wire_reader r = VOL_WIRE_READER_INIT;
	struct vol_error err = {""};
	size_t count = 0;
	int rc = 0;

	for (size_t at = 0; at < size && rc == 0; at += step) {
		size_t n = size - at < step ? size - at : step;
		json_t *msg;

		rc = vol_wire_feed(&r, data + at, n, &err);
		fuzz_assert(rc == 0 || errno == EMSGSIZE);
		while (rc == 0 && (rc = vol_wire_next(&r, &msg, &err)) == 1) {
			check_again(msg);
			json_decref(msg);
			count++;
			rc = 0;
		}
		fuzz_assert(r.size <= 4 * VOL_WIRE_MAX);
		fuzz_assert(rc == 0 || err.text[0]);
	}
	vol_wire_reset(&r);
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *frame;

	if (size < 2 || size > VOL_WIRE_MAX)
		return 0;
	if (data[0] != 'j') {
		size_t step = data[0] ? data[0] : 1;
		size_t count = read_stream(data + 1, size - 1, step);

		/* At once, a bad head later on may hide good frames. */
		fuzz_assert(read_stream(data + 1, size - 1, 1) >= count);
		fuzz_assert(read_stream(data + 1, size - 1, size) <= count);
		return 0;
	}
	size--;
	frame = malloc(HEAD + size);
	if (!frame)
		abort();
	frame[0] = 0;
	frame[1] = 0;
	frame[2] = (uint8_t)(size >> 8);
	frame[3] = (uint8_t)size;
	memcpy(frame + HEAD, data + 1, size);
	read_stream(frame, HEAD + size, HEAD + size);
	free(frame);
	return 0;
}
