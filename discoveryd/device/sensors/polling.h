/* SPDX-License-Identifier: GPL-2.0-or-later */
/* polling.h - the timer of a sensor that has to look for itself
 *
 * Looks that fall together are done in one wake-up: they may come up to a
 * second late.
 */
#ifndef VOL_POLLING_H
#define VOL_POLLING_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "error.h"

#define VOL_POLL_S 5
/* While nothing depends on it but that its claim ends. */
#define VOL_POLL_CLAIM_S 30

struct vol_polling {
	sd_event_source *timer;
	unsigned period_s;
	void (*look)(void *arg);
	void *arg;
};

/* Not running at first. */
int vol_polling_init(struct vol_polling *p, sd_event *loop, unsigned period_s,
		     void (*look)(void *arg), void *arg, struct vol_error *err);
void vol_polling_fini(struct vol_polling *p);

/* Look one period from now, or now and then, or never. */
void vol_polling_next(struct vol_polling *p, bool watching, bool claims);

#endif
