/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch.c - when does the node table show so many devices in a state?
 *
 * usage: watch FILE open|parked COUNT SECONDS
 *
 * Looks each millisecond, as a scheduler does before each job, and prints the
 * time (CLOCK_MONOTONIC, ms) at which it first saw that many of them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nodetable.h"

static uint64_t now_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint32_t in_state(const struct vol_nodeview *v,
			 enum vol_nodetable_state state)
{
	uint32_t slots = vol_nodeview_slots(v), slot, n = 0;

	for (slot = 0; slot < slots; slot++)
		n += vol_nodeview_state(v, slot) == state;
	return n;
}

int main(int argc, char **argv)
{
	const struct timespec nap = {.tv_nsec = 1000000};
	enum vol_nodetable_state state;
	struct vol_nodeview *v;
	struct vol_error err;
	uint64_t end;
	uint32_t want, n = 0;

	if (argc != 5) {
		fprintf(stderr, "usage: watch FILE open|parked COUNT "
				"SECONDS\n");
		return 2;
	}
	state = strcmp(argv[2], "open") == 0 ? VOL_NODETABLE_OPEN
					     : VOL_NODETABLE_PARKED;
	want = (uint32_t)atoi(argv[3]);
	end = now_ms(CLOCK_MONOTONIC) + 1000 * (uint64_t)atoi(argv[4]);
	v = vol_nodeview_create(argv[1]);
	printf("ready\n");
	fflush(stdout);
	while (v && now_ms(CLOCK_MONOTONIC) < end) {
		if (vol_nodeview_refresh(v, now_ms(CLOCK_BOOTTIME), &err) >= 0)
			n = in_state(v, state);
		if (n >= want) {
			printf("%" PRIu64 "\n", now_ms(CLOCK_MONOTONIC));
			return 0;
		}
		nanosleep(&nap, NULL);
	}
	fprintf(stderr, "watch: %u of %u\n", n, want);
	return 1;
}
