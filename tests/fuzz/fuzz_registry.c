/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_registry.c - any bytes as the registry's file
 *
 * A file that is accepted can be saved, and holds the same devices then; each
 * is found by both of its keys.  Whatever their standing, they can be approved,
 * revoked and released.
 */
#include "config.h"

#include "fuzz.h"
#include "registry.h"

#define NAME "registry.json"

/* What would be written, read again. */
static struct vol_registry *again(const struct vol_registry *r)
{
	struct vol_registry *copy;
	size_t len;
	char *text = vol_registry_text(r, &len, NULL);

	fuzz_assert(text);
	copy = vol_registry_parse(NAME, text, len, NULL);
	fuzz_assert(copy);
	free(text);
	return copy;
}

static void check_same(struct vol_registry *a, struct vol_registry *b)
{
	fuzz_assert(vol_registry_count(a) == vol_registry_count(b));
	for (size_t i = 0; i < vol_registry_count(a); i++) {
		struct vol_device *d = vol_registry_at(a, i);
		struct vol_device *e = vol_registry_by_id(b, d->id);

		fuzz_assert(vol_registry_by_id(a, d->id) == d);
		fuzz_assert(vol_registry_by_node(a, d->node) ==
			    (*d->node ? d : NULL));
		fuzz_assert(e && vol_registry_at(b, i) == e);
		fuzz_assert(strcmp(d->node, e->node) == 0);
		fuzz_assert(d->standing == e->standing);
		fuzz_assert(d->standing_at == e->standing_at);
		fuzz_assert(strcmp(d->by, e->by) == 0);
		fuzz_assert(strcmp(d->fingerprint, e->fingerprint) == 0);
		fuzz_assert(strcmp(d->hostname, e->hostname) == 0);
		fuzz_assert(strcmp(d->address, e->address) == 0);
		fuzz_assert(vol_facts_equal(&d->facts, &e->facts));
		fuzz_assert(d->first_seen == e->first_seen);
		fuzz_assert(d->last_seen == e->last_seen);
		fuzz_assert(d->created == e->created);
	}
}

/* A node name moves a device in the order, so ids are what is gone by. */
static void change_all(struct vol_registry *r)
{
	size_t n = vol_registry_count(r);
	char(*id)[VOL_DEVICE_ID_SIZE] = calloc(n + 1, sizeof(*id));

	for (size_t i = 0; i < n; i++)
		memcpy(id[i], vol_registry_at(r, i)->id, sizeof(*id));
	for (size_t i = 0; i < n; i++) {
		struct vol_device *d = vol_registry_by_id(r, id[i]);

		fuzz_assert(vol_registry_approve(r, d->id, "all", NULL, NULL, 1,
						 NULL) == 0 ||
			    d->standing == VOL_APPROVED);
		fuzz_assert(vol_registry_by_node(r, d->node) == d);
		fuzz_assert(vol_registry_revoke(r, d->id, "", 1, NULL) == 0);
		if (i % 2)
			vol_registry_release(r, d->id);
	}
	vol_registry_destroy(again(r));
	free(id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vol_error err = {""};
	struct vol_registry *a, *b;

	a = vol_registry_parse(NAME, (const char *)data, size, &err);
	if (!a) {
		fuzz_assert(strncmp(err.text, NAME, strlen(NAME)) == 0);
		return 0;
	}
	for (size_t i = 0; i < vol_registry_count(a); i++)
		vol_registry_touch(a, vol_registry_at(a, i));
	b = again(a);
	check_same(a, b);
	change_all(a);
	while (vol_registry_count(a) > 0)
		vol_registry_remove(a, vol_registry_at(a, 0)->id);
	vol_registry_destroy(a);
	vol_registry_destroy(b);
	return 0;
}
