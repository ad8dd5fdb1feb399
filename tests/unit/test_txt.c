/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_txt.c - TXT records, good and hostile */
#include "config.h"

#include "txt.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "vtest.h"

#define ID  "0123456789abcdef0123456789abcdef"
#define C10 "aaaaaaaaaa"
#define C60 C10 C10 C10 C10 C10 C10

#define MAX_ITEMS 8

static int parse(const char *const item[], struct vol_txt *txt,
		 struct vol_error *err)
{
	struct vol_txt_item items[MAX_ITEMS];
	size_t n = 0;

	for (; n < MAX_ITEMS && item[n]; n++) {
		items[n].data = (const uint8_t *)item[n];
		items[n].len = strlen(item[n]);
	}
	return vol_txt_parse(items, n, txt, err);
}

static const struct {
	const char *item[MAX_ITEMS];
	const char *name;
	uint32_t proto;
} good[] = {
	{{"txtvers=1", "proto=1", "name=lab", "id=" ID}, "lab", 1},
	{{"id=" ID, "name=", "proto=4294967295", "txtvers=1"}, "", 4294967295},
	{{"TXTVERS=1", "Proto=7", "nAmE=A_b-9", "ID=" ID}, "A_b-9", 7},
	{{"txtvers=1", "proto=1", "name=" C60 "aaa", "id=" ID}, C60 "aaa", 1},
	/* What nobody knows yet is skipped, whatever its value. */
	{{"txtvers=1", "proto=1", "name=x", "id=" ID, "extra=\x01\xff", "flag",
	  ""},
	 "x",
	 1},
	{{"=ignored", "txtvers=1", "proto=1", "name=x", "id=" ID, "names=y"},
	 "x",
	 1},
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(good); i++) {
		struct vol_error err = {""};
		struct vol_txt txt;

		if (parse(good[i].item, &txt, &err) < 0)
			fail_msg("%zu: %s", i, err.text);
		assert_string_equal(txt.name, good[i].name);
		assert_string_equal(txt.id, ID);
		assert_int_equal(txt.proto, good[i].proto);
	}
}

static const struct {
	const char *item[MAX_ITEMS];
	const char *error;
} bad[] = {
	{{NULL}, "txtvers: missing"},
	{{"proto=1", "name=x", "id=" ID}, "txtvers: missing"},
	{{"txtvers=1", "name=x", "id=" ID}, "proto: missing"},
	{{"txtvers=1", "proto=1", "id=" ID}, "name: missing"},
	{{"txtvers=1", "proto=1", "name=x"}, "id: missing"},
	{{"txtvers=2"}, "txtvers=\"2\""},
	{{"txtvers="}, "txtvers"},
	{{"txtvers=11"}, "txtvers"},
	{{"txtvers"}, "no value"},
	{{"name"}, "no value"},
	{{"proto=0"}, "proto"},
	{{"proto=-1"}, "proto"},
	{{"proto=+1"}, "proto"},
	{{"proto=01"}, "proto"},
	{{"proto= 1"}, "proto"},
	{{"proto=0x1"}, "proto"},
	{{"proto=1.0"}, "proto"},
	{{"proto=4294967296"}, "proto"},
	{{"proto=99999999999999999999999"}, "proto"},
	{{"name=a", "name=a"}, "name: given twice"},
	{{"name=a", "NAME=b"}, "name: given twice"},
	{{"name=" C60 "aaaa"}, "too long"},
	{{"name=a b"}, "forbidden"},
	{{"name=$(reboot)"}, "name=\"$(reboot)\""},
	{{"name=a;b"}, "forbidden"},
	{{"name=a[1-9]"}, "forbidden"},
	{{"name=a,b"}, "forbidden"},
	{{"name=../x"}, "forbidden"},
	{{"name=a\nb"}, "name=\"a?b\""},
	{{"name=a\x7f"}, "forbidden"},
	{{"name=\xc3\xa4"}, "forbidden"},
	{{"id="}, "id"},
	{{"id=0123456789ABCDEF0123456789abcdef"}, "lower-case"},
	{{"id=" ID "0"}, "id"},
	{{"id=0123456789abcdef0123456789abcde"}, "id"},
	{{"id=0123456789abcdef0123456789abcdeg"}, "id"},
	{{"na\x01me=x"}, "key"},
	{{"\xffkey"}, "key"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		struct vol_error err = {""};
		struct vol_txt txt, before;

		memset(&txt, 0x5a, sizeof(txt));
		before = txt;
		errno = 0;
		if (parse(bad[i].item, &txt, &err) != -1 || errno != EINVAL ||
		    !strstr(err.text, bad[i].error))
			fail_msg("%zu: errno %d, text \"%s\", want \"%s\"", i,
				 errno, err.text, bad[i].error);
		assert_memory_equal(&txt, &before, sizeof(txt));
		assert_printable(err.text);
	}
}

/* Strings come with a length, not with a NUL. */
static void test_bytes(void **state)
{
	static const char with_nul[] = "name=a\0b";
	struct vol_txt_item item = {(const uint8_t *)with_nul, 8};
	struct vol_error err;
	struct vol_txt txt;
	char *big;

	(void)state;
	assert_int_equal(vol_txt_parse(&item, 1, &txt, &err), -1);
	assert_non_null(strstr(err.text, "\"a?b\""));
	item = (struct vol_txt_item){NULL, 0};
	assert_int_equal(vol_txt_parse(&item, 1, &txt, &err), -1);
	assert_string_equal(err.text, "TXT txtvers: missing");
	assert_int_equal(vol_txt_parse(NULL, 0, &txt, NULL), -1);

	big = malloc(65536);
	assert_non_null(big);
	memset(big, 'a', 65536);
	memcpy(big, "id=", 3);
	item = (struct vol_txt_item){(const uint8_t *)big, 65536};
	assert_int_equal(vol_txt_parse(&item, 1, &txt, &err), -1);
	assert_true(strlen(err.text) < 128);
	/* Exactly as long as it says: the sanitizer would see one more. */
	item.data = malloc(7);
	assert_non_null(item.data);
	memcpy((void *)item.data, "proto=1", 7);
	item.len = 7;
	assert_int_equal(vol_txt_parse(&item, 1, &txt, &err), -1);
	assert_string_equal(err.text, "TXT txtvers: missing");
	free((void *)item.data);
	free(big);
}

static void test_format(void **state)
{
	struct vol_txt txt = {.proto = UINT32_MAX, .id = ID}, back;
	char item[VOL_TXT_ITEMS][VOL_TXT_ITEM_SIZE];
	struct vol_txt_item items[VOL_TXT_ITEMS];

	(void)state;
	memset(txt.name, 'n', sizeof(txt.name) - 1);
	assert_int_equal(vol_txt_format(&txt, item, 0), 0);
	assert_int_equal(vol_txt_format(&txt, item, 2), 2);
	assert_int_equal(vol_txt_format(&txt, item, 100), VOL_TXT_ITEMS);
	for (int i = 0; i < VOL_TXT_ITEMS; i++) {
		items[i].data = (const uint8_t *)item[i];
		items[i].len = strlen(item[i]);
	}
	assert_string_equal(item[0], "txtvers=1");
	assert_int_equal(vol_txt_parse(items, VOL_TXT_ITEMS, &back, NULL), 0);
	assert_memory_equal(&txt, &back, sizeof(txt));
	strcpy(txt.name, "my cluster.1");
	vol_txt_format(&txt, item, VOL_TXT_ITEMS);
	assert_string_equal(item[2], "name=my_cluster_1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
