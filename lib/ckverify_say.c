/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckverify_say.c - reading a decoded message, and saying what is wrong */
#include "config.h"

#include "ckverify_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int vol_ckrefuse(struct vol_error *err, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return vol_errorf_errno(err, EPERM, "%s", text);
}

int vol_ckequal(const struct vol_ckrow *row, const struct vol_ckvalue *value,
		int64_t want, struct vol_error *err)
{
	if (value->n == 0)
		return vol_ckrefuse(err, "%s is missing, want %" PRId64,
				    row->name, want);
	if (value->number != want)
		return vol_ckrefuse(err, "%s is %" PRId64 ", want %" PRId64,
				    row->name, value->number, want);
	return 0;
}

int vol_ckequal_or_none(const struct vol_ckrow *row,
			const struct vol_ckvalue *value, int64_t want,
			struct vol_error *err)
{
	return value->n == 0 ? 0 : vol_ckequal(row, value, want, err);
}

int vol_cknone(const struct vol_ckrow *row, const struct vol_ckvalue *value,
	       struct vol_error *err)
{
	if (value->n > 0)
		return vol_ckrefuse(err, "it has %s, which no job of ours has",
				    row->name);
	return 0;
}

int vol_ckzeros(struct vol_ckbytes message, const struct vol_ckrow *row,
		struct vol_error *err)
{
	struct vol_ckfield f;

	while (vol_ckproto_find(&message, row->number, &f))
		if (f.value != 0)
			return vol_ckrefuse(err, "%s is not empty: 0x%" PRIx64,
					    row->name, f.value);
	return 0;
}

int vol_ckinner(const struct vol_ckrow *row, const struct vol_ckvalue *value,
		const struct vol_ckrow *rows, struct vol_ckvalue *values,
		struct vol_error *err)
{
	if (vol_ckproto_decode(value->bytes, rows, values, err) < 0)
		return vol_error_prefix(err, "%s", row->name);
	return 0;
}

void *vol_ckgrow(void *list, size_t n, size_t size, struct vol_error *err)
{
	void *grown = list;

	/* At powers of two; 0 is none. */
	if ((n & (n - 1)) == 0)
		grown = reallocarray(list, n ? 2 * n : 1, size);
	if (!grown)
		vol_errorf_errno(err, ENOMEM, "out of memory");
	return grown;
}
