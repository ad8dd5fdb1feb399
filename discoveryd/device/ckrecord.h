/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckrecord.h - the record of a step (sandbox/checkpoint.h) and its manifest */
#ifndef VOL_CKRECORD_H
#define VOL_CKRECORD_H

#include <stddef.h>

#include "ckmanifest.h"
#include "error.h"
#include "sandbox/checkpoint.h"

/* What the record knows of it: job, step, ids, output files. */
int vol_ckrecord_tell(const struct vol_record *record, struct vol_ckmanifest *m,
		      struct vol_error *err);

/* Does the record say the same as the manifest, and nothing that restoring
 * could not bear?  -1 with EPERM. */
int vol_ckrecord_check(const struct vol_record *record,
		       const struct vol_ckmanifest *m, struct vol_error *err);

/* CRIU's key of what is mounted at target, "m" and its number in the record;
 * "": the record has no such mount. */
void vol_ckrecord_key(const struct vol_record *record, const char *target,
		      char key[VOL_CKKEY_SIZE]);

#endif
