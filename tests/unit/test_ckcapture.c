/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ckcapture.c - what CRIU would write into a folder is there, or was
 * handed on; CRIU is played by a thread */
#include "config.h"

#include "vtest.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "device/ckcapture.h"

#define BIG       3000000
#define PAGES_MAX 8

struct world {
	char *path;
	char dir[PATH_MAX];
	struct vol_ckcapture capture;
	int fd;    /* of the one who plays CRIU */
	int fails; /* errno of who takes the pages */
	/* What was handed on. */
	size_t n;
	uint32_t number[PAGES_MAX];
	size_t bytes[PAGES_MAX];
	uint8_t sum[PAGES_MAX];
	/* What the player saw. */
	int errnum;
};

static uint8_t big[BIG];

static uint8_t sum_of(const uint8_t *data, size_t len)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum * 31 + data[i]);
	return sum;
}

static int take_pages(void *arg, uint32_t number, const void *data, size_t len,
		      struct vol_error *err)
{
	struct world *w = arg;
	const uint8_t *at = data;

	if (w->fails)
		return vol_errorf_errno(err, w->fails, "not wanted");
	assert_true(len > 0);
	if (w->n == 0 || w->number[w->n - 1] != number)
		w->number[w->n++] = number;
	w->bytes[w->n - 1] += len;
	for (size_t i = 0; i < len; i++)
		w->sum[w->n - 1] = (uint8_t)(w->sum[w->n - 1] * 31 + at[i]);
	return 0;
}

/* ---- who plays CRIU ---- */

static void dial(struct world *w)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	assert_true(snprintf(address.sun_path, sizeof(address.sun_path),
			     "%s/streamer-capture.sock",
			     w->dir) < (int)sizeof(address.sun_path));
	w->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(w->fd, (struct sockaddr *)&address,
				 sizeof(address)),
			 0);
}

static void hang_up(struct world *w)
{
	close(w->fd);
}

static void say(const struct world *w, const void *data, size_t len)
{
	assert_int_equal(send(w->fd, data, len, MSG_NOSIGNAL), len);
}

/* At once: it may be refused before its end. */
static void say_name(const struct world *w, const char *name)
{
	uint32_t len = (uint32_t)strlen(name) + 2;
	uint8_t text[128] = {0};

	memcpy(text, &len, sizeof(len));
	text[4] = 0x0a;
	text[5] = (uint8_t)strlen(name);
	memcpy(text + 6, name, strlen(name));
	say(w, text, 4 + len);
}

static void give(const struct world *w, int fd)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.space = ""};
	char byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	assert_int_equal(sendmsg(w->fd, &msg, MSG_NOSIGNAL), 1);
}

static int open_image(const struct world *w, const char *name)
{
	int fd[2];

	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	say_name(w, name);
	give(w, fd[0]);
	close(fd[0]);
	return fd[1];
}

/* 0, or errno. */
static int put(int fd, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0)
			return errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static void put_image(const struct world *w, const char *name, const void *data,
		      size_t len)
{
	int fd = open_image(w, name);

	assert_int_equal(put(fd, data, len), 0);
	close(fd);
}

/* ---- the bed ---- */

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	void *path;

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < BIG; i++)
		big[i] = (uint8_t)(i * 7 + i / 251);
	if (!w || vtest_folder_setup(&path) < 0)
		return -1;
	w->path = path;
	snprintf(w->dir, sizeof(w->dir), "%s/img", w->path);
	w->capture = (struct vol_ckcapture){
		.dir = w->dir,
		.listener = vol_ckcapture_listen(w->dir, NULL),
		.ended = eventfd(0, EFD_CLOEXEC),
		.wanted = -1,
		.pages = take_pages,
		.arg = w};
	*state = w;
	return w->capture.listener >= 0 && w->capture.ended >= 0 ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *w = *state;
	void *path = w->path;

	close(w->capture.ended);
	free(w);
	return vtest_folder_teardown(&path);
}

struct play {
	struct world *w;
	void (*run)(struct world *w);
};

static void *play(void *arg)
{
	struct play *p = arg;

	p->run(p->w);
	hang_up(p->w);
	return NULL;
}

static int capture(struct world *w, void (*run)(struct world *w),
		   struct vol_error *err)
{
	struct play p = {w, run};
	pthread_t thread;
	int rc, saved;

	dial(w);
	assert_int_equal(pthread_create(&thread, NULL, play, &p), 0);
	rc = vol_ckcapture(&w->capture, err);
	saved = errno;
	pthread_join(thread, NULL);
	errno = saved;
	return rc;
}

