/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_store.c - the controller's store of images */
#include "config.h"

#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "digest.h"
#include "store_bed.h"
#include "vtest.h"

/* ---- whole ones ---- */

static void an_image_comes_back(void **state)
{
	static const size_t sizes[] = {1, 15, 65535, 65536, 65537, 400000};
	struct vol_store *s = open_store(*state, 0, 0);
	struct vol_error err = {""};

	for (size_t i = 0; i < N_ELEMENTS(sizes); i++) {
		assert_int_equal(put(s, 7, 1000, sizes[i], i, &err), 0);
		assert_int_equal(read_back(s, 7, 1000, 0, sizes[i], i), i + 1);
	}
	vol_store_close(s);
	/* The same after a restart; only the newest two are left. */
	s = open_store(*state, 0, 0);
	assert_int_equal(count(s, VOL_STORE_WHOLE), VOL_STORE_EACH);
	assert_int_equal(read_back(s, 7, 1000, 0, 400000, 5), 6);
	assert_int_equal(read_back(s, 7, 1000, 6, 65537, 4), 5);
	assert_int_equal(read_back(s, 7, 1000, 5, 0, 0), 0);
	vol_store_close(s);
}

static void nothing_is_in_the_clear(void **state)
{
	struct vol_store *s = open_store(*state, 0, 0);
	char path[PATH_MAX], word[] = "a secret of the job";
	struct vol_store_put *p;
	struct vol_image_head head = head_of(7, 1000);
	struct vol_image_tail tail = {.bytes = sizeof(word)};
	struct stat st;
	size_t len;
	uint8_t *file;

	vol_sha256(word, sizeof(word), tail.sha256, NULL);
	p = vol_store_put_begin(s, &head, 0, NULL);
	assert_int_equal(vol_store_put_data(p, word, sizeof(word), NULL), 0);
	assert_int_equal(vol_store_put_commit(p, &tail, NULL), 0);
	file = slurp(image_path(*state, 7, 1, path), &len);
	assert_int_equal(len, vol_image_file_size(sizeof(word)));
	assert_null(memmem(file, len, "secret", 6));
	free(file);
	/* And for nobody else. */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(path, sizeof(path), "%s/store/key", (char *)*state);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(path, sizeof(path), "%s/store", (char *)*state);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	vol_store_close(s);
}

static void who_may_have_which(void **state)
{
	struct vol_store *s = open_store(*state, 0, 0);
	struct vol_store_get *g;

	assert_int_equal(put(s, 7, 1000, 100, 1, NULL), 0);
	/* Of the same run, another user's, another job's: none. */
	assert_null(vol_store_get_begin(s, 7, 1000, RESTARTS, 0, NULL));
	assert_int_equal(errno, ENOENT);
	assert_null(vol_store_get_begin(s, 7, 1001, RESTARTS + 1, 0, NULL));
	assert_null(vol_store_get_begin(s, 8, 1000, RESTARTS + 1, 0, NULL));
	g = vol_store_get_begin(s, 7, 1000, RESTARTS + 1, 0, NULL);
	assert_non_null(g);
	assert_string_equal(vol_store_get_image(g)->head.node, "desk");
	vol_store_get_end(g);
	vol_store_close(s);
}

static void what_came_is_compared(void **state)
{
	struct vol_store *s = open_store(*state, 0, 0);
	struct vol_image_head head = head_of(7, 1000);
	struct vol_image_tail tail = {.bytes = 3};
	struct vol_store_put *p;
	struct vol_error err;

	assert_int_equal(put(s, 7, 1000, 100, 1, NULL), 0);
	vol_sha256("abc", 3, tail.sha256, NULL);
	/* Not what was sent. */
	p = vol_store_put_begin(s, &head, 0, NULL);
	assert_int_equal(vol_store_put_data(p, "abd", 3, NULL), 0);
	assert_int_equal(vol_store_put_commit(p, &tail, &err), -1);
	assert_int_equal(errno, EBADMSG);
	assert_contains(err.text, "SHA-256 differs");
	/* Not all of it. */
	p = vol_store_put_begin(s, &head, 0, NULL);
	assert_int_equal(vol_store_put_data(p, "ab", 2, NULL), 0);
	assert_int_equal(vol_store_put_commit(p, &tail, &err), -1);
	assert_contains(err.text, "2 bytes came of an image of 3 bytes");
	/* Nothing at all. */
	tail.bytes = 0;
	vol_sha256("", 0, tail.sha256, NULL);
	p = vol_store_put_begin(s, &head, 0, NULL);
	assert_int_equal(vol_store_put_commit(p, &tail, &err), -1);
	/* More than was announced. */
	p = vol_store_put_begin(s, &head, 3, NULL);
	assert_int_equal(vol_store_put_data(p, "abc", 3, NULL), 0);
	assert_int_equal(vol_store_put_data(p, "d", 1, &err), -1);
	assert_int_equal(errno, EFBIG);
	vol_store_put_abort(p);
	assert_int_equal(entries(*state, 7), 1);
	assert_int_equal(read_back(s, 7, 1000, 0, 100, 1), 1);
	vol_store_close(s);
}

