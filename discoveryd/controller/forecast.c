/* SPDX-License-Identifier: GPL-2.0-or-later */
/* forecast.c - what the owner of one device did so far, and will do */
#include "config.h"

#include "forecast.h"

#include <stdlib.h>
#include <string.h>

void vol_moment_of(struct vol_moment *m, time_t wall)
{
	struct tm tm;

	m->wall = wall;
	m->local = wall;
	if (localtime_r(&wall, &tm))
		m->local += tm.tm_gmtoff;
}

static int64_t to_local(const struct vol_moment *now, time_t wall)
{
	return wall ? now->local - (now->wall - wall) : 0;
}

struct vol_forecast *vol_forecast_create(const struct vol_moment *now)
{
	struct vol_forecast *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->model = vol_availability_create(now->local);
	if (f->model)
		return f;
	free(f);
	return NULL;
}

struct vol_forecast *vol_forecast_load(
	const struct vol_forecastfile_record *record, int64_t saved,
	struct vol_error *err)
{
	struct vol_forecast *f = calloc(1, sizeof(*f));

	if (!f) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	f->model = vol_availability_decode(record->model, sizeof(record->model),
					   err);
	if (!f->model) {
		free(f);
		return NULL;
	}
	f->evictions = record->evictions;
	vol_availability_note(f->model, saved, VOL_AVAILABLE_UNKNOWN);
	return f;
}

void vol_forecast_destroy(struct vol_forecast *f)
{
	if (!f)
		return;
	vol_availability_destroy(f->model);
	free(f);
}

void vol_forecast_save(const struct vol_forecast *f,
		       struct vol_forecastfile_record *record)
{
	record->evictions = f->evictions;
	vol_availability_encode(f->model, record->model);
}

static void note(struct vol_forecast *f, int64_t at, enum vol_available is)
{
	vol_availability_note(f->model, at, is);
	f->is = is;
	f->visit = 0;
}

void vol_forecast_open(struct vol_forecast *f, const struct vol_moment *now)
{
	note(f, now->local, VOL_AVAILABLE_YES);
}

void vol_forecast_closed(struct vol_forecast *f, const struct vol_moment *now,
			 bool leaving)
{
	/* After a start of ours nothing is known, and a device that was cut off
	 * says closed before it opens. */
	if (f->is == VOL_AVAILABLE_NO) {
		note(f, now->local, VOL_AVAILABLE_NO);
		return;
	}
	if (!f->visit)
		f->visit = now->local;
	if (leaving || now->local - f->visit >= VOL_VISIT_S)
		note(f, f->visit, VOL_AVAILABLE_NO);
}

void vol_forecast_gone(struct vol_forecast *f, const struct vol_moment *since)
{
	note(f, f->visit ? f->visit : since->local, VOL_AVAILABLE_NO);
}

void vol_forecast_evicted(struct vol_forecast *f, const struct vol_moment *now)
{
	vol_tally_add(&f->evictions, now->wall);
	if (f->visit)
		note(f, f->visit, VOL_AVAILABLE_NO);
}

void vol_forecast_go_on(struct vol_forecast *f, const struct vol_moment *now)
{
	if (f->visit && now->local - f->visit >= VOL_VISIT_S)
		note(f, f->visit, VOL_AVAILABLE_NO);
	/* Until it is decided, nothing may be noted after its beginning. */
	if (!f->visit)
		note(f, now->local, f->is);
}

void vol_forecast_look(struct vol_forecast *f, const struct vol_moment *now,
		       time_t away_since, time_t closes_at, bool on_battery)
{
	struct vol_spell spell = {
		.now = now->local,
		.away_since =
			to_local(now, away_since ? away_since : now->wall),
		.closes_at = to_local(now, closes_at),
		.on_battery = on_battery,
	};

	vol_availability_outlook(f->model, &spell, &f->outlook);
	f->outlook_at = now->wall;
}

void vol_forecast_blind(struct vol_forecast *f)
{
	memset(&f->outlook, 0, sizeof(f->outlook));
	f->outlook_at = 0;
}
