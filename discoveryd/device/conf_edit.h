/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf_edit.h - change one line of a configuration file's text; pure
 *
 * Reads lines as lib/conf.c does.  Every line but the one that is changed stays
 * as it is, byte for byte: comments, blanks and order are the owner's.
 */
#ifndef VOL_CONF_EDIT_H
#define VOL_CONF_EDIT_H

#include "error.h"

/* A new malloc'ed text in which key of [section] has that value: its line is
 * changed, keeping a comment behind the value; if it has none, a line is added
 * below the commented-out one, below the section's header, or with the section
 * at the end.  value NULL takes the line away, so that the default holds again.
 * Whether the value fits the key is not looked at; EINVAL for one that a line
 * can not hold. */
char *vol_conf_edit(const char *text, const char *section, const char *key,
		    const char *value, struct vol_error *err);

#endif
