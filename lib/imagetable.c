/* SPDX-License-Identifier: GPL-2.0-or-later */
/* imagetable.c - which devices can go on with which saved jobs */
#include "config.h"

#include "imagetable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "nodetable_format.h"
#include "trusted.h"

/* The version is part of it. */
#define MAGIC "VOLIMGS1"

struct header {
	char magic[8];
	uint32_t edition;
	uint32_t n_jobs, n_needs;
	uint32_t zero;
};

_Static_assert(sizeof(struct header) == 24 &&
		       sizeof(struct vol_imagetable_job) == 8 &&
		       sizeof(struct vol_imagetable_need) == 128,
	       "not what slurm-volunteer-nodes(5) says");

/* With the checksum, which is last. */
static size_t size_of(uint32_t n_jobs, uint32_t n_needs)
{
	return sizeof(struct header) +
	       n_jobs * sizeof(struct vol_imagetable_job) +
	       n_needs * sizeof(struct vol_imagetable_need) + sizeof(uint64_t);
}

#define SIZE_MAX_OF_IT size_of(VOL_IMAGETABLE_JOBS, VOL_IMAGETABLE_KINDS)

const struct vol_imagetable_need *vol_imagetable_find(
	const struct vol_imagetable *t, uint32_t job)
{
	uint32_t lo = 0, hi = t->n_jobs;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (t->jobs[mid].job < job)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == t->n_jobs || t->jobs[lo].job != job)
		return NULL;
	return &t->needs[t->jobs[lo].need];
}

void *vol_imagetable_encode(const struct vol_imagetable *t, size_t *len)
{
	struct header head = {.edition = t->edition,
			      .n_jobs = t->n_jobs,
			      .n_needs = t->n_needs};
	size_t jobs = t->n_jobs * sizeof(*t->jobs);
	size_t needs = t->n_needs * sizeof(*t->needs);
	uint8_t *buf, *at;
	uint64_t sum;

	*len = size_of(t->n_jobs, t->n_needs);
	at = buf = malloc(*len);
	if (!buf)
		return NULL;
	memcpy(head.magic, MAGIC, sizeof(head.magic));
	memcpy(at, &head, sizeof(head));
	at += sizeof(head);
	if (jobs)
		memcpy(at, t->jobs, jobs);
	at += jobs;
	if (needs)
		memcpy(at, t->needs, needs);
	at += needs;
	sum = vol_nodetable_checksum(buf, *len - sizeof(sum));
	memcpy(at, &sum, sizeof(sum));
	return buf;
}

static bool jobs_are_sound(const struct vol_imagetable *t)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < t->n_jobs; i++) {
		if (t->jobs[i].job <= last || t->jobs[i].need >= t->n_needs)
			return false;
		last = t->jobs[i].job;
	}
	return true;
}

int vol_imagetable_decode(const void *buf, size_t len, struct vol_imagetable *t,
			  struct vol_error *err)
{
	const struct header *head = buf;
	const uint8_t *body = (const uint8_t *)buf + sizeof(*head);
	struct vol_imagetable fresh;
	uint64_t sum;

	if (len < size_of(0, 0) ||
	    memcmp(head->magic, MAGIC, sizeof(head->magic)) != 0)
		return vol_errorf_errno(err, EINVAL, "no table of images");
	if (head->n_jobs > VOL_IMAGETABLE_JOBS ||
	    head->n_needs > VOL_IMAGETABLE_KINDS || head->zero ||
	    !head->edition || len != size_of(head->n_jobs, head->n_needs))
		return vol_errorf_errno(err, EINVAL, "truncated");
	memcpy(&sum, (const uint8_t *)buf + len - sizeof(sum), sizeof(sum));
	if (sum != vol_nodetable_checksum(buf, len - sizeof(sum)))
		return vol_errorf_errno(err, EINVAL, "damaged");
	fresh = (struct vol_imagetable){
		.edition = head->edition,
		.n_jobs = head->n_jobs,
		.n_needs = head->n_needs,
		.jobs = (const void *)body,
		.needs = (const void *)(body +
					head->n_jobs * sizeof(*fresh.jobs)),
	};
	if (!jobs_are_sound(&fresh))
		return vol_errorf_errno(err, EINVAL, "jobs out of order");
	*t = fresh;
	return 0;
}

int vol_imagetable_read(const char *path, struct vol_imagetable *t, void **buf,
			struct vol_error *err)
{
	cleanup_free void *data = NULL;
	cleanup_fd int fd = -1;
	struct stat st;
	size_t len;

	fd = vol_trusted_open(path, &st, err);
	if (fd < 0)
		return -1;
	if (st.st_size <= 0 || (uint64_t)st.st_size > SIZE_MAX_OF_IT)
		return vol_errorf_errno(err, EINVAL, "%s: of a wrong size",
					path);
	data = vol_file_read_fd(fd, path, SIZE_MAX_OF_IT, &len, err);
	if (!data)
		return -1;
	if (vol_imagetable_decode(data, len, t, err) < 0)
		return vol_error_prefix(err, "%s", path);
	*buf = steal_ptr(&data);
	return 0;
}
