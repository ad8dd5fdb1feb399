/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tls.c - TLS 1.3 with raw public keys, by GnuTLS */
#include "config.h"

#include "tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "keypair_private.h"
#include "sockbuf.h"

/* Nothing is inherited from what the library or the system think is normal: a
 * list that can be read.  AES is fast where the CPU has it, ChaCha20 elsewhere.
 * Without compatibility mode no dummy ChangeCipherSpec is sent. */
#define PRIORITIES                                               \
	"NONE:+VERS-TLS1.3:+AEAD:+AES-128-GCM:+AES-256-GCM:"     \
	"+CHACHA20-POLY1305:+GROUP-X25519:+GROUP-SECP256R1:"     \
	"+SIGN-EDDSA-ED25519:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK:" \
	"%DISABLE_TLS13_COMPAT_MODE"

/* First byte of a TLS record (RFC 8446 5.1): all that a peer may begin with. */
#define RECORD_ALERT     21
#define RECORD_HANDSHAKE 22

struct vol_tls_context {
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priorities;
};

struct vol_tls {
	gnutls_session_t session;
	int fd;
	bool looked;             /* at the peer's first byte */
	bool known;              /* peer */
	bool unsent;             /* a record is half way out */
	size_t swallowed;        /* read since it last came to something */
	struct vol_sockbuf *buf; /* NULL: each record by itself */
	struct vol_tls_pin pin;  /* of no bytes: anybody */
	struct vol_fingerprint peer;
	struct vol_error *err; /* of the handshake step that is being made */
	int refusal;           /* errno of on_peer_key */
};

struct vol_tls_context *vol_tls_context_create(const struct vol_keypair *key,
					       struct vol_error *err)
{
	struct vol_tls_context *ctx = calloc(1, sizeof(*ctx));
	const char *at = NULL;
	int r;

	if (!ctx) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	r = gnutls_priority_init(&ctx->priorities, PRIORITIES, &at);
	if (r < 0) {
		/* The system may forbid algorithms to all its programs. */
		vol_errorf_errno(err, ENOTSUP, "TLS: %s at \"%.40s\"",
				 gnutls_strerror(r), at ? at : "");
		goto error;
	}
	r = gnutls_certificate_allocate_credentials(&ctx->credentials);
	if (r < 0) {
		vol_errorf_errno(err, ENOMEM, "TLS: %s", gnutls_strerror(r));
		goto error;
	}
	if (vol_keypair_credentials(key, ctx->credentials, err) < 0) {
		vol_error_prefix(err, "TLS");
		goto error;
	}
	return ctx;
error:
	vol_tls_context_destroy(ctx);
	return NULL;
}

void vol_tls_context_destroy(struct vol_tls_context *ctx)
{
	int saved = errno;

	if (!ctx)
		return;
	if (ctx->credentials)
		gnutls_certificate_free_credentials(ctx->credentials);
	if (ctx->priorities)
		gnutls_priority_deinit(ctx->priorities);
	free(ctx);
	errno = saved;
}

/* ---- the peer's key ---- */

static int learn_peer(struct vol_tls *t)
{
	const gnutls_datum_t *keys;
	unsigned n = 0;

	if (gnutls_certificate_type_get2(t->session, GNUTLS_CTYPE_PEERS) !=
	    GNUTLS_CRT_RAWPK)
		return vol_errorf_errno(t->err, EPROTO,
					"the peer presents a certificate in "
					"place of a raw public key");
	keys = gnutls_certificate_get_peers(t->session, &n);
	if (!keys || n != 1)
		return vol_errorf_errno(t->err, EPROTO,
					"the peer presents no key");
	if (vol_keypair_fingerprint_of(keys->data, keys->size, &t->peer,
				       t->err) < 0) {
		vol_error_prefix(t->err, "the peer's key");
		errno = EPROTO;
		return -1;
	}
	t->known = true;
	return 0;
}

static int check_pin(struct vol_tls *t)
{
	char text[VOL_FINGERPRINT_SIZE];

	if (memcmp(t->pin.key.byte, t->peer.byte, t->pin.bytes) == 0)
		return 0;
	vol_fingerprint_text(&t->peer, text);
	return vol_errorf_errno(t->err, EKEYREJECTED,
				"another key than the one known: %s", text);
}

/* Called when the peer has proven to hold its key and, on a device, before
 * anything of ours goes out. */
static int on_peer_key(gnutls_session_t session)
{
	struct vol_tls *t = gnutls_session_get_ptr(session);

	if (learn_peer(t) == 0 && check_pin(t) == 0)
		return 0;
	t->refusal = errno;
	return GNUTLS_E_CERTIFICATE_ERROR;
}

const struct vol_fingerprint *vol_tls_peer(const struct vol_tls *t)
{
	return t->known ? &t->peer : NULL;
}

/* ---- life ---- */

/* GnuTLS gathers a handshake message of up to 16 MiB before it looks whether
 * that is too much. */
