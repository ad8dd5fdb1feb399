/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_conf.c - any text as a configuration file and as single values
 *
 * Besides memory errors: a refused text changes nothing, names its place, and
 * an accepted one leaves every field in its range.
 */
#include "config.h"

#include "conf.h"
#include "fuzz.h"

struct object {
	char *name;
	bool on;
	uint32_t count;
	uint64_t wait_ms, bytes;
	struct vol_share cpus, memory;
	int action;
};

static const char *const actions[] = {"freeze", "throttle", "evict", NULL};

#define ROW(t, s, k, f, ...)                                      \
	{                                                         \
		.type = VOL_CONF_##t, .section = s, .key = k,     \
		.offset = offsetof(struct object, f), __VA_ARGS__ \
	}

static const struct vol_conf_option table[] = {
	ROW(STRING, "main", "name", name, .fallback = "me", .min = 1,
	    .max = 20),
	ROW(BOOL, "main", "on", on, .fallback = "yes"),
	ROW(UINT, "main", "count", count, .fallback = "5", .min = 2, .max = 9),
	ROW(DURATION, "policy", "wait", wait_ms, .fallback = "1m30s",
	    .min = 1000, .max = 3600000),
	ROW(SIZE, "policy", "bytes", bytes, .max = 1048576),
	ROW(COUNT_SHARE, "policy", "cpus", cpus, .fallback = "75%"),
	ROW(SIZE_SHARE, "policy", "memory", memory, .fallback = "-2G"),
	ROW(ENUM, "policy", "action", action, .fallback = "evict",
	    .words = actions),
	{.type = VOL_CONF_END},
};

static void check_ranges(const struct object *o)
{
	fuzz_assert(o->name && strlen(o->name) >= 1 && strlen(o->name) <= 20);
	fuzz_assert(o->count >= 2 && o->count <= 9);
	fuzz_assert(o->wait_ms >= 1000 && o->wait_ms <= 3600000);
	fuzz_assert(o->bytes <= 1048576);
	fuzz_assert(o->cpus.kind != VOL_SHARE_PCT || o->cpus.amount <= 100);
	fuzz_assert(o->action >= 0 && o->action <= 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct object o = {0}, before;
	struct vol_error err = {""};
	const struct vol_conf_option *row;
	char *value;

	fuzz_assert(vol_conf_defaults(table, &o, NULL) == 0);
	before = o;
	if (vol_conf_parse(table, "fuzz", (const char *)data, size, &o, &err) !=
	    0) {
		fuzz_assert(memcmp(&o, &before, sizeof(o)) == 0);
		fuzz_assert(strncmp(err.text, "fuzz:", 5) == 0);
		fuzz_assert(strlen(err.text) > 8);
	}
	check_ranges(&o);
	value = fuzz_string(data, size);
	for (row = table; row->type != VOL_CONF_END; row++)
		vol_conf_set(table, row->key, value, &o, &err);
	vol_conf_set(table, value, "5", &o, &err);
	check_ranges(&o);
	free(value);
	vol_conf_clear(table, &o);
	return 0;
}
