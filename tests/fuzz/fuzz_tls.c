/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_tls.c - hostile bytes for a TLS session, during its handshake and after
 *
 * The first byte says who hears the rest:
 *  'c'  a controller that waits for a device
 *  'd'  a device that has said hello to a controller
 *  'a'  a controller after a handshake that went well
 *  'm'  both, in a handshake with somebody in the middle: three bytes each name
 *       a byte on its way (bit 15: of the controller's) and what to xor it with
 * For the first three the second byte is the size of the pieces in which it
 * comes.  Sessions end with a reason or go on, never both; whoever is done
 * knows the right key.
 */
#include "config.h"

#include "fuzz.h"
#include "tls.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define STREAM_MAX 8192
/* What a handshake needs is 3. */
#define ROUNDS 20

static struct vol_keypair *device_key, *controller_key;
static struct vol_tls_context *device_ctx, *controller_ctx;

/* One end: the session's socket, and ours to it. */
struct end {
	struct vol_tls *tls;
	int fd[2];
	enum vol_tls_step step;
	size_t said; /* bytes of it that came by */
};

static void make_keys(void)
{
	if (device_key)
		return;
	device_key = vol_keypair_make(NULL);
	controller_key = vol_keypair_make(NULL);
	fuzz_assert(device_key && controller_key);
	device_ctx = vol_tls_context_create(device_key, NULL);
	controller_ctx = vol_tls_context_create(controller_key, NULL);
	fuzz_assert(device_ctx && controller_ctx);
}

static void open_end(struct end *e, enum vol_tls_side side)
{
	fuzz_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
			       e->fd) == 0);
	e->tls = vol_tls_create(side == VOL_TLS_DEVICE ? device_ctx
						       : controller_ctx,
				side, e->fd[0], NULL, NULL);
	fuzz_assert(e->tls);
	e->step = VOL_TLS_WANT_READ;
	e->said = 0;
}

static void close_end(struct end *e)
{
	vol_tls_destroy(e->tls);
	close(e->fd[0]);
	close(e->fd[1]);
}

static void go_on(struct end *e)
{
	struct vol_error err = {""};

	if (e->step <= VOL_TLS_DONE)
		return;
	e->step = vol_tls_handshake(e->tls, &err);
	fuzz_assert((e->step == VOL_TLS_FAILED) == (err.text[0] != '\0'));
	fuzz_assert(e->step != VOL_TLS_FAILED || errno != EAGAIN);
}

/* Bytes in pieces, then the end of them. */
static void tell(struct end *e, const uint8_t *data, size_t size, size_t piece)
{
	char buf[512];

	for (size_t at = 0; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;

		if (send(e->fd[1], data + at, n, MSG_NOSIGNAL) < 0)
			break;
		go_on(e);
		/* Alerts and the like. */
		while (recv(e->fd[1], buf, sizeof(buf), 0) > 0)
			;
	}
	shutdown(e->fd[1], SHUT_WR);
	for (int i = 0; i < ROUNDS; i++)
		go_on(e);
	/* Nobody held a key. */
	fuzz_assert(e->step == VOL_TLS_FAILED);
	fuzz_assert(!vol_tls_peer(e->tls));
}

/* What one end has said goes to the other, changed on the way. */
static size_t carry(struct end *from, struct end *to, const uint8_t *ops,
		    size_t n_ops, unsigned bit)
{
	uint8_t buf[STREAM_MAX];
	ssize_t n = recv(from->fd[1], buf, sizeof(buf), 0);

	if (n <= 0)
		return 0;
	for (size_t i = 0; i < n_ops; i++) {
		size_t at = (size_t)(ops[3 * i] & 0x7f) << 8 | ops[3 * i + 1];

		if ((unsigned)(ops[3 * i] >> 7) == bit && at >= from->said &&
		    at - from->said < (size_t)n)
			buf[at - from->said] ^= ops[3 * i + 2];
	}
	from->said += (size_t)n;
	(void)!send(to->fd[1], buf, (size_t)n, MSG_NOSIGNAL);
	return (size_t)n;
}

static void shake(struct end *device, struct end *controller,
		  const uint8_t *ops, size_t n_ops)
{
	open_end(device, VOL_TLS_DEVICE);
	open_end(controller, VOL_TLS_CONTROLLER);
	for (int i = 0; i < ROUNDS; i++) {
		go_on(device);
		carry(device, controller, ops, n_ops, 0);
		go_on(controller);
		carry(controller, device, ops, n_ops, 1);
	}
	fuzz_assert(
		device->step != VOL_TLS_DONE ||
		vol_fingerprint_equal(vol_tls_peer(device->tls),
				      vol_keypair_fingerprint(controller_key)));
	fuzz_assert(controller->step != VOL_TLS_DONE ||
		    vol_fingerprint_equal(vol_tls_peer(controller->tls),
					  vol_keypair_fingerprint(device_key)));
}

static void after(const uint8_t *data, size_t size, size_t piece)
{
	struct end device, controller;
	struct vol_error err;
	char buf[STREAM_MAX];

	shake(&device, &controller, NULL, 0);
	fuzz_assert(device.step == VOL_TLS_DONE);
	fuzz_assert(controller.step == VOL_TLS_DONE);
	for (size_t at = 0; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;
		ssize_t got;

		if (send(controller.fd[1], data + at, n, MSG_NOSIGNAL) < 0)
			break;
		got = vol_tls_recv(controller.tls, buf, sizeof(buf), &err);
		/* Nothing that is not sealed gets through. */
		fuzz_assert(got <= 0);
		if (got < 0 && errno != EAGAIN)
			break;
	}
	close_end(&device);
	close_end(&controller);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct end e, other;

	if (size < 2 || size > STREAM_MAX)
		return 0;
	make_keys();
	switch (data[0]) {
	case 'c':
	case 'd':
		open_end(&e,
			 data[0] == 'd' ? VOL_TLS_DEVICE : VOL_TLS_CONTROLLER);
		go_on(&e);
		tell(&e, data + 2, size - 2, data[1] ? data[1] : size);
		close_end(&e);
		break;
	case 'a':
		after(data + 2, size - 2, data[1] ? data[1] : size);
		break;
	case 'm':
		shake(&e, &other, data + 1, (size - 1) / 3);
		close_end(&e);
		close_end(&other);
		break;
	default:
		break;
	}
	return 0;
}
