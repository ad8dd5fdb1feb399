/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_inbox.c - any bytes as the controller's record of reports
 *
 * Whatever can be read of them, a device is met, heard and recorded.
 */
#include "config.h"

#include "fuzz_wal.h"
#include "inbox.h"

#define ID "0123456789abcdef0123456789abcdef"

static void commit(struct vol_inbox *in)
{
	struct vol_wal_commit *c = vol_inbox_begin(in);

	fuzz_assert(c);
	fuzz_assert(vol_inbox_end(in, NULL, NULL, NULL));
}

static void check(const uint8_t *data, size_t size)
{
	enum vol_inbox_meeting meeting;
	struct vol_error err;
	struct vol_inbox *in = vol_inbox_parse("reports", data, size, &err);
	uint64_t last;

	fuzz_assert(in);
	fuzz_printable(err.text);
	fuzz_assert(vol_inbox_recorded(in, ID) == 0);
	last = vol_inbox_last(in, ID);
	commit(in);
	fuzz_assert(vol_inbox_recorded(in, ID) == last);
	fuzz_assert(!vol_inbox_begin(in));
	fuzz_assert(vol_inbox_meet(in, ID, 5, 3, NULL, &meeting) == 0);
	fuzz_assert(vol_inbox_last(in, ID) >= 3);
	fuzz_assert(vol_inbox_decide(in, ID, 5, 2, 3) == VOL_INBOX_APPLIED);
	last = vol_inbox_last(in, ID);
	if (last < UINT64_MAX) {
		fuzz_assert(vol_inbox_decide(in, ID, 5, last, last + 1) ==
			    VOL_INBOX_APPLY);
		vol_inbox_applied(in, ID, last + 1);
		commit(in);
		fuzz_assert(vol_inbox_recorded(in, ID) == last + 1);
	}
	vol_inbox_forget(in, ID);
	fuzz_assert(vol_inbox_last(in, ID) == 0);
	vol_inbox_destroy(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *sealed;

	check(data, size);
	sealed = fuzz_sealed(data, size, VOL_INBOX_SLOT);
	check(sealed, size);
	free(sealed);
	return 0;
}
