/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_availability.c - when the owner of one device will be back */
#include "config.h"

#include "availability.h"

#include <errno.h>
#include <time.h>

#include "vtest.h"

#define MINUTE 60
#define HOUR   3600
#define DAY    86400
/* A Monday, 00:00. */
#define START 1704067200ll
#define AT(day, hour, minute) \
	(START + (day)*DAY + (hour)*HOUR + (minute)*MINUTE)

/* Somebody who is there on workdays from nine to five, but for an hour at
 * noon. */
static enum vol_available worker(int64_t now)
{
	int64_t day = (now - START) / DAY % 7, second = (now - START) % DAY;
	bool there = (second >= 9 * HOUR && second < 12 * HOUR) ||
		     (second >= 13 * HOUR && second < 17 * HOUR);

	return day < 5 && there ? VOL_AVAILABLE_NO : VOL_AVAILABLE_YES;
}

static enum vol_available never_there(int64_t now)
{
	(void)now;
	return VOL_AVAILABLE_YES;
}

static void live(struct vol_availability *a, int64_t from, int64_t to,
		 enum vol_available (*owner)(int64_t))
{
	for (int64_t now = from; now <= to; now += 5 * MINUTE)
		vol_availability_note(a, now, owner(now));
}

static double chance(const struct vol_availability *a, int64_t now,
		     uint32_t ahead)
{
	struct vol_spell spell = {.now = now, .away_since = now - 10 * MINUTE};
	struct vol_outlook o;

	vol_availability_outlook(a, &spell, &o);
	for (unsigned int i = 1; i < VOL_OUTLOOK_POINTS; i++)
		assert_true(o.survive[i] <= o.survive[i - 1]);
	return vol_outlook_survival(&o, ahead);
}

static struct vol_availability *made(int64_t until,
				     enum vol_available (*owner)(int64_t))
{
	struct vol_availability *a = vol_availability_create(START);

	assert_non_null(a);
	live(a, START, until, owner);
	return a;
}

static void null_is_harmless(void **state)
{
	(void)state;
	vol_availability_destroy(NULL);
	assert_null(vol_availability_decode(NULL, 0, NULL));
}

/* Of a device that has just come: sensible, and neither sure. */
static void prior(void **state)
{
	struct vol_availability *a = made(START, never_there);
	double night = chance(a, AT(0, 0, 0), 4 * HOUR);
	double morning = chance(a, AT(0, 9, 0), 4 * HOUR);

	(void)state;
	assert_true(night > 0.4 && night < 0.95);
	assert_true(morning > 0.02 && morning < night);
	assert_true(chance(a, AT(0, 0, 0), 5 * MINUTE) > 0.7);
	vol_availability_destroy(a);
}

static void learns_hours(void **state)
{
	struct vol_availability *a = made(AT(28, 5, 0), worker);

	(void)state;
	/* Monday, 05:00: nobody before nine, almost surely then. */
	assert_true(chance(a, AT(28, 5, 0), 3 * HOUR) > 0.85);
	assert_true(chance(a, AT(28, 5, 0), 5 * HOUR) < 0.3);
	/* Friday, 18:00: free for the weekend. */
	live(a, AT(28, 5, 0), AT(32, 18, 0), worker);
	assert_true(chance(a, AT(32, 18, 0), 12 * HOUR) > 0.7);
	assert_true(chance(a, AT(32, 18, 0), 12 * HOUR) >
		    chance(a, AT(31, 18, 0), 16 * HOUR) + 0.3);
	/* Lunch is over at one. */
	live(a, AT(32, 18, 0), AT(35, 12, 20), worker);
	assert_true(chance(a, AT(35, 12, 20), 20 * MINUTE) >
		    2 * chance(a, AT(35, 12, 20), 80 * MINUTE));
	vol_availability_destroy(a);
}

