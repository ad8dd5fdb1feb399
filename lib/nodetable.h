/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nodetable.h - what discoveryd tells the scheduler about devices
 *
 * One file of fixed-size records that the controller's discoveryd writes in
 * place, and that the select plugin and `volunteer` read; byte by byte in
 * slurm-volunteer-nodes(5) and nodetable_format.h.  Nothing blocks: a word of
 * eight bytes per device says all that a scheduling decision may not get wrong,
 * its state, and is always whole; a record that is being written is told by its
 * checksum, and was read before or is read the next time.
 *
 * Neither side maps the file: one that is cut off while it is mapped kills
 * whoever touches it with SIGBUS, and reading the words of 10 000 devices
 * (80 KB) costs a few microseconds.  The writer keeps all that it wrote, looks
 * at each beat whether it is still there, and makes the file anew if not.
 */
#ifndef VOL_NODETABLE_H
#define VOL_NODETABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "names.h"
#include "outlook.h"
#include "policy.h"

#define VOL_NODETABLE_VERSION 1
#define VOL_NODETABLE_HEADER  128
#define VOL_NODETABLE_RECORD  512
/* Slurm's own limit of MaxNodeCount is 65533. */
#define VOL_NODETABLE_MAX     65536
#define VOL_NODETABLE_BEAT_MS 2000
/* A writer that is silent for longer is gone: what it last said is not known
 * to be true any more, and the table as a whole is not used. */
#define VOL_NODETABLE_STALE_MS 15000

#define VOL_NODETABLE_FILE "nodes" /* in the controller's runtime folder */

enum vol_nodetable_state {
	VOL_NODETABLE_FREE, /* no device */
	VOL_NODETABLE_OPEN,
	VOL_NODETABLE_PARKED,
	VOL_NODETABLE_DRAINING,
	VOL_NODETABLE_CLOSED,
	VOL_NODETABLE_UNKNOWN, /* no link: the owner may be there */
};

/* One device. */
struct vol_nodetable_node {
	char name[VOL_NODE_NAME_SIZE]; /* of its Slurm node */
	char id[VOL_DEVICE_ID_SIZE];
	enum vol_nodetable_state state;
	char why[VOL_WHY_SIZE]; /* it is not open; for people */
	uint64_t heard_s;       /* CLOCK_BOOTTIME */
	uint32_t quiet_s;       /* silent for longer than this it is UNKNOWN */
	/* Unix seconds; 0: not known. */
	int64_t since;      /* in this state */
	int64_t away_since; /* the owner's last sign of life */
	int64_t closes_at;  /* policy closes it then */
	uint32_t speed;     /* VOL_SCORE_SPEED = the cluster's median */
	bool on_battery;
	struct vol_outlook outlook; /* from outlook_at on */
	int64_t outlook_at;
	/* Evictions of jobs by its owner. */
	uint32_t evictions_day, evictions_week, evictions;
	int64_t last_eviction;
	/* Jobs that are likelier than this to be evicted wait, see score.h; of
	 * VOL_OUTLOOK_ONE, which means that none does. */
	uint32_t max_risk;
	/* Its kind of machine for saved jobs, imagetable.h; 0: not known. */
	uint32_t machine;
	uint64_t cached; /* Bloom filter of staged inputs; 0: none known */
};

/* --- the writer: one process, one thread ---------------------------------- */

struct vol_nodetable;

/* Make a new file for so many devices in the place of path, mode 0644; the one
 * that was there is marked as retired, so that its readers look for ours at
 * once.  It grows by itself, to VOL_NODETABLE_MAX.  NULL with the reason. */
struct vol_nodetable *vol_nodetable_create(const char *path, uint32_t capacity,
					   struct vol_error *err);
/* Whose devices they are, see clustername.h; before the first of them is put.
 * Without it, the host's own cluster's. */
void vol_nodetable_set_cluster(struct vol_nodetable *t, const char *name);
/* There is this edition of the table of images (imagetable.h), or, with 0,
 * none. Before a job may be started that it tells of anew. */
