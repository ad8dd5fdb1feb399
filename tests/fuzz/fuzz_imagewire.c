/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_imagewire.c - any bytes as what a peer sends of an image
 *
 * What is accepted is said again and gives the same bytes; what is refused has
 * a printable reason.  Nothing is read that was not announced.
 */
#include "config.h"

#include <errno.h>

#include "fuzz.h"
#include "imagewire.h"

struct tape {
	const uint8_t *in;
	size_t left;
	uint8_t *out;
	size_t n, flushed;
};

static int take(void *arg, void *buf, size_t len, struct vol_error *err)
{
	struct tape *t = arg;

	fuzz_assert(len <= 128 * 1024);
	if (len > t->left)
		return vol_errorf_errno(err, ECONNRESET, "the end");
	memcpy(buf, t->in, len);
	t->in += len;
	t->left -= len;
	return 0;
}

static int give(void *arg, const void *data, size_t len, struct vol_error *err)
{
	struct tape *t = arg;

	(void)err;
	t->out = realloc(t->out, t->n + len);
	fuzz_assert(t->out);
	memcpy(t->out + t->n, data, len);
	t->n += len;
	return 0;
}

static int flush(void *arg, struct vol_error *err)
{
	struct tape *t = arg;

	(void)err;
	t->flushed = t->n;
	return 0;
}

/* The same piece again. */
static void repeat(const struct vol_imagewire *w,
		   enum vol_imagewire_piece piece, const uint8_t *buf,
		   size_t len, const struct vol_image_tail *tail,
		   const struct vol_link_msg *why)
{
	if (piece == VOL_IMAGEWIRE_DATA)
		fuzz_assert(vol_imagewire_data(w, buf, len, NULL) == 0);
	else if (piece == VOL_IMAGEWIRE_END)
		fuzz_assert(vol_imagewire_end(w, tail, NULL) == 0);
	else
		fuzz_assert(vol_imagewire_broken(w, why, NULL) == 0);
}

static void check_pieces(const uint8_t *data, size_t size)
{
	static uint8_t buf[VOL_IMAGE_CHUNK];
	struct tape t = {data, size, NULL, 0, 0};
	struct vol_imagewire w = {take, give, flush, NULL, &t};
	struct vol_image_tail tail;
	struct vol_error err = {""};
	struct vol_link_msg why;
	size_t len = 0, from;

	for (;;) {
		const uint8_t *begin = t.in;
		enum vol_imagewire_piece piece =
			vol_imagewire_recv(&w, buf, &len, &tail, &why, &err);

		if (piece == VOL_IMAGEWIRE_FAILED)
			break;
		from = t.n;
		repeat(&w, piece, buf, len, &tail, &why);
		fuzz_assert(t.flushed == t.n);
		/* JSON may be written in another way. */
		if (piece != VOL_IMAGEWIRE_BROKEN)
			fuzz_assert((size_t)(t.in - begin) == t.n - from &&
				    memcmp(begin, t.out + from, t.n - from) ==
					    0);
	}
	fuzz_assert(err.text[0]);
	for (const char *p = err.text; *p; p++)
		fuzz_assert(*p >= 0x20 && *p <= 0x7e);
	free(t.out);
}

static void check_message(const uint8_t *data, size_t size)
{
	struct tape t = {data, size, NULL, 0, 0};
	struct vol_imagewire w = {take, give, flush, NULL, &t};
	struct vol_link_msg msg;

	if (vol_imagewire_hear(&w, &msg, NULL) == 0)
		fuzz_assert(vol_imagewire_say(&w, &msg, NULL) == 0);
	fuzz_assert(t.flushed == t.n);
	free(t.out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_pieces(data, size);
	check_message(data, size);
	return 0;
}