/* Who should have come hours ago probably does not come today. */
static void holiday(void **state)
{
	struct vol_availability *usual = made(AT(28, 8, 0), worker);
	struct vol_availability *absent = made(AT(28, 8, 0), worker);
	double at_eight;

	(void)state;
	at_eight = chance(usual, AT(28, 8, 0), 3 * HOUR);
	assert_true(at_eight < 0.15);
	live(absent, AT(28, 8, 0), AT(28, 14, 0), never_there);
	assert_true(chance(absent, AT(28, 14, 0), 3 * HOUR) > 0.5);
	/* The next morning, it is less sure than usual that anybody comes. */
	live(usual, AT(28, 8, 0), AT(29, 7, 0), worker);
	live(absent, AT(28, 14, 0), AT(29, 7, 0), never_there);
	assert_true(chance(absent, AT(29, 7, 0), 4 * HOUR) >
		    chance(usual, AT(29, 7, 0), 4 * HOUR) + 0.2);
	vol_availability_destroy(usual);
	vol_availability_destroy(absent);
}

static enum vol_available restless(int64_t now)
{
	return now % (2 * HOUR) < 20 * MINUTE ? VOL_AVAILABLE_NO
					      : VOL_AVAILABLE_YES;
}

/* Who came more often than usual today will do so again. */
static void deadline(void **state)
{
	struct vol_availability *usual = made(AT(26, 8, 0), worker);
	struct vol_availability *busy = made(AT(26, 8, 0), worker);
	int64_t now = AT(26, 17, 10);

	(void)state;
	/* A Saturday; the last absence began at the same time. */
	live(usual, AT(26, 8, 0), AT(26, 16, 0), never_there);
	live(usual, AT(26, 16, 0), now, restless);
	live(busy, AT(26, 8, 0), now, restless);
	assert_true(chance(busy, now, 2 * HOUR) <
		    chance(usual, now, 2 * HOUR) - 0.01);
	vol_availability_destroy(usual);
	vol_availability_destroy(busy);
}

/* A month later, another owner. */
static void forgets(void **state)
{
	struct vol_availability *a = made(AT(28, 6, 0), worker);

	(void)state;
	assert_true(chance(a, AT(28, 6, 0), 6 * HOUR) < 0.15);
	live(a, AT(28, 6, 0), AT(63, 6, 0), never_there);
	assert_true(chance(a, AT(63, 6, 0), 6 * HOUR) > 0.9);
	vol_availability_destroy(a);
}

/* What nobody saw is not a time at which the device was open, nor closed. */
static void gaps(void **state)
{
	struct vol_availability *a = made(AT(14, 0, 0), worker);
	struct vol_availability *same = made(AT(14, 0, 0), worker);
	struct vol_availability_history h;

	(void)state;
	vol_availability_history(a, AT(14, 8, 0), 2 * HOUR, &h);
	assert_int_equal(h.weekdays, 2);
	/* The controller is down for two weeks. */
	vol_availability_note(a, AT(28, 5, 0), VOL_AVAILABLE_YES);
	vol_availability_history(a, AT(28, 8, 0), 2 * HOUR, &h);
	assert_int_equal(h.weekdays, 2);
	assert_int_equal(h.weekdays_back, 2);
	assert_true(chance(a, AT(28, 5, 0), 3 * HOUR) > 0.7);
	assert_true(chance(a, AT(28, 5, 0), 6 * HOUR) < 0.4);
	/* Told instead of silent: the same. */
	for (int64_t now = AT(14, 0, 0); now < AT(28, 5, 0); now += 15 * MINUTE)
		vol_availability_note(same, now, VOL_AVAILABLE_UNKNOWN);
	vol_availability_note(same, AT(28, 5, 0), VOL_AVAILABLE_YES);
	assert_float_equal(chance(a, AT(28, 5, 0), 6 * HOUR),
			   chance(same, AT(28, 5, 0), 6 * HOUR), 0.02);
	vol_availability_destroy(a);
	vol_availability_destroy(same);
	/* Ten years: like new. */
	a = made(AT(14, 0, 0), worker);
	vol_availability_note(a, AT(3650, 0, 0), VOL_AVAILABLE_YES);
	vol_availability_history(a, AT(3650, 8, 0), 2 * HOUR, &h);
	assert_int_equal(h.alike, 0);
	same = vol_availability_create(AT(3650, 0, 0));
	vol_availability_note(same, AT(3650, 0, 0), VOL_AVAILABLE_YES);
	assert_float_equal(chance(a, AT(3650, 0, 0), 4 * HOUR),
			   chance(same, AT(3650, 0, 0), 4 * HOUR), 0.02);
	vol_availability_destroy(a);
	vol_availability_destroy(same);
}

