/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_walls.c - any text as the walls around a job
 *
 * What is accepted is within the limits, names no path that leaves its place,
 * and is the same when it is written and read again.
 */
#include "config.h"

#include "fuzz.h"
#include "walls.h"

static void check_path(const char *path)
{
	fuzz_assert(path[0] == '/' && path[1]);
	fuzz_assert(!strstr(path, "/../") && !strstr(path, "//"));
	fuzz_assert(path[strlen(path) - 1] != '/');
	fuzz_assert(strlen(path) < 3 ||
		    strcmp(path + strlen(path) - 3, "/..") != 0);
	for (const char *p = path; *p; p++)
		fuzz_assert((unsigned char)*p >= 0x20 && *p != 0x7f);
}

static void check_list(const struct vol_walls_list *list)
{
	fuzz_assert(list->n <= VOL_WALLS_LIST_MAX);
	for (size_t i = 0; i < list->n; i++) {
		fuzz_assert(strnlen(list->path[i], VOL_WALLS_PATH_SIZE) <
			    VOL_WALLS_PATH_SIZE);
		check_path(list->path[i]);
		fuzz_assert(vol_walls_hold(list, list->path[i]));
	}
}

static void check_walls(const struct vol_walls *walls)
{
	char *text = malloc(VOL_WALLS_FILE_MAX + 1);
	struct vol_walls *again = calloc(1, sizeof(*again));
	int len;

	fuzz_assert(text && again);
	fuzz_assert(walls->uid_base >= VOL_WALLS_RANGE);
	fuzz_assert((uint64_t)walls->uid_base +
			    (uint64_t)walls->uid_ranges * VOL_WALLS_RANGE <=
		    UINT32_MAX - VOL_WALLS_RANGE + UINT64_C(1));
	fuzz_assert(walls->scratch_bytes > 0 && walls->tasks > 0);
	if (walls->image[0])
		check_path(walls->image);
	check_list(&walls->read);
	check_list(&walls->work);
	check_list(&walls->devices);
	for (size_t i = 0; i < walls->etc.n; i++) {
		char path[VOL_WALLS_PATH_SIZE + 8];

		snprintf(path, sizeof(path), "/etc/%s", walls->etc.path[i]);
		check_path(path);
		fuzz_assert(!strstr(path, "/*"));
	}
	len = vol_walls_format(walls, text, VOL_WALLS_FILE_MAX + 1);
	fuzz_assert(len > 0);
	fuzz_assert(vol_walls_parse("w", text, (size_t)len, again, NULL) == 0);
	fuzz_assert(memcmp(again, walls, sizeof(*walls)) == 0);
	free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vol_walls *walls = calloc(1, sizeof(*walls));
	struct vol_error err = {""};

	fuzz_assert(walls);
	if (vol_walls_parse("w", (const char *)data, size, walls, &err) == 0)
		check_walls(walls);
	else
		fuzz_assert(strncmp(err.text, "w:", 2) == 0 &&
			    walls->scratch_bytes == 0);
	free(walls);
	return 0;
}
