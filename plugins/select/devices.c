/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices.c - the node table as the plugin uses it; no Slurm header */
#include "config.h"

#include "devices.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clustername.h"

/* Campaigns come in few sizes; what is asked for least recently goes. */
#define KINDS     8
#define MAP_MS    1000
#define SLOT_ROOM 64

struct device {
	struct vol_score_node score;
	uint16_t max_risk;
	uint32_t edition; /* that score was made from; 0: none */
};

struct vol_kind {
	struct vol_score_plan plan;
	struct vol_cost *costs;
	uint32_t room;
	uint32_t era, best, worst;
	uint64_t used; /* when, in calls */
};

struct vol_devices {
	struct vol_nodeview *view;
	uint64_t read_ms; /* when it was, in good order; 0: never */
	/* The table of images, of the edition that the node table told of. */
	char *images_path;
	void *images_buf;
	struct vol_imagetable images;
	uint32_t images_edition;
	uint64_t images_ms; /* when it was read last, or could not be */
	char cluster[VOL_CLUSTER_NAME_SIZE];

	struct vol_place *map;
	size_t n_map;
	uint64_t map_roster;
	int64_t map_update;
	uint64_t map_ms;

	struct device *devices;
	uint32_t room;

	struct vol_kind kinds[KINDS];
	uint64_t calls;
};

/* Another file in the folder of path; malloc'ed. */
static char *beside(const char *path, const char *file)
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash + 1 - path) : 0;
	char *other;

	return asprintf(&other, "%.*s%s", folder, path, file) < 0 ? NULL
								  : other;
}

struct vol_devices *vol_devices_create(const char *path, const char *cluster)
{
	struct vol_devices *d = calloc(1, sizeof(*d));

	if (d) {
		d->view = vol_nodeview_create(path);
		d->images_path = beside(path, VOL_IMAGETABLE_FILE);
	}
	if (!d || !d->view || !d->images_path) {
		vol_devices_destroy(d);
		return NULL;
	}
	snprintf(d->cluster, sizeof(d->cluster), "%s", cluster);
	vol_nodeview_expect(d->view, d->cluster);
	return d;
}

void vol_devices_destroy(struct vol_devices *d)
{
	if (!d)
		return;
	vol_nodeview_destroy(d->view);
	free(d->images_path);
	free(d->images_buf);
	for (size_t i = 0; i < KINDS; i++)
		free(d->kinds[i].costs);
	free(d->map);
	free(d->devices);
	free(d);
}

/* Grow an array of size bytes an element, with zeros. */
static int grow(void *array, uint32_t *room, uint32_t n, size_t size)
{
	uint32_t more = *room ? *room : SLOT_ROOM;
	void **pointer = array, *grown;

	if (n <= *room)
		return 0;
	while (more < n)
		more *= 2;
	grown = realloc(*pointer, more * size);
	if (!grown)
		return -1;
	memset((char *)grown + *room * size, 0, (more - *room) * size);
	*pointer = grown;
	*room = more;
	return 0;
}

static int resize_map(struct vol_devices *d, size_t n)
{
	struct vol_place *map = realloc(d->map, n * sizeof(*map));

	if (!map)
		return -1;
	memset(map + d->n_map, 0, (n - d->n_map) * sizeof(*map));
	d->map = map;
	d->n_map = n;
	return 0;
}

/* Read it if it is another one; what can not be read is tried again, and until
 * then jobs are started anywhere: devices look themselves. */
static void read_images(struct vol_devices *d, uint64_t now_ms)
{
	uint32_t edition = vol_nodeview_images(d->view);
	void *buf = NULL;

	if (edition == d->images_edition ||
	    (d->images_ms && !d->images.n_jobs && edition &&
	     now_ms - d->images_ms < MAP_MS))
		return;
	free(d->images_buf);
	d->images_buf = NULL;
	d->images = (struct vol_imagetable){0};
	d->images_ms = now_ms;
	if (edition &&
	    vol_imagetable_read(d->images_path, &d->images, &buf, NULL) < 0)
		return;
	d->images_buf = buf;
	d->images_edition = edition;
	d->images_ms = 0;
}