static off_t size_of(const struct world *w, const char *name, blkcnt_t *blocks)
{
	char path[PATH_MAX + 64];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	if (lstat(path, &st) < 0)
		return -1;
	assert_true(S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0600);
	if (blocks)
		*blocks = st.st_blocks;
	return st.st_size;
}

static void has(const struct world *w, const char *name, const void *data,
		size_t len)
{
	char path[PATH_MAX + 64];
	uint8_t *got = malloc(len + 1);
	FILE *f;

	assert_non_null(got);
	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fread(got, 1, len + 1, f), len);
	fclose(f);
	assert_memory_equal(got, data, len);
	free(got);
}

/* ---- tests ---- */

static void play_all(struct world *w)
{
	int pages, more, core = open_image(w, "core-1.img");

	put_image(w, "inventory.img", "inventory", 9);
	put_image(w, "cgroup.img", "cgroup", 6);
	put_image(w, "tty-info.img", "", 0);
	pages = open_image(w, "pages-1.img");
	assert_int_equal(put(pages, big, BIG / 2), 0);
	put_image(w, "pagemap-1.img", "map", 3);
	put_image(w, "ghost-file-1.img", big, BIG);
	assert_int_equal(put(pages, big + BIG / 2, BIG - BIG / 2), 0);
	/* It does not wait until we have read all of the one before it. */
	more = open_image(w, "pages-2.img");
	close(pages);
	assert_int_equal(put(more, big, 1000), 0);
	close(more);
	put_image(w, "pages-5.img", big, 4096);
	put_image(w, "pages-7.img", "", 0);
	assert_int_equal(put(core, "core", 4), 0);
	close(core);
}

static void files_are_there_and_memory_was_handed_on(void **state)
{
	static const uint32_t numbers[] = {1, 2, 5};
	static const size_t bytes[] = {BIG, 1000, 4096};
	struct world *w = *state;
	blkcnt_t blocks;

	assert_int_equal(capture(w, play_all, NULL), 0);
	assert_int_equal(w->n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(w->number[i], numbers[i]);
		assert_int_equal(w->bytes[i], bytes[i]);
		assert_int_equal(w->sum[i], sum_of(big, bytes[i]));
	}
	assert_int_equal(size_of(w, "pages-1.img", &blocks), BIG);
	assert_int_equal(blocks, 0);
	assert_int_equal(size_of(w, "pages-2.img", NULL), 1000);
	assert_int_equal(size_of(w, "pages-5.img", NULL), 4096);
	assert_int_equal(size_of(w, "pages-7.img", NULL), 0);
	assert_int_equal(size_of(w, "tty-info.img", NULL), 0);
	has(w, "inventory.img", "inventory", 9);
	has(w, "pagemap-1.img", "map", 3);
	has(w, "ghost-file-1.img", big, BIG);
	has(w, "core-1.img", "core", 4);
	/* No cgroup.img, and no socket. */
	assert_int_equal(vtest_count_entries(w->dir), 9);
}

/* It does not do that; if it did, it would not wait for ever. */
static void play_two_at_once(struct world *w)
{
	int one = open_image(w, "pages-1.img");
	int two = open_image(w, "pages-2.img");

	assert_int_equal(put(two, big, BIG), 0);
	assert_int_equal(put(one, big, 1000), 0);
	close(one);
	close(two);
	put_image(w, "pages-3.img", big, 10);
}

static void memory_of_two_at_once_is_not_mixed(void **state)
{
	struct world *w = *state;

	assert_int_equal(capture(w, play_two_at_once, NULL), 0);
	assert_int_equal(w->n, 2);
	assert_int_equal(w->number[0], 1);
	assert_int_equal(w->bytes[0], 1000);
	assert_int_equal(w->number[1], 3);
	has(w, "pages-2.img", big, BIG);
}

static void play_names(struct world *w)
{
	put_image(w, "pages-.img", "a", 1);
	put_image(w, "pages-01.img", "b", 1);
	put_image(w, "pages-4.img.x", "c", 1);
	put_image(w, "pages-4.img", "d", 1);
	/* A number that was there. */
	put_image(w, "pages-3.img", "e", 1);
}

static void only_what_are_pages_are_handed_on(void **state)
{
	struct world *w = *state;

	assert_int_equal(capture(w, play_names, NULL), 0);
	assert_int_equal(w->n, 1);
	assert_int_equal(w->number[0], 4);
	has(w, "pages-.img", "a", 1);
	has(w, "pages-01.img", "b", 1);
	has(w, "pages-4.img.x", "c", 1);
	has(w, "pages-3.img", "e", 1);
}

