/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_placement.c - a file of placements
 *
 * 's' as the first byte gives each record its right checksum, as a hostile
 * writer would.
 */
#include "config.h"

#include <fcntl.h>
#include <math.h>
#include <unistd.h>

#include "fuzz.h"
#include "nodetable_format.h"
#include "placement.h"

#define RECORD 1536

static void check_placement(const struct vol_placement *p)
{
	fuzz_assert(p->n_nodes <= VOL_PLACEMENT_NODES);
	for (uint32_t i = 0; i < p->n_nodes; i++) {
		const struct vol_placement_node *n = &p->nodes[i];
		size_t len = strnlen(n->name, sizeof(n->name));

		fuzz_assert(len > 0 && len < sizeof(n->name));
		for (size_t k = 0; k < len; k++)
			fuzz_assert(n->name[k] > 0x20 && n->name[k] <= 0x7e);
		fuzz_assert(n->fate <= VOL_PLACEMENT_DROPPED);
		fuzz_assert(n->state <= VOL_NODETABLE_UNKNOWN);
		fuzz_assert(n->level < VOL_SCORE_LEVELS);
		fuzz_assert(isfinite(n->figures.evicted) &&
			    isfinite(n->figures.run_s) &&
			    isfinite(n->figures.wasted_s) &&
			    isfinite(n->figures.completion_s));
	}
}

static void seal(uint8_t *record)
{
	uint64_t aligned[RECORD / 8], *entries = &aligned[10];
	uint32_t n;

	memcpy(aligned, record, RECORD);
	memcpy(aligned, "VOLPLAC2", 8);
	memcpy(&n, record + 64, sizeof(n));
	n %= VOL_PLACEMENT_NODES + 1;
	aligned[8] = aligned[8] >> 32 << 32 | n;
	aligned[1] = vol_nodetable_checksum(
		&aligned[2],
		(size_t)((char *)&entries[n * 14] - (char *)&aligned[2]));
	memcpy(record, aligned, RECORD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[64];
	struct vol_placement p;
	struct vol_error err = {""};
	struct vol_placement_log *log;
	uint8_t *file;
	uint32_t job;
	int fd;

	if (size < 2 || size > 16 * RECORD)
		return 0;
	if (!path[0])
		snprintf(path, sizeof(path), "/tmp/vol-fuzz-placements.%d",
			 (int)getpid());
	file = calloc(1, size + RECORD);
	if (!file)
		abort();
	memcpy(file, data + 1, size - 1);
	for (size_t at = 0; data[0] == 's' && at < size - 1; at += RECORD)
		seal(file + at);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	fuzz_assert(fd >= 0);
	fuzz_assert(pwrite(fd, file, size + RECORD, 0) ==
		    (ssize_t)(size + RECORD));
	for (size_t at = 0; at + RECORD <= size + RECORD; at += RECORD) {
		memcpy(&job, file + at + 32, sizeof(job));
		if (vol_placement_find(path, job, &p, &err) == 0) {
			fuzz_assert(p.job == job);
			check_placement(&p);
		} else {
			fuzz_assert(err.text[0]);
		}
	}
	/* Whatever is there, a new one can be added and found. */
	log = vol_placement_open(path, &err);
	fuzz_assert(log);
	p = (struct vol_placement){.job = 4711};
	vol_placement_add(log, &p);
	vol_placement_close(log);
	close(fd);
	unlink(path);
	free(file);
	return 0;
}
