/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_files.c - an image without processes: the files that a job has for
 * itself
 *
 * Its record is the list, and the one file of the image has what is in them.
 */
#include "config.h"

#include "image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "ckfiles.h"
#include "device/ckrecord.h"
#include "sandbox/checkpoint.h"

static int refuse(struct vol_error *err, const char *why)
{
	return vol_errorf_errno(err, EPERM, "%s", why);
}

/* A larger image could say more than is looked at. */
static int check_manifest(const struct vol_ckmanifest *m, struct vol_error *err)
{
	const char *copies = strrchr(VOL_RECORD_COPIES, '/') + 1;

	if (m->processes)
		return refuse(err, "the image is of processes, and the job's "
				   "program saves itself");
	if (m->memory || m->mapped.n || m->places.n || m->n_outputs)
		return refuse(err, "an image without processes has no memory, "
				   "no mounts and no output");
	if (m->n_files > 1 ||
	    (m->n_files == 1 && strcmp(m->file[0].name, copies) != 0))
		return refuse(err, "an image without processes has one file of "
				   "contents, and no other");
	return 0;
}

int image_files_check(const struct vol_ckmanifest *m, const char *record,
		      size_t record_len, uint64_t room, struct vol_error *err)
{
	cleanup_free struct vol_record *r = calloc(1, sizeof(*r));

	if (!r)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	if (vol_record_parse("record", record, record_len, r, err) < 0) {
		errno = errno == ENOMEM ? ENOMEM : EBADMSG;
		return -1;
	}
	if (check_manifest(m, err) < 0 || vol_ckrecord_check(r, m, err) < 0)
		return -1;
	return vol_ckfiles_check(r->entry, r->entries, room, err);
}
