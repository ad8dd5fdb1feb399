/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_device_conf.c - any text as device.conf
 *
 * Besides memory errors: a refused text changes nothing and names the file;
 * an accepted one keeps the rules between keys, and a list in it never
 * welcomes everybody unless it says so.
 */
#include "config.h"

#include "device/device_conf.h"
#include "fuzz.h"

static void check_list(const char *list)
{
	if (list && strcmp(list, "all") != 0)
		fuzz_assert(!vol_list_welcomes(list, "") &&
			    !vol_list_welcomes(list, "no such user"));
}

static void check_rules(const struct vol_device_conf *c)
{
	const struct vol_policy *p = &c->policy;

	fuzz_assert(p->idle_after_ms <= 24 * 3600 * 1000);
	fuzz_assert(p->max_load_pct >= 1 && p->max_load_pct <= 100);
	fuzz_assert(p->max_celsius <= 150);
	fuzz_assert(p->max_pressure_pct >= 1 && p->max_pressure_pct <= 100);
	fuzz_assert(p->reaction >= VOL_REACT_FREEZE &&
		    p->reaction <= VOL_REACT_EVICT);
	fuzz_assert(p->interactive_max_ms == 0 ||
		    p->interactive_max_ms >= p->parked_max_ms);
	fuzz_assert(c->checkpoint_ms >= 1000 &&
		    c->checkpoint_ms <= 3600 * 1000);
	fuzz_assert(p->unknown_is_present >> VOL_SENSORS == 0);
	fuzz_assert(c->state_dir[0] == '/' && c->slurmd[0] == '/');
	fuzz_assert(!c->owners || strcmp(c->owners, "all") != 0);
	check_list(c->owners);
	check_list(c->users);
	check_list(c->accounts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vol_device_conf c = {0}, before;
	struct vol_error err = {""};

	fuzz_assert(vol_device_conf_defaults(&c, NULL) == 0);
	before = c;
	if (vol_device_conf_parse("fuzz", (const char *)data, size, &c, &err) <
	    0) {
		fuzz_assert(memcmp(&c, &before, sizeof(c)) == 0);
		fuzz_assert(strncmp(err.text, "fuzz:", 5) == 0);
		fuzz_assert(strlen(err.text) > 8);
	}
	check_rules(&c);
	vol_device_conf_clear(&c);
	return 0;
}
