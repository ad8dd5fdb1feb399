/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nodetable_bed.h - a node table in a folder of its own, and a reader of it */
#ifndef VOL_NODETABLE_BED_H
#define VOL_NODETABLE_BED_H

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "nodetable_format.h"
#include "tests/unit/vtest.h"

struct bed {
	char *folder;
	char path[PATH_MAX];
	uint64_t now_ms;
	struct vol_nodetable *table;
	struct vol_nodeview *view;
	struct vol_error err;
};

#define BED_NOW_MS UINT64_C(100000000)

static inline int bed_setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	if (!bed || vtest_folder_setup((void **)&bed->folder) < 0)
		return -1;
	snprintf(bed->path, sizeof(bed->path), "%s/nodes", bed->folder);
	bed->now_ms = BED_NOW_MS;
	bed->view = vol_nodeview_create(bed->path);
	*state = bed;
	return bed->view ? 0 : -1;
}

static inline int bed_teardown(void **state)
{
	struct bed *bed = *state;
	void *folder = bed->folder;

	vol_nodetable_destroy(bed->table);
	vol_nodeview_destroy(bed->view);
	free(bed);
	return vtest_folder_teardown(&folder);
}

static inline void bed_start(struct bed *bed, uint32_t capacity)
{
	vol_nodetable_destroy(bed->table);
	bed->table = vol_nodetable_create(bed->path, capacity, &bed->err);
	if (!bed->table)
		print_error("%s\n", bed->err.text);
	assert_non_null(bed->table);
	vol_nodetable_beat(bed->table, bed->now_ms);
}

/* Device number i, all of whose figures follow from value. */
static inline struct vol_nodetable_node bed_node(struct bed *bed,
						 unsigned int i, uint32_t value)
{
	struct vol_nodetable_node node = {
		.state = VOL_NODETABLE_OPEN,
		.heard_s = bed->now_ms / 1000,
		.quiet_s = 30,
		.since = value,
		.away_since = value,
		.closes_at = -(int64_t)value,
		.speed = value,
		.on_battery = value & 1,
		.outlook_at = value,
		.evictions_day = value,
		.evictions_week = value,
		.evictions = value,
		.last_eviction = value,
		.max_risk = VOL_OUTLOOK_ONE - value % 7,
		.cached = value,
	};

	snprintf(node.name, sizeof(node.name), "desk%u", i);
	snprintf(node.id, sizeof(node.id), "%032x", i);
	snprintf(node.why, sizeof(node.why), "because of %u", value);
	for (size_t k = 0; k < VOL_OUTLOOK_POINTS; k++)
		node.outlook.survive[k] = (uint16_t)(value & 0x7fff);
	return node;
}

static inline void bed_put(struct bed *bed, unsigned int i, uint32_t value)
{
	struct vol_nodetable_node node = bed_node(bed, i, value);

	assert_int_equal(vol_nodetable_put(bed->table, &node, &bed->err), 0);
}

static inline int bed_refresh(struct bed *bed)
{
	bed->err.text[0] = '\0';
	return vol_nodeview_refresh(bed->view, bed->now_ms, &bed->err);
}

/* A later time at which path is looked at again; the writer is alive. */
static inline void bed_pass(struct bed *bed, uint64_t ms)
{
	bed->now_ms += ms;
	if (bed->table)
		vol_nodetable_beat(bed->table, bed->now_ms);
}

static inline void bed_refused(struct bed *bed, int errnum, const char *why)
{
	errno = 0;
	assert_int_equal(bed_refresh(bed), -1);
	assert_int_equal(errno, errnum);
	assert_contains(bed->err.text, why);
	assert_contains(bed->err.text, bed->path);
}

static inline const struct vol_nodetable_node *bed_find(const struct bed *bed,
							const char *name)
{
	uint32_t slot = vol_nodeview_slot(bed->view, name);

	return slot == UINT32_MAX ? NULL : vol_nodeview_node(bed->view, slot);
}

/* Write over a part of the file, as no writer of ours does. */
static inline void bed_spoil(const struct bed *bed, uint64_t at,
			     const void *data, size_t size)
{
	cleanup_fd int fd = open(bed->path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, size, (off_t)at), size);
}

#define bed_test(test) \
	cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)

#endif
