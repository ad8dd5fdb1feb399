/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plant.c - give devices a past: the controller's memory of their owners
 *
 *	plant FILE DEVICE PATTERN... [DEVICE PATTERN...]...
 *
 * Writes the forecast file (lib/forecastfile.h; STATE_DIR/forecast of the
 * controller) while discoveryd is down, or just before it is killed with
 * SIGKILL (it reads the file at its start, and writes it at an orderly end and
 * every five minutes): four weeks up to now in which each
 * DEVICE (its identity, 32 hexadecimal digits) was open except when a PATTERN
 * says so, and adds what the file had of other devices.  A pattern is
 *
 *	HH:MM+MINUTES[@DAYS]	the owner comes every day at this local time and
 *				stays so long; DAYS is some of 1234567 with
 *				Monday as 1, all of them if left out
 *	+S+MINUTES		the same at the time of day that it will be in S
 *				seconds, on every day
 *	never			nobody ever comes
 *
 * Prints how each of them looks now: chances to stay open for 1, 4, 8 h.
 * The local time zone is TZ's, as discoveryd's must be.
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../lib/atomicfile.h"
#include "../lib/forecastfile.h"

#define DAYS     28
#define DAY_S    86400
#define STEP_S   60
#define PATTERNS 16

struct visit {
	int64_t at; /* seconds of the day */
	int64_t length;
	bool days[7]; /* Monday first */
};

struct device {
	struct vol_forecastfile_record record;
};

static struct device *devices;
static size_t n_devices;

static int64_t local_now(void)
{
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	return now + tm.tm_gmtoff;
}

static struct device *device(const char *id)
{
	for (size_t i = 0; i < n_devices; i++)
		if (strcmp(devices[i].record.id, id) == 0)
			return &devices[i];
	devices = realloc(devices, (n_devices + 1) * sizeof(*devices));
	if (!devices)
		err(1, "memory");
	memset(&devices[n_devices], 0, sizeof(*devices));
	memcpy(devices[n_devices].record.id, id, VOL_DEVICE_ID_SIZE - 1);
	return &devices[n_devices++];
}

static void read_old(const char *path)
{
	struct vol_forecastfile_record r;
	struct vol_error reason;
	uint8_t *buf;
	int64_t saved;
	uint32_t n;
	size_t len;

	buf = (uint8_t *)vol_file_read(path, VOL_FORECASTFILE_MAX, &len, NULL);
	if (!buf)
		return;
	if (vol_forecastfile_check(buf, len, &n, &saved, &reason) < 0)
		errx(1, "%s: %s", path, reason.text);
	for (uint32_t i = 0; i < n; i++) {
		vol_forecastfile_get(buf, i, &r);
		device(r.id)->record = r;
	}
	free(buf);
}

static void parse(const char *text, struct visit *v)
{
	int hour, minute, length, used = 0;
	long seconds;

	memset(v, 0, sizeof(*v));
	memset(v->days, true, sizeof(v->days));
	if (strcmp(text, "never") == 0)
		return;
	if (sscanf(text, "+%ld+%d%n", &seconds, &length, &used) == 2) {
		v->at = (local_now() + seconds) % DAY_S;
	} else if (sscanf(text, "%d:%d+%d%n", &hour, &minute, &length, &used) ==
		   3) {
		v->at = hour * 3600 + minute * 60;
	} else {
		errx(2, "%s: not a pattern", text);
	}
	v->length = length * 60;
	if (text[used] == '@') {
		memset(v->days, false, sizeof(v->days));
		for (const char *p = text + used + 1; *p; p++) {
			if (*p < '1' || *p > '7')
				errx(2, "%s: not a day", text);
			v->days[*p - '1'] = true;
		}
	} else if (text[used]) {
		errx(2, "%s: not a pattern", text);
	}
}

/* A visit may go on past midnight. */
static bool is_there(const struct visit *v, int64_t t)
{
	for (int back = 0; back <= 1; back++) {
		int64_t day = t / DAY_S - back;
		int64_t into = t - day * DAY_S - v->at;

		/* 1 January 1970 was a Thursday. */
		if (v->days[(day + 3) % 7] && into >= 0 && into < v->length)
			return true;
	}
	return false;
}

static void plant(struct device *d, const struct visit *visits, size_t n)
{
	int64_t now = local_now(), t, left = now - DAYS * DAY_S;
	struct vol_availability *a = vol_availability_create(left);
	bool there, before = true;
	struct vol_outlook o;

	if (!a)
		err(1, "memory");
	for (t = left; t <= now; t += STEP_S) {
		there = false;
		for (size_t i = 0; i < n; i++)
			there = there || is_there(&visits[i], t);
		if (before && !there)
			left = t;
		before = there;
		vol_availability_note(
			a, t, there ? VOL_AVAILABLE_NO : VOL_AVAILABLE_YES);
	}
	vol_availability_outlook(
		a, &(struct vol_spell){.now = now, .away_since = left}, &o);
	printf("%.8s %s 1h=%.3f 4h=%.3f 8h=%.3f\n", d->record.id,
	       before ? "taken" : "open", vol_outlook_survival(&o, 3600),
	       vol_outlook_survival(&o, 4 * 3600),
	       vol_outlook_survival(&o, 8 * 3600));
	vol_availability_encode(a, d->record.model);
	vol_availability_destroy(a);
}

static int by_id(const void *a, const void *b)
{
	const struct device *x = a, *y = b;

	return strcmp(x->record.id, y->record.id);
}

int main(int argc, char **argv)
{
	struct visit visits[PATTERNS];
	struct vol_error reason;
	struct device *d;
	uint8_t *buf;
	size_t len, n;

	if (argc < 4 || !vol_device_id_valid(argv[2]))
		errx(2, "usage: plant FILE DEVICE PATTERN... ...");
	read_old(argv[1]);
	for (int i = 2; i < argc;) {
		d = device(argv[i++]);
		for (n = 0; i < argc && !vol_device_id_valid(argv[i]); i++)
			if (n < PATTERNS)
				parse(argv[i], &visits[n++]);
		plant(d, visits, n);
	}
	qsort(devices, n_devices, sizeof(*devices), by_id);
	buf = vol_forecastfile_new((uint32_t)n_devices, local_now(), &len);
	if (!buf)
		err(1, "memory");
	for (size_t i = 0; i < n_devices; i++)
		vol_forecastfile_put(buf, (uint32_t)i, &devices[i].record);
	vol_forecastfile_seal(buf);
	if (vol_file_replace(argv[1], buf, len, 0644, 1, &reason) < 0)
		errx(1, "%s", reason.text);
	free(buf);
	free(devices);
	return 0;
}
