/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_rollback.c - any files, before and now
 *
 * Whatever they are, nothing is kept that is not proven, nothing is put back
 * that the image does not have, and nothing is changed where it is not known
 * whose it is.
 */
#include "config.h"

#include "fuzz.h"
#include "rollback.h"

/* As it is in the input. */
struct __attribute__((packed)) input {
	uint8_t how, opened, mode, kind;
	/* Few values, so that some are the same. */
	uint8_t permissions, now_permissions, length, now_length;
	uint8_t mtime, now_mtime, ctime, now_ctime, sum, now_sum, moment;
};

static bool same_times(const struct vol_rollback_entry *e,
		       const struct vol_rollback_now *now)
{
	return e->mode == now->mode && e->length == now->length &&
	       e->mtime_ns == now->mtime_ns && e->ctime_ns == now->ctime_ns;
}

static void check_kept(const struct vol_rollback_entry *e,
		       const struct vol_rollback_now *now, uint64_t moment)
{
	bool same_sum = e->sum == now->sum && e->length == now->length;
	bool by_times = same_times(e, now) && e->ctime_ns < moment;

	switch (e->how) {
	case VOL_ROLLBACK_FOLDER:
		fuzz_assert(now->kind == VOL_ROLLBACK_IS_FOLDER);
		break;
	case VOL_ROLLBACK_OTHER:
		fuzz_assert(now->kind == VOL_ROLLBACK_IS_OTHER);
		break;
	case VOL_ROLLBACK_TARGET:
		fuzz_assert(now->kind == VOL_ROLLBACK_IS_LINK && same_sum);
		break;
	case VOL_ROLLBACK_LINK:
		fuzz_assert(now->kind == VOL_ROLLBACK_IS_LINK && by_times);
		break;
	case VOL_ROLLBACK_STAT:
		fuzz_assert(now->kind == VOL_ROLLBACK_IS_FILE && by_times &&
			    e->opened == VOL_ROLLBACK_CLOSED);
		break;
	default:
		fuzz_assert(now->kind == VOL_ROLLBACK_IS_FILE &&
			    (by_times || same_sum));
	}
}

static void check(const struct vol_rollback_entry *e,
		  const struct vol_rollback_now *now, int mode, uint64_t moment)
{
	struct vol_error err = {""};
	int act = vol_rollback_judge(e, now, mode, moment, &err);

	if (act < 0) {
		fuzz_assert(strncmp(err.text, "/f: ", 4) == 0);
		return;
	}
	fuzz_assert(mode != VOL_ROLLBACK_SHARED || act == VOL_ROLLBACK_KEEP);
	if (act == VOL_ROLLBACK_KEEP)
		check_kept(e, now, moment);
	if (act == VOL_ROLLBACK_CUT)
		fuzz_assert(now->kind == VOL_ROLLBACK_IS_FILE &&
			    now->length >= e->length && now->sum == e->sum &&
			    vol_rollback_reads(e, now, moment));
	if (act == VOL_ROLLBACK_PUT)
		fuzz_assert(vol_rollback_has_copy(e));
	if (act == VOL_ROLLBACK_MAKE)
		fuzz_assert(mode == VOL_ROLLBACK_OWN &&
			    e->how == VOL_ROLLBACK_FOLDER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in;

	for (; size >= sizeof(in); data += sizeof(in), size -= sizeof(in)) {
		struct vol_rollback_entry e = {.path = "/f"};
		struct vol_rollback_now now;

		memcpy(&in, data, sizeof(in));
		e.how = in.how % (VOL_ROLLBACK_OTHER + 1);
		e.opened = in.opened % (VOL_ROLLBACK_WRITE + 1);
		e.mode = in.permissions;
		e.length = in.length;
		e.mtime_ns = in.mtime;
		e.ctime_ns = in.ctime;
		e.sum = in.sum;
		now = (struct vol_rollback_now){
			.kind = in.kind % (VOL_ROLLBACK_IS_OTHER + 1),
			.mode = in.now_permissions,
			.length = in.now_length,
			.mtime_ns = in.now_mtime,
			.ctime_ns = in.now_ctime,
			.sum = in.now_sum};
		check(&e, &now, in.mode % (VOL_ROLLBACK_OWN + 1), in.moment);
	}
	return 0;
}
