/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckverify_seccomp.c - the filters, and how they follow each other
 *
 * CRIU writes each thread's filters as a chain: the one that was there first
 * has no prev, and a thread names the last.  A job may have put filters behind
 * ours, which can only take from it.
 */
#include "config.h"

#include "ckverify_private.h"

#include <inttypes.h>
#include <linux/filter.h>
#include <string.h>

/* Of linux/seccomp.h: SECCOMP_FILTER_FLAG_TSYNC, _LOG.  CRIU sets the first
 * where all threads of a process had the same filters. */
#define TSYNC 1u
#define LOG   2u

/* Like ours? */
static int compare(const struct vol_ckset *set, struct vol_ckbytes filter,
		   bool *ours, struct vol_error *err)
{
	uint8_t digest[VOL_SHA256_BYTES];

	if (set->want->sha256(filter.at, filter.len, digest, err) < 0)
		return -1;
	*ours = memcmp(digest, set->want->filter, sizeof(digest)) == 0;
	return 0;
}

static int take_filter(const struct vol_ckset *set, struct vol_ckbytes message,
		       struct vol_ckchain *chain, struct vol_error *err)
{
	struct vol_ckvalue v[VOL_CKROWS_MAX];
	const struct vol_ckvalue *code = &v[VOL_CKFILTER_filter];
	const struct vol_ckvalue *prev = &v[VOL_CKFILTER_prev];
	int64_t flags;

	if (vol_ckproto_decode(message, vol_ckfilter_rows, v, err) < 0)
		return -1;
	if (code->bytes.len == 0 ||
	    code->bytes.len % sizeof(struct sock_filter) ||
	    code->bytes.len / sizeof(struct sock_filter) > BPF_MAXINSNS)
		return vol_ckrefuse(err, "it is %zu bytes", code->bytes.len);
	flags = v[VOL_CKFILTER_flags].number;
	if (flags & ~(int64_t)(TSYNC | LOG))
		return vol_ckrefuse(err, "flags are %" PRId64, flags);
	chain->tsync = flags & TSYNC;
	if (!prev->n)
		return compare(set, code->bytes, &chain->ours, err);
	if (prev->number >= (int64_t)set->n_filters)
		return vol_ckrefuse(err, "none is before it");
	chain->ours = set->filter[prev->number].ours;
	chain->tsync = chain->tsync && set->filter[prev->number].tsync;
	return 0;
}

int vol_ckcheck_seccomp(struct vol_ckset *set, struct vol_ckentry *e,
			struct vol_error *err)
{
	const struct vol_ckrow *row = VOL_CKROW(e->rows, SECCOMP, filters);
	struct vol_ckbytes rest = e->message;
	struct vol_ckfield f;

	while (vol_ckproto_find(&rest, row->number, &f)) {
		struct vol_ckchain *grown = vol_ckgrow(
			set->filter, set->n_filters, sizeof(*grown), err);

		if (!grown)
			return -1;
		set->filter = grown;
		grown += set->n_filters;
		if (take_filter(set, f.bytes, grown, err) < 0)
			return vol_error_prefix(err, "filter %zu",
						set->n_filters);
		set->n_filters++;
	}
	return 0;
}