static void one_at_a_time_of_a_job(void **state)
{
	struct vol_store *s = open_store(*state, 0, 0);
	struct vol_image_head head = head_of(7, 1000);
	struct vol_store_put *p = vol_store_put_begin(s, &head, 0, NULL), *q;

	assert_non_null(p);
	assert_null(vol_store_put_begin(s, &head, 0, NULL));
	assert_int_equal(errno, EBUSY);
	head.job = 8;
	q = vol_store_put_begin(s, &head, 0, NULL);
	assert_non_null(q);
	assert_int_equal(count(s, VOL_STORE_COMING), 2);
	vol_store_put_abort(q);
	vol_store_put_abort(p);
	assert_int_equal(count(s, VOL_STORE_COMING), 0);
	assert_int_equal(put(s, 7, 1000, 10, 1, NULL), 0);
	vol_store_close(s);
}

/* ---- edited ones ---- */

/* Edit image 2 of job 7 and see that it is not given out, now or after a
 * restart, and that image 1 is. */
static void damaged_by(const char *folder,
		       void (*edit)(uint8_t *file, size_t *len))
{
	struct vol_store *s = open_store(folder, 0, 0);
	char path[PATH_MAX];
	size_t len;
	uint8_t *file;

	assert_true(vol_store_remove(s, 7, 0, NULL) >= 0);
	assert_int_equal(put(s, 7, 1000, 200000, 1, NULL), 0);
	assert_int_equal(put(s, 7, 1000, 200000, 2, NULL), 0);
	file = slurp(image_path(folder, 7, 2, path), &len);
	edit(file, &len);
	spill(path, file, len);
	free(file);
	assert_int_equal(read_back(s, 7, 1000, 0, 200000, 1), 1);
	assert_int_equal(count(s, VOL_STORE_DAMAGED), 1);
	assert_int_equal(verify(s, 7, 2), -1);
	assert_int_equal(verify(s, 7, 1), 0);
	vol_store_close(s);
	s = open_store(folder, 0, 0);
	assert_int_equal(read_back(s, 7, 1000, 0, 200000, 1), 1);
	assert_int_equal(count(s, VOL_STORE_DAMAGED), 1);
	/* It is kept to be looked at, and goes when there is a better one. */
	assert_int_equal(put(s, 7, 1000, 10, 3, NULL), 0);
	assert_int_equal(put(s, 7, 1000, 10, 4, NULL), 0);
	assert_int_equal(count(s, VOL_STORE_DAMAGED), 0);
	assert_int_equal(count(s, VOL_STORE_WHOLE), 2);
	vol_store_close(s);
}

static size_t flip_at;

static void flip(uint8_t *file, size_t *len)
{
	assert_true(flip_at < *len);
	file[flip_at] ^= 0x10;
}

static void a_bit_is_flipped(void **state)
{
	size_t end = vol_image_file_size(200000);
	const size_t places[] = {
		0,        9,        13,       17,       21,      25,
		33,       70,       97,       170,      191,     192,
		65727,    65728,    65743,    65744,    66000,   end - 100,
		end - 57, end - 56, end - 48, end - 16, end - 1,
	};

	for (size_t i = 0; i < N_ELEMENTS(places); i++) {
		flip_at = places[i];
		damaged_by(*state, flip);
	}
}

static void swap_chunks(uint8_t *file, size_t *len)
{
	uint8_t *a = file + vol_image_offset(0),
		*b = file + vol_image_offset(1);

	(void)len;
	for (size_t i = 0; i < VOL_IMAGE_CHUNK + VOL_IMAGE_TAG; i++) {
		uint8_t byte = a[i];

		a[i] = b[i];
		b[i] = byte;
	}
}

static void repeat_chunk(uint8_t *file, size_t *len)
{
	(void)len;
	memcpy(file + vol_image_offset(1), file + vol_image_offset(0),
	       VOL_IMAGE_CHUNK + VOL_IMAGE_TAG);
}

static void cut_one(uint8_t *file, size_t *len)
{
	(void)file;
	--*len;
}

