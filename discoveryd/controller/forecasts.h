/* SPDX-License-Identifier: GPL-2.0-or-later */
/* forecasts.h - the forecasts of all devices: fed, renewed, kept on disk
 *
 * Each device's outlook is renewed at each change and about once a minute, a
 * sixtieth of all devices each second.  The file (lib/forecastfile.h) is
 * written every VOL_FORECASTS_SAVE_S by a thread of its own, and at the end:
 * kill -9 costs what happened since.  One that is damaged is said so, renamed
 * to forecast.damaged, and all begin with the prior: it is only a forecast.
 */
#ifndef VOL_FORECASTS_H
#define VOL_FORECASTS_H

#include "error.h"
#include "forecast.h"

struct vol_controller;
struct vol_forecasts;
struct vol_member;

#define VOL_FORECASTS_RENEW_S 60
#define VOL_FORECASTS_SAVE_S  300

/* Read the file; before the members are made. */
struct vol_forecasts *vol_forecasts_create(struct vol_controller *c,
					   struct vol_error *err);
/* All else has started: what the file holds of devices that are not members is
 * dropped, and time begins to run. */
int vol_forecasts_start(struct vol_forecasts *all, struct vol_error *err);
/* Write the file, if it was started; while there still are members. */
void vol_forecasts_save(struct vol_forecasts *all);
void vol_forecasts_destroy(struct vol_forecasts *all);

/* For a new member: from the file, or the prior.  Owned by the member; NULL: no
 * memory. */
struct vol_forecast *vol_forecasts_take(struct vol_forecasts *all,
					const char *id);

/* What was heard of the member (or nothing new, renew): tell the model, look
 * ahead when it is open, and store the result in the node table. */
void vol_forecasts_feed(struct vol_member *s);
/* Its jobs lost their places, n of them. */
void vol_forecasts_evicted(struct vol_member *s, uint32_t n);
/* It is off or gone since then (vol_controller_now_ms's clock). */
void vol_forecasts_gone(struct vol_member *s, uint64_t since_ms);

#endif
