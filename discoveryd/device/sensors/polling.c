/* SPDX-License-Identifier: GPL-2.0-or-later */
/* polling.c - the timer of a sensor that has to look for itself */
#include "config.h"

#include "device/sensors/polling.h"

#include <string.h>
#include <time.h>

#define S_US UINT64_C(1000000)

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_polling *p = arg;

	(void)source;
	(void)usec;
	p->look(p->arg);
	return 0;
}

int vol_polling_init(struct vol_polling *p, sd_event *loop, unsigned period_s,
		     void (*look)(void *arg), void *arg, struct vol_error *err)
{
	int r = sd_event_add_time(loop, &p->timer, CLOCK_MONOTONIC, 0, S_US,
				  on_timer, p);

	if (r < 0)
		return vol_errorf_errno(err, -r, "timer: %s", strerror(-r));
	sd_event_source_set_enabled(p->timer, SD_EVENT_OFF);
	p->period_s = period_s;
	p->look = look;
	p->arg = arg;
	return 0;
}

void vol_polling_fini(struct vol_polling *p)
{
	p->timer = sd_event_source_disable_unref(p->timer);
}

void vol_polling_next(struct vol_polling *p, bool watching, bool claims)
{
	unsigned s = p->period_s;

	if (!watching && s < VOL_POLL_CLAIM_S)
		s = VOL_POLL_CLAIM_S;
	if (watching || claims)
		sd_event_source_set_time_relative(p->timer, s * S_US);
	sd_event_source_set_enabled(
		p->timer, watching || claims ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}