static void cut_all(uint8_t *file, size_t *len)
{
	(void)file;
	*len = 0;
}

/* The tail stays. */
static void cut_a_chunk(uint8_t *file, size_t *len)
{
	size_t chunk = VOL_IMAGE_CHUNK + VOL_IMAGE_TAG;

	memmove(file + vol_image_offset(0), file + vol_image_offset(1),
		*len - vol_image_offset(1));
	*len -= chunk;
}

static void cut_at_a_chunk(uint8_t *file, size_t *len)
{
	(void)file;
	*len = vol_image_offset(2);
}

static void chunks_are_moved_and_cut(void **state)
{
	damaged_by(*state, swap_chunks);
	damaged_by(*state, repeat_chunk);
	damaged_by(*state, cut_one);
	damaged_by(*state, cut_all);
	damaged_by(*state, cut_a_chunk);
	damaged_by(*state, cut_at_a_chunk);
}

static void copy_image(const char *folder, uint32_t from_job, uint32_t from,
		       uint32_t to_job, uint32_t to)
{
	char path[PATH_MAX];
	size_t len;
	uint8_t *file = slurp(image_path(folder, from_job, from, path), &len);

	spill(image_path(folder, to_job, to, path), file, len);
	free(file);
}

/* Another job's image, and an older one in the place of the newest. */
static void files_are_exchanged(void **state)
{
	struct vol_store *s = open_store(*state, 0, 0);

	assert_int_equal(put(s, 7, 1000, 1000, 1, NULL), 0);
	assert_int_equal(put(s, 7, 1000, 1000, 2, NULL), 0);
	assert_int_equal(put(s, 8, 1000, 1000, 3, NULL), 0);
	copy_image(*state, 7, 1, 7, 2);
	copy_image(*state, 7, 1, 8, 1);
	assert_int_equal(read_back(s, 7, 1000, 0, 1000, 1), 1);
	assert_int_equal(read_back(s, 8, 1000, 0, 0, 0), 0);
	assert_int_equal(count(s, VOL_STORE_DAMAGED), 2);
	vol_store_close(s);
	s = open_store(*state, 0, 0);
	assert_int_equal(count(s, VOL_STORE_DAMAGED), 2);
	vol_store_close(s);
}

/* A chunk of one file at the same place of another one. */
static void chunks_are_exchanged(void **state)
{
	struct vol_store *s = open_store(*state, 0, 0);
	char path[PATH_MAX];
	uint8_t *a, *b;
	size_t len;

	/* The same job, number and stream, but another file. */
	assert_int_equal(put(s, 7, 1000, 200000, 1, NULL), 0);
	a = slurp(image_path(*state, 7, 1, path), &len);
	assert_int_equal(vol_store_remove(s, 7, 0, NULL), 1);
	assert_int_equal(put(s, 7, 1000, 200000, 1, NULL), 0);
	b = slurp(path, &len);
	memcpy(b + vol_image_offset(1), a + vol_image_offset(1),
	       VOL_IMAGE_CHUNK + VOL_IMAGE_TAG);
	spill(path, b, len);
	assert_int_equal(verify(s, 7, 1), -1);
	/* With its head it is that file again. */
	spill(path, a, len);
	assert_int_equal(verify(s, 7, 1), 0);
	assert_int_equal(count(s, VOL_STORE_WHOLE), 1);
	free(a);
	free(b);
	vol_store_close(s);
}

static void another_key_opens_nothing(void **state)
{
	struct vol_store *s = open_store(*state, 0, 0);
	struct vol_store_limits none = {0, 0};
	struct vol_error err = {""};
	char path[PATH_MAX];

	assert_int_equal(put(s, 7, 1000, 1000, 1, NULL), 0);
	vol_store_close(s);
	snprintf(path, sizeof(path), "%s/store/key", (char *)*state);
	assert_int_equal(unlink(path), 0);
	s = open_store(*state, 0, 0);
	assert_int_equal(count(s, VOL_STORE_DAMAGED), 1);
	vol_store_close(s);
	/* What is not a key is not replaced. */
	spill(path, (const uint8_t *)"nonsense\n", 9);
	snprintf(path, sizeof(path), "%s/store", (char *)*state);
	assert_null(vol_store_open(path, &none, &err));
	assert_int_equal(errno, EBADMSG);
	assert_contains(err.text, "not a key of images");
}

