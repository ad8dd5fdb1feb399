/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckmanifest.c - what a checkpoint says of itself: its lists, and its meaning
 */
#include "config.h"

#include "ckmanifest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

const char *const vol_ckcause_names[] = {
	[VOL_CKCAUSE_EVICT] = "evict",
	[VOL_CKCAUSE_PERIODIC] = "periodic",
	[VOL_CKCAUSE_ASKED] = "asked",
};

void vol_ckmanifest_clear(struct vol_ckmanifest *m)
{
	int saved = errno;

	vol_ckplaces_clear(&m->places);
	vol_ckmapped_clear(&m->mapped);
	free(m->output);
	free(m->file);
	*m = (struct vol_ckmanifest)VOL_CKMANIFEST_INIT;
	errno = saved;
}

/* Room for one more; sizes are powers of two. */
static void *grow(void *list, size_t n, size_t size, size_t max,
		  struct vol_error *err)
{
	void *grown = list;

	if (n >= max) {
		vol_errorf_errno(err, ENOSPC, "more than %zu of them", max);
		return NULL;
	}
	if ((n & (n - 1)) == 0)
		grown = reallocarray(list, n ? 2 * n : 1, size);
	if (!grown)
		vol_errorf_errno(err, ENOMEM, "out of memory");
	return grown;
}

int vol_ckmanifest_add_file(struct vol_ckmanifest *m,
			    const struct vol_ckfile *file,
			    struct vol_error *err)
{
	struct vol_ckname name;
	struct vol_ckfile *grown;

	if (!memchr(file->name, '\0', sizeof(file->name)))
		return vol_errorf_errno(err, EINVAL, "a name without an end");
	if (vol_ckname_parse(file->name, &name, err) < 0)
		return -1;
	if (file->bytes > VOL_CKBYTES_MAX)
		return vol_errorf_errno(err, EINVAL,
					"%s: %" PRIu64 " bytes are too many",
					file->name, file->bytes);
	grown = grow(m->file, m->n_files, sizeof(*grown), VOL_CKFILES_MAX, err);
	if (!grown)
		return -1;
	m->file = grown;
	/* Of what is behind the name nothing is kept. */
	grown += m->n_files++;
	memset(grown, 0, sizeof(*grown));
	memcpy(grown->name, file->name, strlen(file->name));
	grown->bytes = file->bytes;
	return 0;
}

int vol_ckmanifest_add_output(struct vol_ckmanifest *m,
			      const struct vol_ckoutput *output,
			      struct vol_error *err)
{
	size_t len = strnlen(output->path, sizeof(output->path));
	char excerpt[VOL_EXCERPT_SIZE];
	struct vol_ckoutput *grown;

	if (!vol_ckpath_valid_n(output->path, len) || output->bytes > INT64_MAX)
		return vol_errorf_errno(err, EINVAL, "%s is no output file",
					vol_text_excerpt(output->path, len,
							 excerpt));
	grown = grow(m->output, m->n_outputs, sizeof(*grown), VOL_CKOUTPUTS_MAX,
		     err);
	if (!grown)
		return -1;
	m->output = grown;
	grown += m->n_outputs++;
	memset(grown, 0, sizeof(*grown));
	memcpy(grown->path, output->path, len);
	grown->bytes = output->bytes;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct vol_ckfile *x = a, *y = b;

	return strcmp(x->name, y->name);
}

const struct vol_ckfile *vol_ckmanifest_file(const struct vol_ckmanifest *m,
					     const char *name)
{
	struct vol_ckfile key = {.bytes = 0};

	if (m->n_files == 0 || strlen(name) >= sizeof(key.name))
		return NULL;
	memcpy(key.name, name, strlen(name));
	return bsearch(&key, m->file, m->n_files, sizeof(key), compare_names);
}

uint64_t vol_ckmanifest_bytes(const struct vol_ckmanifest *m)
{
	uint64_t bytes = 0;

	/* 2^15 files of 2^44 bytes are below 2^64. */
	for (size_t i = 0; i < m->n_files; i++)
		bytes += m->file[i].bytes;
	return bytes;
}

int vol_ckmanifest_compare(const struct vol_ckmanifest *a,
			   const struct vol_ckmanifest *b)
{
	if (a->restarts != b->restarts)
		return a->restarts < b->restarts ? -1 : 1;
	if (a->sequence != b->sequence)
		return a->sequence < b->sequence ? -1 : 1;
	return 0;
}

int vol_ckmanifest_is_of(const struct vol_ckmanifest *m,
			 const struct vol_ckidentity *id, struct vol_error *err)
{
	if (strcmp(m->cluster, id->cluster) != 0)
		return vol_errorf_errno(err, EPERM,
					"the image is of cluster \"%s\", and "
					"this is \"%s\"",
					m->cluster, id->cluster);
	if (m->job != id->job || m->step != id->step)
		return vol_errorf_errno(err, EPERM,
					"the image is of step %" PRIu32
					".%" PRIu32 ", and this is %" PRIu32
					".%" PRIu32,
					m->job, m->step, id->job, id->step);
	if (m->uid != id->uid || m->gid != id->gid)
		return vol_errorf_errno(
			err, EPERM,
			"the image is of user %" PRIu32 " and group %" PRIu32
			", and the job of %" PRIu32 " and %" PRIu32,
			m->uid, m->gid, id->uid, id->gid);
	if (m->restarts < id->restarts ||
	    (m->restarts == id->restarts && m->sequence < id->sequence))
		return vol_errorf_errno(
			err, EPERM,
			"the image is number %" PRIu32 " of run %" PRIu32
			", older than number %" PRIu32 " of run %" PRIu32,
			m->sequence, m->restarts, id->sequence, id->restarts);
	return 0;
}
