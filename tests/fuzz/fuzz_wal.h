/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_wal.h - bytes as a file of wal.h, with checksums put right on demand */
#ifndef VOL_FUZZ_WAL_H
#define VOL_FUZZ_WAL_H

#include "bytes.h"
#include "fuzz.h"

/* A copy whose whole slots are all valid; caller frees. */
static inline uint8_t *fuzz_sealed(const uint8_t *data, size_t size,
				   size_t slot)
{
	uint8_t *copy = malloc(size + 1);

	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	for (size_t at = 0; at + slot <= size; at += slot)
		vol_put64(copy + at, vol_fnv(copy + at + 8, slot - 8));
	return copy;
}

static inline void fuzz_printable(const char *text)
{
	for (; *text; text++)
		fuzz_assert(*text >= 0x20 && *text <= 0x7e);
}

#endif
