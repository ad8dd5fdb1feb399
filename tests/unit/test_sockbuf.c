/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sockbuf.c - a stream socket in large pieces */
#include "config.h"

#include "sockbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "vtest.h"

struct fixture {
	int fd[2]; /* ours, the peer's */
	struct vol_sockbuf *b;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || socketpair(AF_UNIX, SOCK_STREAM, 0, f->fd) < 0 ||
	    fcntl(f->fd[0], F_SETFL, O_NONBLOCK) < 0)
		return -1;
	f->b = vol_sockbuf_create(f->fd[0]);
	*state = f;
	return f->b ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vol_sockbuf_destroy(f->b);
	close(f->fd[0]);
	if (f->fd[1] >= 0)
		close(f->fd[1]);
	free(f);
	return 0;
}

static void several_are_read_at_once(void **state)
{
	struct fixture *f = *state;
	char got[8];

	assert_int_equal(vol_sockbuf_read(f->b, got, 8), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(send(f->fd[1], "abc", 3, 0), 3);
	assert_int_equal(send(f->fd[1], "defg", 4, 0), 4);
	assert_false(vol_sockbuf_has_more(f->b));
	assert_int_equal(vol_sockbuf_read(f->b, got, 5), 5);
	assert_memory_equal(got, "abcde", 5);
	assert_true(vol_sockbuf_has_more(f->b));
	/* The socket has nothing any more, and says so. */
	assert_int_equal(recv(f->fd[0], got, 1, MSG_PEEK), -1);
	assert_int_equal(vol_sockbuf_read(f->b, got, 8), 2);
	assert_memory_equal(got, "fg", 2);
	assert_false(vol_sockbuf_has_more(f->b));
	close(f->fd[1]);
	f->fd[1] = -1;
	assert_int_equal(vol_sockbuf_read(f->b, got, 8), 0);
}

static void nothing_goes_before_the_flush(void **state)
{
	struct fixture *f = *state;
	char got[8];

	assert_int_equal(vol_sockbuf_flush(f->b), 0);
	assert_int_equal(vol_sockbuf_write(f->b, "ab", 2), 2);
	assert_int_equal(vol_sockbuf_write(f->b, "c", 1), 1);
	assert_int_equal(recv(f->fd[1], got, 8, MSG_DONTWAIT), -1);
	assert_int_equal(vol_sockbuf_flush(f->b), 0);
	assert_int_equal(recv(f->fd[1], got, 8, MSG_DONTWAIT), 3);
	assert_memory_equal(got, "abc", 3);
}

/* All that was taken arrives, in its order, however full the socket is. */
static void a_full_socket(void **state)
{
	const size_t total = 4 * VOL_SOCKBUF_BYTES + 7;
	struct fixture *f = *state;
	size_t taken = 0, came = 0;
	unsigned char byte[999], *got = malloc(total);
	int cut = 0, small = 4096;

	setsockopt(f->fd[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	while (came < total) {
		ssize_t n = 0;

		if (taken < total) {
			size_t len = sizeof(byte);

			if (len > total - taken)
				len = total - taken;
			for (size_t i = 0; i < len; i++)
				byte[i] = (unsigned char)((taken + i) % 251);
			n = vol_sockbuf_write(f->b, byte, len);
		}
		if (n > 0) {
			taken += (size_t)n;
			continue;
		}
		if (n < 0)
			assert_int_equal(errno, EAGAIN);
		if (vol_sockbuf_flush(f->b) < 0)
			assert_int_equal(errno, EAGAIN);
		n = recv(f->fd[1], got + came, total - came, MSG_DONTWAIT);
		assert_true(n > 0);
		came += (size_t)n;
		cut++;
	}
	assert_true(cut > 2);
	for (size_t i = 0; i < total; i++)
		assert_int_equal(got[i], i % 251);
	free(got);
}

static void a_peer_that_is_gone(void **state)
{
	struct fixture *f = *state;

	close(f->fd[1]);
	f->fd[1] = -1;
	assert_int_equal(vol_sockbuf_write(f->b, "a", 1), 1);
	/* Not by SIGPIPE. */
	assert_int_equal(vol_sockbuf_flush(f->b), -1);
	assert_int_equal(errno, EPIPE);
}

int main(void)
{
#define TEST(_name) cmocka_unit_test_setup_teardown(_name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(several_are_read_at_once),
		TEST(nothing_goes_before_the_flush),
		TEST(a_full_socket),
		TEST(a_peer_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
