/* SPDX-License-Identifier: GPL-2.0-or-later */
/* forecast.h - what the owner of one device did so far, and will do; pure
 *
 * Feeds the availability model (availability.h) with what the device says:
 *
 *  available      it is open for jobs
 *  not available  somebody is there, it is closed, off or gone
 *  unknown        nobody looked: this daemon was down
 *
 * What counts is what costs jobs their place.  A visit stops jobs but does not
 * end their stay while it is shorter than the owner's parked_max, so a visit
 * ends the spell when
 *  - it has lasted for VOL_VISIT_S (the default of parked_max), or
 *  - jobs are being moved away because of it (harvest state "draining", or an
 *    eviction), or
 *  - the device is gone (its lease is over, or it said goodbye),
 * and is then known as a visit from its beginning; a shorter one never was.  A
 * link that breaks and comes back within the lease is no visit either.
 */
#ifndef VOL_FORECAST_H
#define VOL_FORECAST_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "availability.h"
#include "error.h"
#include "forecastfile.h"
#include "tally.h"

#define VOL_VISIT_S 600

/* One moment on both clocks. */
struct vol_moment {
	time_t wall;   /* Unix seconds */
	int64_t local; /* of availability.h */
};
void vol_moment_of(struct vol_moment *m, time_t wall);

struct vol_forecast {
	struct vol_availability *model; /* owned */
	enum vol_available is;          /* as the model knows it */
	int64_t visit; /* a visit that may be short began then; 0: none */
	struct vol_tally evictions;
	struct vol_outlook outlook; /* as of outlook_at */
	time_t outlook_at;          /* 0: there is none */
};

/* Of a device that nothing is known of; NULL: no memory. */
struct vol_forecast *vol_forecast_create(const struct vol_moment *now);
/* Of one that was written at saved; nobody looked since.  NULL with the reason
 * when the model can not be read. */
struct vol_forecast *vol_forecast_load(
	const struct vol_forecastfile_record *record, int64_t saved,
	struct vol_error *err);
void vol_forecast_destroy(struct vol_forecast *f);
/* id is the caller's. */
void vol_forecast_save(const struct vol_forecast *f,
		       struct vol_forecastfile_record *record);

/* It is open for jobs, it is not (leaving: jobs are being moved away), it is
 * off or gone since then. */
void vol_forecast_open(struct vol_forecast *f, const struct vol_moment *now);
void vol_forecast_closed(struct vol_forecast *f, const struct vol_moment *now,
			 bool leaving);
void vol_forecast_gone(struct vol_forecast *f, const struct vol_moment *since);
/* One job more lost its place because of the owner. */
void vol_forecast_evicted(struct vol_forecast *f, const struct vol_moment *now);

/* Nothing has changed until now; about once a minute. */
void vol_forecast_go_on(struct vol_forecast *f, const struct vol_moment *now);

/* Look ahead from now; the device is open.  away_since and closes_at are Unix
 * seconds, 0: not known. */
void vol_forecast_look(struct vol_forecast *f, const struct vol_moment *now,
		       time_t away_since, time_t closes_at, bool on_battery);
/* It is not open: there is nothing to look ahead to. */
void vol_forecast_blind(struct vol_forecast *f);

#endif
