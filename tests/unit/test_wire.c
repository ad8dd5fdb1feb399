/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_wire.c - frames: limits, damage, steps of one byte, deadlines */
#include "config.h"

#include "wire.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vtest.h"

#define HEAD 4

/* A frame around any bytes; announces len whatever n is. */
static size_t frame(char *out, const char *text, size_t n, uint32_t len)
{
	out[0] = (char)(len >> 24);
	out[1] = (char)(len >> 16);
	out[2] = (char)(len >> 8);
	out[3] = (char)len;
	memcpy(out + HEAD, text, n);
	return HEAD + n;
}

static void feed_text(struct vol_wire_reader *r, const char *text, size_t n)
{
	char buf[512];
	size_t len;

	assert_true(n <= sizeof(buf) - HEAD);
	len = frame(buf, text, n, (uint32_t)n);
	assert_int_equal(vol_wire_feed(r, buf, len, NULL), 0);
}

static void test_nothing(void **state)
{
	struct vol_wire_reader r = VOL_WIRE_READER_INIT;
	json_t *msg = NULL;
	size_t len;

	(void)state;
	assert_int_equal(vol_wire_next(&r, &msg, NULL), 0);
	assert_int_equal(vol_wire_feed(&r, NULL, 0, NULL), 0);
	assert_null(r.buf);
	assert_null(vol_wire_encode(NULL, &len, NULL));
	assert_int_equal(errno, EINVAL);
	vol_wire_reset(&r);
	vol_wire_reset(&r);
}

static const struct {
	const char *text;
	size_t len; /* 0: strlen */
	const char *error;
} malformed[] = {
	{"[]", 0, "not a JSON object"},
	{"{}", 0, "type"},
	{"{\"type\":1}", 0, "type"},
	{"{\"type\":null}", 0, "type"},
	{"{\"type\":[\"a\"]}", 0, "type"},
	{"\"type\"", 0, "not JSON"},
	{"7", 0, "not JSON"},
	{" ", 0, "not JSON"},
	{"{\"type\":\"a\"", 0, "not JSON"},
	{"{\"type\":\"a\"}}", 0, "not JSON"},
	{"{\"type\":\"a\"}{\"type\":\"b\"}", 0, "not JSON"},
	{"{\"type\":\"a\",\"type\":\"b\"}", 0, "duplicate"},
	{"{\"type\":\"a\",\"x\":{\"y\":1,\"y\":2}}", 0, "duplicate"},
	{"{\"type\":\"a\\u0000b\"}", 0, "not JSON"},
	{"{\"ty\\u0000pe\":\"a\"}", 0, "not JSON"},
	{"{\"type\":\"a\"}\0", 13, "not JSON"},
	{"{\"type\":\"a\0b\"}", 14, "not JSON"},
	{"{\"type\":\"\xff\xfe\"}", 0, "not JSON"},
	{"{\"type\":\"\xc0\x80\"}", 0, "not JSON"},
	{"{\"type\":\"\\ud800\"}", 0, "not JSON"},
	{"{\"type\":\"a\nb\"}", 0, "not JSON"},
	{"{\"type\":\"a\",\"x\":NaN}", 0, "not JSON"},
	{"{\"type\":\"a\",\"x\":1e999}", 0, "not JSON"},
	{"{\"type\":\"a\",\"x\":99999999999999999999}", 0, "not JSON"},
	{"{'type':'a'}", 0, "not JSON"},
	{"\xef\xbb\xbf{\"type\":\"a\"}", 0, "not JSON"},
};