static void others_must_not_see_it(void **state)
{
	struct vol_store_limits none = {0, 0};
	struct vol_error err = {""};
	char path[PATH_MAX];

	vol_store_close(open_store(*state, 0, 0));
	snprintf(path, sizeof(path), "%s/store/key", (char *)*state);
	assert_int_equal(chmod(path, 0640), 0);
	snprintf(path, sizeof(path), "%s/store", (char *)*state);
	assert_null(vol_store_open(path, &none, &err));
	assert_int_equal(errno, EPERM);
	assert_int_equal(chmod(path, 0755), 0);
	assert_null(vol_store_open(path, &none, &err));
	assert_contains(err.text, "mode 0700");
}

/* ---- room ---- */

static void quotas_are_kept(void **state)
{
	uint64_t each = vol_image_file_size(100000);
	struct vol_store *s = open_store(*state, 5 * each, 3 * each);
	struct vol_error err = {""};

	for (uint32_t job = 7; job <= 8; job++)
		assert_int_equal(put(s, job, 1000, 100000, job, &err), 0);
	/* The third and the fourth of the user: the one before goes. */
	assert_int_equal(put(s, 8, 1000, 100000, 2, &err), 0);
	assert_int_equal(put(s, 8, 1000, 100000, 3, &err), 0);
	assert_int_equal(put(s, 9, 1000, 100000, 4, &err), 0);
	assert_int_equal(count(s, VOL_STORE_WHOLE), 3);
	/* Now there is the newest of each job only, and none of those goes. */
	assert_int_equal(put(s, 7, 1000, 100000, 5, &err), -1);
	assert_int_equal(errno, EDQUOT);
	assert_contains(err.text, "checkpoint_user_quota");
	assert_contains(err.text, "user 1000");
	assert_int_equal(read_back(s, 7, 1000, 0, 100000, 7), 1);
	assert_int_equal(read_back(s, 8, 1000, 0, 100000, 3), 3);
	/* Another user has room, until there is none for all. */
	assert_int_equal(put(s, 10, 1001, 100000, 6, &err), 0);
	assert_int_equal(put(s, 11, 1002, 100000, 7, &err), 0);
	assert_int_equal(put(s, 12, 1003, 100000, 8, &err), -1);
	assert_int_equal(errno, ENOSPC);
	assert_contains(err.text, "checkpoint_quota");
	assert_true(vol_store_used(s) == 5 * each);
	/* What is refused leaves nothing. */
	assert_int_equal(count(s, VOL_STORE_COMING), 0);
	assert_int_equal(entries(*state, 12), 0);
	vol_store_close(s);
}

static void what_is_announced_is_reserved(void **state)
{
	struct vol_store *s = open_store(*state, 1000000, 0);
	struct vol_image_head head = head_of(7, 1000);
	struct vol_store_put *p = vol_store_put_begin(s, &head, 900000, NULL);
	struct vol_error err = {""};

	assert_non_null(p);
	assert_int_equal(put(s, 8, 1000, 200000, 1, &err), -1);
	assert_int_equal(errno, ENOSPC);
	/* What came is what counts in the end. */
	vol_store_put_abort(p);
	assert_true(vol_store_used(s) == 0);
	assert_int_equal(put(s, 8, 1000, 200000, 1, &err), 0);
	vol_store_close(s);
}

static uint64_t disk_free = UINT64_MAX;

int __real_statvfs(const char *path, struct statvfs *fs);
int __wrap_statvfs(const char *path, struct statvfs *fs);
int __wrap_statvfs(const char *path, struct statvfs *fs)
{
	int rc = __real_statvfs(path, fs);

	if (disk_free != UINT64_MAX) {
		fs->f_frsize = 1;
		fs->f_bavail = disk_free;
	}
	return rc;
}

static void a_full_disk_keeps_the_older(void **state)
{
	struct vol_store *s = open_store(*state, 0, 0);
	struct vol_image_head head = head_of(7, 1000);
	static uint8_t bytes[1 << 20];
	struct vol_error err = {""};
	struct vol_store_put *p;
	int rc = 0;

	assert_int_equal(put(s, 7, 1000, 100000, 1, NULL), 0);
	disk_free = VOL_STORE_SPARE + 1000;
	assert_int_equal(put(s, 7, 1000, 100000, 2, &err), -1);
	assert_int_equal(errno, ENOSPC);
	assert_contains(err.text, "is full");
	assert_contains(err.text, "older images stay");
	/* It fills up while one comes. */
	disk_free = VOL_STORE_SPARE + 100000;
	p = vol_store_put_begin(s, &head, 0, &err);
	assert_non_null(p);
	disk_free = VOL_STORE_SPARE - 1;
	for (int i = 0; i < 40 && rc == 0; i++)
		rc = vol_store_put_data(p, bytes, sizeof(bytes), &err);
	assert_int_equal(rc, -1);
	assert_int_equal(errno, ENOSPC);
	vol_store_put_abort(p);
	disk_free = UINT64_MAX;
	assert_int_equal(entries(*state, 7), 1);
	assert_int_equal(read_back(s, 7, 1000, 0, 100000, 1), 1);
	vol_store_close(s);
}