static ssize_t pull(gnutls_transport_ptr_t ptr, void *buf, size_t len)
{
	struct vol_tls *t = ptr;
	ssize_t n;

	if (t->swallowed >= VOL_TLS_SWALLOW_MAX) {
		gnutls_transport_set_errno(t->session, EPROTO);
		return -1;
	}
	n = t->buf ? vol_sockbuf_read(t->buf, buf, len)
		   : recv(t->fd, buf, len, 0);
	if (n < 0)
		gnutls_transport_set_errno(t->session, errno);
	else
		t->swallowed += (size_t)n;
	return n;
}

static ssize_t push(gnutls_transport_ptr_t ptr, const void *data, size_t len)
{
	struct vol_tls *t = ptr;
	ssize_t n = vol_sockbuf_write(t->buf, data, len);

	if (n < 0)
		gnutls_transport_set_errno(t->session, errno);
	return n;
}

static int set_up(struct vol_tls *t, struct vol_tls_context *ctx)
{
	int r = gnutls_priority_set(t->session, ctx->priorities);

	if (r >= 0)
		r = gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE,
					   ctx->credentials);
	if (r >= 0)
		r = (int)gnutls_record_set_max_recv_size(t->session,
							 VOL_TLS_RECORD_MAX);
	if (r < 0)
		return r;
	gnutls_handshake_set_max_packet_length(t->session,
					       VOL_TLS_HANDSHAKE_MAX);
	gnutls_certificate_server_set_request(t->session, GNUTLS_CERT_REQUIRE);
	gnutls_session_set_verify_function(t->session, on_peer_key);
	gnutls_session_set_ptr(t->session, t);
	gnutls_transport_set_ptr2(t->session, t,
				  (gnutls_transport_ptr_t)(intptr_t)t->fd);
	gnutls_transport_set_pull_function(t->session, pull);
	return 0;
}

struct vol_tls *vol_tls_create(struct vol_tls_context *ctx,
			       enum vol_tls_side side, int fd,
			       const struct vol_tls_pin *pin,
			       struct vol_error *err)
{
	unsigned flags = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL |
			 GNUTLS_NO_TICKETS | GNUTLS_ENABLE_RAWPK;
	struct vol_tls *t = calloc(1, sizeof(*t));
	int r;

	if (!t) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	t->fd = fd;
	if (pin)
		t->pin = *pin;
	flags |= side == VOL_TLS_DEVICE ? GNUTLS_CLIENT : GNUTLS_SERVER;
	r = gnutls_init(&t->session, flags);
	if (r >= 0)
		r = set_up(t, ctx);
	if (r < 0) {
		vol_errorf_errno(err, ENOMEM, "TLS: %s", gnutls_strerror(r));
		vol_tls_destroy(t);
		return NULL;
	}
	return t;
}

void vol_tls_destroy(struct vol_tls *t)
{
	int saved = errno;

	if (!t)
		return;
	if (t->session)
		gnutls_deinit(t->session);
	vol_sockbuf_destroy(t->buf);
	free(t);
	errno = saved;
}

/* ---- what went wrong ---- */

static int alerted(struct vol_tls *t, struct vol_error *err)
{
	gnutls_alert_description_t alert = gnutls_alert_get(t->session);
	const char *name = gnutls_alert_get_name(alert);

	if (alert == GNUTLS_A_BAD_CERTIFICATE)
		return vol_errorf_errno(err, EACCES,
					"the peer does not accept our key");
	return vol_errorf_errno(err, EACCES, "the peer ended it: %s (alert %d)",
				name ? name : "unknown", alert);
}

