/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_ckmerge.c - any two files as pagemaps
 *
 * The first bytes say how many pages there are of each, and how long the first
 * one is.  What comes of them is a pagemap that needs no other one, and all
 * that is copied for it is there.
 */
#include "config.h"

#include "ckmerge.h"

#include <errno.h>

#include "bytes.h"
#include "fuzz.h"

#define PAGE UINT64_C(4096)
#define HEAD 6

static void check_again(const struct vol_ckmerge *m, uint64_t bytes)
{
	const struct vol_ckmemory none = {.pages = 0};
	const struct vol_ckmemory whole = {{m->pagemap, m->len}, bytes};
	struct vol_ckmerge again;

	fuzz_assert(vol_ckmerge(&none, &whole, PAGE, &again, NULL) == 0);
	fuzz_assert(again.filled == 0 && again.len == m->len &&
		    memcmp(again.pagemap, m->pagemap, m->len) == 0);
	vol_ckmerge_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vol_ckmemory earlier, last;
	uint64_t bytes = 0, filled = 0;
	struct vol_error err = {""};
	struct vol_ckmerge m;
	size_t first;

	if (size < HEAD)
		return 0;
	earlier.pages = vol_get16(data) * PAGE;
	last.pages = vol_get16(data + 2) * PAGE;
	first = vol_get16(data + 4);
	data += HEAD;
	size -= HEAD;
	first = first < size ? first : size;
	earlier.pagemap = (struct vol_ckbytes){data, first};
	last.pagemap = (struct vol_ckbytes){data + first, size - first};
	errno = 0;
	if (vol_ckmerge(&earlier, &last, PAGE, &m, &err) != 0) {
		fuzz_assert(errno == EBADMSG && err.text[0]);
		vol_ckmerge_clear(&m);
		return 0;
	}
	for (size_t i = 0; i < m.n; i++) {
		const struct vol_ckcopy *c = &m.copy[i];
		uint64_t all = c->earlier ? earlier.pages : last.pages;

		fuzz_assert(c->bytes > 0 && c->bytes <= all &&
			    c->from <= all - c->bytes);
		bytes += c->bytes;
		filled += c->earlier ? c->bytes : 0;
	}
	fuzz_assert(filled == m.filled && bytes - filled == last.pages);
	check_again(&m, bytes);
	vol_ckmerge_clear(&m);
	return 0;
}
