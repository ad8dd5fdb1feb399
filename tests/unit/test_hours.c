/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_hours.c - hours per weekday, as people write them */
#include "config.h"

#include "hours.h"

#include <errno.h>

#include "vtest.h"

enum { MON, TUE, WED, THU, FRI, SAT, SUN };

#define AT(day, hour, minute) ((day)*1440 + (hour)*60 + (minute))

static void open_or_not(void **state)
{
	static const struct {
		const char *text;
		unsigned minute;
		bool open;
		unsigned change;
	} rows[] = {
		{"always", AT(MON, 0, 0), true, 0},
		{" Always ", AT(SUN, 23, 59), true, 0},
		{"never", AT(WED, 12, 0), false, 0},
		{"mon-sun always", AT(WED, 12, 0), true, 0},
		{"mon-sun 00:00-24:00", AT(WED, 12, 0), true, 0},
		{"mon-sun 8:00-8:00", AT(MON, 0, 0), true, 0},
		{"mon-fri 18:00-08:00, sat-sun always", AT(MON, 7, 59), false,
		 601},
		{"mon-fri 18:00-08:00, sat-sun always", AT(MON, 18, 0), true,
		 840},
		{"mon-fri 18:00-08:00, sat-sun always", AT(TUE, 7, 59), true,
		 1},
		{"mon-fri 18:00-08:00, sat-sun always", AT(TUE, 8, 0), false,
		 600},
		{"mon-fri 18:00-08:00, sat-sun always", AT(FRI, 17, 59), false,
		 1},
		/* Friday's span ends on Saturday, which is open anyway. */
		{"mon-fri 18:00-08:00, sat-sun always", AT(FRI, 18, 0), true,
		 6 * 60 + 48 * 60},
		{"mon,wed 20:00-24:00; fri 12:30-13:30", AT(MON, 20, 0), true,
		 240},
		{"mon,wed 20:00-24:00; fri 12:30-13:30", AT(TUE, 20, 0), false,
		 1440},
		{"mon, wed 20:00-24:00; fri 12:30-13:30", AT(WED, 23, 59), true,
		 1},
		{"mon,wed 20:00-24:00; fri 12:30-13:30", AT(FRI, 13, 29), true,
		 1},
		{"mon,wed 20:00-24:00; fri 12:30-13:30", AT(FRI, 13, 30), false,
		 AT(SUN, 24, 0) - AT(FRI, 13, 30) + 20 * 60},
		/* Over the end of the week. */
		{"sun 22:00-06:00", AT(MON, 5, 59), true, 1},
		{"sun 22:00-06:00", AT(MON, 6, 0), false, 6 * 1440 + 16 * 60},
		{"sun 22:00-06:00", AT(SUN, 23, 0), true, 7 * 60},
		/* A range of days over the end of the week, any blanks and
		 * letters. */
		{"Fri - Mon\t1:00 - 2:00", AT(SUN, 1, 30), true, 30},
		{"FRI-MON 1:00-2:00", AT(MON, 1, 0), true, 60},
		{"fri-mon 1:00-2:00", AT(TUE, 1, 0), false, 3 * 1440},
		{"tue-tue 1:00-2:00", AT(WED, 1, 0), false, 6 * 1440},
		/* Several spans of the same days, several parts of one. */
		{"mon-sun 00:00-08:00, 18:00-24:00", AT(WED, 7, 0), true, 60},
		{"mon-sun 00:00-08:00,18:00-24:00", AT(WED, 12, 0), false, 360},
		{"mon 1:00-2:00,3:00-4:00, tue 5:00-6:00", AT(TUE, 5, 0), true,
		 60},
		{"mon 1:00-3:00; mon 2:00-4:00", AT(MON, 1, 0), true, 180},
		{"mon always, tue always", AT(MON, 23, 0), true, 1500},
		{"mon 00:00-00:00", AT(MON, 0, 0), true, 1440},
		{"sun 00:00-24:00", AT(MON, 0, 0), false, 6 * 1440},
		{"wed 12:00-12:01", AT(WED, 12, 0), true, 1},
	};
	struct vol_error err;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct vol_hours h;

		if (vol_hours_parse(rows[i].text, &h, &err) < 0)
			fail_msg("%s: %s", rows[i].text, err.text);
		if (vol_hours_open(&h, rows[i].minute) != rows[i].open ||
		    vol_hours_change(&h, rows[i].minute) != rows[i].change)
			fail_msg("%s at %u: open %d, change in %u",
				 rows[i].text, rows[i].minute,
				 vol_hours_open(&h, rows[i].minute),
				 vol_hours_change(&h, rows[i].minute));
	}
}

