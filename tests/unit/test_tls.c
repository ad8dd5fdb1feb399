/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_tls.c - handshakes over socket pairs, with peers that misbehave */
#include "config.h"

#include "tls_bed.h"

#include <gnutls/gnutls.h>

#include "keypair_private.h"

static void keys_are_told(void **state)
{
	struct fixture *f = *state;
	struct vol_tls_pin pin = pin_of(f->controller_key);

	begin(f, NULL);
	assert_null(vol_tls_peer(f->device));
	assert_null(vol_tls_peer(f->controller));
	vol_tls_destroy(f->device);
	vol_tls_destroy(f->controller);
	shake_well(f, &pin);
	assert_true(vol_fingerprint_equal(
		vol_tls_peer(f->device),
		vol_keypair_fingerprint(f->controller_key)));
	assert_true(
		vol_fingerprint_equal(vol_tls_peer(f->controller),
				      vol_keypair_fingerprint(f->device_key)));
}

/* The device stops, and the controller has not even learnt its key. */
static void a_wrong_pin(void **state)
{
	struct fixture *f = *state;
	enum vol_tls_step device, controller;
	char text[VOL_FINGERPRINT_SIZE];
	struct vol_tls_pin pin = pin_of(f->other_key);

	begin(f, &pin);
	shake(f, &device, &controller);
	assert_int_equal(device, VOL_TLS_FAILED);
	assert_int_equal(f->device_errno, EKEYREJECTED);
	vol_fingerprint_text(vol_keypair_fingerprint(f->controller_key), text);
	assert_contains(f->device_err.text, "another key");
	assert_contains(f->device_err.text, text);
	assert_true(vol_fingerprint_equal(
		vol_tls_peer(f->device),
		vol_keypair_fingerprint(f->controller_key)));
	assert_int_equal(controller, VOL_TLS_FAILED);
	assert_int_equal(f->controller_errno, EACCES);
	assert_contains(f->controller_err.text, "does not accept our key");
	assert_null(vol_tls_peer(f->controller));
}

/* The first half of it, as a token to type has it. */
static void a_short_pin(void **state)
{
	struct fixture *f = *state;
	struct vol_tls_pin pin = pin_of(f->controller_key);
	enum vol_tls_step device, controller;

	pin.bytes = 16;
	memset(pin.key.byte + 16, 0, 16);
	shake_well(f, &pin);
	vol_tls_destroy(f->device);
	vol_tls_destroy(f->controller);
	pin.key.byte[15] ^= 1;
	begin(f, &pin);
	shake(f, &device, &controller);
	assert_int_equal(device, VOL_TLS_FAILED);
	assert_int_equal(f->device_errno, EKEYREJECTED);
}

/* ---- clients of other kinds ---- */

#define ONLY_13                                               \
	"NONE:+VERS-TLS1.3:+AEAD:+AES-128-GCM:+GROUP-X25519:" \
	"+SIGN-EDDSA-ED25519:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK"
#define ONLY_12                                            \
	"NORMAL:-VERS-ALL:+VERS-TLS1.2:+CTYPE-CLI-RAWPK:+" \
	"CTYPE-SRV-RAWPK:+SIGN-ALL"

/* Runs a client of the library's own against our controller's side, until it
 * is done or gives up.  Returns what the controller's step was. */
static enum vol_tls_step meet(struct fixture *f, const char *priorities,
			      const struct vol_keypair *key, int *client)
{
	enum vol_tls_step step = VOL_TLS_WANT_READ;
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;
	const char *at;

	assert_int_equal(gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK |
						       GNUTLS_NO_SIGNAL |
						       GNUTLS_ENABLE_RAWPK),
			 0);
	gnutls_certificate_allocate_credentials(&credentials);
	if (key)
		assert_int_equal(
			vol_keypair_credentials(key, credentials, NULL), 0);
	assert_int_equal(gnutls_priority_set_direct(session, priorities, &at),
			 0);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_int(session, f->fd[0]);
	f->controller = vol_tls_create(f->controller_ctx, VOL_TLS_CONTROLLER,
				       f->fd[1], NULL, NULL);
	*client = GNUTLS_E_AGAIN;
	for (int i = 0; i < STEPS; i++) {
		if (*client == GNUTLS_E_AGAIN)
			*client = gnutls_handshake(session);
		if (step > VOL_TLS_DONE) {
			step = vol_tls_handshake(f->controller,
						 &f->controller_err);
			f->controller_errno = errno;
		}
	}
	gnutls_deinit(session);
	gnutls_certificate_free_credentials(credentials);
	return step;
}

