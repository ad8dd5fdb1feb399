/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_forecast.c - what counts as a visit of the owner, told to a model that
 * only writes it down */
#include "config.h"

#include "forecast.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vtest.h"

#define T0 1000000 /* local */

/* ---- the model ---- */

struct vol_availability {
	char notes[512];
	int64_t last;
	enum vol_available is;
};

struct vol_availability *vol_availability_create(int64_t now)
{
	struct vol_availability *a = calloc(1, sizeof(*a));

	assert_non_null(a);
	a->last = now;
	return a;
}

void vol_availability_destroy(struct vol_availability *a)
{
	free(a);
}

void vol_availability_note(struct vol_availability *a, int64_t now,
			   enum vol_available is)
{
	size_t len = strlen(a->notes);

	/* The header: times never go back. */
	assert_true(now >= a->last);
	a->last = now;
	if (is == a->is)
		return;
	a->is = is;
	snprintf(a->notes + len, sizeof(a->notes) - len, "%s%c%lld",
		 len ? " " : "", "?-+"[is], (long long)(now - T0));
}

static struct vol_spell asked;

void vol_availability_outlook(const struct vol_availability *a,
			      const struct vol_spell *spell,
			      struct vol_outlook *out)
{
	(void)a;
	asked = *spell;
	memset(out, 0x11, sizeof(*out));
}

void vol_availability_encode(const struct vol_availability *a,
			     uint8_t buf[VOL_AVAILABILITY_SIZE])
{
	memset(buf, 0, VOL_AVAILABILITY_SIZE);
	memcpy(buf, a->notes, 100);
}

struct vol_availability *vol_availability_decode(const uint8_t *buf,
						 size_t size,
						 struct vol_error *err)
{
	struct vol_availability *a;

	assert_int_equal(size, VOL_AVAILABILITY_SIZE);
	if (buf[0] == 'X') {
		vol_errorf_errno(err, EINVAL, "damaged");
		return NULL;
	}
	a = vol_availability_create(0);
	a->is = VOL_AVAILABLE_YES;
	memcpy(a->notes, buf, 100);
	return a;
}

/* ---- what is done ---- */

enum event { OPEN, SHUT, DRAIN, GONE, EVICT, TIME };

struct step {
	int64_t at;
	enum event event;
};

static void run(struct vol_forecast *f, const struct step *steps, size_t n)
{
	struct vol_moment m;
	size_t i;

	for (i = 0; i < n; i++) {
		m.local = T0 + steps[i].at;
		m.wall = m.local + 7000;
		switch (steps[i].event) {
		case OPEN:
			vol_forecast_open(f, &m);
			break;
		case SHUT:
			vol_forecast_closed(f, &m, false);
			break;
		case DRAIN:
			vol_forecast_closed(f, &m, true);
			break;
		case GONE:
			vol_forecast_gone(f, &m);
			break;
		case EVICT:
			vol_forecast_evicted(f, &m);
			break;
		case TIME:
			vol_forecast_go_on(f, &m);
			break;
		}
	}
}

static const struct {
	const char *what;
	struct step steps[8];
	size_t n;
	const char *notes;
} days[] = {
	{"the first word", {{5, OPEN}}, 1, "+5"},
	{"somebody was there before us",
	 {{5, SHUT}, {604, TIME}, {605, TIME}},
	 3,
	 "-5"},
	{"cut off when we came", {{5, SHUT}, {6, OPEN}}, 2, "+6"},
	{"a long visit, known as one from its beginning",
	 {{0, OPEN},
	  {100, SHUT},
	  {160, TIME},
	  {699, TIME},
	  {700, TIME},
	  {760, TIME},
	  {2000, OPEN}},
	 7,
	 "+0 -100 +2000"},
	{"a short visit never was",
	 {{0, OPEN}, {100, SHUT}, {160, TIME}, {699, OPEN}, {760, TIME}},
	 5,
	 "+0"},
	{"two short ones are not a long one",
	 {{0, OPEN}, {100, SHUT}, {600, OPEN}, {610, SHUT}, {1100, OPEN}},
	 5,
	 "+0"},
	{"jobs leave",
	 {{0, OPEN}, {100, SHUT}, {130, DRAIN}, {150, OPEN}},
	 4,
	 "+0 -100 +150"},
	{"at once", {{0, OPEN}, {100, DRAIN}}, 2, "+0 -100"},
	{"a job was evicted",
	 {{0, OPEN}, {100, SHUT}, {130, EVICT}, {150, OPEN}},
	 4,
	 "+0 -100 +150"},
	{"a job was evicted from an open machine",
	 {{0, OPEN}, {130, EVICT}, {150, TIME}},
	 3,
	 "+0"},
	{"the plug",
	 {{0, OPEN}, {100, GONE}, {160, TIME}, {200, OPEN}},
	 4,
	 "+0 -100 +200"},
	{"somebody came and switched it off",
	 {{0, OPEN}, {100, SHUT}, {200, GONE}},
	 3,
	 "+0 -100"},
	{"the reason changes",
	 {{0, OPEN}, {100, SHUT}, {400, SHUT}, {700, SHUT}, {800, SHUT}},
	 5,
	 "+0 -100"},
};