static void test_malformed(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(malformed); i++) {
		struct vol_wire_reader r = VOL_WIRE_READER_INIT;
		struct vol_error err = {""};
		const char *text = malformed[i].text;
		json_t *msg = NULL;

		feed_text(&r, text,
			  malformed[i].len ? malformed[i].len : strlen(text));
		errno = 0;
		if (vol_wire_next(&r, &msg, &err) != -1 || errno != EBADMSG ||
		    !strstr(err.text, malformed[i].error))
			fail_msg("%s: errno %d, text \"%s\"", text, errno,
				 err.text);
		assert_null(msg);
		assert_printable(err.text);
		/* A broken stream stays broken. */
		assert_int_equal(vol_wire_next(&r, &msg, NULL), -1);
		vol_wire_reset(&r);
	}
}

/* {"type":"a","x":[[[...]]]} whose deepest array is at the given depth */
static size_t nested(char *out, size_t depth, const char *inside)
{
	size_t len = (size_t)sprintf(out, "{\"type\":\"a\",\"x\":");

	memset(out + len, '[', depth - 1);
	len += depth - 1;
	len += (size_t)sprintf(out + len, "%s", inside);
	memset(out + len, ']', depth - 1);
	len += depth - 1;
	out[len++] = '}';
	return len;
}

static void test_depth(void **state)
{
	/* Brackets, quotes and backslashes in strings are only text. */
	static const char text[] = "\"[[[[[[[[[[[[{{{{{{{{{\\\"[[[[\\\\\"";
	char buf[256], *bomb = malloc(VOL_WIRE_MAX + HEAD);
	struct vol_wire_reader r = VOL_WIRE_READER_INIT;
	struct vol_error err;
	json_t *msg;
	size_t len;

	(void)state;
	feed_text(&r, buf, nested(buf, VOL_WIRE_DEPTH, "1"));
	assert_int_equal(vol_wire_next(&r, &msg, NULL), 1);
	json_decref(msg);
	feed_text(&r, buf, nested(buf, VOL_WIRE_DEPTH, text));
	assert_int_equal(vol_wire_next(&r, &msg, NULL), 1);
	json_decref(msg);
	feed_text(&r, buf, nested(buf, VOL_WIRE_DEPTH + 1, "1"));
	assert_int_equal(vol_wire_next(&r, &msg, &err), -1);
	assert_int_equal(errno, EBADMSG);
	assert_non_null(strstr(err.text, "nested deeper"));
	vol_wire_reset(&r);

	assert_non_null(bomb);
	memset(bomb + HEAD, '[', VOL_WIRE_MAX);
	len = frame(bomb, bomb + HEAD, VOL_WIRE_MAX, VOL_WIRE_MAX);
	assert_int_equal(vol_wire_feed(&r, bomb, len, NULL), 0);
	assert_int_equal(vol_wire_next(&r, &msg, &err), -1);
	assert_non_null(strstr(err.text, "nested deeper"));
	vol_wire_reset(&r);
	free(bomb);
}

static void test_announced(void **state)
{
	static const struct {
		const char head[HEAD];
		const char *error;
	} bad[] = {
		{{0, 0, 0, 0}, "empty frame"},
		{{0, 1, 0, 1}, "65537 bytes"},
		{{'G', 'E', 'T', ' '}, "1195725856 bytes"},
		{{0x16, 0x03, 0x01, 0x02}, "bytes announced"}, /* TLS */
		{{-1, -1, -1, -1}, "4294967295 bytes"},
	};
	struct vol_error err;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		struct vol_wire_reader r = VOL_WIRE_READER_INIT;

		assert_int_equal(vol_wire_feed(&r, bad[i].head, HEAD, &err),
				 -1);
		assert_int_equal(errno, EMSGSIZE);
		assert_non_null(strstr(err.text, bad[i].error));
		assert_null(r.buf); /* nothing was stored */

		/* The same in steps, and behind a good frame. */
		assert_int_equal(vol_wire_feed(&r, bad[i].head, 3, &err), 0);
		assert_int_equal(vol_wire_feed(&r, bad[i].head + 3, 1, &err),
				 -1);
		assert_int_equal(r.len, 3);
		vol_wire_reset(&r);
		feed_text(&r, "{\"type\":\"a\"}", 12);
		assert_int_equal(vol_wire_feed(&r, bad[i].head, HEAD, &err),
				 -1);
		assert_int_equal(errno, EMSGSIZE);
		assert_int_equal(r.len, HEAD + 12);
		vol_wire_reset(&r);
	}
}

