/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_registry.c - any bytes as the registry's file
 *
 * A file that is accepted can be saved, and holds the same devices then; each
 * is found by both of its keys.
 */
#include "config.h"

#include "fuzz.h"
#include "registry.h"

#include <limits.h>
#include <unistd.h>

static char folder[] = "/dev/shm/vol-fuzz.XXXXXX";
static char path[PATH_MAX];

static void remove_folder(void)
{
	unlink(path);
	rmdir(folder);
}

/* In memory: two fsyncs on a disk would be all that is measured. */
static void make_folder(void)
{
	if (path[0])
		return;
	if (!mkdtemp(folder))
		abort();
	snprintf(path, sizeof(path), "%s/registry.json", folder);
	atexit(remove_folder);
}

static void write_file(const uint8_t *data, size_t size)
{
	FILE *file = fopen(path, "w");

	if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
		abort();
}

static void check_same(struct vol_registry *a, struct vol_registry *b)
{
	fuzz_assert(vol_registry_count(a) == vol_registry_count(b));
	for (size_t i = 0; i < vol_registry_count(a); i++) {
		struct vol_device *d = vol_registry_at(a, i);
		struct vol_device *e = vol_registry_by_id(b, d->id);

		fuzz_assert(vol_registry_by_id(a, d->id) == d);
		fuzz_assert(vol_registry_by_node(a, d->node) == d);
		fuzz_assert(e && vol_registry_at(b, i) == e);
		fuzz_assert(strcmp(d->node, e->node) == 0);
		fuzz_assert(strcmp(d->hostname, e->hostname) == 0);
		fuzz_assert(strcmp(d->address, e->address) == 0);
		fuzz_assert(vol_facts_equal(&d->facts, &e->facts));
		fuzz_assert(d->first_seen == e->first_seen);
		fuzz_assert(d->last_seen == e->last_seen);
		fuzz_assert(d->created == e->created);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vol_error err = {""};
	struct vol_registry *a, *b;

	make_folder();
	write_file(data, size);
	a = vol_registry_load(path, &err);
	if (!a) {
		fuzz_assert(strncmp(err.text, path, strlen(path)) == 0);
		return 0;
	}
	vol_registry_touch(a);
	fuzz_assert(vol_registry_save(a, NULL) == 0);
	b = vol_registry_load(path, NULL);
	fuzz_assert(b);
	check_same(a, b);
	while (vol_registry_count(a) > 0)
		vol_registry_remove(a, vol_registry_at(a, 0)->id);
	vol_registry_destroy(a);
	vol_registry_destroy(b);
	return 0;
}
