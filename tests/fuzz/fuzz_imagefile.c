/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_imagefile.c - any bytes as the head of an image's file, its size and its
 * name
 *
 * A head that is accepted is written as it was read; a size that is accepted is
 * that of one stream; a name stands for one number.
 */
#include "config.h"

#include "bytes.h"
#include "fuzz.h"
#include "imagefile.h"

static void check_head(const uint8_t bytes[VOL_IMAGE_HEAD])
{
	uint8_t again[VOL_IMAGE_HEAD];
	struct vol_image_head head;
	struct vol_error err = {""};

	if (vol_image_head_get(bytes, &head, &err) < 0) {
		fuzz_assert(err.text[0]);
		return;
	}
	vol_image_head_put(&head, again);
	fuzz_assert(memcmp(bytes, again, sizeof(again)) == 0);
}

static void check_size(uint64_t size)
{
	struct vol_image_shape shape;

	if (vol_image_shape(size, &shape, NULL) < 0)
		return;
	fuzz_assert(shape.bytes >= 1 && shape.chunks >= 1);
	fuzz_assert(shape.last >= 1 && shape.last <= VOL_IMAGE_CHUNK);
	fuzz_assert(vol_image_file_size(shape.bytes) == size);
}

static void check_name(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), again[VOL_IMAGE_NAME_SIZE];
	enum vol_image_name kind;
	uint32_t number = 0, job;

	kind = vol_image_name_parse(text, &number);
	fuzz_assert((kind == VOL_IMAGE_OTHER) == (number == 0));
	if (kind != VOL_IMAGE_OTHER)
		fuzz_assert(strcmp(vol_image_name(number, kind, again), text) ==
			    0);
	job = vol_image_job_parse(text);
	snprintf(again, sizeof(again), "%u", (unsigned)job);
	fuzz_assert(!job || strcmp(again, text) == 0);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t head[VOL_IMAGE_HEAD] = {0};

	memcpy(head, data, size < sizeof(head) ? size : sizeof(head));
	check_head(head);
	check_size(size);
	if (size >= 8)
		check_size(vol_get64(data));
	check_name(data, size);
	return 0;
}