/* {"type":"aaa..."} of exactly n bytes */
static json_t *message_of(size_t n)
{
	char *text = malloc(n);
	json_t *msg;

	assert_non_null(text);
	memset(text, 'a', n);
	msg = json_pack("{s:s#}", "type", text,
			(int)(n - strlen("{'type':''}")));
	assert_non_null(msg);
	free(text);
	return msg;
}

static void test_largest(void **state)
{
	struct vol_wire_reader r = VOL_WIRE_READER_INIT;
	json_t *msg = message_of(VOL_WIRE_MAX), *got;
	struct vol_error err;
	size_t len;
	char *bytes;

	(void)state;
	bytes = vol_wire_encode(msg, &len, &err);
	assert_non_null(bytes);
	assert_int_equal(len, HEAD + VOL_WIRE_MAX);
	assert_int_equal(vol_wire_feed(&r, bytes, len - 1, NULL), 0);
	assert_int_equal(vol_wire_next(&r, &got, NULL), 0);
	assert_int_equal(vol_wire_feed(&r, bytes + len - 1, 1, NULL), 0);
	assert_int_equal(vol_wire_next(&r, &got, NULL), 1);
	assert_true(json_equal(msg, got));
	assert_null(r.buf); /* large buffers are not kept */
	json_decref(got);
	json_decref(msg);
	free(bytes);

	msg = message_of(VOL_WIRE_MAX + 1);
	assert_null(vol_wire_encode(msg, &len, &err));
	assert_int_equal(errno, EMSGSIZE);
	json_decref(msg);
}

static void test_encode_refuses(void **state)
{
	char text[256];
	struct vol_error err;
	json_t *msg;
	size_t len;

	(void)state;
	msg = json_pack("{s:i}", "type", 1);
	assert_null(vol_wire_encode(msg, &len, &err));
	assert_int_equal(errno, EINVAL);
	json_decref(msg);
	len = nested(text, VOL_WIRE_DEPTH + 1, "1");
	msg = json_loadb(text, len, 0, NULL);
	assert_non_null(msg);
	assert_null(vol_wire_encode(msg, &len, &err));
	assert_int_equal(errno, EINVAL);
	json_decref(msg);
}

/* The same three messages whatever the size of the steps. */
static void test_steps(void **state)
{
	char bytes[1024];
	size_t total = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		json_t *msg = json_pack("{s:s,s:i,s:s}", "type", "a", "n", i,
					"s", "\xc3\xa4\"\\\n");
		size_t len;
		char *one = vol_wire_encode(msg, &len, NULL);

		assert_non_null(one);
		memcpy(bytes + total, one, len);
		total += len;
		free(one);
		json_decref(msg);
	}
	for (size_t step = 1; step <= total; step++) {
		struct vol_wire_reader r = VOL_WIRE_READER_INIT;
		int seen = 0;

		for (size_t at = 0; at < total; at += step) {
			size_t n = total - at < step ? total - at : step;
			json_t *msg;

			assert_int_equal(vol_wire_feed(&r, bytes + at, n, NULL),
					 0);
			while (vol_wire_next(&r, &msg, NULL) == 1) {
				json_t *i = json_object_get(msg, "n");

				assert_int_equal(json_integer_value(i), seen);
				seen++;
				json_decref(msg);
			}
		}
		assert_int_equal(seen, 3);
		assert_int_equal(r.len, r.start);
		vol_wire_reset(&r);
	}
}

