/* SPDX-License-Identifier: GPL-2.0-or-later */
/* placement.c - what the select plugin decided, kept for volunteer explain
 *
 * Record number n of all that were ever written is at n % VOL_PLACEMENT_RING.
 *
 * The scheduler waits while one is added, and most of pwrite(2) was the way
 * into the kernel and back: so the writer has the file mapped.  Its room is
 * reserved before, and its length looked at each time, since to write where a
 * file has been cut off would kill slurmctld.
 */
#include "config.h"

#include "placement.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "nodetable_format.h"
#include "trusted.h"

/* The version is part of it. */
#define MAGIC "VOLPLAC2"

struct entry {
	char name[64];
	uint8_t fate, state, level, zero;
	uint32_t weight, speed;
	uint32_t zero2;
	double evicted, run_s, wasted_s, completion_s;
};

struct record {
	char magic[8];
	uint64_t checksum; /* over all behind it, to the last entry */
	uint64_t number;   /* from 1 */
	int64_t at;
	uint32_t job;
	uint32_t limit_s, checkpoint_s, restart_s;
	uint32_t taken, passed, dropped, others;
	uint32_t n_nodes;
	uint32_t held;
	uint32_t unfit;
	uint32_t zero;
	struct entry nodes[VOL_PLACEMENT_NODES];
	uint8_t rest[112]; /* not looked at, as entries behind n_nodes */
};

#define CHECKED_FROM offsetof(struct record, number)
#define RING_SIZE    (VOL_PLACEMENT_RING * sizeof(struct record))

_Static_assert(sizeof(struct entry) == 112 &&
		       offsetof(struct record, nodes) == 80 &&
		       sizeof(struct record) == 1536,
	       "not what slurm-volunteer-nodes(5) says");

struct vol_placement_log {
	char *path;
	int fd;
	struct record *ring; /* mapped */
	uint64_t next;
	uint32_t job; /* of the newest that we added */
};

static uint64_t checksum_of(const struct record *r)
{
	return vol_nodetable_checksum((const char *)r + CHECKED_FROM,
				      offsetof(struct record, nodes) -
					      CHECKED_FROM +
					      r->n_nodes * sizeof(*r->nodes));
}

static bool is_record(const struct record *r)
{
	return memcmp(r->magic, MAGIC, sizeof(r->magic)) == 0 && r->number &&
	       r->n_nodes <= VOL_PLACEMENT_NODES &&
	       r->checksum == checksum_of(r);
}

/* Slot by slot; a short file ends sooner. */
static bool read_slot(int fd, uint32_t slot, struct record *r)
{
	return pread(fd, r, sizeof(*r), (off_t)(slot * sizeof(*r))) ==
		       (ssize_t)sizeof(*r) &&
	       is_record(r);
}

static uint64_t newest(int fd)
{
	uint64_t number = 0;
	struct record r;

	for (uint32_t slot = 0; slot < VOL_PLACEMENT_RING; slot++)
		if (read_slot(fd, slot, &r) && r.number > number)
			number = r.number;
	return number;
}

/* With all its room.  MAP_FAILED and errno. */
static struct record *map(int fd)
{
	errno = posix_fallocate(fd, 0, RING_SIZE);
	return errno ? MAP_FAILED
		     : mmap(NULL, RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			    fd, 0);
}

struct vol_placement_log *vol_placement_open(const char *path,
					     struct vol_error *err)
{
	struct vol_placement_log *log;
	cleanup_fd int fd = -1;
	struct stat st;

	fd = open(path,
		  O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
			  O_CLOEXEC,
		  0644);
	if (fd < 0 || fstat(fd, &st) < 0) {
		vol_errorf(err, "%s: %s", path, strerror(errno));
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		vol_errorf_errno(err, EINVAL, "%s: not a file", path);
		return NULL;
	}
	/* Another user's file might be a link to something of ours. */
	if (st.st_uid != geteuid() || st.st_nlink > 1) {
		vol_errorf_errno(err, EPERM, "%s: belongs to somebody else",
				 path);
		return NULL;
	}
	log = calloc(1, sizeof(*log));
	if (log)
		log->path = strdup(path);
	if (!log || !log->path) {
		free(log);
		vol_errorf_errno(err, ENOMEM, "%s: no memory", path);
		return NULL;
	}
	/* Whatever the umask says. */
	if (fchmod(fd, 0644) < 0)
		errno = 0;
	log->next = newest(fd) + 1;
	log->ring = map(fd);
	if (log->ring == MAP_FAILED) {
		vol_errorf(err, "%s: %s", path, strerror(errno));
		free(log->path);
		free(log);
		return NULL;
	}
	log->fd = steal_fd(&fd);
	return log;
}

void vol_placement_close(struct vol_placement_log *log)
{
	int saved = errno;

	if (!log)
		return;
	munmap(log->ring, RING_SIZE);
	close(log->fd);
	free(log->path);
	free(log);
	errno = saved;
}

