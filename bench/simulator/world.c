/* SPDX-License-Identifier: GPL-2.0-or-later */
/* world.c - devices that open and close, and what the product knows of them */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#define NOTE_EVERY_S  900
#define RENEW_AFTER_S 60

static int close_spans(struct device *d, const struct trace_device *t,
		       int64_t idle_after)
{
	d->closed = calloc(t->n + 1, sizeof(*d->closed));
	if (!d->closed)
		return -1;
	for (size_t i = 0; i < t->n; i++) {
		struct closed *last = d->n ? &d->closed[d->n - 1] : NULL;

		if (last && t->busy[i].start <= last->end) {
			last->last_touch = t->busy[i].end;
			last->end = t->busy[i].end + idle_after;
			continue;
		}
		d->closed[d->n++] = (struct closed){t->busy[i].start,
						    t->busy[i].end + idle_after,
						    t->busy[i].end};
	}
	return 0;
}

static void set_open(struct world *w, struct device *d)
{
	while (d->next < d->n && d->closed[d->next].end <= w->now) {
		d->away_since = d->closed[d->next].last_touch;
		d->next++;
	}
	d->open = d->next == d->n || d->closed[d->next].start > w->now;
}

static void note(struct world *w, struct device *d)
{
	vol_availability_note(&d->model, w->epoch + w->now,
			      d->open ? VOL_AVAILABLE_YES : VOL_AVAILABLE_NO);
}

int world_create(struct world *w, const struct trace *t, int64_t idle_after)
{
	struct vol_availability *fresh = vol_availability_create(t->epoch);

	memset(w, 0, sizeof(*w));
	w->epoch = t->epoch;
	w->end = t->end;
	w->learn = true;
	w->device = calloc(t->n, sizeof(*w->device));
	if (!fresh || !w->device) {
		vol_availability_destroy(fresh);
		return -1;
	}
	for (w->n = 0; w->n < t->n; w->n++) {
		struct device *d = &w->device[w->n];

		if (close_spans(d, &t->devices[w->n], idle_after) < 0)
			break;
		d->model = *fresh;
		d->outlook_at = -RENEW_AFTER_S;
		set_open(w, d);
		note(w, d);
	}
	vol_availability_destroy(fresh);
	return w->n == t->n ? 0 : -1;
}

int world_copy(struct world *w, const struct world *from)
{
	*w = *from;
	w->device = malloc(from->n * sizeof(*w->device));
	if (!w->device)
		return -1;
	memcpy(w->device, from->device, from->n * sizeof(*w->device));
	return 0;
}

void world_destroy_copy(struct world *w)
{
	free(w->device);
	memset(w, 0, sizeof(*w));
}

void world_destroy(struct world *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->device[i].closed);
	world_destroy_copy(w);
}

int64_t device_change(const struct device *d)
{
	if (d->next == d->n)
		return INT64_MAX;
	return d->open ? d->closed[d->next].start : d->closed[d->next].end;
}

static void device_advance(struct world *w, struct device *d, int64_t from,
			   int64_t then)
{
	int64_t tick = from - from % NOTE_EVERY_S + NOTE_EVERY_S;

	for (;;) {
		int64_t change = device_change(d);

		w->now = change < tick ? change : tick;
		if (w->now > then)
			break;
		if (w->now == tick)
			tick += NOTE_EVERY_S;
		set_open(w, d);
		if (w->learn)
			note(w, d);
	}
	w->now = then;
	set_open(w, d);
}

void world_advance(struct world *w, int64_t then)
{
	int64_t from = w->now;

	for (size_t i = 0; i < w->n; i++)
		device_advance(w, &w->device[i], from, then);
	w->now = then;
}

int64_t device_closes(const struct world *w, const struct device *d)
{
	if (!d->open)
		return w->now;
	return d->next < d->n ? d->closed[d->next].start : INT64_MAX;
}

void device_look(const struct world *w, struct device *d)
{
	struct vol_spell spell = {.now = w->epoch + w->now,
				  .away_since = w->epoch + d->away_since};

	if (w->now < d->outlook_at + RENEW_AFTER_S)
		return;
	vol_availability_note(&d->model, spell.now, VOL_AVAILABLE_YES);
	vol_availability_outlook(&d->model, &spell, &d->outlook);
	vol_score_node(&d->score, &d->outlook, VOL_SCORE_SPEED);
	d->outlook_at = w->now;
}

double world_open_s(const struct world *w, int64_t start, int64_t end)
{
	double sum = 0;

	for (size_t i = 0; i < w->n; i++) {
		sum += (double)(end - start);
		for (size_t j = 0; j < w->device[i].n; j++) {
			struct closed c = w->device[i].closed[j];

			if (c.start < start)
				c.start = start;
			if (c.end > end)
				c.end = end;
			if (c.end > c.start)
				sum -= (double)(c.end - c.start);
		}
	}
	return sum;
}
