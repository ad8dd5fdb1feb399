/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckimage_code.h - just enough of protobuf's wire format to write with */
#ifndef VOL_TEST_CKIMAGE_CODE_H
#define VOL_TEST_CKIMAGE_CODE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

struct ckbuf {
	size_t n;
	uint8_t b[4096];
};

/* Not there at all. */
#define CK_NONE INT64_MIN

static inline void ck_byte(struct ckbuf *b, uint8_t byte)
{
	if (b->n == sizeof(b->b))
		abort();
	b->b[b->n++] = byte;
}

static inline void ck_varint(struct ckbuf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		ck_byte(b, (uint8_t)(v | 0x80));
	ck_byte(b, (uint8_t)v);
}

static inline void ck_number(struct ckbuf *b, unsigned int field, int64_t v)
{
	if (v == CK_NONE)
		return;
	ck_varint(b, field << 3);
	ck_varint(b, (uint64_t)v);
}

static inline void ck_numbers(struct ckbuf *b, unsigned int from,
			      unsigned int to, int64_t v)
{
	for (; from <= to; from++)
		ck_number(b, from, v);
}

static inline void ck_bytes(struct ckbuf *b, unsigned int field,
			    const void *data, size_t len)
{
	ck_varint(b, field << 3 | 2);
	ck_varint(b, len);
	for (size_t i = 0; i < len; i++)
		ck_byte(b, ((const uint8_t *)data)[i]);
}

static inline void ck_text(struct ckbuf *b, unsigned int field,
			   const char *text)
{
	if (text)
		ck_bytes(b, field, text, strlen(text));
}

static inline void ck_message(struct ckbuf *b, unsigned int field,
			      const struct ckbuf *inner)
{
	ck_bytes(b, field, inner->b, inner->n);
}

static inline void ck_entry(struct ckbuf *file, const struct ckbuf *message)
{
	uint8_t len[4];

	vol_put32(len, (uint32_t)message->n);
	for (int i = 0; i < 4; i++)
		ck_byte(file, len[i]);
	for (size_t i = 0; i < message->n; i++)
		ck_byte(file, message->b[i]);
}

#endif