static void encode_node(struct entry *to, const struct vol_placement_node *from)
{
	*to = (struct entry){
		.fate = (uint8_t)from->fate,
		.state = (uint8_t)from->state,
		.level = (uint8_t)from->level,
		.weight = from->weight,
		.speed = from->speed,
		.evicted = from->figures.evicted,
		.run_s = from->figures.run_s,
		.wasted_s = from->figures.wasted_s,
		.completion_s = from->figures.completion_s,
	};
	memcpy(to->name, from->name, strnlen(from->name, sizeof(to->name) - 1));
}

static void encode(struct record *r, uint64_t number,
		   const struct vol_placement *p)
{
	memcpy(r->magic, MAGIC, sizeof(r->magic));
	r->number = number;
	r->at = p->at;
	r->job = p->job;
	r->limit_s = p->facts.limit_s;
	r->checkpoint_s = p->facts.checkpoint_s;
	r->restart_s = p->facts.restart_s;
	r->taken = p->taken;
	r->passed = p->passed;
	r->held = p->held;
	r->dropped = p->dropped;
	r->others = p->others;
	r->unfit = p->unfit;
	r->zero = 0;
	r->n_nodes = p->n_nodes < VOL_PLACEMENT_NODES ? p->n_nodes
						      : VOL_PLACEMENT_NODES;
	for (uint32_t i = 0; i < r->n_nodes; i++)
		encode_node(&r->nodes[i], &p->nodes[i]);
	r->checksum = checksum_of(r);
}

/* Somebody removed it, with its folder perhaps, or cut it off: begin another
 * one.  False: there is none to write to. */
static bool follow(struct vol_placement_log *log)
{
	struct vol_placement_log *other, old = *log;
	struct stat st;

	if (fstat(log->fd, &st) == 0 && st.st_nlink > 0 &&
	    st.st_size >= (off_t)RING_SIZE)
		return true;
	other = vol_placement_open(log->path, NULL);
	if (!other)
		return false;
	*log = *other;
	log->path = old.path;
	old.path = other->path;
	*other = old;
	vol_placement_close(other);
	return true;
}

void vol_placement_add(struct vol_placement_log *log,
		       const struct vol_placement *p)
{
	uint64_t number;

	if (!follow(log))
		return; /* a memory less */
	if (log->job == p->job && log->next > 1)
		log->next--;
	number = log->next++;
	log->job = p->job;
	encode(&log->ring[number % VOL_PLACEMENT_RING], number, p);
}

static bool is_figure(double x)
{
	return isfinite(x) && x >= 0;
}

static int decode_node(struct vol_placement_node *to, const struct entry *from)
{
	size_t len = strnlen(from->name, sizeof(from->name));

	if (!len || len == sizeof(from->name) ||
	    from->fate > VOL_PLACEMENT_DROPPED ||
	    from->state > VOL_NODETABLE_UNKNOWN ||
	    from->level >= VOL_SCORE_LEVELS || !is_figure(from->evicted) ||
	    from->evicted > 1 || !is_figure(from->run_s) ||
	    !is_figure(from->wasted_s) || !is_figure(from->completion_s))
		return -1;
	for (size_t i = 0; i < len; i++)
		if (from->name[i] <= 0x20 || from->name[i] > 0x7e)
			return -1;
	memcpy(to->name, from->name, len);
	to->fate = (enum vol_placement_fate)from->fate;
	to->state = (enum vol_nodetable_state)from->state;
	to->level = from->level;
	to->weight = from->weight;
	to->speed = from->speed;
	to->figures = (struct vol_score_figures){
		.evicted = from->evicted,
		.run_s = from->run_s,
		.wasted_s = from->wasted_s,
		.completion_s = from->completion_s,
	};
	return 0;
}

static int decode(struct vol_placement *p, const struct record *r)
{
	*p = (struct vol_placement){
		.at = r->at,
		.job = r->job,
		.facts = {r->limit_s, r->checkpoint_s, r->restart_s},
		.taken = r->taken,
		.passed = r->passed,
		.held = r->held,
		.dropped = r->dropped,
		.others = r->others,
		.unfit = r->unfit,
		.n_nodes = r->n_nodes,
	};
	for (uint32_t i = 0; i < r->n_nodes; i++)
		if (decode_node(&p->nodes[i], &r->nodes[i]) < 0)
			return -1;
	return 0;
}

int vol_placement_find(const char *path, uint32_t job, struct vol_placement *p,
		       struct vol_error *err)
{
	struct vol_placement found;
	cleanup_fd int fd = -1;
	uint64_t number = 0;
	struct record r;
	struct stat st;

	fd = vol_trusted_open(path, &st, err);
	if (fd < 0)
		return -1;
	for (uint32_t slot = 0; slot < VOL_PLACEMENT_RING; slot++) {
		if (!read_slot(fd, slot, &r) || r.job != job ||
		    r.number <= number || decode(&found, &r) < 0)
			continue;
		number = r.number;
		*p = found;
	}
	if (!number)
		return vol_errorf_errno(
			err, ENOENT, "%s: job %u is not remembered", path, job);
	return 0;
}
