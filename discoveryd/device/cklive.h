/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cklive.h - dump a job, and hand its memory on while it is dumped
 *
 * Memory that is sent from where it is needs no second place: no disk of the
 * owner's is written to, and the dump takes no time of its own.
 */
#ifndef VOL_CKLIVE_H
#define VOL_CKLIVE_H

#include "device/ckcapture.h"
#include "device/ckdump.h"
#include "error.h"

/* Both at once.  dump: of which streams is set; ended of capture is not the
 * caller's.  0: as after vol_ckdump() and vol_ckcapture().  -1: EPERM if the
 * job can not be saved, whoever tries, else errno of what failed first; the
 * dump has ended then, or was told to (ECANCELED). */
int vol_cklive(const struct vol_ckdump *dump, struct vol_ckcapture *capture,
	       struct vol_error *err);

#endif
