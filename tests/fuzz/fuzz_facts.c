/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_facts.c - any JSON as facts, any text as a feature
 *
 * What is accepted is written as it was read and has a Slurm form that fits;
 * whatever a feature is called, the facts with it are accepted.
 */
#include "config.h"

#include "facts.h"
#include "fuzz.h"

static void check_conf(const struct vol_facts *f)
{
	char conf[VOL_FACTS_CONF_SIZE], small[64];

	fuzz_assert(vol_facts_conf(f, conf, sizeof(conf)) == 0);
	fuzz_assert(conf[strspn(conf, "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.,:=- ")] == '\0');
	fuzz_assert(vol_facts_cpus(f) >= 1);
	fuzz_assert(vol_facts_cpus(f) <= VOL_FACTS_CPUS);
	if (vol_facts_features(f, small, sizeof(small)) == 0)
		fuzz_assert(strstr(conf, small));
}

static void check_json(const json_t *json)
{
	struct vol_facts f, before;
	struct vol_error err = {""};
	json_t *again;

	memset(&f, 0x5a, sizeof(f));
	before = f;
	if (vol_facts_from_json(json, &f, &err) < 0) {
		fuzz_assert(memcmp(&f, &before, sizeof(f)) == 0);
		fuzz_assert(err.text[0]);
		return;
	}
	check_conf(&f);
	again = vol_facts_to_json(&f);
	fuzz_assert(json_equal(json, again));
	json_decref(again);
}

static void check_feature(const char *feature)
{
	struct vol_facts f = {.sockets = 1,
			      .cores_per_socket = 1,
			      .threads_per_core = 1,
			      .memory_mb = 1};
	struct vol_facts again;
	json_t *json;

	if (vol_facts_add_feature(&f, feature) < 0)
		return;
	check_conf(&f);
	json = vol_facts_to_json(&f);
	fuzz_assert(vol_facts_from_json(json, &again, NULL) == 0);
	fuzz_assert(vol_facts_equal(&f, &again));
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *json = json_loadb((const char *)data, size,
				  JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	char *text = fuzz_string(data, size);

	if (json)
		check_json(json);
	json_decref(json);
	check_feature(text);
	free(text);
	return 0;
}