static void visits(void **state)
{
	struct vol_moment begin = {T0 + 7000, T0};
	struct vol_forecast *f;
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(days); i++) {
		f = vol_forecast_create(&begin);
		run(f, days[i].steps, days[i].n);
		if (strcmp(f->model->notes, days[i].notes) != 0)
			fail_msg("%s: \"%s\"", days[i].what, f->model->notes);
		vol_forecast_destroy(f);
	}
}

static void restarts(void **state)
{
	struct vol_forecastfile_record r = {.id = ""};
	struct vol_moment m = {T0 + 7000, T0};
	struct vol_forecast *f = vol_forecast_create(&m), *again;
	struct vol_error err = {""};

	(void)state;
	vol_forecast_open(f, &m);
	vol_forecast_evicted(f, &m);
	vol_forecast_save(f, &r);
	vol_forecast_destroy(f);
	again = vol_forecast_load(&r, T0 + 50, &err);
	assert_non_null(again);
	/* Nobody looked since it was written. */
	assert_string_equal(again->model->notes, "+0 ?50");
	assert_int_equal(again->evictions.total, 1);
	m.local = T0 + 90;
	vol_forecast_closed(again, &m, false);
	assert_string_equal(again->model->notes, "+0 ?50");
	/* It was cut off while we were down, and is back. */
	m.local = T0 + 91;
	vol_forecast_open(again, &m);
	assert_string_equal(again->model->notes, "+0 ?50 +91");
	vol_forecast_closed(again, &m, true);
	assert_string_equal(again->model->notes, "+0 ?50 +91 -91");
	vol_forecast_destroy(again);
	r.model[0] = 'X';
	assert_null(vol_forecast_load(&r, T0, &err));
	assert_string_equal(err.text, "damaged");
	vol_forecast_destroy(NULL);
}

static void looks_ahead(void **state)
{
	struct vol_moment m = {T0 + 7000, T0};
	struct vol_forecast *f = vol_forecast_create(&m);

	(void)state;
	vol_forecast_look(f, &m, T0 + 7000 - 300, T0 + 7000 + 3600, true);
	assert_int_equal(asked.now, T0);
	assert_int_equal(asked.away_since, T0 - 300);
	assert_int_equal(asked.closes_at, T0 + 3600);
	assert_true(asked.on_battery);
	assert_int_equal(f->outlook_at, T0 + 7000);
	assert_int_equal(f->outlook.survive[3], 0x1111);
	vol_forecast_look(f, &m, 0, 0, false);
	assert_int_equal(asked.away_since, T0);
	assert_int_equal(asked.closes_at, 0);
	assert_false(asked.on_battery);
	vol_forecast_blind(f);
	assert_int_equal(f->outlook_at, 0);
	assert_int_equal(f->outlook.survive[3], 0);
	vol_forecast_destroy(f);
}

static void both_clocks(void **state)
{
	struct vol_moment m;

	(void)state;
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	vol_moment_of(&m, 1795000000); /* in winter */
	assert_int_equal(m.wall, 1795000000);
	assert_in_range(m.local - m.wall, 3600, 3600);
	vol_moment_of(&m, 1783000000); /* in summer */
	assert_in_range(m.local - m.wall, 7200, 7200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(visits),
		cmocka_unit_test(restarts),
		cmocka_unit_test(looks_ahead),
		cmocka_unit_test(both_clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