/* So that the next ones fail for what they say. */
static void a_client_of_its_own(void **state)
{
	struct fixture *f = *state;
	int client;

	assert_int_equal(meet(f, ONLY_13, f->other_key, &client), VOL_TLS_DONE);
	assert_int_equal(client, 0);
	assert_true(
		vol_fingerprint_equal(vol_tls_peer(f->controller),
				      vol_keypair_fingerprint(f->other_key)));
}

static void no_client_key(void **state)
{
	struct fixture *f = *state;
	int client;

	assert_int_equal(meet(f, ONLY_13, NULL, &client), VOL_TLS_FAILED);
	assert_int_equal(f->controller_errno, EPROTO);
	assert_contains(f->controller_err.text, "no key");
	assert_null(vol_tls_peer(f->controller));
}

static void an_older_version(void **state)
{
	struct fixture *f = *state;
	int client;

	assert_int_equal(meet(f, ONLY_12, f->other_key, &client),
			 VOL_TLS_FAILED);
	assert_true(gnutls_error_is_fatal(client));
	assert_int_equal(f->controller_errno, EPROTO);
	assert_contains(f->controller_err.text, "TLS 1.3");
}

/* What browsers and scanners say. */
static void certificates(void **state)
{
	struct fixture *f = *state;
	int client;

	assert_int_equal(meet(f, "NORMAL", NULL, &client), VOL_TLS_FAILED);
	assert_true(gnutls_error_is_fatal(client));
	assert_int_equal(f->controller_errno, EPROTO);
	assert_printable(f->controller_err.text);
}

/* ---- no client at all ---- */

static void plain_text(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		{"\0\0\0\x10{\"type\":\"hello\"}", 20},
		{"GET / HTTP/1.1\r\n\r\n", 18},
		{"\0", 1},
		{"\x80\x2e\x01\x03\x01", 5}, /* SSL 2 */
		{"SSH-2.0-x\r\n", 11},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		assert_int_equal(send(f->fd[0], rows[i].bytes, rows[i].len, 0),
				 rows[i].len);
		f->controller =
			vol_tls_create(f->controller_ctx, VOL_TLS_CONTROLLER,
				       f->fd[1], NULL, NULL);
		assert_int_equal(vol_tls_handshake(f->controller,
						   &f->controller_err),
				 VOL_TLS_FAILED);
		assert_int_equal(errno, EPROTO);
		assert_string_equal(f->controller_err.text,
				    "the peer does not speak TLS");
		vol_tls_destroy(f->controller);
		f->controller = NULL;
		while (recv(f->fd[1], (char[64]){0}, 64, 0) > 0)
			;
	}
}

static void plain_text_to_a_device(void **state)
{
	struct fixture *f = *state;

	begin(f, NULL);
	assert_int_equal(vol_tls_handshake(f->device, &f->device_err),
			 VOL_TLS_WANT_READ);
	assert_int_equal(send(f->fd[1], "\0\0\0\2{}", 6, 0), 6);
	assert_int_equal(vol_tls_handshake(f->device, &f->device_err),
			 VOL_TLS_FAILED);
	assert_int_equal(errno, EPROTO);
	assert_contains(f->device_err.text, "does not speak TLS");
}

