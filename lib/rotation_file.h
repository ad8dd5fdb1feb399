/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rotation_file.h - how far a rotation has come, on the controller's disk
 *
 * File: {"version": 1, "phase": "close" | "turn" | "self" | "open" | "undo",
 *	"old": id of the key before, if there was one, "next": id of the new
 *	one, "partitions": "names,of,those,that,we,closed", "closed_ms": when,
 *	"apart_ms": when the first device was told to turn, both unix
 *	milliseconds, 0 for not yet}
 * replaced atomically, mode 0600.  No file is no rotation.
 */
#ifndef VOL_ROTATION_FILE_H
#define VOL_ROTATION_FILE_H

#include <stdint.h>

#include "authkey.h"
#include "error.h"
#include "rotation.h"

/* More partitions than that are no volunteer cluster's. */
#define VOL_ROTATION_PARTITIONS 8192

struct vol_rotation_record {
	enum vol_rotation_phase phase;
	char old[VOL_AUTHKEY_ID_SIZE], next[VOL_AUTHKEY_ID_SIZE];
	char partitions[VOL_ROTATION_PARTITIONS];
	uint64_t closed_ms, apart_ms;
};

/* A missing file is NONE; a damaged one an error that names the place. *r is
 * untouched on error. */
int vol_rotation_load(const char *path, struct vol_rotation_record *r,
		      struct vol_error *err);
/* In phase NONE the file is removed. */
int vol_rotation_save(const char *path, const struct vol_rotation_record *r,
		      struct vol_error *err);

/* From memory, for load and tests; name stands for the file. */
int vol_rotation_parse(const char *name, const char *text, size_t len,
		       struct vol_rotation_record *r, struct vol_error *err);

#endif
