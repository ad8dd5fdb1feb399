/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace.c - when the owners of some devices were there */
#include "trace.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES_MAX 100000

void trace_clear(struct trace *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->devices[i].busy);
	free(t->devices);
	memset(t, 0, sizeof(*t));
}

struct trace_device *trace_add_device(struct trace *t, const char *name)
{
	struct trace_device *d;

	if (t->n == t->room) {
		size_t room = t->room ? 2 * t->room : 16;

		d = realloc(t->devices, room * sizeof(*d));
		if (!d)
			return NULL;
		t->devices = d;
		t->room = room;
	}
	d = &t->devices[t->n++];
	memset(d, 0, sizeof(*d));
	snprintf(d->name, sizeof(d->name), "%s", name);
	return d;
}

int trace_add_busy(struct trace_device *d, int64_t start, int64_t end)
{
	if (d->n == d->room) {
		size_t room = d->room ? 2 * d->room : 64;
		struct trace_span *busy =
			realloc(d->busy, room * sizeof(*busy));

		if (!busy)
			return -1;
		d->busy = busy;
		d->room = room;
	}
	d->busy[d->n++] = (struct trace_span){start, end};
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct trace_span *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

void trace_tidy(struct trace_device *d, int64_t end)
{
	size_t kept = 0;

	if (d->n > 0)
		qsort(d->busy, d->n, sizeof(*d->busy), by_start);
	for (size_t i = 0; i < d->n; i++) {
		struct trace_span s = d->busy[i];

		if (s.start < 0)
			s.start = 0;
		if (s.end > end)
			s.end = end;
		if (s.start >= s.end)
			continue;
		if (kept > 0 && s.start <= d->busy[kept - 1].end) {
			if (s.end > d->busy[kept - 1].end)
				d->busy[kept - 1].end = s.end;
			continue;
		}
		d->busy[kept++] = s;
	}
	d->n = kept;
}

int64_t trace_epoch(int year, unsigned int month, unsigned int day)
{
	/* Days from civil, after Howard Hinnant; years begin in March. */
	int y = month <= 2 ? year - 1 : year;
	unsigned int of_era = (unsigned int)(y % 400);
	unsigned int of_year =
		(153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	unsigned int in_era =
		of_era * 365 + of_era / 4 - of_era / 100 + of_year;

	return ((int64_t)(y / 400) * 146097 + in_era - 719468) * 86400;
}

void trace_write(const struct trace *t, FILE *f)
{
	int64_t days = t->epoch / 86400;
	int year = 1970;
	unsigned int month = 1, day = 1;

	/* Slow and plain: once a run. */
	while (trace_epoch(year + 1, 1, 1) <= days * 86400)
		year++;
	while (month < 12 && trace_epoch(year, month + 1, 1) <= days * 86400)
		month++;
	day += (unsigned int)(days - trace_epoch(year, month, 1) / 86400);
	fprintf(f, "volunteer-trace 1\nstart %04d-%02u-%02u\nend %lld\n", year,
		month, day, (long long)t->end);
	for (size_t i = 0; i < t->n; i++) {
		const struct trace_device *d = &t->devices[i];

		fprintf(f, "device %s\n", d->name);
		for (size_t j = 0; j < d->n; j++)
			fprintf(f, "busy %lld %lld\n",
				(long long)d->busy[j].start,
				(long long)d->busy[j].end);
	}
}

/* --- the reader ------------------------------------------------------------
 */

enum { WANT_MAGIC, WANT_START, WANT_END, WANT_DEVICES };

struct reader {
	struct trace *trace;
	int want;
	struct vol_error *err;
};

static int wrong(struct reader *r, const char *reason)
{
	return vol_errorf_errno(r->err, EINVAL, "%s", reason);
}

/* A decimal number that ends at one of the characters of stop. */
static int number(const char **text, const char *stop, int64_t max,
		  int64_t *value)
{
	const char *p = *text;

	for (*value = 0; *p >= '0' && *p <= '9'; p++) {
		*value = *value * 10 + (*p - '0');
		if (*value > max)
			return -1;
	}
	if (p == *text || !strchr(stop, *p))
		return -1;
	*text = *p ? p + 1 : p;
	return 0;
}

static int read_start(struct reader *r, const char *p)
{
	static const unsigned char days[] = {31, 29, 31, 30, 31, 30,
					     31, 31, 30, 31, 30, 31};
	int64_t year, month, day;
	bool leap;

	if (number(&p, "-", 9999, &year) < 0 ||
	    number(&p, "-", 12, &month) < 0 || number(&p, "", 31, &day) < 0)
		return wrong(r, "start: a date YYYY-MM-DD");
	leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (year < 1970 || month < 1 || day < 1 || day > days[month - 1] ||
	    (month == 2 && day == 29 && !leap))
		return wrong(r, "start: a date YYYY-MM-DD, from 1970 on");
	r->trace->epoch =
		trace_epoch((int)year, (unsigned int)month, (unsigned int)day);
	r->want = WANT_END;
	return 0;
}

static int read_end(struct reader *r, const char *p)
{
	if (number(&p, "", TRACE_SECONDS_MAX, &r->trace->end) < 0 ||
	    r->trace->end == 0)
		return wrong(r,
			     "end: seconds from the start, at most 40 years");
	r->want = WANT_DEVICES;
	return 0;
}

static int read_device(struct reader *r, const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length >= TRACE_NAME_SIZE)
		return wrong(r, "device: a name of 1 to 63 characters");
	for (const char *p = name; *p; p++)
		if (*p <= ' ' || *p > '~')
			return wrong(r, "device: only printable ASCII");
	if (r->trace->n == DEVICES_MAX)
		return wrong(r, "device: too many");
	if (!trace_add_device(r->trace, name))
		return vol_errorf_errno(r->err, ENOMEM, "no memory");
	return 0;
}

static int read_busy(struct reader *r, const char *p)
{
	struct trace_device *d;
	int64_t start, end;

	if (r->trace->n == 0)
		return wrong(r, "busy: no device before it");
	d = &r->trace->devices[r->trace->n - 1];
	if (number(&p, " ", TRACE_SECONDS_MAX, &start) < 0 ||
	    number(&p, "", TRACE_SECONDS_MAX, &end) < 0 || start >= end)
		return wrong(r, "busy: FROM TO in seconds, FROM before TO");
	if (end > r->trace->end)
		return wrong(r, "busy: after the end");
	if (d->n > 0 && start < d->busy[d->n - 1].end)
		return wrong(r, "busy: before the end of the last");
	if (trace_add_busy(d, start, end) < 0)
		return vol_errorf_errno(r->err, ENOMEM, "no memory");
	return 0;
}

static const char *after(const char *line, const char *word)
{
	size_t length = strlen(word);

	return strncmp(line, word, length) == 0 ? line + length : NULL;
}

static int read_line(struct reader *r, const char *line)
{
	const char *rest;

	switch (r->want) {
	case WANT_MAGIC:
		if (strcmp(line, "volunteer-trace 1") != 0)
			return wrong(r, "not \"volunteer-trace 1\"");
		r->want = WANT_START;
		return 0;
	case WANT_START:
		rest = after(line, "start ");
		return rest ? read_start(r, rest) : wrong(r, "not \"start\"");
	case WANT_END:
		rest = after(line, "end ");
		return rest ? read_end(r, rest) : wrong(r, "not \"end\"");
	default:
		if ((rest = after(line, "device ")))
			return read_device(r, rest);
		if ((rest = after(line, "busy ")))
			return read_busy(r, rest);
		return wrong(r, "neither \"device\" nor \"busy\"");
	}
}

int trace_read(struct trace *t, FILE *f, const char *name,
	       struct vol_error *err)
{
	struct reader r = {t, WANT_MAGIC, err};
	char *line = NULL;
	size_t room = 0, number_of = 0;
	ssize_t length;
	int ret = 0;

	memset(t, 0, sizeof(*t));
	while (ret == 0 && (length = getline(&line, &room, f)) >= 0) {
		number_of++;
		if (memchr(line, '\0', (size_t)length)) {
			ret = wrong(&r, "a NUL character");
			break;
		}
		line[strcspn(line, "#\n")] = '\0';
		length = (ssize_t)strlen(line);
		while (length > 0 && line[length - 1] == ' ')
			line[--length] = '\0';
		if (length > 0)
			ret = read_line(&r, line);
	}
	free(line);
	if (ret == 0 && ferror(f))
		ret = vol_errorf(err, "can not be read");
	if (ret == 0 && (r.want != WANT_DEVICES || t->n == 0))
		ret = wrong(&r, "ends before the first device");
	if (ret < 0) {
		vol_error_prefix(err, "%s:%zu", name, number_of);
		trace_clear(t);
	}
	return ret;
}