/* GnuTLS calls a record that ends with the stream one of a wrong length. */
static bool is_at_end(const struct vol_tls *t)
{
	char byte;

	if (t->buf && vol_sockbuf_has_more(t->buf))
		return false;
	return recv(t->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* errno as of the header; the socket's own is still there after a GnuTLS call
 * that failed for it. */
static int explain(struct vol_tls *t, int r, struct vol_error *err)
{
	if (t->swallowed >= VOL_TLS_SWALLOW_MAX)
		return vol_errorf_errno(err, EPROTO,
					"the peer sends TLS without end");
	switch (r) {
	case GNUTLS_E_PUSH_ERROR:
	case GNUTLS_E_PULL_ERROR:
		return vol_errorf(err, "%s", strerror(errno));
	case GNUTLS_E_PREMATURE_TERMINATION:
	case GNUTLS_E_SESSION_EOF:
	case GNUTLS_E_INVALID_SESSION:
		return vol_errorf_errno(err, ECONNRESET,
					"peer closed the connection");
	case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
		if (!is_at_end(t))
			return vol_errorf_errno(err, EPROTO,
						"TLS record of a wrong length");
		return vol_errorf_errno(err, ECONNRESET,
					"peer closed the connection inside a "
					"record");
	case GNUTLS_E_FATAL_ALERT_RECEIVED:
		return alerted(t, err);
	case GNUTLS_E_MEMORY_ERROR:
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	case GNUTLS_E_NO_CERTIFICATE_FOUND:
	case GNUTLS_E_CERTIFICATE_REQUIRED:
		return vol_errorf_errno(err, EPROTO,
					"the peer presents no key");
	/* What it has in common with an older version is looked for first. */
	case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
	case GNUTLS_E_UNKNOWN_CIPHER_SUITE:
	case GNUTLS_E_NO_CIPHER_SUITES:
		return vol_errorf_errno(err, EPROTO,
					"the peer does not speak TLS 1.3 as it "
					"is spoken here");
	default:
		return vol_errorf_errno(err, EPROTO, "TLS: %s",
					gnutls_strerror(r));
	}
}

/* ---- handshake ---- */

/* GnuTLS would call it a wrong version or length, which helps nobody. */
static int look(struct vol_tls *t, struct vol_error *err)
{
	unsigned char first;
	ssize_t n = recv(t->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n <= 0)
		return 0; /* not yet, or GnuTLS sees it too */
	t->looked = true;
	if (first == RECORD_HANDSHAKE || first == RECORD_ALERT)
		return 0;
	return vol_errorf_errno(err, EPROTO, "the peer does not speak TLS");
}

/* Tell the peer.  What it has sent meanwhile is taken from the socket, since
 * closing one with unread bytes would reset the connection under our word. */
static void tell(struct vol_tls *t, int r)
{
	char bin[1024];
	int saved = errno;

	if (r == GNUTLS_E_CERTIFICATE_ERROR)
		gnutls_alert_send(t->session, GNUTLS_AL_FATAL,
				  GNUTLS_A_BAD_CERTIFICATE);
	else
		gnutls_alert_send_appropriate(t->session, r);
	(void)vol_tls_flush(t, NULL);
	for (int i = 0; i < 8; i++)
		if (recv(t->fd, bin, sizeof(bin), MSG_DONTWAIT) <= 0)
			break;
	errno = saved;
}

enum vol_tls_step vol_tls_handshake(struct vol_tls *t, struct vol_error *err)
{
	int r;

	if (!t->looked && look(t, err) < 0)
		return VOL_TLS_FAILED;
	t->err = err;
	do {
		errno = 0;
		r = gnutls_handshake(t->session);
	} while (r == GNUTLS_E_INTERRUPTED);
	t->err = NULL;
	if (r >= 0) {
		t->swallowed = 0;
		return VOL_TLS_DONE;
	}
	/* A warning is not worth a word. */
	if (!gnutls_error_is_fatal(r))
		return gnutls_record_get_direction(t->session)
			       ? VOL_TLS_WANT_WRITE
			       : VOL_TLS_WANT_READ;
	if (t->refusal)
		errno = t->refusal;
	else
		explain(t, r, err);
	if (r != GNUTLS_E_FATAL_ALERT_RECEIVED)
		tell(t, r);
	return VOL_TLS_FAILED;
}

/* ---- after it ---- */

ssize_t vol_tls_recv(struct vol_tls *t, void *buf, size_t len,
		     struct vol_error *err)
{
	ssize_t n;

	do {
		errno = 0;
		n = gnutls_record_recv(t->session, buf, len);
	} while (n == GNUTLS_E_INTERRUPTED);
	if (n >= 0) {
		t->swallowed = 0;
		return n;
	}
	/* A daemon that was killed says no goodbye; frames tell whether
	 * something was cut off. */
	if (n == GNUTLS_E_PREMATURE_TERMINATION)
		return 0;
	if (!gnutls_error_is_fatal((int)n))
		return vol_errorf_errno(err, EAGAIN, "not now");
	explain(t, (int)n, err);
	if (errno == EPROTO)
		tell(t, (int)n);
	return -1;
}

bool vol_tls_pending(const struct vol_tls *t)
{
	return gnutls_record_check_pending(t->session) > 0 ||
	       (t->buf && vol_sockbuf_has_more(t->buf));
}

ssize_t vol_tls_send(struct vol_tls *t, const void *data, size_t len,
		     struct vol_error *err)
{
	ssize_t n;

	do {
		errno = 0;
		/* Without data: go on with the record that was begun. */
		n = gnutls_record_send(t->session, t->unsent ? NULL : data,
				       t->unsent ? 0 : len);
	} while (n == GNUTLS_E_INTERRUPTED);
	if (n >= 0) {
		t->unsent = false;
		return n;
	}
	if (n == GNUTLS_E_AGAIN) {
		t->unsent = true;
		return vol_errorf_errno(err, EAGAIN, "not now");
	}
	explain(t, (int)n, err);
	return -1;
}

void vol_tls_gather(struct vol_tls *t)
{
	t->buf = t->buf ? t->buf : vol_sockbuf_create(t->fd);
	if (!t->buf)
		return;
	gnutls_transport_set_ptr(t->session, t);
	gnutls_transport_set_push_function(t->session, push);
}

int vol_tls_flush(struct vol_tls *t, struct vol_error *err)
{
	if (!t->buf || vol_sockbuf_flush(t->buf) == 0)
		return 0;
	return vol_errorf(err, "%s",
			  errno == EAGAIN ? "not now" : strerror(errno));
}

void vol_tls_bye(struct vol_tls *t)
{
	(void)gnutls_bye(t->session, GNUTLS_SHUT_WR);
	(void)vol_tls_flush(t, NULL);
}
