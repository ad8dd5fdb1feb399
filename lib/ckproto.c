/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckproto.c - protobuf's wire format and the entries of image files */
#include "config.h"

#include "ckproto.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "bytes.h"

/* 64 bits in groups of seven. */
#define VARINT_MAX 10

#define FIELD_NUMBER_MAX ((1u << 29) - 1)

static int bad(struct vol_error *err, const char *what)
{
	return vol_errorf_errno(err, EBADMSG, "%s", what);
}

static void advance(struct vol_ckbytes *b, size_t n)
{
	b->at += n;
	b->len -= n;
}

static int take_varint(struct vol_ckbytes *b, uint64_t *value,
		       struct vol_error *err)
{
	uint64_t v = 0;

	for (size_t i = 0; i < VARINT_MAX; i++) {
		uint8_t byte;

		if (i >= b->len)
			return bad(err, "cut off in the middle of a number");
		byte = b->at[i];
		if (i == VARINT_MAX - 1 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte & 0x80)
			continue;
		if (byte == 0 && i > 0)
			return bad(err, "a number longer than it needs to be");
		advance(b, i + 1);
		*value = v;
		return 0;
	}
	return bad(err, "a number of more than 64 bits");
}

static int take_fixed(struct vol_ckbytes *b, size_t n, uint64_t *value,
		      struct vol_error *err)
{
	if (b->len < n)
		return bad(err, "cut off in the middle of a number");
	*value = n == 8 ? vol_get64(b->at) : vol_get32(b->at);
	advance(b, n);
	return 0;
}

static int take_bytes(struct vol_ckbytes *b, struct vol_ckbytes *bytes,
		      struct vol_error *err)
{
	uint64_t len;

	if (take_varint(b, &len, err) < 0)
		return -1;
	if (len > b->len)
		return bad(err, "cut off in the middle of a field");
	*bytes = (struct vol_ckbytes){b->at, (size_t)len};
	advance(b, (size_t)len);
	return 0;
}

int vol_ckproto_next(struct vol_ckbytes *message, struct vol_ckfield *field,
		     struct vol_error *err)
{
	struct vol_ckfield f = {.number = 0};
	uint64_t tag;
	int rc;

	if (message->len == 0)
		return 0;
	if (take_varint(message, &tag, err) < 0)
		return -1;
	if (tag >> 3 == 0 || tag >> 3 > FIELD_NUMBER_MAX)
		return bad(err, "a field whose number can not be");
	f.number = (uint32_t)(tag >> 3);
	f.wire = (enum vol_ckwire)(tag & 7);
	switch (f.wire) {
	case VOL_CKWIRE_VARINT:
		rc = take_varint(message, &f.value, err);
		break;
	case VOL_CKWIRE_64:
		rc = take_fixed(message, 8, &f.value, err);
		break;
	case VOL_CKWIRE_32:
		rc = take_fixed(message, 4, &f.value, err);
		break;
	case VOL_CKWIRE_BYTES:
		rc = take_bytes(message, &f.bytes, err);
		break;
	default:
		rc = bad(err, "a field of a type that CRIU does not write");
	}
	if (rc < 0)
		return -1;
	*field = f;
	return 1;
}

bool vol_ckproto_find(struct vol_ckbytes *message, uint32_t number,
		      struct vol_ckfield *field)
{
	while (vol_ckproto_next(message, field, NULL) > 0)
		if (field->number == number)
			return true;
	return false;
}

static enum vol_ckwire wire_of(enum vol_cktype type)
{
	switch (type) {
	case VOL_CKTYPE_FIXED64:
		return VOL_CKWIRE_64;
	case VOL_CKTYPE_BYTES:
	case VOL_CKTYPE_TEXT:
		return VOL_CKWIRE_BYTES;
	default:
		return VOL_CKWIRE_VARINT;
	}
}

static int64_t zigzag(uint64_t v)
{
	return (int64_t)(v >> 1 ^ (~(v & 1) + 1));
}

/* Within its type?  *number is what it says. */
static bool in_type(enum vol_cktype type, uint64_t v, int64_t *number)
{
	*number = (int64_t)v;
	switch (type) {
	case VOL_CKTYPE_U32:
		return v <= UINT32_MAX;
	case VOL_CKTYPE_I32:
		return *number >= INT32_MIN && *number <= INT32_MAX;
	case VOL_CKTYPE_S32:
		*number = zigzag(v);
		return *number >= INT32_MIN && *number <= INT32_MAX;
	case VOL_CKTYPE_S64:
		*number = zigzag(v);
		return true;
	case VOL_CKTYPE_BOOL:
		return v <= 1;
	default:
		return true;
	}
}

