/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tally.c - how often something happened lately, in little room */
#include "config.h"

#include "tally.h"

#include <string.h>

#define DAY_SLOTS (VOL_TALLY_SLOTS / 7)

static uint32_t slot_of(int64_t now)
{
	if (now < 0)
		return 0;
	now /= VOL_TALLY_SLOT_S;
	return now < UINT32_MAX ? (uint32_t)now : UINT32_MAX;
}

static void go_on_to(struct vol_tally *t, uint32_t slot)
{
	if (slot <= t->newest)
		return;
	if (slot - t->newest >= VOL_TALLY_SLOTS) {
		memset(t->slots, 0, sizeof(t->slots));
		t->newest = slot;
	}
	while (t->newest < slot)
		t->slots[++t->newest % VOL_TALLY_SLOTS] = 0;
}

void vol_tally_add(struct vol_tally *t, int64_t now)
{
	uint16_t *slot;

	go_on_to(t, slot_of(now));
	slot = &t->slots[t->newest % VOL_TALLY_SLOTS];
	if (*slot < UINT16_MAX)
		(*slot)++;
	if (t->total < UINT32_MAX)
		t->total++;
	t->last = now;
}

static uint32_t sum(const struct vol_tally *t, int64_t now, uint32_t n)
{
	uint32_t slot = slot_of(now), i, all = 0;

	if (slot < t->newest)
		slot = t->newest;
	for (i = 0; i < n && i <= slot; i++)
		/* Later than anything that was counted: nothing. */
		if (slot - i <= t->newest &&
		    t->newest - (slot - i) < VOL_TALLY_SLOTS)
			all += t->slots[(slot - i) % VOL_TALLY_SLOTS];
	return all;
}

uint32_t vol_tally_day(const struct vol_tally *t, int64_t now)
{
	return sum(t, now, DAY_SLOTS);
}

uint32_t vol_tally_week(const struct vol_tally *t, int64_t now)
{
	return sum(t, now, VOL_TALLY_SLOTS);
}
