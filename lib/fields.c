/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fields.c - a C structure and its JSON object, described once by a table */
#include "config.h"

#include "fields.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

static bool in_charset(const struct vol_field *f, unsigned char c)
{
	return f->charset ? vol_char_in(c, f->charset) : vol_char_printable(c);
}

static uint64_t load_uint(const void *member, size_t size)
{
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch (size) {
	case sizeof(u16):
		memcpy(&u16, member, sizeof(u16));
		return u16;
	case sizeof(u32):
		memcpy(&u32, member, sizeof(u32));
		return u32;
	default:
		memcpy(&u64, member, sizeof(u64));
		return u64;
	}
}

static void store_uint(void *member, size_t size, uint64_t value)
{
	uint16_t u16 = (uint16_t)value;
	uint32_t u32 = (uint32_t)value;

	switch (size) {
	case sizeof(u16):
		memcpy(member, &u16, sizeof(u16));
		break;
	case sizeof(u32):
		memcpy(member, &u32, sizeof(u32));
		break;
	default:
		memcpy(member, &value, sizeof(value));
	}
}

static json_t *encode_text(const struct vol_field *f, const char *text)
{
	size_t len = strnlen(text, f->size - 1);
	char *copy;
	json_t *json;

	/* jansson takes UTF-8 only, so the bytes are made harmless first. */
	copy = strndup(text, len);
	if (!copy)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (!in_charset(f, (unsigned char)copy[i]))
			copy[i] = f->instead ? f->instead : '?';
	}
	json = json_stringn(copy, len);
	explicit_bzero(copy, len); /* it may be a secret */
	free(copy);
	return json;
}

static json_t *encode_field(const struct vol_field *f, const void *member)
{
	uint64_t value;

	switch (f->kind) {
	case VOL_FIELD_BOOL:
		return json_boolean(*(const bool *)member);
	case VOL_FIELD_UINT:
		return json_integer((json_int_t)load_uint(member, f->size));
	case VOL_FIELD_ENUM:
		value = load_uint(member, f->size);
		if (value < f->min || value > f->max) {
			errno = EINVAL;
			return NULL;
		}
		return json_string(f->names[value]);
	case VOL_FIELD_TEXT:
		return encode_text(f, member);
	case VOL_FIELD_OTHER:
		return f->encode(member);
	}
	errno = EINVAL;
	return NULL;
}

json_t *vol_fields_encode(const struct vol_field *fields, size_t n,
			  const void *object)
{
	json_t *json = json_object();

	if (!json) {
		errno = ENOMEM;
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		const char *member = (const char *)object + fields[i].offset;
		json_t *value;

		if (fields[i].optional && !*member)
			continue;
		errno = ENOMEM; /* jansson does not set it */
		value = encode_field(&fields[i], member);
		if (json_object_set_new(json, fields[i].name, value) < 0) {
			json_decref(json);
			return NULL;
		}
	}
	return json;
}

int vol_field_mismatch(const char *want, const json_t *got,
		       struct vol_error *err)
{
	char excerpt[VOL_EXCERPT_SIZE];

	errno = EINVAL;
	switch (json_typeof(got)) {
	case JSON_OBJECT:
		return vol_errorf(err, "want %s, got an object", want);
	case JSON_ARRAY:
		return vol_errorf(err, "want %s, got an array", want);
	case JSON_STRING:
		vol_text_excerpt(json_string_value(got),
				 json_string_length(got), excerpt);
		return vol_errorf(err, "want %s, got %s", want, excerpt);
	case JSON_INTEGER:
		return vol_errorf(err, "want %s, got %" JSON_INTEGER_FORMAT,
				  want, json_integer_value(got));
	case JSON_REAL:
		return vol_errorf(err, "want %s, got %g", want,
				  json_real_value(got));
	case JSON_TRUE:
	case JSON_FALSE:
		return vol_errorf(err, "want %s, got %s", want,
				  json_is_true(got) ? "true" : "false");
	default:
		return vol_errorf(err, "want %s, got null", want);
	}
}

int vol_field_text(const json_t *json, const struct vol_field *f, char *text,
		   struct vol_error *err)
{
	char excerpt[VOL_EXCERPT_SIZE];
	const char *value = json_string_value(json);
	size_t len = json_string_length(json);

