/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slotmap.h - find the slot of a string in an array of records; pure
 *
 * The strings stay where they are, in the caller's array, and may change or
 * vanish there at any time: an entry only says where to look, so what is found
 * is always true, and whoever changes a string tells of the new one alone.
 */
#ifndef VOL_SLOTMAP_H
#define VOL_SLOTMAP_H

#include <stddef.h>
#include <stdint.h>

#define VOL_SLOTMAP_NONE UINT32_MAX

/* The array that the slots number: string i begins at first + i * stride.  An
 * empty string is in no slot. */
struct vol_slotmap_keys {
	const char *first;
	size_t stride;
	uint32_t n;
};

struct vol_slotmap {
	uint32_t *slots; /* VOL_SLOTMAP_NONE: free */
	uint32_t size;   /* a power of two, at least twice what is filled */
	uint32_t filled;
	uint64_t seed;
};

/* seed: a number that whoever writes the strings does not know. */
void vol_slotmap_init(struct vol_slotmap *map, uint64_t seed);
void vol_slotmap_free(struct vol_slotmap *map);
/* Forget all entries. */
void vol_slotmap_clear(struct vol_slotmap *map);

/* The string of a slot is another one.  0, or -1 with ENOMEM. */
int vol_slotmap_put(struct vol_slotmap *map,
		    const struct vol_slotmap_keys *keys, uint32_t slot);
uint32_t vol_slotmap_find(const struct vol_slotmap *map,
			  const struct vol_slotmap_keys *keys,
			  const char *string);

#endif
