/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_store_use.c - for which run an image is good, and what it costs others
 */
#include "config.h"

#include "store.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "store_bed.h"
#include "vtest.h"

static uint32_t good_until(struct vol_store *s, uint32_t restarts)
{
	struct vol_store_get *g =
		vol_store_get_begin(s, 7, 1000, restarts, 0, NULL);
	uint32_t until = vol_store_get_image(g)->until;

	vol_store_get_end(g);
	return until;
}

static void a_run_in_which_nothing_ran(void **state)
{
	struct vol_store *s = open_store(*state, 0, 0);

	assert_int_equal(put(s, 7, 1000, 1000, 1, NULL), 0);
	assert_int_equal(put(s, 8, 1000, 1000, 1, NULL), 0);
	assert_int_equal(good_until(s, RESTARTS + 1), RESTARTS);
	/* In the one before that, it may have. */
	assert_false(vol_store_spare(s, 7, RESTARTS + 2));
	assert_false(vol_store_spare(s, 7, RESTARTS));
	assert_false(vol_store_spare(s, 7, 0));
	assert_false(vol_store_spare(s, 9, RESTARTS + 1));
	assert_int_equal(good_until(s, RESTARTS + 3), RESTARTS);
	assert_true(vol_store_spare(s, 7, RESTARTS + 1));
	assert_true(vol_store_spare(s, 7, RESTARTS + 2));
	assert_false(vol_store_spare(s, 7, RESTARTS + 2));
	assert_int_equal(good_until(s, RESTARTS + 3), RESTARTS + 2);
	/* That run goes on, after all. */
	assert_int_equal(vol_store_outdate(s, 7, RESTARTS + 2, NULL), 0);
	assert_int_equal(good_until(s, RESTARTS + 3), RESTARTS);
	vol_store_close(s);
	/* When in doubt it may have. */
	s = open_store(*state, 0, 0);
	assert_int_equal(good_until(s, RESTARTS + 3), RESTARTS);
	vol_store_close(s);
}

/* Pages of the image that the machine's memory holds; SIZE_MAX: this filesystem
 * has no other place for them. */
static size_t cached_pages(const char *folder, size_t *of)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), cached = 0;
	char path[PATH_MAX];
	unsigned char *in;
	struct statfs fs;
	struct stat st;
	void *map;
	int fd;

	snprintf(path, sizeof(path), "%s/store/7/1.image", folder);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(fstatfs(fd, &fs), 0);
	*of = ((size_t)st.st_size + page - 1) / page;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	in = malloc(*of);
	assert_int_equal(mincore(map, (size_t)st.st_size, in), 0);
	for (size_t i = 0; i < *of; i++)
		cached += in[i] & 1;
	free(in);
	munmap(map, (size_t)st.st_size);
	close(fd);
	return fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC ? SIZE_MAX
								    : cached;
}

static void the_page_cache_is_left_to_others(void **state)
{
	struct vol_store *s = open_store(*state, 0, 0);
	const size_t len = 96 << 20;
	size_t cached, of;

	assert_int_equal(put(s, 7, 1000, len, 1, NULL), 0);
	cached = cached_pages(*state, &of);
	if (cached == SIZE_MAX) {
		vol_store_close(s);
		print_message("a filesystem in memory\n");
		skip();
	}
	if (cached >= of / 2)
		fail_msg("written: %zu of %zu pages cached", cached, of);
	assert_int_equal(read_back(s, 7, 1000, 0, len, 1), 1);
	cached = cached_pages(*state, &of);
	if (cached >= of / 2)
		fail_msg("read: %zu of %zu pages cached", cached, of);
	vol_store_close(s);
}

int main(void)
{
#define TEST(_name)                                                \
	cmocka_unit_test_setup_teardown(_name, vtest_folder_setup, \
					vtest_folder_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_run_in_which_nothing_ran),
		TEST(the_page_cache_is_left_to_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
