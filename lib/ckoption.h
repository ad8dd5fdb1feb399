/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckoption.h - what users say of saving their jobs; pure */
#ifndef VOL_CKOPTION_H
#define VOL_CKOPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

/* --volunteer-checkpoint= */
enum vol_ckmode {
	VOL_CKMODE_OFF,      /* evict as if there were no checkpoints */
	VOL_CKMODE_ON_EVICT, /* when the owner stays */
	VOL_CKMODE_AUTO,     /* that, and periodically, as ckplan.h has it */
	VOL_CKMODE_EVERY,    /* that, and with this period */
};

/* A device may be asked less often by its owner (checkpoint_every of
 * device.conf(5)); more than a week is never. */
#define VOL_CKEVERY_MIN_S 1
#define VOL_CKEVERY_MAX_S (7 * 24 * 3600)

struct vol_ckoption {
	enum vol_ckmode mode;
	uint32_t every_s; /* of EVERY, else 0 */
	bool app; /* the program saves itself: its files only (ckfiles.h) */
};

/* "off", "on-evict", "auto", or a duration (units.h) of whole seconds from
 * VOL_CKEVERY_MIN_S to _MAX_S; "app" is on-evict, "app,auto" and "app,10m" are
 * the others of a program that saves itself.  EINVAL, ERANGE; *option
 * untouched. */
int vol_ckoption_parse(const char *text, struct vol_ckoption *option,
		       struct vol_error *err);
/* The same as text; returns buf. */
const char *vol_ckoption_format(const struct vol_ckoption *option,
				char buf[32]);

/* --volunteer-signal=: what a program that saves itself is told by.  "TERM",
 * "SIGUSR1" or the number of one that programs may have for themselves; one
 * that stops them, or none of them sees, is EINVAL.  *number untouched. */
int vol_cksignal_parse(const char *text, uint32_t *number,
		       struct vol_error *err);
/* Is it one of those? */
bool vol_cksignal_valid(uint64_t number);

#endif
