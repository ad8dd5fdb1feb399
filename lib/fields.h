/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fields.h - a C structure and its JSON object, described once by a table
 *
 * The same table writes and reads, so the two can not drift apart.  Reading is
 * strict: every member that is not optional must be there, no other may be,
 * and types, ranges and character sets are checked.  An error says
 * "member: what is wrong", with a short harmless excerpt of what was there.
 */
#ifndef VOL_FIELDS_H
#define VOL_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "error.h"

enum vol_field_kind {
	VOL_FIELD_BOOL,
	VOL_FIELD_UINT, /* size 2, 4 or 8; a time_t that is not negative, too */
	VOL_FIELD_ENUM, /* by position in names; counts from min */
	VOL_FIELD_TEXT, /* char array of size, NUL-terminated */
	VOL_FIELD_OTHER, /* by the two functions */
};

struct vol_field {
	const char *name;
	enum vol_field_kind kind;
	bool optional;            /* texts only: "" is not written */
	size_t offset, size;      /* of the member in the structure */
	uint64_t min, max;        /* UINT and ENUM, both included */
	const char *const *names; /* ENUM */
	/* TEXT: NULL is any printable ASCII, else [A-Za-z0-9] and these. */
	const char *charset;
	char instead; /* written for a character outside the set */
	bool secret;  /* TEXT: what is wrong with it is said without it */
	bool (*valid)(const char *text); /* TEXT: optional last check */
	/* OTHER.  decode may write to member before it fails. */
	json_t *(*encode)(const void *member);
	int (*decode)(const json_t *json, void *member, struct vol_error *err);
};

/* offset and size of a member, for the tables */
#define VOL_FIELD_AT(type, member) \
	.offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

/* New reference, or NULL with ENOMEM (or the errno of an encode function). */
json_t *vol_fields_encode(const struct vol_field *fields, size_t n,
			  const void *object);

/* -1 with EINVAL.  Members that are not in json are zeroed; on error *object
 * is left half written, so give a scratch copy. */
int vol_fields_decode(const json_t *json, const struct vol_field *fields,
		      size_t n, void *object, struct vol_error *err);

/* Read one text member's array: checked like VOL_FIELD_TEXT. */
int vol_field_text(const json_t *json, const struct vol_field *field,
		   char *text, struct vol_error *err);

/* "want WANT, got ..." about a value; always -1 with EINVAL. */
int vol_field_mismatch(const char *want, const json_t *got,
		       struct vol_error *err);

#endif
