/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ckmachine.c - machines as JSON and as text */
#include "config.h"

#include "ckmachine.h"

#include <errno.h>

#include "vtest.h"

#define TEXT                                                 \
	"{\"arch\":\"x86_64\",\"cpu\":[\"fpu\",\"avx2\"],"   \
	"\"criu\":40101,\"kernel\":\"6.12.48+deb13-amd64\"," \
	"\"runtime\":\"\"}"

static struct vol_ckmachine example(void)
{
	struct vol_ckmachine m = {.arch = "x86_64",
				  .kernel = "6.12.48+deb13-amd64",
				  .criu = 40101};

	vol_ckcpu_parse("fpu avx2", &m.cpu);
	return m;
}

static void texts_come_back(void **state)
{
	struct vol_ckmachine m = example(), back;
	char text[VOL_CKMACHINE_TEXT];
	struct vol_error err = {""};

	(void)state;
	assert_int_equal(vol_ckmachine_format(&m, text, &err), 0);
	assert_string_equal(text, TEXT);
	for (size_t i = strlen(text); i < sizeof(text); i++)
		assert_int_equal(text[i], 0);
	memset(&back, 0x5a, sizeof(back));
	assert_int_equal(vol_ckmachine_parse(text, strlen(text), &back, &err),
			 0);
	assert_memory_equal(&back, &m, sizeof(m));
	assert_true(vol_ckmachine_known(&back));
	/* None is no text. */
	memset(&m, 0, sizeof(m));
	assert_int_equal(vol_ckmachine_format(&m, text, &err), 0);
	assert_string_equal(text, "");
	assert_int_equal(vol_ckmachine_parse("", 0, &back, &err), 0);
	assert_false(vol_ckmachine_known(&back));
}

/* The longest of all. */
static void all_features_fit(void **state)
{
	struct vol_ckmachine m = {.criu = 999999}, back;
	char text[VOL_CKMACHINE_TEXT];

	(void)state;
	memset(m.arch, 'a', sizeof(m.arch) - 1);
	/* Each takes two in JSON. */
	memset(m.kernel, '"', sizeof(m.kernel) - 1);
	memset(m.runtime, 'f', sizeof(m.runtime) - 1);
	for (unsigned int i = 0; vol_ckcpu_name(i); i++)
		assert_true(vol_ckcpu_add(&m.cpu, vol_ckcpu_name(i)));
	assert_int_equal(vol_ckmachine_format(&m, text, NULL), 0);
	assert_int_equal(vol_ckmachine_parse(text, strlen(text), &back, NULL),
			 0);
	assert_memory_equal(&back, &m, sizeof(m));
}

static void other_texts_are_refused(void **state)
{
	static const char *const bad[] = {
		" ",
		"{}",
		"[]",
		"x",
		TEXT " ",
		TEXT TEXT,
		"{\"arch\":\"\",\"cpu\":[],\"criu\":0,\"kernel\":\"6.1\","
		"\"runtime\":\"\"}",
		"{\"arch\":\"x\",\"cpu\":[],\"criu\":1000000,\"kernel\":\"6."
		"1\",\"runtime\":\"\"}",
		"{\"arch\":\"x\",\"cpu\":[\"nonsense\"],\"criu\":0,\"kernel\":"
		"\"6.1\",\"runtime\":\"\"}",
		"{\"arch\":\"x\",\"cpu\":[\"avx2\",\"fpu\"],\"criu\":0,"
		"\"kernel\":\"6.1\",\"runtime\":\"\"}",
		"{\"arch\":\"x\",\"cpu\":[],\"criu\":0,\"kernel\":\"6.1\","
		"\"runtime\":\"\",\"x\":1}",
	};
	struct vol_ckmachine m, before;

	(void)state;
	memset(&before, 0x5a, sizeof(before));
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		struct vol_error err = {""};

		m = before;
		assert_int_equal(vol_ckmachine_parse(bad[i], strlen(bad[i]), &m,
						     &err),
				 -1);
		assert_int_equal(errno, EINVAL);
		assert_printable(err.text);
		assert_memory_equal(&m, &before, sizeof(m));
	}
}

static void what_is_newer_than_we_are(void **state)
{
	struct vol_ckmachine m = example(), back = {.criu = 0};
	json_t *json = vol_ckmachine_to_json(&m);
	json_t *cpu = json_object_get(json, "cpu");
	static const char *const bad[] = {"", "a b", "\x1b[m",
					  "0123456789012345678901234567890123"};

	(void)state;
	json_array_append_new(cpu, json_string("avx10_9"));
	assert_int_equal(vol_ckmachine_from_json(json, &back, NULL), 0);
	assert_memory_equal(&back, &m, sizeof(m));
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		struct vol_error err = {""};

		json_array_append_new(cpu, json_string(bad[i]));
		assert_int_equal(vol_ckmachine_from_json(json, &back, &err),
				 -1);
		assert_printable(err.text);
		json_array_remove(cpu, json_array_size(cpu) - 1);
	}
	json_array_append_new(cpu, json_integer(7));
	assert_int_equal(vol_ckmachine_from_json(json, &back, NULL), -1);
	assert_int_equal(vol_ckmachine_from_json(NULL, &back, NULL), -1);
	json_decref(json);
}

static void words_for_people(void **state)
{
	struct vol_ckmachine m = example();
	char buf[VOL_CKMACHINE_CPU];

	(void)state;
	/* Not even v1. */
	assert_string_equal(vol_ckmachine_cpu(&m, buf), "x86_64");
	vol_ckcpu_parse("fpu cx8 cmov mmx fxsr sse sse2 syscall", &m.cpu);
	assert_string_equal(vol_ckmachine_cpu(&m, buf), "x86-64-v1");
	strcpy(m.arch, "aarch64");
	assert_string_equal(vol_ckmachine_cpu(&m, buf), "aarch64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_come_back),
		cmocka_unit_test(all_features_fit),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(what_is_newer_than_we_are),
		cmocka_unit_test(words_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
