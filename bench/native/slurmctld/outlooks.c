/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outlooks.c - keep a node table of devices that do not exist
 *
 * usage: outlooks FILE PREFIX COUNT PERCENT
 *
 * Every device has another speed and another outlook, so that the scorer makes
 * many levels of them; the owners of so many per cent are at their machines.
 * Devices are heard and the table beats as under discoveryd, until a signal.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "nodetable.h"
#include "score.h"

#define HEARD_S 5 /* each device, as its heartbeats come */

static uint64_t uptime_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static double chance(void)
{
	return rand() / (double)RAND_MAX;
}

/* From owners who are back in minutes to machines that are nobody's. */
static void outlook(struct vol_outlook *o)
{
	double mean_s = 600 * pow(1000, chance());

	for (unsigned int i = 0; i < VOL_OUTLOOK_POINTS; i++)
		o->survive[i] = (uint16_t)(VOL_OUTLOOK_ONE *
					   exp(-(double)vol_outlook_seconds(i) /
					       mean_s));
}

static void device(struct vol_nodetable_node *node, const char *prefix, int i,
		   int percent)
{
	memset(node, 0, sizeof(*node));
	snprintf(node->name, sizeof(node->name), "%s%d", prefix, i);
	snprintf(node->id, sizeof(node->id), "%032x", i);
	node->state = rand() % 100 < percent ? VOL_NODETABLE_PARKED
					     : VOL_NODETABLE_OPEN;
	node->heard_s = uptime_ms() / 1000;
	node->quiet_s = 3600;
	node->since = node->away_since = node->outlook_at = time(NULL);
	node->speed = (uint32_t)(VOL_SCORE_SPEED * (0.5 + chance()));
	outlook(&node->outlook);
	/* None waits for a better one, or the work would be another. */
	node->max_risk = VOL_OUTLOOK_ONE;
}

int main(int argc, char **argv)
{
	struct vol_nodetable_node *nodes;
	struct vol_nodetable *table;
	struct vol_error err;
	int count, i;

	if (argc != 5) {
		fprintf(stderr, "usage: outlooks FILE PREFIX COUNT PERCENT\n");
		return 2;
	}
	count = atoi(argv[3]);
	nodes = calloc((size_t)count + 1, sizeof(*nodes));
	table = vol_nodetable_create(argv[1], (uint32_t)count, &err);
	if (!nodes || !table) {
		fprintf(stderr, "outlooks: %s\n", err.text);
		return 1;
	}
	srand(1);
	for (i = 0; i < count; i++) {
		device(&nodes[i], argv[2], i + 1, atoi(argv[4]));
		if (vol_nodetable_put(table, &nodes[i], &err) < 0) {
			fprintf(stderr, "outlooks: %s\n", err.text);
			return 1;
		}
	}
	puts("ready");
	fflush(stdout);
	for (i = 0;; i = (i + 1) % HEARD_S) {
		vol_nodetable_beat(table, uptime_ms());
		for (int n = i; n < count; n += HEARD_S)
			vol_nodetable_mark(table, nodes[n].id, nodes[n].state,
					   uptime_ms() / 1000);
		usleep(1000000);
	}
}