static void clocks(void **state)
{
	struct vol_availability *a = made(AT(20, 12, 0), worker);
	struct vol_availability_history h;
	int64_t now;

	(void)state;
	/* The end of summer time: an hour again. */
	for (now = AT(20, 2, 0); now < AT(20, 3, 0); now += MINUTE)
		vol_availability_note(a, AT(20, 11, 0) + now - AT(20, 2, 0),
				      VOL_AVAILABLE_YES);
	vol_availability_history(a, AT(21, 8, 0), 2 * HOUR, &h);
	assert_int_equal(h.weekdays, 3);
	/* Its beginning: an hour that is missing. */
	live(a, AT(20, 12, 0), AT(27, 2, 0), worker);
	live(a, AT(27, 3, 0), AT(28, 5, 0), worker);
	assert_true(chance(a, AT(28, 5, 0), 3 * HOUR) > 0.8);
	assert_true(chance(a, AT(28, 5, 0), 6 * HOUR) < 0.2);
	/* Set back by years, and times that are none. */
	vol_availability_note(a, 1000, VOL_AVAILABLE_YES);
	vol_availability_note(a, -5, VOL_AVAILABLE_YES);
	vol_availability_note(a, INT64_MIN, VOL_AVAILABLE_NO);
	vol_availability_note(a, INT64_MAX, VOL_AVAILABLE_YES);
	vol_availability_note(a, INT64_MAX, VOL_AVAILABLE_NO);
	(void)chance(a, INT64_MAX, HOUR);
	(void)chance(a, INT64_MIN + DAY, HOUR);
	vol_availability_history(a, INT64_MAX, UINT32_MAX, &h);
	vol_availability_history(a, INT64_MIN, UINT32_MAX, &h);
	vol_availability_destroy(a);
	a = vol_availability_create(INT64_MIN);
	assert_non_null(a);
	vol_availability_destroy(a);
}

static void certain_end(void **state)
{
	struct vol_availability *a = made(AT(28, 0, 0), never_there);
	struct vol_spell spell = {.now = AT(28, 0, 0),
				  .away_since = AT(0, 0, 0),
				  .closes_at = AT(28, 2, 0)};
	struct vol_outlook o;

	(void)state;
	vol_availability_outlook(a, &spell, &o);
	assert_true(vol_outlook_survival(&o, 90 * MINUTE) > 0.9);
	assert_float_equal(vol_outlook_survival(&o, 2 * HOUR), 0, 0);
	spell.closes_at = AT(27, 0, 0); /* over: at once */
	vol_availability_outlook(a, &spell, &o);
	assert_int_equal(o.survive[0], 0);
	vol_availability_destroy(a);
}

static void on_battery(void **state)
{
	struct vol_availability *a = made(AT(28, 6, 0), worker);
	struct vol_spell spell = {.now = AT(28, 6, 0),
				  .away_since = AT(25, 17, 0)};
	struct vol_outlook mains, battery;

	(void)state;
	vol_availability_outlook(a, &spell, &mains);
	spell.on_battery = true;
	vol_availability_outlook(a, &spell, &battery);
	for (unsigned int i = 0; i < VOL_OUTLOOK_POINTS; i++)
		assert_true(battery.survive[i] <= mains.survive[i]);
	assert_true(battery.survive[30] < mains.survive[30]);
	vol_availability_destroy(a);
}

static enum vol_available three_mondays(int64_t now)
{
	/* Not on the second one. */
	return now >= AT(7, 0, 0) && now < AT(8, 0, 0) ? VOL_AVAILABLE_YES
						       : worker(now);
}