void vol_nodetable_set_images(struct vol_nodetable *t, uint32_t edition);
/* Leaves the file to go stale.  NULL-safe. */
void vol_nodetable_destroy(struct vol_nodetable *t);

/* Write a device's record, found by its id; a new one if there is none.  A
 * record that says what it said before costs its readers nothing.  0, or -1
 * when the table could not grow (the old one stays as it was), EINVAL for an
 * empty id or name. */
int vol_nodetable_put(struct vol_nodetable *t,
		      const struct vol_nodetable_node *node,
		      struct vol_error *err);
/* The two things that change often, without the rest: one write of eight
 * bytes.  Ids that were never put are ignored. */
void vol_nodetable_mark(struct vol_nodetable *t, const char *id,
			enum vol_nodetable_state state, uint64_t heard_s);
void vol_nodetable_remove(struct vol_nodetable *t, const char *id);
/* The writer is alive.  True when the file had been removed, cut off or written
 * over by somebody, and was made anew (worth a line in the log). */
bool vol_nodetable_beat(struct vol_nodetable *t, uint64_t now_ms);

/* --- readers -------------------------------------------------------------- */

struct vol_nodeview;

/* Of a file that need not be there yet.  NULL: no memory. */
struct vol_nodeview *vol_nodeview_create(const char *path);
void vol_nodeview_destroy(struct vol_nodeview *v);
/* Use no table but that of this cluster: a device may have the name of another
 * cluster's node.  name is borrowed; NULL, as at first: any table will do. */
void vol_nodeview_expect(struct vol_nodeview *v, const char *name);

/* Take what is new since the last call; now_ms is CLOCK_BOOTTIME.  Looks for
 * another file in the place of path at most once a second, or at once when the
 * one it has was retired or damaged; one that was merely removed is used until
 * it is stale.  0, or -1 when the table can not be used, and then slots are not
 * to be asked for; err says why and errno is
 *	ENOENT           missing
 *	EINVAL           not a table, or truncated
 *	EPROTONOSUPPORT  of another version
 *	ESTALE           the writer is silent
 *	EPERM            a stranger's, see trusted.h
 *	EXDEV            of another cluster than the one expected
 * or what open(2), read(2) or malloc(3) say. */
int vol_nodeview_refresh(struct vol_nodeview *v, uint64_t now_ms,
			 struct vol_error *err);

/* The edition of the table of images that there was at the last refresh; 0:
 * none. */
uint32_t vol_nodeview_images(const struct vol_nodeview *v);

/* Changes each time a name may be at another slot (or in none). */
uint64_t vol_nodeview_roster(const struct vol_nodeview *v);
/* How many slots there are, some of them free: 0 ... n - 1. */
uint32_t vol_nodeview_slots(const struct vol_nodeview *v);
/* The slot of a node name; UINT32_MAX: not a device. */
uint32_t vol_nodeview_slot(const struct vol_nodeview *v, const char *name);

/* The state at the last refresh, UNKNOWN when it was silent for too long then.
 */
enum vol_nodetable_state vol_nodeview_state(const struct vol_nodeview *v,
					    uint32_t slot);
/* Another number each time the record of a slot was read anew. */
uint32_t vol_nodeview_edition(const struct vol_nodeview *v, uint32_t slot);
/* The same of all slots, for loops over many: borrowed until the next
 * refresh. */
const uint8_t *vol_nodeview_states(const struct vol_nodeview *v);
const uint32_t *vol_nodeview_editions(const struct vol_nodeview *v);
/* The record, with state and heard_s as of the last refresh; NULL when it was
 * never readable.  All texts are printable ASCII.  Borrowed until the next
 * refresh. */
const struct vol_nodetable_node *vol_nodeview_node(const struct vol_nodeview *v,
						   uint32_t slot);

const char *vol_nodetable_state_name(enum vol_nodetable_state state);

#endif
