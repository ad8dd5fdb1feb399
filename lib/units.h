/* SPDX-License-Identifier: GPL-2.0-or-later */
/* units.h - durations, sizes and shares as people write them
 *
 * All parsers take the whole string (no trailing junk), reject signs, overflow
 * and empty input, and accept no locale-dependent form.
 */
#ifndef VOL_UNITS_H
#define VOL_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* "250ms", "5s", "10m", "2h", "7d", "1w", "1h30m"; a bare number is seconds.
 * Result in milliseconds. */
int vol_duration_parse(const char *s, uint64_t *ms, struct vol_error *err);

/* Shortest exact form, e.g. 5400000 -> "1h30m", 0 -> "0s".
 * buf of 32 bytes is always enough; returns buf. */
const char *vol_duration_format(uint64_t ms, char *buf, size_t size);

/* "512", "64K", "2G", "1.5T" (powers of 1024, optional "B" or "iB").
 * Result in bytes. */
int vol_size_parse(const char *s, uint64_t *bytes, struct vol_error *err);

/* Largest unit with at most one decimal, e.g. "1.5G"; returns buf. */
const char *vol_size_format(uint64_t bytes, char *buf, size_t size);

/* How much of a resource the owner shares: "75%", or an absolute amount (a
 * count for VOL_SHARE_COUNT, a size for VOL_SHARE_SIZE), or "-AMOUNT" for
 * everything but that amount, or "all" / "none". */
enum vol_share_kind {
	VOL_SHARE_NONE,
	VOL_SHARE_PCT,
	VOL_SHARE_ABS,
	VOL_SHARE_BUT
};
enum vol_share_unit { VOL_SHARE_COUNT, VOL_SHARE_SIZE };
struct vol_share {
	enum vol_share_kind kind;
	uint64_t amount; /* per cent, count or bytes, after kind */
};
int vol_share_parse(const char *s, enum vol_share_unit unit,
		    struct vol_share *share, struct vol_error *err);

/* The part of total that is shared; rounds down, never above total. */
uint64_t vol_share_apply(const struct vol_share *share, uint64_t total);

#endif