/* ---- what goes ---- */

static void jobs_that_are_gone(void **state)
{
	struct vol_store_job jobs[] = {{7, true}, {8, false}};
	struct vol_store *s = open_store(*state, 0, 0);

	for (uint32_t job = 7; job <= 9; job++)
		assert_int_equal(put(s, job, 1000, 10, job, NULL), 0);
	/* Kept for an hour; of job 9 nothing was heard. */
	assert_int_equal(vol_store_sweep(s, jobs, 2, 3600, NULL), 0);
	assert_int_equal(vol_store_sweep(s, jobs, 2, 0, NULL), 1);
	assert_int_equal(read_back(s, 8, 1000, 0, 0, 0), 0);
	assert_int_equal(entries(*state, 8), 0);
	assert_int_equal(read_back(s, 7, 1000, 0, 10, 7), 1);
	assert_int_equal(read_back(s, 9, 1000, 0, 10, 9), 1);
	/* The newest of those that are there stays, unless the job is named. */
	assert_int_equal(put(s, 7, 1000, 10, 1, NULL), 0);
	assert_int_equal(vol_store_remove(s, 0, 3600, NULL), 0);
	assert_int_equal(vol_store_remove(s, 0, 0, NULL), 1);
	assert_int_equal(read_back(s, 7, 1000, 0, 10, 1), 2);
	assert_int_equal(vol_store_remove(s, 7, 0, NULL), 1);
	assert_int_equal(count(s, VOL_STORE_WHOLE), 1);
	vol_store_close(s);
}

static void who_reads_goes_on(void **state)
{
	struct vol_store *s = open_store(*state, 0, 0);
	static uint8_t buf[VOL_IMAGE_CHUNK];
	struct vol_store_get *g;

	assert_int_equal(put(s, 7, 1000, 200000, 1, NULL), 0);
	g = vol_store_get_begin(s, 7, 1000, RESTARTS + 1, 0, NULL);
	assert_int_equal(vol_store_get_data(g, buf, NULL), VOL_IMAGE_CHUNK);
	assert_int_equal(vol_store_remove(s, 7, 0, NULL), 1);
	while (vol_store_get_data(g, buf, NULL) > 0)
		;
	assert_int_equal(vol_store_get_data(g, buf, NULL), 0);
	vol_store_get_end(g);
	assert_int_equal(count(s, VOL_STORE_WHOLE), 0);
	vol_store_close(s);
}

/* ---- several at once ---- */

struct worker {
	struct vol_store *s;
	uint32_t job;
	int failures;
};

static void *work(void *arg)
{
	struct worker *w = arg;

	for (uint64_t i = 0; i < 30; i++) {
		w->failures += put(w->s, w->job, 1000, 70000 + i, i, NULL) < 0;
		w->failures += read_back(w->s, w->job, 1000, 0, 70000 + i, i) !=
			       (int)i + 1;
		w->failures += vol_store_used(w->s) == 0;
	}
	return NULL;
}

static void several_at_once(void **state)
{
	struct vol_store *s = open_store(*state, 0, 0);
	struct worker workers[4];
	pthread_t threads[4];

	for (uint32_t i = 0; i < 4; i++) {
		workers[i] = (struct worker){s, i + 1, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, work,
						&workers[i]),
				 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(workers[i].failures, 0);
	}
	assert_int_equal(count(s, VOL_STORE_WHOLE), 8);
	vol_store_close(s);
}

int main(void)
{
#define TEST(_name)                                                \
	cmocka_unit_test_setup_teardown(_name, vtest_folder_setup, \
					vtest_folder_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_image_comes_back),
		TEST(nothing_is_in_the_clear),
		TEST(who_may_have_which),
		TEST(what_came_is_compared),
		TEST(one_at_a_time_of_a_job),
		TEST(a_bit_is_flipped),
		TEST(chunks_are_moved_and_cut),
		TEST(files_are_exchanged),
		TEST(chunks_are_exchanged),
		TEST(another_key_opens_nothing),
		TEST(others_must_not_see_it),
		TEST(quotas_are_kept),
		TEST(what_is_announced_is_reserved),
		TEST(a_full_disk_keeps_the_older),
		TEST(jobs_that_are_gone),
		TEST(who_reads_goes_on),
		TEST(several_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