static void history(void **state)
{
	struct vol_availability *a = made(AT(28, 8, 0), three_mondays);
	struct vol_availability_history h;

	(void)state;
	/* "on 3 of the last 4 Mondays the owner was back before 09:15" */
	vol_availability_history(a, AT(28, 8, 0), 75 * MINUTE, &h);
	assert_int_equal(h.weekdays, 4);
	assert_int_equal(h.weekdays_back, 3);
	assert_int_equal(h.alike, 20);
	assert_int_equal(h.alike_back, 19);
	/* The fourth has just been forgotten. */
	vol_availability_history(a, AT(28, 6, 0), 2 * HOUR, &h);
	assert_int_equal(h.weekdays, 3);
	assert_int_equal(h.weekdays_back, 0);
	/* There all along counts. */
	vol_availability_history(a, AT(28, 10, 0), 0, &h);
	assert_int_equal(h.weekdays_back, 3);
	/* A weekend is no workday. */
	vol_availability_history(a, AT(26, 8, 0), 2 * HOUR, &h);
	assert_int_equal(h.weekdays_back, 0);
	assert_int_equal(h.alike_back, 0);
	vol_availability_destroy(a);
	a = vol_availability_create(START);
	vol_availability_history(a, START, DAY, &h);
	assert_int_equal(h.weekdays + h.alike, 0);
	vol_availability_destroy(a);
}

static void encoding(void **state)
{
	struct vol_availability *a = made(AT(30, 7, 0), worker), *b;
	uint8_t buf[VOL_AVAILABILITY_SIZE], again[VOL_AVAILABILITY_SIZE];
	struct vol_error err;

	(void)state;
	vol_availability_encode(a, buf);
	b = vol_availability_decode(buf, sizeof(buf), &err);
	assert_non_null(b);
	vol_availability_encode(b, again);
	assert_memory_equal(buf, again, sizeof(buf));
	/* A controller that was restarted says the same. */
	vol_availability_note(a, AT(30, 7, 10), VOL_AVAILABLE_YES);
	vol_availability_note(b, AT(30, 7, 10), VOL_AVAILABLE_YES);
	for (uint32_t ahead = MINUTE; ahead < 3 * DAY; ahead *= 2)
		assert_float_equal(chance(a, AT(30, 7, 10), ahead),
				   chance(b, AT(30, 7, 10), ahead), 0.05);
	vol_availability_destroy(a);
	vol_availability_destroy(b);
}

static void damaged_bytes(void **state)
{
	struct vol_availability *a = made(AT(30, 7, 0), worker);
	uint8_t buf[VOL_AVAILABILITY_SIZE + 1];
	struct vol_error err;

	(void)state;
	vol_availability_encode(a, buf);
	vol_availability_destroy(a);
	for (size_t i = 0; i < VOL_AVAILABILITY_SIZE; i++) {
		buf[i] ^= 0x10;
		err.text[0] = '\0';
		errno = 0;
		assert_null(vol_availability_decode(buf, VOL_AVAILABILITY_SIZE,
						    &err));
		assert_int_equal(errno, EINVAL);
		assert_true(err.text[0]);
		buf[i] ^= 0x10;
	}
	assert_null(vol_availability_decode(buf, 511, &err));
	assert_null(vol_availability_decode(buf, 513, &err));
	a = vol_availability_decode(buf, VOL_AVAILABILITY_SIZE, &err);
	assert_non_null(a);
	vol_availability_destroy(a);
}

/* 10 000 devices are renewed every minute.  With sanitizers and on a busy
 * machine: the limit is far from what it prints without them. */
static void speed(void **state)
{
	enum { ROUNDS = 20000 };
	struct vol_availability *a = made(AT(28, 0, 0), worker);
	struct vol_spell spell = {.away_since = AT(27, 0, 0)};
	struct timespec start, end;
	struct vol_outlook o;
	double us;

	(void)state;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		spell.now = AT(28, 0, 0) + i;
		vol_availability_outlook(a, &spell, &o);
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	us = ((double)(end.tv_sec - start.tv_sec) * 1e9 +
	      (double)(end.tv_nsec - start.tv_nsec)) /
	     1e3 / ROUNDS;
	print_message("%.1f us an outlook\n", us);
	assert_true(us < 200);
	vol_availability_destroy(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(null_is_harmless),
		cmocka_unit_test(prior),
		cmocka_unit_test(learns_hours),
		cmocka_unit_test(holiday),
		cmocka_unit_test(deadline),
		cmocka_unit_test(forgets),
		cmocka_unit_test(gaps),
		cmocka_unit_test(clocks),
		cmocka_unit_test(certain_end),
		cmocka_unit_test(on_battery),
		cmocka_unit_test(history),
		cmocka_unit_test(encoding),
		cmocka_unit_test(damaged_bytes),
		cmocka_unit_test(speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
