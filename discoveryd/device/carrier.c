/* SPDX-License-Identifier: GPL-2.0-or-later */
/* carrier.c - bring an image to the controller, or fetch one */
#include "config.h"

#include "device/carrier.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "atomicfile.h"
#include "backoff.h"
#include "cleanup.h"
#include "digest.h"
#include "hex.h"
#include "imagewire.h"
#include "tlsio.h"

/* Between two tries. */
#define RETRY_MIN_MS 500
#define RETRY_MAX_MS 10000
/* A LAN answers in milliseconds. */
#define DIAL_MS 5000
/* The controller has all of it, and its disk may be slow. */
#define KEEP_MS 300000
#define BYE_MS  2000

/* One try. */
struct trip {
	struct vol_carrier *c;
	int fd;
	struct vol_tls *tls;
	struct vol_tlsio io;
	struct vol_imagewire w;
	struct vol_digest *digest;
	uint64_t bytes;
	bool spoilt; /* some of the stream was read or written */
	bool ours;   /* what failed is here: another try is no better */
	uint8_t chunk[VOL_IMAGE_CHUNK];
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- the connection ---- */

static int wait_connected(struct trip *t, struct vol_error *err)
{
	struct pollfd p[2] = {{.fd = t->fd, .events = POLLOUT},
			      {.fd = t->c->stop, .events = POLLIN}};
	socklen_t len = sizeof(int);
	int rc, error = 0;

	do {
		rc = poll(p, 2, DIAL_MS);
	} while (rc < 0 && errno == EINTR);
	if (p[1].revents)
		return vol_errorf_errno(err, ECANCELED, "told to stop");
	if (rc == 0)
		error = ETIMEDOUT;
	else if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	return error ? vol_errorf_errno(err, error, "%s", strerror(error)) : 0;
}

static int dial(struct trip *t, struct vol_error *err)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				 .ai_socktype = SOCK_STREAM};
	struct addrinfo *ai = NULL;
	char service[8];
	int rc, one = 1;

	snprintf(service, sizeof(service), "%u", t->c->port);
	rc = getaddrinfo(t->c->address, service, &hints, &ai);
	if (rc != 0)
		return vol_errorf_errno(err, EINVAL, "bad address '%s': %s",
					t->c->address, gai_strerror(rc));
	t->fd = socket(ai->ai_family,
		       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	rc = t->fd < 0 ? -1 : connect(t->fd, ai->ai_addr, ai->ai_addrlen);
	freeaddrinfo(ai);
	if (rc < 0 && (t->fd < 0 || errno != EINPROGRESS))
		return vol_errorf(err, "%s", strerror(errno));
	setsockopt(t->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return rc < 0 ? wait_connected(t, err) : 0;
}

static int open_trip(struct trip *t, struct vol_error *err)
{
	if (dial(t, err) < 0)
		return vol_error_prefix(err, "can not connect to %s",
					t->c->address);
	t->tls = vol_tls_create(t->c->tls, VOL_TLS_DEVICE, t->fd, &t->c->pin,
				err);
	if (!t->tls)
		return -1;
	vol_tlsio_init(&t->io, t->tls, t->fd, t->c->stop, &t->w);
	if (vol_tlsio_handshake(&t->io, err) < 0)
		return -1;
	vol_tls_gather(t->tls);
	t->digest = vol_digest_create(err);
	return t->digest ? 0 : -1;
}

static void close_trip(struct trip *t)
{
	int saved = errno;

	vol_digest_destroy(t->digest);
	vol_tls_destroy(t->tls);
	if (t->fd >= 0)
		close(t->fd);
	errno = saved;
}

/* ---- what the controller says ---- */

static int refused(struct trip *t, const struct vol_link_msg *msg,
		   struct vol_error *err)
{
	static const struct {
		const char *code;
		int error;
	} known[] = {
		{"no_image", ENOENT},
		{"no_room", EDQUOT},
		{"no_store", ENODEV},
		{"damaged", EBADMSG},
	};
	int error = EACCES;

	t->c->refusal = *msg;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(msg->code, known[i].code) == 0)
			error = known[i].error;
	return vol_errorf_errno(err, error, "refused (%s): %s", msg->code,
				msg->reason);
}

static int hear(struct trip *t, enum vol_link_type type,
		struct vol_link_msg *msg, struct vol_error *err)
{
	if (vol_imagewire_hear(&t->w, msg, err) < 0)
		return -1;
	if (msg->type == type)
		return 0;
	if (msg->type == VOL_LINK_REFUSE)
		return refused(t, msg, err);
	return vol_errorf_errno(err, EPROTO, "unexpected message \"%s\"",
				vol_link_type_name(msg->type));
}

static void progress(struct trip *t, size_t len)
{
	t->bytes += len;
	if (t->c->progress)
		t->c->progress(t->bytes, t->c->arg);
}

/* ---- put ---- */

