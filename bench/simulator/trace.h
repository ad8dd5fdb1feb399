/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace.h - when the owners of some devices were there
 *
 * As text, one fact a line, "#" begins a comment:
 *
 *	volunteer-trace 1           first line
 *	start 2024-01-01            the local day in which second 0 is the first
 *	end 604800                  seconds from there: how much was observed
 *	device lab-07               one for each device, then its spans
 *	busy 28800 43200            the owner used it, or it was off, from ...
 *	busy 46800 61205            ... until; ascending, not overlapping
 *
 * bench/simulator/from-fta makes one of the data of the Failure Trace Archive
 * (Kondo, Javadi, Iosup, Epema, 2010).
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"

#define TRACE_NAME_SIZE 64
/* Forty years. */
#define TRACE_SECONDS_MAX (40ll * 366 * 86400)

struct trace_span {
	int64_t start, end; /* seconds from the trace's start */
};

struct trace_device {
	char name[TRACE_NAME_SIZE];
	struct trace_span *busy; /* ascending, not overlapping */
	size_t n, room;
};

struct trace {
	int64_t epoch; /* of second 0: local seconds since 1970-01-01 00:00 */
	int64_t end;
	struct trace_device *devices;
	size_t n, room;
};

/* An empty trace is all zeros. */
void trace_clear(struct trace *t);

/* NULL: no memory.  Valid until the next. */
struct trace_device *trace_add_device(struct trace *t, const char *name);
/* In any order; 0 or -1. */
int trace_add_busy(struct trace_device *d, int64_t start, int64_t end);
/* Sorts, joins what overlaps or touches, and cuts at 0 and end. */
void trace_tidy(struct trace_device *d, int64_t end);

/* Of second 0: the seconds of a date, as in struct trace. */
int64_t trace_epoch(int year, unsigned int month, unsigned int day);

/* 0, or -1 with "NAME:LINE: reason"; *t is empty then. */
int trace_read(struct trace *t, FILE *f, const char *name,
	       struct vol_error *err);
void trace_write(const struct trace *t, FILE *f);

#endif