int vol_devices_refresh(struct vol_devices *d, uint64_t now_ms, size_t n_nodes,
			int64_t update, struct vol_error *err)
{
	if (now_ms != d->read_ms) {
		d->read_ms = 0;
		if (vol_nodeview_refresh(d->view, now_ms, err) < 0)
			return -1;
		d->read_ms = now_ms;
	}
	if ((n_nodes > d->n_map && resize_map(d, n_nodes) < 0) ||
	    grow(&d->devices, &d->room, vol_nodeview_slots(d->view),
		 sizeof(*d->devices)) < 0)
		return vol_errorf(err, "no memory for %zu nodes", n_nodes);
	if (d->map_roster != vol_nodeview_roster(d->view) ||
	    d->map_update != update || now_ms - d->map_ms >= MAP_MS) {
		memset(d->map, 0, d->n_map * sizeof(*d->map));
		d->map_roster = vol_nodeview_roster(d->view);
		d->map_update = update;
		d->map_ms = now_ms;
	}
	read_images(d, now_ms);
	return 0;
}

struct vol_place *vol_devices_places(struct vol_devices *d)
{
	return d->map;
}

void vol_devices_find(struct vol_devices *d, struct vol_place *place,
		      const void *record, const char *name)
{
	place->record = record;
	place->slot = vol_nodeview_slot(d->view, name);
}

const struct vol_imagetable_need *vol_devices_need(const struct vol_devices *d,
						   uint32_t job)
{
	return d->images.n_jobs ? vol_imagetable_find(&d->images, job) : NULL;
}

bool vol_devices_fits(const struct vol_devices *d,
		      const struct vol_imagetable_need *need, uint32_t slot)
{
	const struct vol_nodetable_node *node =
		vol_nodeview_node(d->view, slot);

	return node && vol_imagetable_fits(need, node->machine);
}

const struct vol_nodeview *vol_devices_view(const struct vol_devices *d)
{
	return d->view;
}

struct vol_kind *vol_devices_kind(struct vol_devices *d,
				  const struct vol_score_job *job)
{
	struct vol_kind *kind = &d->kinds[0];

	for (size_t i = 0; i < KINDS; i++) {
		struct vol_kind *k = &d->kinds[i];

		if (k->used && memcmp(&k->plan.job, job, sizeof(*job)) == 0) {
			kind = k;
			break;
		}
		if (k->used < kind->used)
			kind = k;
	}
	if (!kind->used || memcmp(&kind->plan.job, job, sizeof(*job)) != 0) {
		vol_score_plan(&kind->plan, job);
		if (kind->costs)
			memset(kind->costs, 0,
			       kind->room * sizeof(*kind->costs));
	}
	if (grow(&kind->costs, &kind->room, vol_nodeview_slots(d->view),
		 sizeof(*kind->costs)) < 0)
		return NULL;
	kind->used = ++d->calls;
	return kind;
}

static const struct device *device_at(struct vol_devices *d, uint32_t slot,
				      uint32_t edition)
{
	struct device *device = &d->devices[slot];
	const struct vol_nodetable_node *node;

	if (device->edition != edition) {
		node = vol_nodeview_node(d->view, slot);
		if (node) {
			vol_score_node(&device->score, &node->outlook,
				       node->speed);
			device->max_risk = (uint16_t)node->max_risk;
		}
		device->edition = edition;
	}
	return device;
}

struct vol_cost *vol_kind_costs(struct vol_kind *kind)
{
	return kind->costs;
}

const struct vol_score_plan *vol_kind_plan(const struct vol_kind *kind)
{
	return &kind->plan;
}

uint32_t vol_kind_era(struct vol_kind *kind, uint32_t best, uint32_t worst)
{
	if (!kind->era || best != kind->best || worst != kind->worst) {
		kind->era++;
		kind->best = best;
		kind->worst = worst;
	}
	return kind->era;
}

void vol_devices_appraise(struct vol_devices *d, const struct vol_kind *kind,
			  uint32_t slot, struct vol_cost *cost)
{
	const struct device *device;

	cost->edition = vol_nodeview_edition(d->view, slot);
	device = device_at(d, slot, cost->edition);
	cost->cost = vol_score_cost(&kind->plan, &device->score);
	cost->risk = (uint16_t)vol_score_risk(&kind->plan, &device->score);
	cost->max_risk = device->max_risk;
	cost->era = 0;
}

void vol_devices_explain(struct vol_devices *d, const struct vol_kind *kind,
			 uint32_t slot, struct vol_score_figures *f)
{
	uint32_t edition = vol_nodeview_edition(d->view, slot);

	vol_score_explain(&kind->plan, &device_at(d, slot, edition)->score, f);
}