static void wrong(void **state)
{
	static const struct {
		const char *text, *reason;
	} rows[] = {
		{NULL, "no hours"},
		{"", "a day is one of"},
		{" ", "a day is one of"},
		{";", "a day is one of"},
		{"sometimes", "\"sometimes\": a day"},
		{"monday 1:00-2:00", "a day is one of"},
		{"mo 1:00-2:00", "a day is one of"},
		{"18:00-08:00", "a day is one of"},
		{"mon", "hours are missing"},
		{"mon;", "hours are missing"},
		{"mon 1:00-2:00;", "a day is one of"},
		{"mon 1:00-2:00,", "a day is one of"},
		{"mon-", "a day is one of"},
		{"mon-8:00", "a day is one of"},
		{"mon,8:00-9:00", "a day is one of"},
		{"mon 8-9", "18:00-08:00"},
		{"mon 8:00", "18:00-08:00"},
		{"mon 8:00-", "18:00-08:00"},
		{"mon 8:0-9:00", "18:00-08:00"},
		{"mon 8:000-9:00", "18:00-08:00"},
		{"mon 8:60-9:00", "18:00-08:00"},
		{"mon 008:00-9:00", "18:00-08:00"},
		{"mon -8:00-9:00", "a day is one of"},
		{"mon 8:00pm-9:00pm", "18:00-08:00"},
		{"mon 24:01-1:00", "ends at 24:00"},
		{"mon 25:00-1:00", "ends at 24:00"},
		{"mon 1:00-99:00", "ends at 24:00"},
		{"mon 24:00-1:00", "can not start"},
		{"mon never", "18:00-08:00"},
		{"mon alwaysnot", "18:00-08:00"},
		{"always never", "nothing may follow"},
		{"always; mon 1:00-2:00", "nothing may follow"},
		{"never 1", "nothing may follow"},
		{"mon 1:00-2:00 tue 1:00-2:00", "';' or the end"},
		{"mon 1:00-2:00 3:00-4:00", "';' or the end"},
		{"mon 1:00-2:00; tuesday 1:00-2:00", "\"tuesday 1:00-2:00\""},
		{"mon 1:00-2:00; \x1b[31m", "a day is one of"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct vol_hours h, before;
		struct vol_error err = {""};

		memset(&h, 0x5a, sizeof(h));
		before = h;
		errno = 0;
		if (vol_hours_parse(rows[i].text, &h, &err) != -1)
			fail_msg("'%s' was taken", rows[i].text);
		assert_int_equal(errno, EINVAL);
		assert_memory_equal(&h, &before, sizeof(h));
		assert_contains(err.text, rows[i].reason);
		assert_printable(err.text);
		assert_int_equal(vol_hours_parse(rows[i].text, &h, NULL), -1);
	}
}

/* From change to change the answer stays, and there it is another one. */
static void changes(void **state)
{
	static const char *const texts[] = {
		"mon-fri 18:00-08:00, sat-sun always",
		"sun 23:59-00:01; wed 12:00-12:01",
		"mon-sun 00:00-08:00, 18:00-24:00",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
		struct vol_hours h;

		assert_int_equal(vol_hours_parse(texts[i], &h, NULL), 0);
		for (unsigned m = 0; m < VOL_WEEK_MINUTES; m++) {
			unsigned next = (m + 1) % VOL_WEEK_MINUTES;
			unsigned change = vol_hours_change(&h, m);

			if (vol_hours_open(&h, m) != vol_hours_open(&h, next))
				assert_int_equal(change, 1);
			else
				assert_int_equal(
					change, vol_hours_change(&h, next) + 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_or_not),
		cmocka_unit_test(wrong),
		cmocka_unit_test(changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
