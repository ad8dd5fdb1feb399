/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_conn_tls.c - connections with TLS below the frames, over loopback */
#include "config.h"

#include "conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#include "vtest.h"
#include "wire.h"

#define QUEUE (256 * 1024)
/* Nothing here takes a tenth of it. */
#define PATIENCE_US (10 * 1000 * 1000ULL)

struct side {
	struct vol_conn *conn;
	unsigned messages, closes, connects, reaches;
	bool protocol;
	char reason[256];
	bool key_in_closed; /* the peer's key was known when it closed */
	struct vol_fingerprint key;
	json_t *last;
	bool destroy_in_reached, destroy_in_connected, destroy_in_message;
	bool echo;
	const json_t *say_in_reached;
};

struct fixture {
	sd_event *loop;
	struct vol_keypair *device_key, *controller_key;
	struct vol_tls_context *device_ctx, *controller_ctx;
	int listener;
	uint16_t port;
	struct side device, controller;
};

static void destroy(struct side *s)
{
	vol_conn_destroy(s->conn);
	s->conn = NULL;
}

/* For the next connection. */
static void renew(struct side *s)
{
	json_decref(s->last);
	memset(s, 0, sizeof(*s));
}

static void on_message(struct vol_conn *c, const json_t *msg, void *arg)
{
	struct side *s = arg;

	s->messages++;
	json_decref(s->last);
	s->last = json_deep_copy(msg);
	if (s->echo)
		(void)vol_conn_send(c, msg); /* it may be closing */
	if (s->destroy_in_message)
		destroy(s);
}

static void on_closed(struct vol_conn *c, const char *reason, bool protocol,
		      void *arg)
{
	struct side *s = arg;

	assert_printable(reason);
	s->closes++;
	s->protocol = protocol;
	s->key_in_closed = vol_conn_peer_key(c) != NULL;
	if (s->key_in_closed)
		s->key = *vol_conn_peer_key(c);
	snprintf(s->reason, sizeof(s->reason), "%s", reason);
	destroy(s);
}

static void on_connected(struct vol_conn *c, void *arg)
{
	struct side *s = arg;

	s->connects++;
	assert_non_null(vol_conn_peer_key(c));
	if (s->destroy_in_connected)
		destroy(s);
}

static void on_reached(struct vol_conn *c, void *arg)
{
	struct side *s = arg;

	s->reaches++;
	assert_int_equal(s->connects, 0);
	assert_null(vol_conn_peer_key(c));
	if (s->say_in_reached)
		assert_int_equal(vol_conn_send(c, s->say_in_reached), 0);
	if (s->destroy_in_reached)
		destroy(s);
}

static const struct vol_conn_ops ops = {
	.message = on_message,
	.closed = on_closed,
	.connected = on_connected,
	.reached = on_reached,
};

static int listen_anywhere(uint16_t *port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    listen(fd, 5) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
		return -1;
	*port = ntohs(sa.sin_port);
	return fd;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || sd_event_new(&f->loop) < 0)
		return -1;
	f->device_key = vol_keypair_make(NULL);
	f->controller_key = vol_keypair_make(NULL);
	f->device_ctx = vol_tls_context_create(f->device_key, NULL);
	f->controller_ctx = vol_tls_context_create(f->controller_key, NULL);
	f->listener = listen_anywhere(&f->port);
	*state = f;
	return f->device_ctx && f->controller_ctx && f->listener >= 0 ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	destroy(&f->device);
	destroy(&f->controller);
	json_decref(f->device.last);
	json_decref(f->controller.last);
	/* Those that are finishing. */
	sd_event_exit(f->loop, 0);
	sd_event_loop(f->loop);
	vol_tls_context_destroy(f->device_ctx);
	vol_tls_context_destroy(f->controller_ctx);
	vol_keypair_destroy(f->device_key);
	vol_keypair_destroy(f->controller_key);
	close(f->listener);
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

