/* SPDX-License-Identifier: GPL-2.0-or-later */
/* join.h - a token that waits to be used, and where to go with it
 *
 * File STATE_DIR/join.json (0600): {"token": "sv1-..." until it was used,
 * "controller": "host:port" if that was said}.  Configuration management may
 * put it there before the first start.
 */
#ifndef VOL_JOIN_H
#define VOL_JOIN_H

#include <stdbool.h>

#include "error.h"
#include "jointoken.h"

#define VOL_JOIN_FILE "join.json"

struct vol_join {
	bool has_token;
	struct vol_jointoken token;
	char controller[256]; /* "": look for it */
};

/* A missing file is an empty one; a damaged one is an error. */
int vol_join_load(const char *state_dir, struct vol_join *join,
		  struct vol_error *err);
int vol_join_save(const char *state_dir, const struct vol_join *join,
		  struct vol_error *err);

#endif
