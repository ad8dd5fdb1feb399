/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ckproto.c - one meaning, or none; names of image files */
#include "config.h"

#include "ckproto.h"

#include <errno.h>

#include "ckimage_code.h"
#include "vtest.h"

#define BYTES(text)                                       \
	{                                                 \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}

static const struct vol_ckrow rows[] = {
	{"id", 1, VOL_CKTYPE_U32, VOL_CKCOUNT_REQUIRED},
	{"big", 2, VOL_CKTYPE_U64, VOL_CKCOUNT_OPTIONAL},
	{"signed", 3, VOL_CKTYPE_I32, VOL_CKCOUNT_OPTIONAL},
	{"zigzag", 4, VOL_CKTYPE_S32, VOL_CKCOUNT_OPTIONAL},
	{"flag", 5, VOL_CKTYPE_BOOL, VOL_CKCOUNT_OPTIONAL},
	{"fixed", 6, VOL_CKTYPE_FIXED64, VOL_CKCOUNT_OPTIONAL},
	{"name", 7, VOL_CKTYPE_TEXT, VOL_CKCOUNT_OPTIONAL},
	{"list", 8, VOL_CKTYPE_U32, VOL_CKCOUNT_REPEATED},
	{"data", 16, VOL_CKTYPE_BYTES, VOL_CKCOUNT_OPTIONAL},
	{NULL, 0, 0, 0},
};