/* key: whose holder alone may be there; NULL: anybody. */
static void dial_pinned(struct fixture *f, const struct vol_keypair *key)
{
	struct vol_tls_pin pin;

	if (key)
		pin = (struct vol_tls_pin){*vol_keypair_fingerprint(key),
					   VOL_FINGERPRINT_BYTES};
	f->device.conn = vol_conn_dial_tls(f->loop, "127.0.0.1", f->port, QUEUE,
					   f->device_ctx, key ? &pin : NULL,
					   &ops, &f->device, NULL);
	assert_non_null(f->device.conn);
}

static void accept_one(struct fixture *f)
{
	int fd = accept(f->listener, NULL, NULL);

	assert_true(fd >= 0);
	f->controller.conn =
		vol_conn_attach_tls(f->loop, fd, QUEUE, f->controller_ctx, &ops,
				    &f->controller, NULL);
	assert_non_null(f->controller.conn);
}

static void link_up(struct fixture *f)
{
	dial_pinned(f, NULL);
	accept_one(f);
	wait_for(f->loop, &f->device.connects, 1);
	wait_for(f->loop, &f->controller.connects, 1);
}

/* A plain socket to the controller's side. */
static int dial_raw(struct fixture *f)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_port = htons(f->port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void messages_both_ways(void **state)
{
	struct fixture *f = *state;
	json_t *msg = json_pack("{s:s}", "type", "x");

	dial_pinned(f, f->controller_key);
	/* Before anybody is there, and before he is known: queued. */
	assert_int_equal(vol_conn_send(f->device.conn, msg), 0);
	f->device.say_in_reached = msg;
	accept_one(f);
	assert_null(vol_conn_peer_key(f->controller.conn));
	wait_for(f->loop, &f->controller.messages, 2);
	assert_true(json_equal(f->controller.last, msg));
	assert_int_equal(f->device.reaches, 1);
	assert_int_equal(f->device.connects, 1);
	assert_int_equal(f->controller.reaches, 0);
	assert_int_equal(f->controller.connects, 1);
	assert_true(vol_fingerprint_equal(
		vol_conn_peer_key(f->device.conn),
		vol_keypair_fingerprint(f->controller_key)));
	assert_true(
		vol_fingerprint_equal(vol_conn_peer_key(f->controller.conn),
				      vol_keypair_fingerprint(f->device_key)));
	assert_string_equal(vol_conn_peer(f->controller.conn), "127.0.0.1");
	assert_int_equal(vol_conn_send(f->controller.conn, msg), 0);
	wait_for(f->loop, &f->device.messages, 1);
	destroy(&f->device);
	wait_for(f->loop, &f->controller.closes, 1);
	assert_false(f->controller.protocol);
	assert_contains(f->controller.reason, "closed");
	json_decref(msg);
}

/* The largest frames there are, more than the sockets hold, and back. */
static void big_frames(void **state)
{
	struct fixture *f = *state;
	size_t size = VOL_WIRE_MAX - 100;
	char *text = malloc(size + 1);
	int small = 8192;
	json_t *msg;

	memset(text, 'a', size);
	text[size] = '\0';
	msg = json_pack("{s:s, s:s}", "type", "x", "text", text);
	link_up(f);
	setsockopt(vol_conn_fd(f->device.conn), SOL_SOCKET, SO_SNDBUF, &small,
		   sizeof(small));
	setsockopt(vol_conn_fd(f->controller.conn), SOL_SOCKET, SO_SNDBUF,
		   &small, sizeof(small));
	f->controller.echo = true;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 3; i++)
			assert_int_equal(vol_conn_send(f->device.conn, msg), 0);
		wait_for(f->loop, &f->device.messages,
			 3 * ((unsigned)round + 1));
		assert_true(json_equal(f->device.last, msg));
	}
	assert_int_equal(f->controller.messages, 9);
	assert_int_equal(f->device.closes + f->controller.closes, 0);
	free(text);
	json_decref(msg);
}

