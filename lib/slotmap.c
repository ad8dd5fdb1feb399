/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slotmap.c - find the slot of a string in an array of records; pure
 *
 * Open addressing with linear probing.  Nothing is ever taken out: entries
 * whose string changed match nothing, and go when the table is built anew.
 */
#include "config.h"

#include "slotmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 64

static const char *key_of(const struct vol_slotmap_keys *keys, uint32_t slot)
{
	return slot < keys->n ? keys->first + slot * keys->stride : "";
}

/* FNV-1a with the seed as its basis; names are short. */
static uint64_t hash(uint64_t seed, const char *s)
{
	uint64_t h = seed ^ UINT64_C(0xcbf29ce484222325);

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return h ^ h >> 32;
}

void vol_slotmap_init(struct vol_slotmap *map, uint64_t seed)
{
	*map = (struct vol_slotmap){.seed = seed};
}

void vol_slotmap_free(struct vol_slotmap *map)
{
	free(map->slots);
	map->slots = NULL;
	map->size = map->filled = 0;
}

void vol_slotmap_clear(struct vol_slotmap *map)
{
	if (map->slots)
		memset(map->slots, 0xff, map->size * sizeof(*map->slots));
	map->filled = 0;
}

/* Where string is, or where it would go. */
static uint32_t place(const struct vol_slotmap *map,
		      const struct vol_slotmap_keys *keys, const char *string)
{
	uint32_t i = (uint32_t)hash(map->seed, string) & (map->size - 1);

	while (map->slots[i] != VOL_SLOTMAP_NONE &&
	       strcmp(key_of(keys, map->slots[i]), string) != 0)
		i = (i + 1) & (map->size - 1);
	return i;
}

static void insert(struct vol_slotmap *map, const struct vol_slotmap_keys *keys,
		   uint32_t slot)
{
	uint32_t i = place(map, keys, key_of(keys, slot));

	map->filled += map->slots[i] == VOL_SLOTMAP_NONE;
	map->slots[i] = slot;
}

static int rebuild(struct vol_slotmap *map, const struct vol_slotmap_keys *keys)
{
	uint32_t size = FIRST_SIZE, *slots;

	/* A quarter full, so that it is not rebuilt again soon. */
	while (size / 4 <= keys->n)
		size *= 2;
	slots = malloc(size * sizeof(*slots));
	if (!slots) {
		errno = ENOMEM;
		return -1;
	}
	free(map->slots);
	map->slots = slots;
	map->size = size;
	vol_slotmap_clear(map);
	for (uint32_t slot = 0; slot < keys->n; slot++)
		if (*key_of(keys, slot))
			insert(map, keys, slot);
	return 0;
}

int vol_slotmap_put(struct vol_slotmap *map,
		    const struct vol_slotmap_keys *keys, uint32_t slot)
{
	if (slot >= keys->n || !*key_of(keys, slot))
		return 0;
	if (map->size / 2 <= map->filled)
		return rebuild(map, keys);
	insert(map, keys, slot);
	return 0;
}

uint32_t vol_slotmap_find(const struct vol_slotmap *map,
			  const struct vol_slotmap_keys *keys,
			  const char *string)
{
	if (!map->size || !string || !*string)
		return VOL_SLOTMAP_NONE;
	return map->slots[place(map, keys, string)];
}