/* ---- what fails ---- */

static void play_memory(struct world *w)
{
	int fd = open_image(w, "pages-1.img");

	w->errnum = put(fd, big, BIG);
	close(fd);
}

/* CRIU is not left in the middle of a job: it notices. */
static void who_does_not_want_it_ends_it(void **state)
{
	struct world *w = *state;
	struct vol_error err = {""};

	w->fails = ENOSPC;
	assert_int_equal(capture(w, play_memory, &err), -1);
	assert_int_equal(errno, ENOSPC);
	assert_string_equal(err.text, "not wanted");
	assert_int_equal(w->errnum, EPIPE);
}

static void play_nothing(struct world *w)
{
	char byte;

	/* Until we are left alone. */
	w->errnum = recv(w->fd, &byte, 1, 0) == 0 ? 0 : errno;
}

static void a_reader_that_is_gone_ends_it(void **state)
{
	struct world *w = *state;
	struct vol_error err = {""};
	int fd[2];

	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	w->capture.wanted = fd[1];
	close(fd[0]);
	assert_int_equal(capture(w, play_nothing, &err), -1);
	assert_int_equal(errno, EPIPE);
	close(fd[1]);
}

static void one_that_never_comes_is_not_waited_for(void **state)
{
	struct world *w = *state;

	assert_int_equal(eventfd_write(w->capture.ended, 1), 0);
	assert_int_equal(vol_ckcapture(&w->capture, NULL), 0);
	assert_int_equal(vtest_count_entries(w->dir), 0);
}

static void play_same(struct world *w)
{
	put_image(w, "core-1.img", "core", 4);
	w->errnum = put(open_image(w, "core-1.img"), "core", 4);
}

static void play_path(struct world *w)
{
	say_name(w, "../core-1.img");
	play_nothing(w);
}

static void play_parent(struct world *w)
{
	say_name(w, "..");
	play_nothing(w);
}

static void play_long(struct world *w)
{
	say_name(w, "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghij"
		    "abcdefghijabcdefghij");
	play_nothing(w);
}

static void play_half(struct world *w)
{
	say(w, "\x20\0", 2);
}

static void play_other(struct world *w)
{
	say(w,
	    "\x05\0\0\0\x12\x03"
	    "abc",
	    9);
	play_nothing(w);
}

static void play_no_pipe(struct world *w)
{
	say_name(w, "core-1.img");
	say(w, "", 1);
	play_nothing(w);
}

static void what_is_no_request_is_refused(void **state)
{
	static const struct {
		void (*run)(struct world *w);
		int errnum;
		const char *reason;
	} bad[] = {
		{play_path, EPROTO, "a name that is none"},
		{play_parent, EPROTO, "a name that is none"},
		{play_long, EPROTO, "a name of 72 bytes"},
		{play_half, EPROTO, "half a message"},
		{play_other, EPROTO, "a name that is none"},
		{play_no_pipe, EPROTO, "no pipe"},
		{play_same, EEXIST, "core-1.img: "},
	};
	struct world *w = *state;

	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		struct vol_error err = {""};
		void *path = strdup(w->dir);

		assert_int_equal(capture(w, bad[i].run, &err), -1);
		assert_int_equal(errno, bad[i].errnum);
		assert_contains(err.text, bad[i].reason);
		assert_printable(err.text);
		assert_int_equal(vtest_folder_teardown(&path), 0);
		w->capture.listener = vol_ckcapture_listen(w->dir, NULL);
		assert_true(w->capture.listener >= 0);
	}
	close(w->capture.listener);
}

static void where_no_socket_can_be_nothing_is_left(void **state)
{
	struct world *w = *state;
	char dir[PATH_MAX + 8];
	int n;

	close(w->capture.listener);
	n = snprintf(dir, sizeof(dir), "%s/", w->path);
	memset(dir + n, 'x', 100);
	dir[n + 100] = '\0';
	assert_int_equal(vol_ckcapture_listen(dir, NULL), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(vtest_count_entries(w->path), 1);
	assert_int_equal(vol_ckcapture_listen(w->dir, NULL), -1);
	assert_int_equal(errno, EEXIST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(files_are_there_and_memory_was_handed_on),
		TEST(memory_of_two_at_once_is_not_mixed),
		TEST(only_what_are_pages_are_handed_on),
		TEST(who_does_not_want_it_ends_it),
		TEST(a_reader_that_is_gone_ends_it),
		TEST(one_that_never_comes_is_not_waited_for),
		TEST(what_is_no_request_is_refused),
		TEST(where_no_socket_can_be_nothing_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
