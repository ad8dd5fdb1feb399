/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_store_killed.c - a controller that dies while images come and go
 *
 * At each write, fsync, rename, unlink, mkdir and rmdir in turn (fault_disk.h).
 * The next start finds whole images only, and the newest that was acknowledged
 * is among them, or one that is newer.
 */
#include "config.h"

#include "store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "fault_disk.h"
#include "store_bed.h"

/* More than is written at once. */
#define LEN (2 * 1024 * 1024 + 700)

int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path)
{
	if (fault_strikes()) {
		errno = EIO;
		return -1;
	}
	return __real_unlink(path);
}

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
	if (fault_strikes()) {
		errno = EIO;
		return -1;
	}
	return __real_mkdir(path, mode);
}

int __real_rmdir(const char *path);
int __wrap_rmdir(const char *path);
int __wrap_rmdir(const char *path)
{
	if (fault_strikes()) {
		errno = EIO;
		return -1;
	}
	return __real_rmdir(path);
}

static void clear(const char *folder)
{
	struct vol_store *s = open_store(folder, 0, 0);

	for (uint32_t job = 7; job <= 8; job++)
		assert_true(vol_store_remove(s, job, 0, NULL) >= 0);
	vol_store_close(s);
}

/* Only whole images are in the folder of a job, and all can be read. */
static void judge_job(struct vol_store *s, const char *folder, uint32_t job)
{
	struct vol_store_image *list;
	size_t n, own = 0;

	list = vol_store_list(s, &n);
	for (size_t i = 0; i < n; i++) {
		if (list[i].head.job != job)
			continue;
		own++;
		assert_int_equal(list[i].state, VOL_STORE_WHOLE);
		assert_int_equal(verify(s, job, list[i].head.number), 0);
	}
	free(list);
	assert_int_equal(entries(folder, job), own);
}

static void judge(const char *folder, int acknowledged)
{
	struct vol_store *s = open_store(folder, 0, 0);
	int newest;

	judge_job(s, folder, 7);
	judge_job(s, folder, 8);
	/* One that nobody heard of may be there as well. */
	newest = read_back(s, 7, 1000, 0, LEN, (uint64_t)acknowledged);
	if (newest != acknowledged)
		newest = read_back(s, 7, 1000, 0, LEN,
				   (uint64_t)acknowledged + 1);
	assert_in_range(newest, acknowledged, acknowledged + 1);
	/* It goes on. */
	assert_int_equal(put(s, 7, 1000, LEN, 99, NULL), 0);
	vol_store_close(s);
}

/* Four images of one job, the last two push older ones out; then it is removed,
 * and another job comes. */
static int live(struct vol_store *s)
{
	int acknowledged = 0;

	for (int n = 1; n <= 4; n++)
		if (put(s, 7, 1000, LEN, (uint64_t)n, NULL) == 0)
			acknowledged = n;
	(void)put(s, 8, 1000, LEN, 1, NULL);
	(void)vol_store_remove(s, 8, 0, NULL);
	return acknowledged;
}

static void killed_at_each_point(void **state)
{
	struct fault_disk disk = {.path = ""};
	unsigned n = 1, before;
	bool died = true;

	snprintf(disk.path, sizeof(disk.path), "%s/store/key", (char *)*state);
	for (; died; n++) {
		struct vol_store *s;
		int acknowledged;

		clear(*state);
		s = open_store(*state, 0, 0);
		fault_seed(n);
		fault_machine(&disk);
		fault_plan(n);
		before = fault_points();
		acknowledged = live(s);
		died = disk.dead;
		fault_machine(NULL);
		fault_plan(0);
		assert_true(!died || fault_points() - before == n);
		vol_store_close(s);
		fault_restart(&disk, false);
		judge(*state, acknowledged);
	}
	fault_disk_clear(&disk);
	print_message("killed at each of %u points\n", n - 2);
	assert_in_range(n, 40, 200);
}