static void test_bounded(void **state)
{
	struct vol_wire_reader r = VOL_WIRE_READER_INIT;
	char buf[64];
	size_t len = frame(buf, "{\"type\":\"a\"}", 12, 12);
	size_t frames = 0;
	json_t *msg;

	(void)state;
	/* A reader that nobody empties refuses at some point. */
	while (vol_wire_feed(&r, buf, len, NULL) == 0) {
		assert_true(r.len <= 2 * (HEAD + VOL_WIRE_MAX));
		frames++;
	}
	assert_int_equal(errno, ENOBUFS);
	assert_true(frames * len >= VOL_WIRE_MAX);
	/* And lost nothing of what it took. */
	for (; frames > 0; frames--) {
		assert_int_equal(vol_wire_next(&r, &msg, NULL), 1);
		json_decref(msg);
	}
	assert_int_equal(vol_wire_next(&r, &msg, NULL), 0);
	assert_int_equal(vol_wire_feed(&r, buf, len, NULL), 0);
	vol_wire_reset(&r);
}

static void pair(int fds[2])
{
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

static void test_send_recv(void **state)
{
	struct vol_wire_reader r = VOL_WIRE_READER_INIT;
	json_t *msg = json_pack("{s:s}", "type", "status"), *got;
	int fds[2];

	(void)state;
	pair(fds);
	assert_int_equal(vol_wire_send(fds[0], msg, 5000, NULL), 0);
	assert_int_equal(vol_wire_send(fds[0], msg, 5000, NULL), 0);
	for (int i = 0; i < 2; i++) {
		got = vol_wire_recv(fds[1], &r, 5000, NULL);
		assert_true(json_equal(msg, got));
		json_decref(got);
	}
	vol_wire_reset(&r);
	json_decref(msg);
	close(fds[0]);
	close(fds[1]);
}

static void test_recv_ends(void **state)
{
	struct vol_wire_reader r = VOL_WIRE_READER_INIT;
	struct vol_error err;
	int fds[2];

	(void)state;
	pair(fds);
	assert_null(vol_wire_recv(fds[1], &r, 0, &err));
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(write(fds[0], "\0\0\0\x09{", 5), 5);
	assert_null(vol_wire_recv(fds[1], &r, 20, &err));
	assert_int_equal(errno, ETIMEDOUT);
	close(fds[0]);
	assert_null(vol_wire_recv(fds[1], &r, 5000, &err));
	assert_int_equal(errno, ECONNRESET);
	assert_non_null(strstr(err.text, "middle of a frame"));
	vol_wire_reset(&r);
	assert_null(vol_wire_recv(fds[1], &r, 5000, &err));
	assert_int_equal(errno, ECONNRESET);
	close(fds[1]);

	pair(fds);
	assert_int_equal(write(fds[0], "HTTP", 4), 4);
	assert_null(vol_wire_recv(fds[1], &r, 5000, &err));
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(write(fds[0], "\0\0\0\x02[]", 6), 6);
	assert_null(vol_wire_recv(fds[1], &r, 5000, &err));
	assert_int_equal(errno, EBADMSG);
	vol_wire_reset(&r);
	assert_null(vol_wire_recv(-1, &r, 10, &err));
	close(fds[0]);
	close(fds[1]);
}

static void test_send_ends(void **state)
{
	json_t *msg = message_of(VOL_WIRE_MAX);
	struct vol_error err;
	int fds[2], size = 4096;

	(void)state;
	pair(fds);
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	/* Nobody reads: the deadline ends it, blocking socket or not. */
	assert_int_equal(vol_wire_send(fds[0], msg, 50, &err), -1);
	assert_int_equal(errno, ETIMEDOUT);
	close(fds[1]);
	/* SIGPIPE would end the test program. */
	assert_int_equal(vol_wire_send(fds[0], msg, 5000, &err), -1);
	assert_int_equal(errno, EPIPE);
	close(fds[0]);
	json_decref(msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_announced),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_encode_refuses),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_send_recv),
		cmocka_unit_test(test_recv_ends),
		cmocka_unit_test(test_send_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
