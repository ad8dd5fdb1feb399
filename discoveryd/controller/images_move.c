/* SPDX-License-Identifier: GPL-2.0-or-later */
/* images_move.c - one image on its way, on a thread of its own */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "hex.h"
#include "images_private.h"
#include "tlsio.h"

/* For a last word that may not be heard. */
#define BYE_MS 2000

static const struct {
	int error;
	const char *code;
	uint32_t retry_ms; /* 0: it will be the same the next time */
} refusals[] = {
	{EDQUOT, "no_room", 60000}, {ENOSPC, "no_room", 60000},
	{ENOENT, "no_image", 0},    {EBADMSG, "damaged", 1000},
	{EBUSY, "busy", 2000},      {ECANCELED, "interrupted", 1000},
	{EPROTO, "bad_message", 0}, {EFBIG, "bad_message", 0},
	{EINVAL, "bad_message", 0},
};

static void fill_refusal(const struct vol_image_move *m,
			 struct vol_link_msg *msg)
{
	const char *code = "busy";

	memset(msg, 0, sizeof(*msg));
	msg->type = VOL_LINK_REFUSE;
	msg->retry_ms = 10000;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i].error != m->error)
			continue;
		code = refusals[i].code;
		msg->retry_ms = refusals[i].retry_ms;
	}
	snprintf(msg->code, sizeof(msg->code), "%s", code);
	snprintf(msg->reason, sizeof(msg->reason), "%.*s",
		 (int)sizeof(msg->reason) - 1, m->why.text);
}

static int failed(struct vol_image_move *m)
{
	m->error = errno ? errno : EIO;
	return -1;
}

/* ---- put ---- */

/* All pieces into p. */
static int receive(struct vol_image_move *m, const struct vol_imagewire *w,
		   struct vol_store_put *p, struct vol_image_tail *tail)
{
	struct vol_link_msg why;
	size_t len;

	for (;;) {
		switch (vol_imagewire_recv(w, m->chunk, &len, tail, &why,
					   &m->why)) {
		case VOL_IMAGEWIRE_DATA:
			if (vol_store_put_data(p, m->chunk, len, &m->why) < 0)
				return failed(m);
			m->bytes += len;
			break;
		case VOL_IMAGEWIRE_END:
			return 0;
		case VOL_IMAGEWIRE_BROKEN:
			vol_errorf_errno(&m->why, ECONNABORTED,
					 "broken off by the device: %s",
					 why.reason);
			return failed(m);
		case VOL_IMAGEWIRE_FAILED:
			return failed(m);
		}
	}
}

static int put(struct vol_image_move *m, const struct vol_imagewire *w)
{
	struct vol_link_msg msg = {.type = VOL_LINK_IMAGE_GO};
	struct vol_store_put *p;
	struct vol_image_tail tail;

	p = vol_store_put_begin(m->store, &m->head, m->announced, &m->why);
	if (!p)
		return failed(m);
	m->number = msg.number = vol_store_put_number(p);
	if (vol_imagewire_say(w, &msg, &m->why) < 0) {
		failed(m);
		vol_store_put_abort(p);
		return -1;
	}
	if (receive(m, w, p, &tail) < 0) {
		vol_store_put_abort(p);
		return -1;
	}
	if (vol_store_put_commit(p, &tail, &m->why) < 0)
		return failed(m);
	msg.type = VOL_LINK_IMAGE_KEPT;
	msg.bytes = tail.bytes;
	/* It is kept, heard or not. */
	(void)vol_imagewire_say(w, &msg, &m->why);
	return 0;
}

/* ---- get ---- */

static int say_here(struct vol_image_move *m, const struct vol_imagewire *w,
		    const struct vol_store_image *image)
{
	struct vol_link_msg msg = {
		.type = VOL_LINK_IMAGE_HERE,
		.number = image->head.number,
		.restarts = image->head.restarts,
		.until = image->until,
		.bytes = image->bytes,
	};
	time_t age = time(NULL) - image->head.made;

	m->number = image->head.number;
	msg.made_s = age > 0 ? (uint64_t)age : 0;
	vol_hex_encode(image->sha256, sizeof(image->sha256), msg.sha256);
	return vol_imagewire_say(w, &msg, &m->why);
}

/* *begun: the peer expects pieces. */
static int get(struct vol_image_move *m, const struct vol_imagewire *w,
	       bool *begun)
{
	struct vol_store_get *g =
		vol_store_get_begin(m->store, m->head.job, m->head.uid,
				    m->head.restarts, m->before, &m->why);
	struct vol_image_tail tail;
	ssize_t n = -1;
	int rc = -1;

	if (!g)
		return failed(m);
	tail.bytes = vol_store_get_image(g)->bytes;
	memcpy(tail.sha256, vol_store_get_image(g)->sha256,
	       sizeof(tail.sha256));
	if (say_here(m, w, vol_store_get_image(g)) == 0) {
		*begun = true;
		while ((n = vol_store_get_data(g, m->chunk, &m->why)) > 0) {
			m->bytes += (uint64_t)n;
			if (vol_imagewire_data(w, m->chunk, (size_t)n,
					       &m->why) < 0)
				break;
		}
	}
	if (n == 0)
		rc = vol_imagewire_end(w, &tail, &m->why);
	if (rc < 0)
		failed(m);
	vol_store_get_end(g);
	return rc;
}

/* ---- verify ---- */

static void verify(struct vol_image_move *m)
{
	struct pollfd stop = {.fd = m->stop, .events = POLLIN};
	struct vol_store_get *g = vol_store_verify_begin(m->store, m->head.job,
							 m->number, &m->why);
	ssize_t n = -1;

	if (!g) {
		failed(m);
		return;
	}
	do {
		if (poll(&stop, 1, 0) > 0) {
			vol_errorf_errno(&m->why, ECANCELED, "told to stop");
			n = -1;
			break;
		}
		n = vol_store_get_data(g, m->chunk, &m->why);
		if (n > 0)
			m->bytes += (uint64_t)n;
	} while (n > 0);
	if (n < 0)
		failed(m);
	vol_store_get_end(g);
}

/* ---- both ---- */

/* Say why not, if the peer may still be there. */
static void say_why(struct vol_image_move *m, struct vol_tlsio *io,
		    const struct vol_imagewire *w, bool begun)
{
	struct vol_link_msg msg;

	io->stop = -1;
	vol_tlsio_grace(io, BYE_MS);
	fill_refusal(m, &msg);
	if (begun)
		(void)vol_imagewire_broken(w, &msg, NULL);
	else
		(void)vol_imagewire_say(w, &msg, NULL);
}

static void serve(struct vol_image_move *m)
{
	struct vol_imagewire w;
	struct vol_tlsio io;
	bool begun = false;
	int rc;

	vol_tlsio_init(&io, m->tls, m->fd, m->stop, &w);
	vol_tls_gather(m->tls);
	rc = m->deed == VOL_IMAGE_PUT ? put(m, &w) : get(m, &w, &begun);
	if (rc < 0 && m->error != ECONNRESET && m->error != ECONNABORTED)
		say_why(m, &io, &w, begun);
	io.stop = m->stop;
	vol_tlsio_bye(&io, BYE_MS);
	vol_tls_destroy(m->tls);
	close(m->fd);
	m->tls = NULL;
	m->fd = -1;
}

void vol_image_move_run(struct vol_image_move *m)
{
	uint64_t begin = vol_controller_now_ms();

	if (m->deed == VOL_IMAGE_VERIFY)
		verify(m);
	else
		serve(m);
	m->took_ms = vol_controller_now_ms() - begin;
}
