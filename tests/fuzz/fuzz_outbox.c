/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_outbox.c - any bytes as a device's file of reports
 *
 * What is accepted is in order and can be sent, acknowledged and added to; what
 * is not begins a new stream and says why.
 */
#include "config.h"

#include "fuzz_wal.h"
#include "outbox.h"

#define FRESH 0x77

static void look_through(struct vol_outbox *o)
{
	uint64_t seq = vol_outbox_acked(o), after, before = seq;
	const struct vol_report *r;
	size_t n = 0;

	for (; (r = vol_outbox_next(o, seq, &after)); n++) {
		fuzz_assert(r->seq > seq && after == before);
		fuzz_assert(r->kind && r->len <= VOL_OUTBOX_DATA);
		fuzz_assert(r->data[r->len] == 0);
		fuzz_assert(vol_outbox_under_way(o, r->seq) == n + 1);
		seq = before = r->seq;
	}
	fuzz_assert(n == vol_outbox_count(o));
}

static void commit(struct vol_outbox *o)
{
	struct vol_wal_commit *c = vol_outbox_begin(o);

	/* Not run: as if it had gone well. */
	fuzz_assert(c && c->replace);
	fuzz_assert(vol_outbox_end(o, NULL));
}

static void check(const uint8_t *data, size_t size)
{
	struct vol_error err;
	struct vol_outbox *o =
		vol_outbox_parse("reports", data, size, FRESH, &err);
	uint64_t last;

	fuzz_assert(o);
	fuzz_printable(err.text);
	if (*err.text)
		fuzz_assert(vol_outbox_stream(o) == FRESH &&
			    vol_outbox_count(o) == 0);
	commit(o);
	look_through(o);
	last = vol_outbox_append(o, 1, true, 0, "x", 1);
	/* Full of events, or of numbers. */
	if (last)
		fuzz_assert(vol_outbox_ack(o, vol_outbox_stream(o), last) < 0);
	if (last)
		vol_outbox_sent(o, last - 1);
	if (last > 1)
		fuzz_assert(vol_outbox_ack(o, vol_outbox_stream(o), last - 1) ==
			    0);
	vol_outbox_renew(o, FRESH + 1);
	commit(o);
	look_through(o);
	vol_outbox_destroy(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *sealed;

	check(data, size);
	sealed = fuzz_sealed(data, size, VOL_OUTBOX_SLOT);
	check(sealed, size);
	free(sealed);
	return 0;
}
