/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_imagetable.c - which devices can go on with which saved jobs, as a file
 */
#include "config.h"

#include "imagetable.h"

#include <errno.h>
#include <sys/stat.h>

#include "atomicfile.h"
#include "nodetable_format.h"
#include "vtest.h"

static const struct vol_imagetable_need needs[] = {
	{{UINT64_C(1) << 1 | 1, UINT64_C(1) << 6}},
	{{0, [15] = UINT64_C(1) << 63}},
};
static const struct vol_imagetable_job jobs[] = {
	{7, 1}, {8, 0}, {4000000000, 1}};
static const struct vol_imagetable example = {9, 3, 2, jobs, needs};

static void jobs_are_found(void **state)
{
	struct vol_imagetable none = {0};

	(void)state;
	assert_null(vol_imagetable_find(&none, 7));
	assert_ptr_equal(vol_imagetable_find(&example, 7), &needs[1]);
	assert_ptr_equal(vol_imagetable_find(&example, 8), &needs[0]);
	assert_ptr_equal(vol_imagetable_find(&example, 4000000000), &needs[1]);
	for (uint32_t job = 0; job < 7; job++)
		assert_null(vol_imagetable_find(&example, job));
	assert_null(vol_imagetable_find(&example, 9));
	assert_null(vol_imagetable_find(&example, UINT32_MAX));
	/* Nothing is known of kind 0, whatever the table says. */
	for (uint32_t kind = 0; kind < VOL_IMAGETABLE_KINDS; kind++) {
		assert_int_equal(vol_imagetable_fits(&needs[0], kind),
				 kind == 1 || kind == 70);
		assert_int_equal(vol_imagetable_fits(&needs[1], kind),
				 kind == 1023);
	}
	assert_false(vol_imagetable_fits(&needs[1], VOL_IMAGETABLE_KINDS));
	assert_false(vol_imagetable_fits(&needs[1], UINT32_MAX));
}

static void bytes_come_back(void **state)
{
	const struct vol_imagetable none = {.edition = 1};
	struct vol_imagetable t;
	size_t len;
	void *buf = vol_imagetable_encode(&example, &len);

	(void)state;
	assert_int_equal(len, 24 + 3 * 8 + 2 * 128 + 8);
	assert_int_equal(vol_imagetable_decode(buf, len, &t, NULL), 0);
	assert_int_equal(t.edition, 9);
	assert_int_equal(t.n_jobs, 3);
	assert_int_equal(t.n_needs, 2);
	assert_memory_equal(t.jobs, jobs, sizeof(jobs));
	assert_memory_equal(t.needs, needs, sizeof(needs));
	free(buf);
	buf = vol_imagetable_encode(&none, &len);
	assert_int_equal(len, 32);
	assert_int_equal(vol_imagetable_decode(buf, len, &t, NULL), 0);
	assert_int_equal(t.n_jobs, 0);
	free(buf);
}

static void seal(uint8_t *buf, size_t len)
{
	uint64_t sum = vol_nodetable_checksum(buf, len - sizeof(sum));

	memcpy(buf + len - sizeof(sum), &sum, sizeof(sum));
}

static void assert_refused(const uint8_t *buf, size_t len)
{
	struct vol_imagetable t = {.edition = 77};
	struct vol_error err = {""};

	assert_int_equal(vol_imagetable_decode(buf, len, &t, &err), -1);
	assert_int_equal(errno, EINVAL);
	assert_printable(err.text);
	assert_int_equal(t.edition, 77);
}

static void others_are_refused(void **state)
{
	/* Bytes of the head, and of the jobs: their order and their needs. */
	static const struct {
		size_t at;
		uint8_t byte;
	} edits[] = {
		{0, 'W'}, {8, 0},  {12, 4}, {12, 2}, {14, 1}, {16, 3}, {18, 1},
		{20, 1},  {24, 8}, {24, 9}, {24, 0}, {28, 2}, {31, 1},
	};
	size_t len;
	uint8_t *buf = vol_imagetable_encode(&example, &len);
	uint8_t *copy = malloc(len + 8);

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(edits); i++) {
		memcpy(copy, buf, len);
		copy[edits[i].at] = edits[i].byte;
		assert_refused(copy, len);
		/* Right, if the checksum were all. */
		seal(copy, len);
		assert_refused(copy, len);
	}
	for (size_t n = 0; n < len; n++)
		assert_refused(buf, n);
	memcpy(copy, buf, len);
	memset(copy + len, 0, 8);
	assert_refused(copy, len + 8);
	for (size_t i = 0; i < len; i++) {
		memcpy(copy, buf, len);
		copy[i] ^= 0x10;
		assert_refused(copy, len);
	}
	free(copy);
	free(buf);
}

static void files_are_trusted_or_not(void **state)
{
	struct vol_imagetable t = {.edition = 77};
	struct vol_error err = {""};
	char path[PATH_MAX];
	void *buf = NULL, *bytes;
	size_t len;

	snprintf(path, sizeof(path), "%s/images", (const char *)*state);
	assert_int_equal(vol_imagetable_read(path, &t, &buf, &err), -1);
	assert_int_equal(errno, ENOENT);
	bytes = vol_imagetable_encode(&example, &len);
	assert_int_equal(vol_file_replace(path, bytes, len, 0644, 0, NULL), 0);
	assert_int_equal(vol_imagetable_read(path, &t, &buf, &err), 0);
	assert_ptr_equal(vol_imagetable_find(&t, 8), t.needs);
	free(buf);
	buf = NULL;
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(vol_imagetable_read(path, &t, &buf, &err), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(vol_file_replace(path, bytes, len - 8, 0644, 0, NULL),
			 0);
	assert_int_equal(vol_imagetable_read(path, &t, &buf, &err), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(vol_file_replace(path, "", 0, 0644, 0, NULL), 0);
	assert_int_equal(vol_imagetable_read(path, &t, &buf, &err), -1);
	assert_int_equal(errno, EINVAL);
	assert_null(buf);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_are_found),
		cmocka_unit_test(bytes_come_back),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test_setup_teardown(files_are_trusted_or_not,
						vtest_folder_setup,
						vtest_folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