static int take_row(const struct vol_ckrow *row, struct vol_ckvalue *value,
		    const struct vol_ckfield *f, struct vol_error *err)
{
	enum vol_cktype type = (enum vol_cktype)row->type;

	if (f->wire != wire_of(type))
		return vol_errorf_errno(err, EBADMSG, "%s has another type",
					row->name);
	if (value->n > 0 && row->count != VOL_CKCOUNT_REPEATED)
		return vol_errorf_errno(err, EBADMSG, "%s is there twice",
					row->name);
	if (!in_type(type, f->value, &value->number))
		return vol_errorf_errno(err, EBADMSG,
					"%s is out of its range: %" PRIu64,
					row->name, f->value);
	if (type == VOL_CKTYPE_TEXT && f->bytes.len &&
	    memchr(f->bytes.at, '\0', f->bytes.len))
		return vol_errorf_errno(err, EBADMSG, "%s has a zero byte",
					row->name);
	value->bytes = f->bytes;
	value->n++;
	return 0;
}

static const struct vol_ckrow *find_row(const struct vol_ckrow *rows,
					uint32_t number)
{
	for (; rows->name; rows++)
		if (rows->number == number)
			return rows;
	return NULL;
}

int vol_ckproto_decode(struct vol_ckbytes message, const struct vol_ckrow *rows,
		       struct vol_ckvalue *values, struct vol_error *err)
{
	const struct vol_ckrow *row;
	struct vol_ckfield f;
	int rc;

	for (row = rows; row->name; row++)
		values[row - rows] = (struct vol_ckvalue){.n = 0};
	while ((rc = vol_ckproto_next(&message, &f, err)) > 0) {
		row = find_row(rows, f.number);
		if (!row)
			return vol_errorf_errno(err, EBADMSG,
						"field %" PRIu32
						" is not known here",
						f.number);
		if (take_row(row, &values[row - rows], &f, err) < 0)
			return -1;
	}
	if (rc < 0)
		return -1;
	for (row = rows; row->name; row++)
		if (row->count == VOL_CKCOUNT_REQUIRED &&
		    values[row - rows].n == 0)
			return vol_errorf_errno(err, EBADMSG, "%s is missing",
						row->name);
	return 0;
}

static int take_magic(struct vol_ckbytes *b, uint32_t magic,
		      struct vol_error *err)
{
	uint64_t found;

	if (b->len < 4)
		return bad(err, "cut off before its entries");
	take_fixed(b, 4, &found, NULL);
	if (found != magic)
		return vol_errorf_errno(err, EBADMSG,
					"begins with 0x%08" PRIx64
					", and not with 0x%08" PRIx32,
					found, magic);
	return 0;
}

int vol_ckentries_open(struct vol_ckentries *e, enum vol_ckkind kind,
		       const void *data, size_t len, struct vol_error *err)
{
	uint32_t magic = vol_ckkind_magic(kind);
	uint32_t first = kind == VOL_CKKIND_STATS ? VOL_CKMAGIC_SERVICE
						  : VOL_CKMAGIC_COMMON;

	*e = (struct vol_ckentries){.rest = {data, len}};
	if (!magic)
		return vol_errorf_errno(err, EINVAL, "it has no entries");
	if (kind != VOL_CKKIND_INVENTORY &&
	    take_magic(&e->rest, first, err) < 0)
		return -1;
	return take_magic(&e->rest, magic, err);
}

int vol_ckentries_next(struct vol_ckentries *e, struct vol_ckbytes *message,
		       struct vol_error *err)
{
	uint64_t len;

	if (e->rest.len == 0)
		return 0;
	e->n++;
	if (e->rest.len < 4)
		return vol_errorf_errno(
			err, EBADMSG, "entry %u: cut off in its length", e->n);
	take_fixed(&e->rest, 4, &len, NULL);
	if (len > VOL_CKENTRY_MAX || len > e->rest.len)
		return vol_errorf_errno(err, EBADMSG,
					"entry %u: %" PRIu64
					" bytes announced, %zu are there",
					e->n, len, e->rest.len);
	*message = (struct vol_ckbytes){e->rest.at, (size_t)len};
	advance(&e->rest, (size_t)len);
	return 1;
}

int vol_ckentries_skip(struct vol_ckentries *e, uint64_t bytes,
		       struct vol_error *err)
{
	if (bytes > e->rest.len)
		return vol_errorf_errno(err, EBADMSG,
					"entry %u: %" PRIu64
					" bytes follow, %zu are there",
					e->n, bytes, e->rest.len);
	advance(&e->rest, (size_t)bytes);
	return 0;
}
