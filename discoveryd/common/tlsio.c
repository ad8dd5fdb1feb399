/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tlsio.c - a TLS session for those who may wait */
#include "config.h"

#include "tlsio.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* What the socket is ready for: events, 0 when the time is over.  Whoever tells
 * us to stop comes first. */
static int wait_for(const struct vol_tlsio *io, short events,
		    struct vol_error *err)
{
	struct pollfd p[2] = {
		{.fd = io->fd, .events = events},
		{.fd = io->stop, .events = POLLIN}, /* -1 is left out */
	};
	uint64_t now = now_ms();
	int rc = 0;

	if (now < io->until_ms)
		rc = poll(p, 2, (int)(io->until_ms - now));
	if (rc < 0 && errno == EINTR)
		return events; /* ask again */
	if (rc < 0)
		return vol_errorf(err, "poll: %s", strerror(errno));
	if (p[1].revents)
		return vol_errorf_errno(err, ECANCELED, "told to stop");
	if (rc == 0)
		return vol_errorf_errno(err, ETIMEDOUT, "the peer is too slow");
	return p[0].revents;
}

/* Who is fast never waits, and is to stop all the same. */
static int check_stop(const struct vol_tlsio *io, struct vol_error *err)
{
	struct pollfd p = {.fd = io->stop, .events = POLLIN};

	if (io->stop >= 0 && poll(&p, 1, 0) > 0)
		return vol_errorf_errno(err, ECANCELED, "told to stop");
	return 0;
}

/* Pieces earn time for the whole, and each comes within the grace. */
static void moved(struct vol_tlsio *io, size_t len)
{
	uint64_t whole, now = now_ms();

	io->moved += len;
	whole = io->begun_ms + io->grace_ms +
		io->moved * 1000 / VOL_TLSIO_SLOWEST;
	io->until_ms = now + io->grace_ms;
	if (io->until_ms > whole)
		io->until_ms = whole;
}

static int read_all(void *arg, void *buf, size_t len, struct vol_error *err)
{
	struct vol_tlsio *io = arg;
	uint8_t *to = buf;

	if (check_stop(io, err) < 0)
		return -1;
	while (len > 0) {
		ssize_t n = vol_tls_recv(io->tls, to, len, err);

		if (n == 0)
			return vol_errorf_errno(err, ECONNRESET,
						"peer closed the connection");
		if (n < 0 && errno != EAGAIN)
			return -1;
		if (n < 0) {
			if (!vol_tls_pending(io->tls) &&
			    wait_for(io, POLLIN, err) < 0)
				return -1;
			continue;
		}
		to += n;
		len -= (size_t)n;
		moved(io, (size_t)n);
	}
	return 0;
}

static int write_all(void *arg, const void *data, size_t len,
		     struct vol_error *err)
{
	struct vol_tlsio *io = arg;
	const uint8_t *from = data;

	if (check_stop(io, err) < 0)
		return -1;
	while (len > 0) {
		ssize_t n = vol_tls_send(io->tls, from, len, err);

		if (n < 0 && errno != EAGAIN)
			return -1;
		if (n < 0) {
			if (wait_for(io, POLLOUT, err) < 0)
				return -1;
			continue;
		}
		/* It was the rest of something that was given up. */
		if ((size_t)n > len)
			return vol_errorf_errno(err, EPROTO,
						"half a record was left");
		from += n;
		len -= (size_t)n;
		moved(io, (size_t)n);
	}
	return 0;
}

static int flush(void *arg, struct vol_error *err)
{
	const struct vol_tlsio *io = arg;

	while (vol_tls_flush(io->tls, err) < 0)
		if (errno != EAGAIN || wait_for(io, POLLOUT, err) < 0)
			return -1;
	return 0;
}

static int more(void *arg)
{
	struct vol_tlsio *io = arg;
	struct pollfd p = {.fd = io->fd, .events = POLLIN};

	return vol_tls_pending(io->tls) || poll(&p, 1, 0) > 0;
}

void vol_tlsio_init(struct vol_tlsio *io, struct vol_tls *tls, int fd, int stop,
		    struct vol_imagewire *wire)
{
	*io = (struct vol_tlsio){.tls = tls, .fd = fd, .stop = stop};
	vol_tlsio_grace(io, VOL_TLSIO_GRACE_MS);
	*wire = (struct vol_imagewire){read_all, write_all, flush, more, io};
}

void vol_tlsio_grace(struct vol_tlsio *io, uint64_t ms)
{
	io->begun_ms = now_ms();
	io->grace_ms = ms;
	io->moved = 0;
	io->until_ms = io->begun_ms + ms;
}

int vol_tlsio_handshake(struct vol_tlsio *io, struct vol_error *err)
{
	for (;;) {
		switch (vol_tls_handshake(io->tls, err)) {
		case VOL_TLS_FAILED:
			return -1;
		case VOL_TLS_DONE:
			return 0;
		case VOL_TLS_WANT_READ:
			if (wait_for(io, POLLIN, err) < 0)
				return -1;
			break;
		case VOL_TLS_WANT_WRITE:
			if (wait_for(io, POLLOUT, err) < 0)
				return -1;
			break;
		}
	}
}

void vol_tlsio_bye(struct vol_tlsio *io, uint64_t ms)
{
	char bin[4096];
	ssize_t n;

	vol_tls_bye(io->tls);
	shutdown(io->fd, SHUT_WR);
	vol_tlsio_grace(io, ms);
	for (;;) {
		n = recv(io->fd, bin, sizeof(bin), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return;
		if (n < 0 && wait_for(io, POLLIN, NULL) < 0)
			return;
		/* Somebody who never stops. */
		if (now_ms() >= io->until_ms)
			return;
	}
}
