/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_conn.c - framed connections against peers that misbehave */
#include "config.h"

#include "conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "vtest.h"
#include "wire.h"

#define QUEUE (64 * 1024)
/* Nothing here takes a tenth of it. */
#define PATIENCE_US (10 * 1000 * 1000ULL)

struct side {
	struct vol_conn *conn;
	unsigned messages, closes, connects;
	bool protocol;
	char reason[256];
	bool destroy_in_message, finish_in_message, echo;
};

struct fixture {
	sd_event *loop;
	int peer; /* the test's end of the socket pair */
	struct side side;
};

static void on_message(struct vol_conn *c, const json_t *msg, void *arg)
{
	struct side *s = arg;

	s->messages++;
	if (s->echo)
		assert_int_equal(vol_conn_send(c, msg), 0);
	if (s->finish_in_message) {
		vol_conn_finish(c);
		s->conn = NULL;
	}
	if (s->destroy_in_message) {
		vol_conn_destroy(c);
		s->conn = NULL;
	}
}

static void on_closed(struct vol_conn *c, const char *reason, bool protocol,
		      void *arg)
{
	struct side *s = arg;

	s->closes++;
	s->protocol = protocol;
	snprintf(s->reason, sizeof(s->reason), "%s", reason);
	vol_conn_destroy(c);
	s->conn = NULL;
}

static void on_connected(struct vol_conn *c, void *arg)
{
	struct side *s = arg;

	(void)c;
	s->connects++;
}

static const struct vol_conn_ops ops = {
	.message = on_message,
	.closed = on_closed,
	.connected = on_connected,
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fds[2];

	if (!f || sd_event_new(&f->loop) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		return -1;
	f->peer = fds[1];
	f->side.conn =
		vol_conn_attach(f->loop, fds[0], QUEUE, &ops, &f->side, NULL);
	*state = f;
	return f->side.conn ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vol_conn_destroy(f->side.conn);
	if (f->peer >= 0)
		close(f->peer);
	sd_event_unref(f->loop);
	free(f);
	return 0;
}

/* Turn the loop until *n reaches want. */
static void wait_for(sd_event *loop, const unsigned *n, unsigned want)
{
	while (*n < want)
		assert_true(sd_event_run(loop, PATIENCE_US) > 0);
}

/* Turn it until nothing happens for a moment. */
static void settle(sd_event *loop)
{
	while (sd_event_run(loop, 20 * 1000) > 0)
		;
}

static void write_all(int fd, const void *data, size_t len)
{
	assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void whole_messages(void **state)
{
	struct fixture *f = *state;
	json_t *msg = json_pack("{s:s}", "type", "x");
	size_t len;
	char *frame = vol_wire_encode(msg, &len, NULL);

	for (int i = 0; i < 3; i++)
		write_all(f->peer, frame, len);
	/* The fourth comes in pieces. */
	for (size_t i = 0; i < len; i++) {
		write_all(f->peer, frame + i, 1);
		settle(f->loop);
	}
	wait_for(f->loop, &f->side.messages, 4);
	assert_int_equal(f->side.messages, 4);
	assert_int_equal(f->side.closes, 0);
	assert_string_equal(vol_conn_peer(f->side.conn), "local");
	free(frame);
	json_decref(msg);
}

static void bad_frames(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		{"\0\0\0\0", 4},
		{"\x7f\xff\xff\xff", 4},
		{"GET / HTTP/1.1\r\n\r\n", 18},
		{"\0\0\0\2[]", 6},
		{"\0\0\0\2{]", 6},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		void *row_state;
		struct fixture *f;

		assert_int_equal(setup(&row_state), 0);
		f = row_state;
		write_all(f->peer, rows[i].bytes, rows[i].len);
		wait_for(f->loop, &f->side.closes, 1);
		assert_true(f->side.protocol);
		assert_int_equal(f->side.messages, 0);
		assert_true(f->side.reason[0]);
		assert_printable(f->side.reason);
		teardown(&row_state);
	}
}

static void peer_closes(void **state)
{
	struct fixture *f = *state;

	close(f->peer);
	f->peer = -1;
	wait_for(f->loop, &f->side.closes, 1);
	assert_false(f->side.protocol);
	assert_contains(f->side.reason, "closed");
}

static void peer_closes_inside_a_frame(void **state)
{
	struct fixture *f = *state;

	write_all(f->peer, "\0\0\0\x10{\"ty", 8);
	settle(f->loop);
	shutdown(f->peer, SHUT_WR);
	wait_for(f->loop, &f->side.closes, 1);
	assert_true(f->side.protocol);
	assert_contains(f->side.reason, "inside a frame");
}

/* A request, the end of the peer's half, and still an answer. */
static void half_closed_peer_gets_its_answer(void **state)
{
	struct fixture *f = *state;
	struct vol_wire_reader r = VOL_WIRE_READER_INIT;
	json_t *msg = json_pack("{s:s}", "type", "x");
	json_t *answer;

	f->side.echo = f->side.finish_in_message = true;
	assert_int_equal(vol_wire_send(f->peer, msg, 1000, NULL), 0);
	shutdown(f->peer, SHUT_WR);
	wait_for(f->loop, &f->side.messages, 1);
	settle(f->loop);
	answer = vol_wire_recv(f->peer, &r, 1000, NULL);
	assert_true(json_equal(answer, msg));
	assert_null(vol_wire_recv(f->peer, &r, 1000, NULL));
	assert_int_equal(f->side.closes, 0);
	vol_wire_reset(&r);
	json_decref(answer);
	json_decref(msg);
}

static void destroy_inside_message(void **state)
{
	struct fixture *f = *state;
	json_t *msg = json_pack("{s:s}", "type", "x");

	f->side.destroy_in_message = true;
	for (int i = 0; i < 3; i++)
		assert_int_equal(vol_wire_send(f->peer, msg, 1000, NULL), 0);
	wait_for(f->loop, &f->side.messages, 1);
	settle(f->loop);
	assert_int_equal(f->side.messages, 1);
	assert_int_equal(f->side.closes, 0);
	json_decref(msg);
}

/* A peer that does not read is dropped at max_queue, and not from inside
 * vol_conn_send. */
static void slow_peer(void **state)
{
	struct fixture *f = *state;
	char *text = malloc(16 * 1024);
	json_t *msg;
	int sent = 0;

	memset(text, 'a', 16 * 1024 - 1);
	text[16 * 1024 - 1] = '\0';
	msg = json_pack("{s:s, s:s}", "type", "x", "text", text);
	while (vol_conn_send(f->side.conn, msg) == 0)
		assert_true(++sent < 10000);
	assert_int_equal(f->side.closes, 0);
	assert_int_equal(vol_conn_send(f->side.conn, msg), -1);
	wait_for(f->loop, &f->side.closes, 1);
	assert_false(f->side.protocol);
	assert_contains(f->side.reason, "does not read");
	assert_true(sent >= 4);
	free(text);
	json_decref(msg);
}

/* What is queued before finish arrives although the peer is slow. */
static void finish_flushes(void **state)
{
	struct fixture *f = *state;
	struct vol_wire_reader r = VOL_WIRE_READER_INIT;
	json_t *msg = json_pack("{s:s}", "type", "bye"), *got;

	assert_int_equal(vol_conn_send(f->side.conn, msg), 0);
	vol_conn_finish(f->side.conn);
	f->side.conn = NULL;
	settle(f->loop);
	got = vol_wire_recv(f->peer, &r, 1000, NULL);
	assert_true(json_equal(got, msg));
	json_decref(got);
	close(f->peer);
	f->peer = -1;
	settle(f->loop);
	vol_wire_reset(&r);
	json_decref(msg);
}

/* The loop ends while a connection is still finishing: nothing leaks (the
 * sanitizers look). */
static void finish_at_exit(void **state)
{
	struct fixture *f = *state;

	vol_conn_finish(f->side.conn);
	f->side.conn = NULL;
	sd_event_exit(f->loop, 7);
	assert_int_equal(sd_event_loop(f->loop), 7);
}

static int listen_anywhere(uint16_t *port)
{
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6};
	socklen_t len = sizeof(sa);
	int off = 0, fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    listen(fd, 5) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
		return -1;
	*port = ntohs(sa.sin6_port);
	return fd;
}