/* Records that are none inside. */
static void nonsense(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		{"\x16\x03\x01\x00\x00", 5},
		{"\x16\x03\x01\x00\x04junk", 9},
		{"\x16\x03\x01\xff\xff", 5},
		{"\x16\x03\x03\x00\x04\x01\xff\xff\xff", 9}, /* 16 MiB hello */
		{"\x16\x03\x03\x00\x04\x01\x00\x00\x00", 9},
		{"\x16\x09\x09\x00\x04\x01\x00\x00\x00", 9},
		{"\x15\x03\x03\x00\x02\x02\x28", 7},
		{"\x15\x03\x03\x00\x02\x01\x00", 7},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		enum vol_tls_step step = VOL_TLS_WANT_READ;
		int fd[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
		nonblock(fd[1]);
		f->controller =
			vol_tls_create(f->controller_ctx, VOL_TLS_CONTROLLER,
				       fd[1], NULL, NULL);
		assert_int_equal(send(fd[0], rows[i].bytes, rows[i].len, 0),
				 rows[i].len);
		shutdown(fd[0], SHUT_WR);
		for (int n = 0; n < STEPS && step > VOL_TLS_DONE; n++)
			step = vol_tls_handshake(f->controller,
						 &f->controller_err);
		assert_int_equal(step, VOL_TLS_FAILED);
		assert_true(f->controller_err.text[0]);
		assert_printable(f->controller_err.text);
		vol_tls_destroy(f->controller);
		f->controller = NULL;
		close(fd[0]);
		close(fd[1]);
	}
}

/* ---- a handshake that comes in pieces, or ends ---- */

/* Moves up to max bytes from one socket to another. */
static size_t carry(int from, int to, size_t max)
{
	char buf[4096];
	ssize_t n = recv(from, buf, max < sizeof(buf) ? max : sizeof(buf),
			 MSG_DONTWAIT);

	if (n <= 0)
		return 0;
	assert_int_equal(send(to, buf, (size_t)n, 0), n);
	return (size_t)n;
}

/* The device's bytes go through the test, which lets only budget of them pass,
 * step at a time. */
static enum vol_tls_step trickle(struct fixture *f, size_t budget, size_t step,
				 enum vol_tls_step *device)
{
	enum vol_tls_step controller = VOL_TLS_WANT_READ;
	bool moved = true, ended = false;
	int a[2], b[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
	nonblock(a[0]);
	nonblock(b[0]);
	f->device =
		vol_tls_create(f->device_ctx, VOL_TLS_DEVICE, a[0], NULL, NULL);
	f->controller = vol_tls_create(f->controller_ctx, VOL_TLS_CONTROLLER,
				       b[0], NULL, NULL);
	*device = VOL_TLS_WANT_READ;
	for (int idle = 0; idle < 3; idle = moved ? 0 : idle + 1) {
		if (*device > VOL_TLS_DONE)
			*device = vol_tls_handshake(f->device, &f->device_err);
		moved = carry(b[1], a[1], 4096) > 0;
		if (budget > 0) {
			size_t n = carry(a[1], b[1],
					 budget < step ? budget : step);

			budget -= n;
			moved = moved || n > 0;
		}
		if (!budget && !ended) {
			ended = moved = true;
			shutdown(b[1], SHUT_WR);
		}
		if (controller > VOL_TLS_DONE) {
			controller = vol_tls_handshake(f->controller,
						       &f->controller_err);
			f->controller_errno = errno;
		}
	}
	vol_tls_destroy(f->device);
	vol_tls_destroy(f->controller);
	f->device = f->controller = NULL;
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
	return controller;
}

static void byte_by_byte(void **state)
{
	struct fixture *f = *state;
	enum vol_tls_step device;

	assert_int_equal(trickle(f, SIZE_MAX, 1, &device), VOL_TLS_DONE);
	assert_int_equal(device, VOL_TLS_DONE);
}

/* Cut after each byte of what the device says: never done, never stuck. */
static void truncated(void **state)
{
	struct fixture *f = *state;
	enum vol_tls_step device, step = VOL_TLS_FAILED;
	size_t cut = 1;

	for (; cut < 4096; cut++) {
		step = trickle(f, cut, cut, &device);
		if (step == VOL_TLS_DONE)
			break;
		assert_int_equal(step, VOL_TLS_FAILED);
		assert_int_equal(f->controller_errno, ECONNRESET);
		assert_contains(f->controller_err.text, "closed");
	}
	assert_int_equal(step, VOL_TLS_DONE);
	/* hello, key, proof and end: 500 bytes of them. */
	assert_in_range(cut, 300, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(keys_are_told),
		WITH(a_wrong_pin),
		WITH(a_short_pin),
		WITH(a_client_of_its_own),
		WITH(no_client_key),
		WITH(an_older_version),
		WITH(certificates),
		WITH(plain_text),
		WITH(plain_text_to_a_device),
		WITH(nonsense),
		WITH(byte_by_byte),
		WITH(truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
