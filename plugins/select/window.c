/* SPDX-License-Identifier: GPL-2.0-or-later */
/* window.c - with how many of the best candidates a start is tried first; no
 * Slurm header
 */
#include "config.h"

#include "window.h"

#include <string.h>

/* False: there are too many classes. */
static bool count(struct vol_window *w, uint64_t order)
{
	size_t at = 0;

	while (at < w->n && w->class[at].order < order)
		at++;
	if (at == w->n || w->class[at].order != order) {
		if (w->n == VOL_WINDOW_CLASSES)
			return false;
		memmove(&w->class[at + 1], &w -> class[at],
			(w->n++ - at) * sizeof(w->class[0]));
		w->class[at] = (struct vol_window_class){order, 0};
	}
	w->class[at].n++;
	return true;
}

uint64_t vol_window_limit(struct vol_window *w, const struct vol_candidates *c)
{
	size_t shown = 0;

	w->n = 0;
	w->open = false;
	for (size_t i = 0; i < c->n; i++)
		if (!c->list[i].dropped && !count(w, c->list[i].order))
			return VOL_WINDOW_ALL;
	w->open = true;
	for (size_t i = 0; w->wanted && i + 1 < w->n; i++) {
		shown += w->class[i].n;
		if (shown >= w->wanted)
			return w->class[i].order;
	}
	return VOL_WINDOW_ALL;
}

void vol_window_learn(struct vol_window *w, const struct vol_candidates *c)
{
	uint64_t last = 0;
	bool any = false;

	if (!w->open)
		return;
	w->open = false;
	w->wanted = 0;
	for (size_t i = 0; i < c->n; i++) {
		const struct vol_candidate *a = &c->list[i];

		if (!a->taken || a->dropped)
			continue;
		any = true;
		last = a->order > last ? a->order : last;
	}
	for (size_t i = 0; any && i < w->n && w->class[i].order <= last; i++)
		w->wanted += w->class[i].n;
}
