/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_imagefile.c - heads, sizes and names of the files of images */
#include "config.h"

#include "imagefile.h"

#include <errno.h>

#include "vtest.h"

#define ID "0123456789abcdef0123456789abcdef"

static const struct vol_image_head example = {
	.job = UINT32_MAX,
	.number = 7,
	.restarts = 3,
	.uid = 1000,
	.made = 1700000000,
	.salt = {1, 2, 3, [31] = 0xff},
	.device = ID,
	.node = "desk-1",
};

static void heads_come_back(void **state)
{
	uint8_t bytes[VOL_IMAGE_HEAD], again[VOL_IMAGE_HEAD];
	struct vol_image_head head = example;
	struct vol_error err = {""};

	(void)state;
	for (int i = 0; i < 2; i++) {
		vol_image_head_put(&head, bytes);
		memset(&head, 0x5a, sizeof(head));
		assert_int_equal(vol_image_head_get(bytes, &head, &err), 0);
		assert_int_equal(head.job, UINT32_MAX);
		assert_int_equal(head.uid, 1000);
		assert_memory_equal(head.salt, example.salt, VOL_IMAGE_SALT);
		assert_string_equal(head.device, ID);
		vol_image_head_put(&head, again);
		assert_memory_equal(bytes, again, sizeof(bytes));
		memset(head.node, 0, sizeof(head.node));
		memset(head.node, 'a', 48);
	}
}

static void damaged_heads_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t byte;
	} edits[] = {
		{0, 'v'}, {7, 0},      {6, '1'},   {64, 'G'},  {64, 0},
		{96, 0},  {96, '-'},   {98, 'A'},  {110, 'x'}, {159, 'a'},
		{160, 1}, {191, 0xff}, {31, 0x80}, {97, 0x1b},
	};
	struct vol_image_head head, before;
	uint8_t bytes[VOL_IMAGE_HEAD];

	(void)state;
	memset(&before, 0x5a, sizeof(before));
	for (size_t i = 0; i < N_ELEMENTS(edits); i++) {
		struct vol_error err = {""};

		vol_image_head_put(&example, bytes);
		bytes[edits[i].at] = edits[i].byte;
		head = before;
		assert_int_equal(vol_image_head_get(bytes, &head, &err), -1);
		assert_int_equal(errno, EBADMSG);
		assert_printable(err.text);
		assert_memory_equal(&head, &before, sizeof(head));
	}
	vol_image_head_put(&example, bytes);
	memset(bytes + 8, 0, 4); /* job 0 */
	assert_int_equal(vol_image_head_get(bytes, &head, NULL), -1);
	vol_image_head_put(&example, bytes);
	memset(bytes + 12, 0, 4); /* number 0 */
	assert_int_equal(vol_image_head_get(bytes, &head, NULL), -1);
}

static void sizes_tell_the_stream(void **state)
{
	static const uint64_t sizes[] = {
		1,
		2,
		15,
		16,
		17,
		65535,
		65536,
		65537,
		65552,
		131071,
		131072,
		131073,
		1000000,
		1ULL << 32,
		(1ULL << 32) + 1,
		VOL_IMAGE_MAX,
	};
	struct vol_image_shape shape;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(sizes); i++) {
		uint64_t file = vol_image_file_size(sizes[i]);

		assert_int_equal(vol_image_shape(file, &shape, NULL), 0);
		assert_true(shape.bytes == sizes[i]);
		assert_true(vol_image_offset(shape.chunks - 1) + shape.last +
				    VOL_IMAGE_TAG + VOL_IMAGE_TAIL +
				    VOL_IMAGE_TAG ==
			    file);
	}
	/* Each size is of one stream or of none. */
	for (uint64_t file = 0; file < 200000; file++) {
		if (vol_image_shape(file, &shape, NULL) < 0)
			assert_int_equal(errno, EBADMSG);
		else
			assert_true(vol_image_file_size(shape.bytes) == file);
	}
	assert_int_equal(vol_image_shape(UINT64_MAX, &shape, NULL), -1);
	assert_int_equal(
		vol_image_shape(vol_image_file_size(VOL_IMAGE_MAX) + 17, &shape,
				NULL),
		-1);
}

static void no_nonce_comes_twice(void **state)
{
	uint8_t a[VOL_IMAGE_NONCE], b[VOL_IMAGE_NONCE];

	(void)state;
	vol_image_nonce(0x0102030405060708, false, a);
	assert_memory_equal(a, "\1\2\3\4\5\6\7\10\0\0\0\0", sizeof(a));
	vol_image_nonce(0x0102030405060708, true, b);
	assert_memory_not_equal(a, b, sizeof(a));
	vol_image_nonce(0x0102030405060709, false, b);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void names_are_strict(void **state)
{
	static const char *const others[] = {
		"",
		".image",
		"0.image",
		"01.image",
		"1.image.",
		"1.imag",
		"1",
		"-1.image",
		"+1.image",
		" 1.image",
		"4294967296.image",
		"1.IMAGE",
		"1.part~",
		".1.part",
		"1.part.image",
		"x.part",
		"key",
		".key.abcdef",
	};
	char name[VOL_IMAGE_NAME_SIZE];
	uint32_t n = 0;

	(void)state;
	vol_image_name(UINT32_MAX, VOL_IMAGE_WHOLE, name);
	assert_string_equal(name, "4294967295.image");
	assert_int_equal(vol_image_name_parse(name, &n), VOL_IMAGE_WHOLE);
	assert_int_equal(n, UINT32_MAX);
	vol_image_name(1, VOL_IMAGE_PART, name);
	assert_string_equal(name, "1.part");
	assert_int_equal(vol_image_name_parse(name, &n), VOL_IMAGE_PART);
	assert_int_equal(n, 1);
	for (size_t i = 0; i < N_ELEMENTS(others); i++)
		assert_int_equal(vol_image_name_parse(others[i], &n),
				 VOL_IMAGE_OTHER);
	assert_int_equal(n, 1);
	assert_int_equal(vol_image_job_parse("4294967295"), UINT32_MAX);
	assert_int_equal(vol_image_job_parse("4294967296"), 0);
	assert_int_equal(vol_image_job_parse("0"), 0);
	assert_int_equal(vol_image_job_parse("7x"), 0);
	assert_int_equal(vol_image_job_parse(".."), 0);
	assert_int_equal(vol_image_job_parse(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_come_back),
		cmocka_unit_test(damaged_heads_are_refused),
		cmocka_unit_test(sizes_tell_the_stream),
		cmocka_unit_test(no_nonce_comes_twice),
		cmocka_unit_test(names_are_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