/* The machine that writes image 2: what is not synced may be gone. */
static void power_is_cut(void **state)
{
	bool died = true;
	unsigned n = 1;

	for (; died; n++) {
		struct fault_disk disk = {.path = ""};
		struct vol_store *s;
		int acknowledged = 1;

		clear(*state);
		s = open_store(*state, 0, 0);
		assert_int_equal(put(s, 7, 1000, LEN, 1, NULL), 0);
		snprintf(disk.path, sizeof(disk.path), "%s/store/7/2.image",
			 (char *)*state);
		fault_seed(n);
		fault_machine(&disk);
		fault_plan(n);
		if (put(s, 7, 1000, LEN, 2, NULL) == 0)
			acknowledged = 2;
		died = disk.dead;
		fault_machine(NULL);
		fault_plan(0);
		vol_store_close(s);
		fault_restart(&disk, true);
		judge(*state, acknowledged);
		fault_disk_clear(&disk);
	}
	assert_in_range(n, 8, 40);
}

/* A call that fails, and nobody dies: nothing is left, and the next one is
 * good. */
static void a_call_fails(void **state)
{
	struct fault_disk disk = {.path = ""};
	struct vol_image_head head = head_of(7, 1000);
	uint8_t *bytes = stream_of(LEN, 2);
	struct vol_image_tail tail = {.bytes = LEN};
	bool failed = true;

	snprintf(disk.path, sizeof(disk.path), "%s/store/key", (char *)*state);
	vol_sha256(bytes, LEN, tail.sha256, NULL);
	for (unsigned n = 1; failed; n++) {
		struct vol_error err = {""};
		struct vol_store_put *p;
		struct vol_store *s;

		clear(*state);
		s = open_store(*state, 0, 0);
		assert_int_equal(put(s, 7, 1000, LEN, 1, NULL), 0);
		p = vol_store_put_begin(s, &head, LEN, NULL);
		assert_non_null(p);
		fault_seed(n);
		fault_machine(&disk);
		fault_plan(n);
		failed = vol_store_put_data(p, bytes, LEN, &err) < 0;
		fault_machine(NULL);
		fault_plan(0);
		fault_restart(&disk, false);
		if (failed) {
			assert_contains(err.text, "older images stay");
			vol_store_put_abort(p);
			assert_int_equal(entries(*state, 7), 1);
			assert_int_equal(put(s, 7, 1000, LEN, 2, NULL), 0);
		} else {
			assert_true(n > 1);
			assert_int_equal(vol_store_put_commit(p, &tail, NULL),
					 0);
		}
		assert_int_equal(read_back(s, 7, 1000, 0, LEN, 2), 2);
		vol_store_close(s);
	}
	free(bytes);
	fault_disk_clear(&disk);
}

/* The first start of all: there is a key, or none. */
static void the_key_is_made(void **state)
{
	bool died = true;

	for (unsigned n = 1; died; n++) {
		struct vol_store_limits none = {0, 0};
		struct fault_disk disk = {.path = ""};
		struct vol_store *s;
		char path[100];

		snprintf(path, sizeof(path), "%.80s/%u", (char *)*state, n);
		assert_int_equal(__real_mkdir(path, 0700), 0);
		snprintf(disk.path, sizeof(disk.path), "%s/store/key", path);
		strcat(path, "/store");
		fault_seed(n);
		fault_machine(&disk);
		fault_plan(n);
		s = vol_store_open(path, &none, NULL);
		died = disk.dead;
		fault_machine(NULL);
		fault_plan(0);
		vol_store_close(s);
		fault_restart(&disk, false);
		s = vol_store_open(path, &none, NULL);
		assert_non_null(s);
		assert_int_equal(put(s, 7, 1000, 10, 1, NULL), 0);
		assert_int_equal(read_back(s, 7, 1000, 0, 10, 1), 1);
		/* The key and the job, no remains. */
		assert_int_equal(vtest_count_entries(path), 2);
		vol_store_close(s);
		fault_disk_clear(&disk);
	}
}

int main(void)
{
#define TEST(_name)                                                \
	cmocka_unit_test_setup_teardown(_name, vtest_folder_setup, \
					vtest_folder_teardown)
	const struct CMUnitTest tests[] = {
		TEST(killed_at_each_point),
		TEST(power_is_cut),
		TEST(a_call_fails),
		TEST(the_key_is_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
