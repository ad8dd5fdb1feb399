/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckopened.h - may the job open what its image says it has open? */
#ifndef VOL_CKOPENED_H
#define VOL_CKOPENED_H

#include <stdint.h>

#include "ckverify.h"
#include "error.h"

/* CRIU opens files of working folders as root of the job's user namespace, to
 * which those of other users belong as well.  So each is asked for here first,
 * with the job's ids and no groups, by its name: 0, or -1 with EPERM and "FILE:
 * not the job's to write".  What is not there any more is CRIU's to refuse.  In
 * a process with one thread, root. */
int vol_ckopened_check(const struct vol_ckseen *seen, uint32_t uid,
		       uint32_t gid, struct vol_error *err);

#endif