/* Nothing of what was queued goes to somebody else. */
static void a_wrong_pin(void **state)
{
	struct fixture *f = *state;
	json_t *msg = json_pack("{s:s}", "type", "secret");

	dial_pinned(f, f->device_key);
	assert_int_equal(vol_conn_send(f->device.conn, msg), 0);
	f->device.say_in_reached = msg;
	accept_one(f);
	wait_for(f->loop, &f->device.closes, 1);
	assert_contains(f->device.reason, "another key than the one known");
	assert_true(f->device.key_in_closed);
	assert_true(vol_fingerprint_equal(
		&f->device.key, vol_keypair_fingerprint(f->controller_key)));
	wait_for(f->loop, &f->controller.closes, 1);
	assert_contains(f->controller.reason, "does not accept our key");
	assert_true(f->controller.protocol);
	assert_false(f->controller.key_in_closed);
	assert_int_equal(f->controller.messages, 0);
	assert_int_equal(f->device.connects + f->controller.connects, 0);
	json_decref(msg);
}

static void plain_text(void **state)
{
	struct fixture *f = *state;
	json_t *msg = json_pack("{s:s}", "type", "hello");
	int fd = dial_raw(f);

	accept_one(f);
	assert_int_equal(vol_wire_send(fd, msg, 1000, NULL), 0);
	wait_for(f->loop, &f->controller.closes, 1);
	assert_string_equal(f->controller.reason,
			    "the peer does not speak TLS");
	assert_true(f->controller.protocol);
	close(fd);

	/* And the other way round: a controller of an older version. */
	dial_pinned(f, NULL);
	fd = accept(f->listener, NULL, NULL);
	assert_int_equal(vol_wire_send(fd, msg, 1000, NULL), 0);
	wait_for(f->loop, &f->device.closes, 1);
	assert_string_equal(f->device.reason, "the peer does not speak TLS");
	assert_int_equal(f->device.connects, 0);
	close(fd);
	json_decref(msg);
}

/* Neither silence nor a drop at a time holds a connection for long. */
static void no_handshake_in_time(void **state)
{
	struct fixture *f = *state;
	int fd = dial_raw(f);
	time_t end;

	accept_one(f);
	wait_for(f->loop, &f->controller.closes, 1);
	assert_contains(f->controller.reason, "no TLS handshake in");
	assert_true(f->controller.protocol);
	close(fd);

	/* A record of 16 KiB is announced, and comes byte by byte. */
	fd = dial_raw(f);
	accept_one(f);
	assert_int_equal(send(fd, "\x16\x03\x01\x40\x00", 5, 0), 5);
	for (end = time(NULL) + 10;
	     f->controller.closes < 2 && time(NULL) < end;) {
		(void)send(fd, "\x01", 1, MSG_NOSIGNAL);
		sd_event_run(f->loop, 20 * 1000);
	}
	assert_int_equal(f->controller.closes, 2);
	close(fd);

	dial_pinned(f, NULL);
	fd = accept(f->listener, NULL, NULL);
	wait_for(f->loop, &f->device.closes, 1);
	assert_contains(f->device.reason, "no TLS handshake in");
	assert_int_equal(f->device.reaches, 1);
	close(fd);
}

static void a_peer_that_does_not_read(void **state)
{
	struct fixture *f = *state;
	char *text = malloc(16 * 1024);
	json_t *msg;
	int fd, sent = 0;

	memset(text, 'a', 16 * 1024 - 1);
	text[16 * 1024 - 1] = '\0';
	msg = json_pack("{s:s, s:s}", "type", "x", "text", text);
	link_up(f);
	while (vol_conn_send(f->device.conn, msg) == 0)
		assert_true(++sent < 10000);
	assert_int_equal(f->device.closes, 0);
	/* The controller reads, but the word has been spoken. */
	wait_for(f->loop, &f->device.closes, 1);
	assert_contains(f->device.reason, "does not read");
	wait_for(f->loop, &f->controller.closes, 1);
	assert_contains(f->controller.reason, "inside a record");

	/* What waits for a peer that never shakes hands is bounded, too. */
	renew(&f->device);
	dial_pinned(f, NULL);
	fd = accept(f->listener, NULL, NULL);
	for (sent = 0; vol_conn_send(f->device.conn, msg) == 0; sent++)
		assert_true(sent < QUEUE / 16384 + 1);
	wait_for(f->loop, &f->device.closes, 1);
	close(fd);
	free(text);
	json_decref(msg);
}