/* As much as there is, up to a chunk: a pipe hands out less. */
static ssize_t fill(struct trip *t, int from, struct vol_error *err)
{
	size_t got = 0;

	while (got < VOL_IMAGE_CHUNK) {
		struct pollfd p[2] = {{.fd = from, .events = POLLIN},
				      {.fd = t->c->stop, .events = POLLIN}};
		ssize_t n;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return vol_errorf(err, "poll: %s", strerror(errno));
		if (p[1].revents)
			return vol_errorf_errno(err, ECANCELED, "told to stop");
		n = read(from, t->chunk + got, VOL_IMAGE_CHUNK - got);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		t->ours = n < 0;
		if (n < 0)
			return vol_errorf(err, "image not read: %s",
					  strerror(errno));
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* It has something to say before we are through, which is no good. */
static int hear_why(struct trip *t, struct vol_error *err)
{
	struct vol_link_msg msg;

	return hear(t, VOL_LINK_REFUSE, &msg, err) < 0 ? -1
						       : refused(t, &msg, err);
}

/* What was sent last may have been in vain, and the reason be here. */
static int send_chunk(struct trip *t, size_t len, struct vol_error *err)
{
	struct vol_error why;

	/* A producer that is slow is not the controller's fault. */
	vol_tlsio_grace(&t->io, VOL_TLSIO_GRACE_MS);
	if (t->w.more(t->w.arg))
		return hear_why(t, err);
	if (vol_imagewire_data(&t->w, t->chunk, len, err) == 0)
		return 0;
	if (errno == ECANCELED || !t->w.more(t->w.arg))
		return -1;
	vol_tlsio_grace(&t->io, BYE_MS);
	if (hear_why(t, &why) < 0 && *t->c->refusal.code)
		vol_errorf(err, "%s", why.text);
	return -1;
}

/* Tell the controller that nothing more comes, and why; always -1. */
static int break_off(struct trip *t, const struct vol_error *why)
{
	struct vol_link_msg msg = {.type = VOL_LINK_REFUSE,
				   .code = "interrupted"};
	int saved = errno;

	snprintf(msg.reason, sizeof(msg.reason), "%.*s",
		 (int)sizeof(msg.reason) - 1, why->text);
	t->io.stop = -1;
	vol_tlsio_grace(&t->io, BYE_MS);
	if (vol_imagewire_broken(&t->w, &msg, NULL) == 0)
		vol_tlsio_bye(&t->io, BYE_MS);
	errno = saved;
	return -1;
}

static int send_stream(struct trip *t, int from, struct vol_error *err)
{
	struct vol_image_tail tail;
	ssize_t n;

	while ((n = fill(t, from, err)) > 0) {
		t->spoilt = true;
		if (vol_digest_add(t->digest, t->chunk, (size_t)n, err) < 0 ||
		    send_chunk(t, (size_t)n, err) < 0)
			return -1;
		progress(t, (size_t)n);
	}
	if (n < 0)
		return break_off(t, err);
	tail.bytes = t->bytes;
	vol_digest_take(t->digest, tail.sha256);
	return vol_imagewire_end(&t->w, &tail, err);
}

struct put {
	int from;
	uint32_t job, restarts;
	uint64_t bytes;
	uint32_t *number;
};

static int put_once(struct trip *t, void *arg, struct vol_error *err)
{
	const struct put *put = arg;
	struct vol_link_msg msg = {
		.type = VOL_LINK_IMAGE_PUT,
		.proto = VOL_LINK_PROTO,
		.job = put->job,
		.restarts = put->restarts,
		.bytes = put->bytes,
	};

	if (t->c->fits_any)
		strcpy(msg.fits, "any");
	if (vol_imagewire_say(&t->w, &msg, err) < 0 ||
	    hear(t, VOL_LINK_IMAGE_GO, &msg, err) < 0 ||
	    send_stream(t, put->from, err) < 0)
		return -1;
	vol_tlsio_grace(&t->io, KEEP_MS);
	if (hear(t, VOL_LINK_IMAGE_KEPT, &msg, err) < 0)
		return -1;
	if (msg.bytes != t->bytes)
		return vol_errorf_errno(err, EPROTO,
					"the controller kept something else");
	*put->number = msg.number;
	vol_tlsio_bye(&t->io, BYE_MS);
	return 0;
}

/* ---- get ---- */

static int store(struct trip *t, int into, size_t len, struct vol_error *err)
{
	t->spoilt = true;
	if (vol_write_all(into, t->chunk, len) == 0)
		return 0;
	t->ours = true;
	return vol_errorf(err, "image not written: %s", strerror(errno));
}

static int check_end(struct trip *t, const struct vol_link_msg *here,
		     const struct vol_image_tail *tail, struct vol_error *err)
{
	uint8_t digest[VOL_SHA256_BYTES];
	char text[VOL_LINK_SHA256_SIZE];

	vol_digest_take(t->digest, digest);
	vol_hex_encode(digest, sizeof(digest), text);
	if (t->bytes == here->bytes && tail->bytes == here->bytes &&
	    memcmp(digest, tail->sha256, sizeof(digest)) == 0 &&
	    strcmp(text, here->sha256) == 0)
		return 0;
	return vol_errorf_errno(err, EPROTO,
				"the image is not what was announced");
}

static int receive_stream(struct trip *t, int into,
			  const struct vol_link_msg *here,
			  struct vol_error *err)
{
	struct vol_image_tail tail;
	struct vol_link_msg why;
	size_t len;

	for (;;) {
		switch (vol_imagewire_recv(&t->w, t->chunk, &len, &tail, &why,
					   err)) {
		case VOL_IMAGEWIRE_DATA:
			if (vol_digest_add(t->digest, t->chunk, len, err) < 0 ||
			    store(t, into, len, err) < 0)
				return -1;
			progress(t, len);
			break;
		case VOL_IMAGEWIRE_END:
			return check_end(t, here, &tail, err);
		case VOL_IMAGEWIRE_BROKEN:
			return refused(t, &why, err);
		case VOL_IMAGEWIRE_FAILED:
			return -1;
		}
	}
}

struct get {
	int into;
	uint32_t job, before;
	struct vol_link_msg *here;
};

static int get_once(struct trip *t, void *arg, struct vol_error *err)
{
	const struct get *get = arg;
	struct vol_link_msg msg = {
		.type = VOL_LINK_IMAGE_GET,
		.proto = VOL_LINK_PROTO,
		.job = get->job,
		.before = get->before,
	};

	if (vol_imagewire_say(&t->w, &msg, err) < 0 ||
	    hear(t, VOL_LINK_IMAGE_HERE, &msg, err) < 0)
		return -1;
	*get->here = msg;
	if (receive_stream(t, get->into, &msg, err) < 0)
		return -1;
	vol_tlsio_bye(&t->io, BYE_MS);
	return 0;
}

/* ---- again and again ---- */

bool vol_carrier_may_pass(const struct vol_carrier *c)
{
	return c->refusal.retry_ms > 0 &&
	       strcmp(c->refusal.code, "no_room") != 0 &&
	       strcmp(c->refusal.code, "no_store") != 0;
}

static bool may_pass(const struct vol_carrier *c, const struct trip *t)
{
	if (t->ours)
		return false;
	if (*c->refusal.code)
		return vol_carrier_may_pass(c);
	return errno != ECANCELED && errno != EKEYREJECTED && errno != EACCES &&
	       errno != EINVAL && errno != ENOMEM;
}

/* false: not in time, or told to stop. */
static bool wait_for_next(const struct vol_carrier *c,
			  struct vol_backoff *backoff)
{
	struct pollfd p = {.fd = c->stop, .events = POLLIN};
	uint64_t ms = vol_backoff_next(backoff);
	int saved = errno;

	if (!c->until_ms || now_ms() + ms >= c->until_ms)
		return false;
	(void)poll(&p, 1, (int)ms);
	errno = p.revents ? ECANCELED : saved;
	return !p.revents;
}

/* The stream's descriptor, as it was at first. */
static bool rewind_to(int fd, off_t at, bool cut)
{
	int saved = errno;
	bool done = at >= 0 && (!cut || ftruncate(fd, at) == 0) &&
		    lseek(fd, at, SEEK_SET) == at;

	errno = saved;
	return done;
}

static int again_and_again(struct vol_carrier *c, int fd, bool cut,
			   int (*once)(struct trip *t, void *arg,
				       struct vol_error *err),
			   void *arg, struct vol_error *err)
{
	struct trip *t = calloc(1, sizeof(*t));
	off_t at = lseek(fd, 0, SEEK_CUR);
	struct vol_backoff backoff;
	int rc;

	if (!t)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	vol_backoff_init(&backoff, RETRY_MIN_MS, RETRY_MAX_MS, now_ms());
	for (;;) {
		memset(&c->refusal, 0, sizeof(c->refusal));
		memset(t, 0, offsetof(struct trip, chunk));
		t->c = c;
		t->fd = -1;
		rc = open_trip(t, err);
		if (rc == 0)
			rc = once(t, arg, err);
		close_trip(t);
		if (rc == 0 || !may_pass(c, t) ||
		    (t->spoilt && !rewind_to(fd, at, cut)) ||
		    !wait_for_next(c, &backoff))
			break;
	}
	free(t);
	return rc;
}

int vol_carrier_put(struct vol_carrier *c, int from, uint32_t job,
		    uint32_t restarts, uint64_t bytes, uint32_t *number,
		    struct vol_error *err)
{
	struct put put = {from, job, restarts, bytes, number};

	return again_and_again(c, from, false, put_once, &put, err);
}

int vol_carrier_get(struct vol_carrier *c, int into, uint32_t job,
		    uint32_t before, struct vol_link_msg *here,
		    struct vol_error *err)
{
	struct get get = {into, job, before, here};

	return again_and_again(c, into, true, get_once, &get, err);
}