static void values(void **state)
{
	struct vol_ckbytes m =
		BYTES("\x08\xff\xff\xff\xff\x0f"
		      "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
		      "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
		      "\x20\x03\x28\x01\x31\1\2\3\4\5\6\7\x08\x3a\x02hi"
		      "\x40\x07\x40\x00\x82\x01\x01\x00");
	struct vol_ckvalue v[VOL_CKROWS_MAX];
	struct vol_ckfield f;
	struct vol_error err = {""};

	(void)state;
	if (vol_ckproto_decode(m, rows, v, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(v[0].number, UINT32_MAX);
	assert_true((uint64_t)v[1].number == UINT64_MAX);
	assert_int_equal(v[2].number, -1);
	assert_int_equal(v[3].number, -2);
	assert_int_equal(v[4].number, 1);
	assert_true(v[5].number == 0x0807060504030201);
	assert_int_equal(v[6].bytes.len, 2);
	assert_memory_equal(v[6].bytes.at, "hi", 2);
	assert_int_equal(v[7].n, 2);
	assert_int_equal(v[8].bytes.len, 1);
	assert_true(vol_ckproto_find(&m, 8, &f));
	assert_int_equal(f.value, 7);
	assert_true(vol_ckproto_find(&m, 8, &f));
	assert_int_equal(f.value, 0);
	assert_false(vol_ckproto_find(&m, 8, &f));
}

static void bad(void **state)
{
	static const struct {
		struct vol_ckbytes m;
		const char *part;
	} bad_rows[] = {
		{BYTES(""), "id is missing"},
		{BYTES("\x08"), "cut off"},
		{BYTES("\x08\x80"), "cut off"},
		/* Longer than it needs to be. */
		{BYTES("\x08\x80\x00"), "longer than it needs"},
		{BYTES("\x88\x00\x01"), "longer than it needs"},
		/* Cut to 32 bits it is 0. */
		{BYTES("\x08\x80\x80\x80\x80\x10"), "id is out of its range"},
		{BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
		 "more than 64 bits"},
		{BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		 "more than 64 bits"},
		/* The last one counts elsewhere, messages are merged. */
		{BYTES("\x08\x01\x08\x02"), "id is there twice"},
		{BYTES("\x0a\x01\x01"), "id has another type"},
		{BYTES("\x0d\x01\x00\x00\x00"), "id has another type"},
		{BYTES("\x08\x01\x42\x01\x07"), "list has another type"},
		{BYTES("\x08\x01\x28\x02"), "flag is out of its range"},
		{BYTES("\x08\x01\x18\xff\xff\xff\xff\x0f"), "signed is out"},
		{BYTES("\x08\x01\x20\x80\x80\x80\x80\x20"), "zigzag is out"},
		{BYTES("\x08\x01\x31\x01\x02"), "cut off"},
		{BYTES("\x08\x01\x3a\x03hi"), "cut off in the middle of a f"},
		{BYTES("\x08\x01\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		 "cut off in the middle of a field"},
		{BYTES("\x08\x01\x3a\x02h\x00"), "name has a zero byte"},
		{BYTES("\x08\x01\x48\x01"), "field 9 is not known here"},
		{BYTES("\x08\x01\x0b\x0c"), "a type that CRIU does not write"},
		{BYTES("\x08\x01\x0f"), "a type that CRIU does not write"},
		{BYTES("\x00\x01"), "whose number can not be"},
		{BYTES("\x80\x80\x80\x80\x80\x01\x01"), "number can not be"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad_rows); i++) {
		struct vol_ckvalue v[VOL_CKROWS_MAX];
		struct vol_error err = {""};

		errno = 0;
		assert_int_equal(
			vol_ckproto_decode(bad_rows[i].m, rows, v, &err), -1);
		assert_contains(err.text, bad_rows[i].part);
		assert_int_equal(errno, EBADMSG);
	}
}

static void entries(void **state)
{
	struct ckbuf f = {0}, m = {0};
	struct vol_ckentries e;
	struct vol_ckbytes message;
	struct vol_error err = {""};
	uint8_t *exact;

	(void)state;
	vol_put32(f.b, VOL_CKMAGIC_COMMON);
	vol_put32(f.b + 4, vol_ckkind_magic(VOL_CKKIND_PIPES_DATA));
	f.n = 8;
	ck_number(&m, 1, 5);
	ck_entry(&f, &m);
	ck_bytes(&f, 0, "pipe", 4); /* bytes behind it: 6 */
	m.n = 0;
	ck_entry(&f, &m);
	exact = malloc(f.n);
	assert_non_null(exact);
	memcpy(exact, f.b, f.n);
	assert_int_equal(vol_ckentries_open(&e, VOL_CKKIND_PIPES_DATA, exact,
					    f.n, &err),
			 0);
	assert_int_equal(vol_ckentries_next(&e, &message, &err), 1);
	assert_int_equal(message.len, 2);
	assert_int_equal(vol_ckentries_skip(&e, 11, &err), -1);
	assert_contains(err.text, "entry 1: 11 bytes follow, 10 are there");
	assert_int_equal(vol_ckentries_skip(&e, UINT64_MAX, &err), -1);
	assert_int_equal(vol_ckentries_skip(&e, 6, &err), 0);
	assert_int_equal(vol_ckentries_next(&e, &message, &err), 1);
	assert_int_equal(message.len, 0);
	assert_int_equal(e.n, 2);
	assert_int_equal(vol_ckentries_next(&e, &message, &err), 0);
	/* Of another kind. */
	assert_int_equal(
		vol_ckentries_open(&e, VOL_CKKIND_FILES, exact, f.n, &err), -1);
	assert_contains(err.text, "begins with 0x56453709, and not with");
	assert_int_equal(
		vol_ckentries_open(&e, VOL_CKKIND_PAGES, exact, f.n, &err), -1);
	assert_int_equal(
		vol_ckentries_open(&e, VOL_CKKIND_FILES, exact, 7, &err), -1);
	free(exact);
}

static void too_long(void **state)
{
	uint8_t f[16];
	struct vol_ckentries e;
	struct vol_ckbytes message;
	struct vol_error err = {""};

	(void)state;
	vol_put32(f, vol_ckkind_magic(VOL_CKKIND_INVENTORY));
	vol_put32(f + 4, 9);
	assert_int_equal(vol_ckentries_open(&e, VOL_CKKIND_INVENTORY, f,
					    sizeof(f), &err),
			 0);
	assert_int_equal(vol_ckentries_next(&e, &message, &err), -1);
	assert_contains(err.text, "entry 1: 9 bytes announced, 8 are there");
	vol_put32(f + 4, UINT32_MAX);
	assert_int_equal(vol_ckentries_open(&e, VOL_CKKIND_INVENTORY, f,
					    sizeof(f), &err),
			 0);
	assert_int_equal(vol_ckentries_next(&e, &message, &err), -1);
	assert_int_equal(errno, EBADMSG);
}

static void names(void **state)
{
	static const struct {
		const char *name;
		enum vol_ckkind kind;
		unsigned int pre;
		uint64_t id;
	} good[] = {
		{"core-1.img", VOL_CKKIND_CORE, 0, 1},
		{"core-4294967295.img", VOL_CKKIND_CORE, 0, 4294967295},
		{"inventory.img", VOL_CKKIND_INVENTORY, 0, 0},
		{"ghost-file-1f.img", VOL_CKKIND_GHOST, 0, 0x1f},
		{"tcp-stream-e597b.img", VOL_CKKIND_TCP_STREAM, 0, 0xe597b},
		{"tmpfs-dev-60.tar.gz.img", VOL_CKKIND_TMPFS_DEV, 0, 60},
		{"volunteer-files.img", VOL_CKKIND_VOLUNTEER, 0, 0},
		{"tmpfs-60.tar.gz.img", VOL_CKKIND_TMPFS, 0, 60},
		{"pagemap-2.img", VOL_CKKIND_PAGEMAP, 0, 2},
		{"pagemap-shmem-11810.img", VOL_CKKIND_PAGEMAP_SHMEM, 0, 11810},
		{"stats-dump", VOL_CKKIND_STATS, 0, 0},
		{"pre-1/pages-7.img", VOL_CKKIND_PAGES, 1, 7},
		{"pre-8/inventory.img", VOL_CKKIND_INVENTORY, 8, 0},
	};
	static const char *const wrong[] = {
		"",
		"cgroup.img",
		"core-.img",
		"core-01.img",
		"core-1.img ",
		"core--1.img",
		"core-18446744073709551616.img",
		"ghost-file-1F.img",
		"ghost-file-01.img",
		"stats-dump.img",
		"stats-restore",
		"parent",
		".",
		"..",
		"../core-1.img",
		"/core-1.img",
		"pre-0/pages-1.img",
		"pre-9/pages-1.img",
		"pre-1/core-1.img",
		"pre-1/pre-2/pages-1.img",
		"pre-1/../core-1.img",
		"tmpfs-60.tar.gz",
		"netns-ct-1.img",
		"fanotify.img",
		"core-1111111111111111111111111111111111111111111111111111.img",
	};
	struct vol_ckname n;
	struct vol_error err;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(good); i++) {
		assert_int_equal(vol_ckname_parse(good[i].name, &n, NULL), 0);
		assert_int_equal(n.kind, good[i].kind);
		assert_int_equal(n.pre, good[i].pre);
		assert_true(n.id == good[i].id);
	}
	for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
		errno = 0;
		if (vol_ckname_parse(wrong[i], &n, &err) == 0)
			fail_msg("%s was taken", wrong[i]);
		assert_int_equal(errno, EINVAL);
	}
}

static void left_out(void **state)
{
	static const char *const yes[] = {
		"cgroup.img",      "ifaddr-10.img",   "route-10.img",
		"route6-10.img",   "rule-10.img",     "iptables-1.img",
		"ip6tables-1.img", "nftables-10.img", "netns-ct-1.img",
		"netns-exp-1.img",
	};
	static const char *const no[] = {
		"",        "core-1.img",   "netns-10.img", "route-.img",
		"route-1", "cgroup-1.img", "fanotify.img", "dump.log"};
	struct vol_ckname n;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(yes); i++) {
		assert_true(vol_ckname_left_out(yes[i]));
		/* Never both. */
		assert_int_equal(vol_ckname_parse(yes[i], &n, NULL), -1);
	}
	for (size_t i = 0; i < N_ELEMENTS(no); i++)
		assert_false(vol_ckname_left_out(no[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),  cmocka_unit_test(bad),
		cmocka_unit_test(entries), cmocka_unit_test(too_long),
		cmocka_unit_test(names),   cmocka_unit_test(left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
