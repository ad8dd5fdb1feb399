/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_hours.c - any text as hours
 *
 * Besides memory errors: a refused text changes nothing and says why in
 * harmless characters; an accepted one can be written down again from its
 * minutes and means the same.
 */
#include "config.h"

#include "fuzz.h"
#include "hours.h"
#include "text.h"

#define DAY_MINUTES (24 * 60)
/* "; mon 12:00-12:01" for every second minute. */
#define TEXT_SIZE (VOL_WEEK_MINUTES / 2 * 17 + 1)

/* First minute from here that is not like this one, at most end. */
static unsigned run_end(const struct vol_hours *h, unsigned minute,
			unsigned end)
{
	bool open = vol_hours_open(h, minute);

	while (minute < end && vol_hours_open(h, minute) == open)
		minute++;
	return minute;
}

static size_t write_day(const struct vol_hours *h, unsigned day, char *text,
			size_t len)
{
	static const char *const days[] = {"mon", "tue", "wed", "thu",
					   "fri", "sat", "sun"};
	unsigned first = day * DAY_MINUTES, last = first + DAY_MINUTES;
	unsigned start, end;

	for (start = first; start < last; start = end) {
		end = run_end(h, start, last);
		if (!vol_hours_open(h, start))
			continue;
		len += (size_t)snprintf(text + len, TEXT_SIZE - len,
					"%s%s %02u:%02u-%02u:%02u",
					len ? "; " : "", days[day],
					(start - first) / 60,
					(start - first) % 60,
					(end - first) / 60, (end - first) % 60);
	}
	return len;
}

static void check_again(const struct vol_hours *h)
{
	char *text = malloc(TEXT_SIZE);
	struct vol_hours again;
	size_t len = 0;

	if (!text)
		abort();
	for (unsigned day = 0; day < 7; day++)
		len = write_day(h, day, text, len);
	fuzz_assert(vol_hours_parse(len ? text : "never", &again, NULL) == 0);
	fuzz_assert(memcmp(h, &again, sizeof(again)) == 0);
	free(text);
}

static void check_change(const struct vol_hours *h, unsigned minute)
{
	unsigned ahead = vol_hours_change(h, minute);

	fuzz_assert(ahead < VOL_WEEK_MINUTES);
	if (ahead > 0)
		fuzz_assert(
			vol_hours_open(h, minute) !=
			vol_hours_open(h, (minute + ahead) % VOL_WEEK_MINUTES));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	struct vol_hours h, before;
	struct vol_error err = {""};

	memset(&h, 0x5a, sizeof(h));
	before = h;
	if (vol_hours_parse(text, &h, &err) == 0) {
		check_again(&h);
		check_change(&h, 0);
		check_change(&h, VOL_WEEK_MINUTES - 1);
	} else {
		fuzz_assert(memcmp(&h, &before, sizeof(h)) == 0);
		fuzz_assert(err.text[0]);
		for (const char *p = err.text; *p; p++)
			fuzz_assert(vol_char_printable((unsigned char)*p));
	}
	free(text);
	return 0;
}