/* What is queued before finish arrives, and then the end. */
static void finish_flushes(void **state)
{
	struct fixture *f = *state;
	json_t *msg = json_pack("{s:s}", "type", "bye");

	link_up(f);
	assert_int_equal(vol_conn_send(f->controller.conn, msg), 0);
	vol_conn_finish(f->controller.conn);
	f->controller.conn = NULL;
	/* It is not heard any more. */
	assert_int_equal(vol_conn_send(f->device.conn, msg), 0);
	wait_for(f->loop, &f->device.messages, 1);
	wait_for(f->loop, &f->device.closes, 1);
	assert_false(f->device.protocol);
	assert_contains(f->device.reason, "closed");
	settle(f->loop);
	assert_int_equal(f->controller.messages, 0);
	assert_int_equal(f->controller.closes, 0);
	json_decref(msg);
}

static void destroyed_in_callbacks(void **state)
{
	struct fixture *f = *state;
	json_t *msg = json_pack("{s:s}", "type", "x");

	f->device.destroy_in_reached = true;
	dial_pinned(f, NULL);
	accept_one(f);
	wait_for(f->loop, &f->controller.closes, 1);
	assert_false(f->controller.protocol);

	renew(&f->device);
	f->device.destroy_in_connected = true;
	dial_pinned(f, NULL);
	assert_int_equal(vol_conn_send(f->device.conn, msg), 0);
	accept_one(f);
	wait_for(f->loop, &f->controller.closes, 2);
	assert_int_equal(f->device.connects, 1);

	renew(&f->device);
	renew(&f->controller);
	f->controller.destroy_in_message = true;
	dial_pinned(f, NULL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(vol_conn_send(f->device.conn, msg), 0);
	accept_one(f);
	wait_for(f->loop, &f->device.closes, 1);
	assert_int_equal(f->controller.messages, 1);
	assert_int_equal(f->controller.closes, 0);
	json_decref(msg);
}

/* Either side goes away after each turn of the loop, by itself, orderly, or
 * with its socket shut under it: the other one notices, and nothing leaks or is
 * used again (the sanitizers look). */
static void closed_at_any_point(void **state)
{
	struct fixture *f = *state;
	json_t *msg = json_pack("{s:s}", "type", "x");

	for (unsigned turns = 0; turns < 16; turns++) {
		for (unsigned way = 0; way < 6; way++) {
			struct side *goes =
				way % 2 ? &f->controller : &f->device;
			struct side *stays =
				way % 2 ? &f->device : &f->controller;

			renew(&f->device);
			renew(&f->controller);
			f->controller.echo = true;
			dial_pinned(f, NULL);
			assert_int_equal(vol_conn_send(f->device.conn, msg), 0);
			accept_one(f);
			for (unsigned i = 0; i < turns; i++)
				sd_event_run(f->loop, 1000);
			if (way / 2 == 0) {
				destroy(goes);
			} else if (way / 2 == 1) {
				vol_conn_finish(goes->conn);
				goes->conn = NULL;
			} else {
				shutdown(vol_conn_fd(goes->conn), SHUT_RDWR);
				wait_for(f->loop, &goes->closes, 1);
			}
			wait_for(f->loop, &stays->closes, 1);
			assert_true(stays->reason[0]);
		}
	}
	json_decref(msg);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(messages_both_ways),   WITH(big_frames),
		WITH(a_wrong_pin),          WITH(plain_text),
		WITH(no_handshake_in_time), WITH(a_peer_that_does_not_read),
		WITH(finish_flushes),       WITH(destroyed_in_callbacks),
		WITH(closed_at_any_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
