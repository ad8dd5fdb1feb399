/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckmachine.h - what a machine is to saved jobs (ckfit.h), as JSON; pure
 *
 *	{"arch": "x86_64", "cpu": ["fpu", ...], "criu": 40101,
 *	 "kernel": "6.12.48+deb13-amd64", "runtime": ""}
 *
 * criu 0: it can not go on with any.
 */
#ifndef VOL_CKMACHINE_H
#define VOL_CKMACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "ckfit.h"
#include "error.h"

/* The longest text, with its NUL: all features take some 1.2 KiB. */
#define VOL_CKMACHINE_TEXT 1856

/* Zeroed, nothing is known of one. */
static inline bool vol_ckmachine_known(const struct vol_ckmachine *m)
{
	return m->arch[0] != '\0';
}

/* New reference, or NULL on ENOMEM. */
json_t *vol_ckmachine_to_json(const struct vol_ckmachine *m);

/* Exactly these members.  Features that are not known here are left out: a
 * machine that is newer than we are has them.  -1 with EINVAL, *m untouched. */
int vol_ckmachine_from_json(const json_t *json, struct vol_ckmachine *m,
			    struct vol_error *err);

/* On one line, members sorted, without spaces; "" if nothing is known.  The
 * rest of text is NULs.  -1 with ENOMEM, or EINVAL for what parse would not
 * take. */
int vol_ckmachine_format(const struct vol_ckmachine *m,
			 char text[VOL_CKMACHINE_TEXT], struct vol_error *err);

/* Only what format writes, features that are not known are an error.  -1 with
 * EINVAL or ENOMEM, *m untouched. */
int vol_ckmachine_parse(const char *text, size_t len, struct vol_ckmachine *m,
			struct vol_error *err);

/* A struct vol_ckcpu as a list of names, as fields.h has its encode. */
json_t *vol_ckmachine_encode_cpu(const void *cpu);

/* "x86-64-v3", else the architecture's name. */
#define VOL_CKMACHINE_CPU 24
const char *vol_ckmachine_cpu(const struct vol_ckmachine *m,
			      char buf[VOL_CKMACHINE_CPU]);

#endif
