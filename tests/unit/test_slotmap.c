/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_slotmap.c - strings that are found where they are now */
#include "config.h"

#include "slotmap.h"
#include "tests/unit/vtest.h"

#define N 2000

static char names[N][16];

static struct vol_slotmap_keys keys(uint32_t n)
{
	return (struct vol_slotmap_keys){names[0], sizeof(names[0]), n};
}

static void empty_maps_find_nothing(void **state)
{
	struct vol_slotmap map;
	struct vol_slotmap_keys none = {0}, all = keys(N);

	(void)state;
	memset(names, 0, sizeof(names));
	vol_slotmap_init(&map, 1);
	assert_int_equal(vol_slotmap_find(&map, &none, "a"), VOL_SLOTMAP_NONE);
	assert_int_equal(vol_slotmap_put(&map, &none, 0), 0);
	assert_int_equal(vol_slotmap_put(&map, &all, 3), 0);
	vol_slotmap_clear(&map);
	strcpy(names[3], "a");
	assert_int_equal(vol_slotmap_put(&map, &all, 3), 0);
	assert_int_equal(vol_slotmap_find(&map, &all, "a"), 3);
	assert_int_equal(vol_slotmap_find(&map, &all, ""), VOL_SLOTMAP_NONE);
	assert_int_equal(vol_slotmap_find(&map, &all, NULL), VOL_SLOTMAP_NONE);
	assert_int_equal(vol_slotmap_find(&map, &all, "b"), VOL_SLOTMAP_NONE);
	vol_slotmap_clear(&map);
	assert_int_equal(vol_slotmap_find(&map, &all, "a"), VOL_SLOTMAP_NONE);
	vol_slotmap_free(&map);
}

/* Grow, rename, shrink; what is found is always where it is said to be. */
static void strings_come_and_go(void **state)
{
	struct vol_slotmap map;
	struct vol_slotmap_keys all = keys(N), few = keys(10);
	char name[16];

	(void)state;
	memset(names, 0, sizeof(names));
	vol_slotmap_init(&map, 77);
	for (unsigned int round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < N; i++) {
			struct vol_slotmap_keys now = keys(i + 1);

			snprintf(names[i], sizeof(names[i]), "d%u-%u", i,
				 round / 2);
			assert_int_equal(
				vol_slotmap_put(&map, round ? &all : &now, i),
				0);
		}
		for (uint32_t i = 0; i < N; i++) {
			snprintf(name, sizeof(name), "d%u-%u", i, round / 2);
			assert_int_equal(vol_slotmap_find(&map, &all, name), i);
			snprintf(name, sizeof(name), "d%u-%u", i,
				 round / 2 + 1);
			assert_int_equal(vol_slotmap_find(&map, &all, name),
					 VOL_SLOTMAP_NONE);
		}
		assert_true(map.size < 32 * N);
	}
	assert_int_equal(vol_slotmap_find(&map, &few, "d9-9"), 9);
	assert_int_equal(vol_slotmap_find(&map, &few, "d10-9"),
			 VOL_SLOTMAP_NONE);
	vol_slotmap_free(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_maps_find_nothing),
		cmocka_unit_test(strings_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
