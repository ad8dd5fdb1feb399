/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_facts.c - facts: features, JSON form, Slurm form */
#include "config.h"

#include "facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json_values.h"
#include "vtest.h"

static const struct vol_facts desktop = {
	.sockets = 1,
	.cores_per_socket = 4,
	.threads_per_core = 2,
	.memory_mb = 7900,
	.feature = {"x86_64", "avx2"},
	.n_features = 2,
};

static void test_features(void **state)
{
	struct vol_facts f = {0};
	char buf[VOL_FACTS_CONF_SIZE], name[16];

	(void)state;
	assert_int_equal(vol_facts_add_feature(&f, NULL), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(vol_facts_add_feature(&f, ""), -1);
	assert_int_equal(vol_facts_features(&f, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "volunteer");
	/* What every node has is never stored. */
	assert_int_equal(vol_facts_add_feature(&f, "volunteer"), 0);
	assert_int_equal(f.n_features, 0);
	assert_int_equal(vol_facts_add_feature(&f, "Intel(R) [x],y&z|\n"), 0);
	assert_string_equal(f.feature[0], "_ntel_____x__y_z__");
	assert_int_equal(vol_facts_add_feature(&f, "avx2"), 0);
	assert_int_equal(vol_facts_add_feature(&f, "avx2"), 0);
	assert_int_equal(f.n_features, 2);
	assert_int_equal(vol_facts_add_feature(
				 &f, "0123456789.123456789-1234567890_xyz"),
			 0);
	assert_string_equal(f.feature[2], "0123456789.123456789-1234567890");
	for (int i = 3; i < VOL_FACTS_FEATURES; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		assert_int_equal(vol_facts_add_feature(&f, name), 0);
	}
	assert_int_equal(vol_facts_add_feature(&f, "more"), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(vol_facts_add_feature(&f, "f3"), 0);
}

static void test_conf(void **state)
{
	struct vol_facts f = desktop;
	char buf[VOL_FACTS_CONF_SIZE];
	size_t need;

	(void)state;
	assert_int_equal(vol_facts_cpus(&f), 8);
	assert_int_equal(vol_facts_conf(&f, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "Sockets=1 CoresPerSocket=4 ThreadsPerCore=2 "
				 "RealMemory=7900 "
				 "Feature=volunteer,x86_64,avx2");
	f.scratch_mb = 5000;
	f.gpus = 2;
	assert_int_equal(vol_facts_conf(&f, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "Sockets=1 CoresPerSocket=4 ThreadsPerCore=2 "
				 "RealMemory=7900 TmpDisk=5000 Gres=gpu:2 "
				 "Feature=volunteer,x86_64,avx2");
	need = strlen(buf) + 1;
	for (size_t size = 0; size < need; size++) {
		char *small = malloc(size ? size : 1);

		assert_int_equal(vol_facts_conf(&f, small, size), -1);
		assert_int_equal(errno, ENOSPC);
		free(small);
	}
	assert_int_equal(vol_facts_conf(&f, buf, need), 0);
	assert_int_equal(vol_facts_features(&f, buf, 5), -1);
	assert_int_equal(errno, ENOSPC);
}

/* The largest facts fit where the header says they do. */
static void test_largest(void **state)
{
	struct vol_facts f = {1, 1024, 16, 1 << 30, 1 << 30, 64, {""}, 0};
	char buf[VOL_FACTS_CONF_SIZE], name[VOL_FACTS_FEATURE_SIZE];
	struct vol_facts back;
	json_t *json;

	(void)state;
	for (int i = 0; i < VOL_FACTS_FEATURES; i++) {
		memset(name, 'a' + i, sizeof(name) - 1);
		name[sizeof(name) - 1] = '\0';
		assert_int_equal(vol_facts_add_feature(&f, name), 0);
	}
	assert_int_equal(vol_facts_conf(&f, buf, sizeof(buf)), 0);
	json = vol_facts_to_json(&f);
	assert_int_equal(vol_facts_from_json(json, &back, NULL), 0);
	assert_true(vol_facts_equal(&f, &back));
	json_decref(json);
}

static void test_equal(void **state)
{
	struct vol_facts f = desktop;

	(void)state;
	assert_true(vol_facts_equal(&f, &desktop));
	strcpy(f.feature[0], "avx2");
	strcpy(f.feature[1], "x86_64");
	assert_true(vol_facts_equal(&f, &desktop)); /* a set has no order */
	strcpy(f.feature[1], "arm");
	assert_false(vol_facts_equal(&f, &desktop));
	f = desktop;
	f.n_features = 1;
	assert_false(vol_facts_equal(&f, &desktop));
	assert_false(vol_facts_equal(&desktop, &f));
#define DIFFERS(member)                                      \
	do {                                                 \
		f = desktop;                                 \
		f.member++;                                  \
		assert_false(vol_facts_equal(&f, &desktop)); \
	} while (0)
	DIFFERS(sockets);
	DIFFERS(cores_per_socket);
	DIFFERS(threads_per_core);
	DIFFERS(memory_mb);
	DIFFERS(scratch_mb);
	DIFFERS(gpus);
}

/* Decode must refuse json with an error that has part in it. */
static void refuse(const json_t *json, const char *part)
{
	struct vol_error err = {""};
	struct vol_facts f, before;

	memset(&f, 0x5a, sizeof(f));
	before = f;
	errno = 0;
	assert_int_equal(vol_facts_from_json(json, &f, &err), -1);
	assert_int_equal(errno, EINVAL);
	assert_contains(err.text, part);
	assert_memory_equal(&f, &before, sizeof(f));
	assert_int_equal(vol_facts_from_json(json, &f, NULL), -1);
}

static void test_types(void **state)
{
	json_t *json = vol_facts_to_json(&desktop);
	const char *name;
	json_t *value;

	(void)state;
	refuse(NULL, "object");
	for (json_type type = 0; type < N_JSON_TYPES; type++) {
		json_t *other = value_of_type(type);

		refuse(other, type == JSON_OBJECT ? "unknown" : "object");
		json_decref(other);
	}
	json_object_foreach(json, name, value) {
		json_t *copy = json_deep_copy(json);

		json_object_del(copy, name);
		refuse(copy, name);
		for (json_type type = 0; type < N_JSON_TYPES; type++) {
			json_t *other = value_of_type(type);

			if (!same_kind(other, value)) {
				json_object_set(copy, name, other);
				refuse(copy, name);
			}
			json_decref(other);
		}
		json_decref(copy);
	}
	json_object_set_new(json, "color", json_integer(1));
	refuse(json, "unknown member \"color\"");
	json_decref(json);
}

static const struct {
	const char *member, *value, *error;
} bad[] = {
	{"sockets", "0", "sockets: want an integer from 1 to 64, got 0"},
	{"sockets", "65", "sockets"},
	{"sockets", "-1", "got -1"},
	{"sockets", "4294967297", "sockets"},
	{"sockets", "9223372036854775807", "sockets"},
	{"cores_per_socket", "0", "cores_per_socket"},
	{"cores_per_socket", "1025", "cores_per_socket"},
	{"threads_per_core", "0", "threads_per_core"},
	{"threads_per_core", "17", "threads_per_core"},
	{"memory_mb", "0", "memory_mb"},
	{"memory_mb", "1073741825", "memory_mb"},
	{"memory_mb", "-9223372036854775808", "memory_mb"},
	{"scratch_mb", "-1", "scratch_mb"},
	{"scratch_mb", "1073741825", "scratch_mb"},
	{"gpus", "65", "gpus"},
	{"features", "[\"a\",1]", "features: entry 2: want a string"},
	{"features", "[null]", "features: entry 1"},
	{"features", "[[]]", "features: entry 1"},
	{"features", "[\"\"]", "features: entry 1"},
	{"features", "[\"A\"]", "features: entry 1: \"A\" is not valid"},
	{"features", "[\"a,b\"]", "features: entry 1"},
	{"features", "[\"a b\"]", "features: entry 1"},
	{"features", "[\"a\\nb\"]", "\"a?b\""},
	{"features", "[\"a\\u0000b\"]", "0x00"},
	{"features", "[\"\\u00e4\"]", "features: entry 1"},
	{"features", "[\"volunteer\"]", "features: entry 1"},
	{"features", "[\"a\",\"b\",\"a\"]", "\"a\" given twice"},
	{"features", "[\"01234567890123456789012345678901\"]", "32 bytes"},
	{"features", "[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7]", "17 entries"},
};

static void test_ranges(void **state)
{
	char *big = malloc(65537);
	json_t *json, *features;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		json_t *value = json_loads(
			bad[i].value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

		assert_non_null(value);
		json = vol_facts_to_json(&desktop);
		json_object_set_new(json, bad[i].member, value);
		refuse(json, bad[i].error);
		json_decref(json);
	}
	assert_non_null(big);
	memset(big, 'a', 65536);
	big[65536] = '\0';
	json = vol_facts_to_json(&desktop);
	features = json_pack("[s]", big);
	json_object_set_new(json, "features", features);
	refuse(json, "65536 bytes long, at most 31");
	json_object_set_new(json, big, json_null());
	refuse(json, "unknown member \"aaaaaaaa");
	json_decref(json);
	free(big);
}

/* Each range is fine by itself, the product is not. */
static void test_cpus(void **state)
{
	struct vol_facts f = desktop;
	json_t *json;

	(void)state;
	f.sockets = 64;
	f.cores_per_socket = 1024;
	f.threads_per_core = 1;
	json = vol_facts_to_json(&f);
	refuse(json, "65536 CPUs, at most 65533");
	json_decref(json);
	f.cores_per_socket = 1023;
	json = vol_facts_to_json(&f);
	assert_int_equal(vol_facts_from_json(json, &f, NULL), 0);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_features), cmocka_unit_test(test_conf),
		cmocka_unit_test(test_largest),  cmocka_unit_test(test_equal),
		cmocka_unit_test(test_types),    cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
