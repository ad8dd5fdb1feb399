/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_names.c - node names are safe in Slurm, identities are well-formed */
#include "config.h"

#include "names.h"

#include "vtest.h"

#define A48 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void names_from_hosts(void **state)
{
	static const struct {
		const char *host, *name;
	} rows[] = {
		{NULL, "device"},
		{"", "device"},
		{".", "device"},
		{".lan", "device"},
		{"---", "device"},
		{"\xff\xfe", "device"},
		{"12345", "device"},
		{"1", "device"},
		{"10.0.0.7", "device"},
		{"pc", "pc"},
		{"PC-Lab.example.org", "pc-lab"},
		{"lab12", "lab12"},
		{"12-3", "12-3"},
		{"-a-", "a"},
		{"a--b", "a--b"},
		{"my pc", "my-pc"},
		{"n[1-3]", "n-1-3"},
		{"a,b", "a-b"},
		{"$(reboot)", "reboot"},
		{"under_score", "under-score"},
		{"caf\xc3\xa9", "caf"},
		{"all", "all-device"},
		{"ALL", "all-device"},
		{"all.lan", "all-device"},
		{"volunteer", "volunteer-device"},
		{"Default", "default-device"},
		{"localhost.localdomain", "localhost-device"},
		{"dynamic", "dynamic-device"},
		{"none", "none-device"},
		{"(null)", "null-device"},
		{"nodeset", "nodeset-device"},
		{"UNLIMITED", "unlimited-device"},
		{"allison", "allison"},
		{"device", "device"},
		{A48, A48},
		{A48 "b", A48},
		{"-" A48, A48},
	};
	char name[VOL_NODE_NAME_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		vol_node_name_from_host(rows[i].host, name);
		assert_string_equal(name, rows[i].name);
		assert_true(vol_node_name_valid(name));
	}
}

/* The cut must not leave a '-' at the end. */
static void cut_is_trimmed(void **state)
{
	char host[VOL_NODE_NAME_SIZE], name[VOL_NODE_NAME_SIZE];

	(void)state;
	memset(host, 'a', 46);
	strcpy(host + 46, "--bbbb");
	vol_node_name_from_host(host, name);
	assert_int_equal(strlen(name), 46);
	assert_true(vol_node_name_valid(name));
}

static void nth_names(void **state)
{
	static const struct {
		const char *base;
		unsigned n;
		const char *name;
	} rows[] = {
		{"pc", 0, "pc"},
		{"pc", 1, "pc"},
		{"pc", 2, "pc-2"},
		{"pc-2", 2, "pc-2-2"},
		{A48, 1, A48},
		{A48, 9999, A48 "-9999"},
		{A48, 4294967295, A48 "-4294967295"},
		{NULL, 2, "device-2"},
	};
	char name[VOL_NODE_NAME_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		vol_node_name_nth(rows[i].base, rows[i].n, name);
		assert_string_equal(name, rows[i].name);
		assert_true(vol_node_name_valid(name));
	}
	strcpy(name, "pc");
	vol_node_name_nth(name, 7, name); /* in place */
	assert_string_equal(name, "pc-7");
}

static void invalid_names(void **state)
{
	static const char *const names[] = {
		NULL,
		"",
		"-",
		"-a",
		"a-",
		"A",
		"a.b",
		"a_b",
		"a b",
		"a\n",
		"n[1-3]",
		"a,b",
		"1",
		"12345",
		"all",
		"volunteer",
		"localhost",
		"caf\xc3\xa9",
		A48 "a",
		A48 "-1",
		A48 "-02",
		A48 "-0",
		A48 "-x",
		A48 "-",
		A48 "--2",
		A48 "a-2",
		A48 "-4294967296",
		A48 "-99999999999999",
		A48 A48,
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(names); i++) {
		if (vol_node_name_valid(names[i]))
			fail_msg("\"%s\" was taken for valid", names[i]);
	}
}

static void device_ids(void **state)
{
	static const struct {
		const char *id;
		bool valid;
	} rows[] = {
		{NULL, false},
		{"", false},
		{"0123456789abcdef0123456789abcdef", true},
		{"00000000000000000000000000000000", true},
		{"0123456789abcdef0123456789abcde", false},
		{"0123456789abcdef0123456789abcdef0", false},
		{"0123456789ABCDEF0123456789abcdef", false},
		{"0123456789abcdef0123456789abcdeg", false},
		{"0123456789abcdef 123456789abcdef", false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++)
		assert_int_equal(vol_device_id_valid(rows[i].id),
				 rows[i].valid);
}

static void ids_are_made(void **state)
{
	char a[VOL_DEVICE_ID_SIZE], b[VOL_DEVICE_ID_SIZE];

	(void)state;
	assert_int_equal(vol_device_id_make(a, NULL), 0);
	assert_int_equal(vol_device_id_make(b, NULL), 0);
	assert_true(vol_device_id_valid(a));
	assert_true(vol_device_id_valid(b));
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_from_hosts),
		cmocka_unit_test(cut_is_trimmed),
		cmocka_unit_test(nth_names),
		cmocka_unit_test(invalid_names),
		cmocka_unit_test(device_ids),
		cmocka_unit_test(ids_are_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
