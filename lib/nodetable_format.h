/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nodetable_format.h - the bytes of the node table; pure
 *
 * Shared by its writer and its readers, see slurm-volunteer-nodes(5).  In the
 * machine's byte order: the file never leaves the host, and a foreign order
 * shows as another version.
 *
 *	header    128 bytes, struct vol_nodetable_header
 *	words     capacity * 8 bytes, one per slot:
 *	  bits  0- 7   state, enum vol_nodetable_state
 *	  bits  8-31   edition: that of the record which belongs to this state
 *	  bits 32-63   CLOCK_BOOTTIME in s when the device was heard last
 *	records   capacity * 512 bytes, struct vol_nodetable_record
 *
 * The record is written before the word that names its edition, and a slot that
 * changes hands says FREE in between.  So a record with the edition of the word
 * and the right checksum belongs to that word; with any other it is being
 * written, and both are read again.
 */
#ifndef VOL_NODETABLE_FORMAT_H
#define VOL_NODETABLE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "nodetable.h"

#define VOL_NODETABLE_MAGIC   "VOLNODES" /* without the NUL */
#define VOL_NODETABLE_RETIRED "RETIRED!" /* another file took its place */

#define VOL_NODETABLE_ON_BATTERY 1u /* of flags */

struct vol_nodetable_header {
	char magic[8];
	uint32_t version;
	uint32_t capacity; /* number of words and of records */
	uint32_t record;   /* size of one */
	uint32_t used;     /* slots from here on are free */
	uint32_t images;   /* edition of the table of images; 0: none */
	uint32_t zero;
	uint64_t beat_ms; /* CLOCK_BOOTTIME when the writer was alive */
	char cluster[64]; /* as of clustername.h; filled up with NULs */
	uint8_t rest[24]; /* 0 */
};

struct vol_nodetable_record {
	uint32_t edition; /* as in the word */
	uint32_t quiet_s;
	int64_t since, away_since, closes_at, outlook_at, last_eviction;
	uint64_t cached;
	uint32_t speed;
	uint32_t evictions_day, evictions_week, evictions;
	uint32_t flags;
	uint32_t max_risk;
	uint16_t survive[VOL_OUTLOOK_POINTS];
	/* NUL-terminated, filled up with NULs. */
	char name[64];
	char id[40];
	char why[160];
	uint32_t machine;  /* kind of its machine, see imagetable.h */
	uint8_t rest[28];  /* 0 */
	uint64_t checksum; /* over all before it */
};

_Static_assert(sizeof(struct vol_nodetable_header) == VOL_NODETABLE_HEADER &&
		       offsetof(struct vol_nodetable_header, beat_ms) == 32,
	       "the header is not what slurm-volunteer-nodes(5) says");
_Static_assert(sizeof(struct vol_nodetable_record) == VOL_NODETABLE_RECORD &&
		       offsetof(struct vol_nodetable_record, survive) == 80 &&
		       offsetof(struct vol_nodetable_record, name) == 208 &&
		       offsetof(struct vol_nodetable_record, machine) == 472 &&
		       offsetof(struct vol_nodetable_record, checksum) == 504,
	       "the record is not what slurm-volunteer-nodes(5) says");

#define VOL_NODETABLE_EDITION_MASK 0xffffffu

/* From 1; 0 is that of a slot that was never used. */
static inline uint32_t vol_nodetable_next_edition(uint32_t edition)
{
	edition = (edition + 1) & VOL_NODETABLE_EDITION_MASK;
	return edition ? edition : 1;
}

static inline uint64_t vol_nodetable_word(enum vol_nodetable_state state,
					  uint32_t edition, uint64_t heard_s)
{
	return heard_s << 32 |
	       (uint64_t)(edition & VOL_NODETABLE_EDITION_MASK) << 8 |
	       (uint8_t)state;
}

static inline uint32_t vol_nodetable_word_edition(uint64_t word)
{
	return (uint32_t)word >> 8;
}

static inline uint32_t vol_nodetable_word_heard(uint64_t word)
{
	return (uint32_t)(word >> 32);
}

/* What is none of ours counts as UNKNOWN. */
static inline enum vol_nodetable_state vol_nodetable_word_state(uint64_t word)
{
	uint8_t state = (uint8_t)word;

	return state <= VOL_NODETABLE_UNKNOWN ? (enum vol_nodetable_state)state
					      : VOL_NODETABLE_UNKNOWN;
}

/* Where things are in the file. */
static inline uint64_t vol_nodetable_word_at(uint32_t slot)
{
	return VOL_NODETABLE_HEADER + (uint64_t)slot * sizeof(uint64_t);
}

static inline uint64_t vol_nodetable_record_at(uint32_t capacity, uint32_t slot)
{
	return vol_nodetable_word_at(capacity) +
	       (uint64_t)slot * VOL_NODETABLE_RECORD;
}

static inline uint64_t vol_nodetable_file_size(uint32_t capacity)
{
	return vol_nodetable_record_at(capacity, capacity);
}

void vol_nodetable_header_init(struct vol_nodetable_header *head,
			       uint32_t capacity);
/* Could it be ours?  Every number is bounded then.  0, or -1 with EINVAL or
 * EPROTONOSUPPORT and the reason. */
int vol_nodetable_header_check(const struct vol_nodetable_header *head,
			       struct vol_error *err);

/* Complete with checksum, and such that decode takes it: texts that are too
 * long are cut, what is not printable becomes '?', a chance that rises stays
 * level. */
void vol_nodetable_encode(struct vol_nodetable_record *record,
			  const struct vol_nodetable_node *node,
			  uint32_t edition);
/* 0 for what encode wrote (with a name and an id), with state and heard_s left
 * alone; else -1 and node as it was.  What a checksum does not tell is checked
 * too: texts end and are printable, no chance rises. */
int vol_nodetable_decode(const struct vol_nodetable_record *record,
			 struct vol_nodetable_node *node);

/* Over size bytes, a multiple of 8 at an address that is one. */
uint64_t vol_nodetable_checksum(const void *data, size_t size);

#endif
