/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bytes.h - numbers in files: little-endian, at any address; a checksum */
#ifndef VOL_BYTES_H
#define VOL_BYTES_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline void vol_put16(uint8_t *p, uint16_t v)
{
	v = htole16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void vol_put32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void vol_put64(uint8_t *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

static inline uint16_t vol_get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static inline uint32_t vol_get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline uint64_t vol_get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

/* FNV-1a, 64 bit (Fowler, Noll, Vo; draft-eastlake-fnv): against accidents, not
 * against people. */
static inline uint64_t vol_fnv(const uint8_t *p, size_t len)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	while (len-- > 0)
		hash = (hash ^ *p++) * UINT64_C(1099511628211);
	return hash;
}

#endif