	if (!value)
		return vol_field_mismatch("a string", json, err);
	if (f->secret)
		snprintf(excerpt, sizeof(excerpt), "it");
	else
		vol_text_excerpt(value, len, excerpt);
	errno = EINVAL;
	if (len >= f->size)
		return vol_errorf(err, "%s is %zu bytes long, at most %zu",
				  excerpt, len, f->size - 1);
	for (size_t i = 0; i < len; i++) {
		if (!in_charset(f, (unsigned char)value[i]))
			return vol_errorf(err,
					  "%s has a forbidden character 0x%02x",
					  excerpt, (unsigned char)value[i]);
	}
	if (f->valid && !f->valid(value))
		return vol_errorf(err, "%s is not valid", excerpt);
	memcpy(text, value, len);
	memset(text + len, 0, f->size - len);
	return 0;
}

static int decode_uint(const json_t *json, const struct vol_field *f,
		       void *member, struct vol_error *err)
{
	json_int_t value = json_integer_value(json);
	char want[64];

	if (!json_is_integer(json) || value < 0 || (uint64_t)value < f->min ||
	    (uint64_t)value > f->max) {
		snprintf(want, sizeof(want),
			 "an integer from %" PRIu64 " to %" PRIu64, f->min,
			 f->max);
		return vol_field_mismatch(want, json, err);
	}
	store_uint(member, f->size, (uint64_t)value);
	return 0;
}

static int decode_enum(const json_t *json, const struct vol_field *f,
		       void *member, struct vol_error *err)
{
	const char *value = json_string_value(json);
	size_t len = json_string_length(json);

	for (uint64_t i = f->min; value && i <= f->max; i++) {
		if (strlen(f->names[i]) == len &&
		    memcmp(value, f->names[i], len) == 0) {
			store_uint(member, f->size, i);
			return 0;
		}
	}
	return vol_field_mismatch("one of the known words", json, err);
}

static int decode_field(const json_t *json, const struct vol_field *f,
			void *member, struct vol_error *err)
{
	switch (f->kind) {
	case VOL_FIELD_BOOL:
		if (!json_is_boolean(json))
			return vol_field_mismatch("true or false", json, err);
		*(bool *)member = json_is_true(json);
		return 0;
	case VOL_FIELD_UINT:
		return decode_uint(json, f, member, err);
	case VOL_FIELD_ENUM:
		return decode_enum(json, f, member, err);
	case VOL_FIELD_TEXT:
		return vol_field_text(json, f, member, err);
	case VOL_FIELD_OTHER:
		return f->decode(json, member, err);
	}
	return vol_errorf_errno(err, EINVAL, "unknown kind of field");
}

static bool known(const char *name, const struct vol_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(name, fields[i].name) == 0)
			return true;
	}
	return false;
}

static int refuse_unknown(const json_t *json, const struct vol_field *fields,
			  size_t n, struct vol_error *err)
{
	char excerpt[VOL_EXCERPT_SIZE];
	/* jansson's iterators are not const-correct; nothing is changed. */
	json_t *object = (json_t *)json;
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value) {
		if (!known(name, fields, n)) {
			vol_text_excerpt(name, strlen(name), excerpt);
			return vol_errorf_errno(err, EINVAL,
						"unknown member %s", excerpt);
		}
	}
	return 0;
}

int vol_fields_decode(const json_t *json, const struct vol_field *fields,
		      size_t n, void *object, struct vol_error *err)
{
	if (!json)
		return vol_errorf_errno(err, EINVAL, "want an object");
	if (!json_is_object(json))
		return vol_field_mismatch("an object", json, err);
	if (refuse_unknown(json, fields, n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct vol_field *f = &fields[i];
		char *member = (char *)object + f->offset;
		const json_t *value = json_object_get(json, f->name);

		memset(member, 0, f->size);
		if (!value && f->optional)
			continue;
		if (!value)
			return vol_errorf_errno(err, EINVAL, "%s: missing",
						f->name);
		if (decode_field(value, f, member, err) < 0)
			return vol_error_prefix(err, "%s", f->name);
	}
	return 0;
}
