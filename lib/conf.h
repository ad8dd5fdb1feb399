/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf.h - typed INI configuration from one table (inih underneath)
 *
 * Every error names file:line and the reason; an unknown section or key, a
 * key given twice, a wrong type and a value out of range are all errors, and
 * nothing is stored unless the whole file is right.  The file is opened first
 * and checked on the open descriptor: a regular file, owned by root or the
 * caller, not writable by group or others.
 */
#ifndef VOL_CONF_H
#define VOL_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "units.h"

enum vol_conf_type {
	VOL_CONF_END,      /* closes the table */
	VOL_CONF_STRING,   /* char *, owned by the object; min/max = length */
	VOL_CONF_BOOL,     /* bool; yes/no, true/false, on/off */
	VOL_CONF_UINT,     /* uint32_t */
	VOL_CONF_DURATION, /* uint64_t in ms */
	VOL_CONF_SIZE,     /* uint64_t in bytes */
	VOL_CONF_COUNT_SHARE, /* struct vol_share of a count */
	VOL_CONF_SIZE_SHARE,  /* struct vol_share of bytes */
	VOL_CONF_ENUM,        /* int: index into .words */
};

struct vol_conf_option {
	enum vol_conf_type type;
	const char *section;
	const char *key;
	size_t offset;        /* offsetof the field in the object */
	const char *fallback; /* default in file syntax; NULL leaves 0/NULL */
	uint64_t min, max;    /* inclusive; max 0 = no limit */
	const char *const *words; /* VOL_CONF_ENUM: NULL-terminated */
};

/* Fill object with the defaults of the table.  object must be zeroed or hold
 * the result of an earlier call.  -1 only for a wrong table or ENOMEM. */
int vol_conf_defaults(const struct vol_conf_option *table, void *object,
		      struct vol_error *err);

/* Read path over the defaults.  On error object is unchanged.
 * A missing file is ENOENT. */
int vol_conf_read(const struct vol_conf_option *table, const char *path,
		  void *object, struct vol_error *err);

/* The same from memory; name stands for the file in messages. */
int vol_conf_parse(const struct vol_conf_option *table, const char *name,
		   const char *text, size_t len, void *object,
		   struct vol_error *err);

/* One value in file syntax into object ("key" or "section.key"); used for
 * plugstack.conf arguments and `volunteer set`. */
int vol_conf_set(const struct vol_conf_option *table, const char *key,
		 const char *value, void *object, struct vol_error *err);

/* Free what the object owns and zero its strings. */
void vol_conf_clear(const struct vol_conf_option *table, void *object);

#endif