static void dial(void **state)
{
	struct fixture *f = *state;
	struct side out = {0}, in = {0};
	json_t *msg = json_pack("{s:s}", "type", "x");
	uint16_t port = 0;
	int listener = listen_anywhere(&port), fd;

	assert_true(listener >= 0);
	out.conn = vol_conn_dial(f->loop, "127.0.0.1", port, QUEUE, &ops, &out,
				 NULL);
	assert_non_null(out.conn);
	/* Before it is established: queued. */
	assert_int_equal(vol_conn_send(out.conn, msg), 0);
	wait_for(f->loop, &out.connects, 1);
	fd = accept(listener, NULL, NULL);
	in.conn = vol_conn_attach(f->loop, fd, QUEUE, &ops, &in, NULL);
	wait_for(f->loop, &in.messages, 1);
	/* IPv4 through a dual-stack socket is shown as IPv4. */
	assert_string_equal(vol_conn_peer(in.conn), "127.0.0.1");
	assert_string_equal(vol_conn_local(out.conn), "127.0.0.1");
	assert_int_equal(vol_conn_peer_port(out.conn), port);
	vol_conn_destroy(out.conn);
	wait_for(f->loop, &in.closes, 1);
	close(listener);

	/* Nobody there. */
	out.conn = vol_conn_dial(f->loop, "127.0.0.1", port, QUEUE, &ops, &out,
				 NULL);
	assert_non_null(out.conn);
	wait_for(f->loop, &out.closes, 1);
	assert_contains(out.reason, "refused");
	json_decref(msg);
}

static void bad_addresses(void **state)
{
	static const char *const rows[] = {
		"",          "localhost",        "1.2.3.4.5",
		"300.1.1.1", "fe80::1%nosuchif", "1.2.3.4;ls"};
	struct fixture *f = *state;
	struct vol_error err;

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		err.text[0] = '\0';
		assert_null(vol_conn_dial(f->loop, rows[i], 1, QUEUE, &ops,
					  &f->side, &err));
		assert_true(err.text[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whole_messages, setup,
						teardown),
		cmocka_unit_test(bad_frames),
		cmocka_unit_test_setup_teardown(peer_closes, setup, teardown),
		cmocka_unit_test_setup_teardown(peer_closes_inside_a_frame,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			half_closed_peer_gets_its_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(destroy_inside_message, setup,
						teardown),
		cmocka_unit_test_setup_teardown(slow_peer, setup, teardown),
		cmocka_unit_test_setup_teardown(finish_flushes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(finish_at_exit, setup,
						teardown),
		cmocka_unit_test_setup_teardown(dial, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_addresses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
