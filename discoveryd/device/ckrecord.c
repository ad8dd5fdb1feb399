/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckrecord.c - the record of a step and its manifest */
#include "config.h"

#include "device/ckrecord.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int vol_ckrecord_tell(const struct vol_record *r, struct vol_ckmanifest *m,
		      struct vol_error *err)
{
	m->job = r->job;
	m->step = r->step;
	m->uid = r->uid;
	m->gid = r->gid;
	m->id_base = r->base;
	for (size_t i = 0; i < r->outputs; i++) {
		struct vol_ckoutput o = {.bytes = r->output[i].length};

		if (strlen(r->output[i].path) >= sizeof(o.path))
			return vol_errorf_errno(err, ENAMETOOLONG,
						"output file %.60s...: too "
						"long",
						r->output[i].path);
		strcpy(o.path, r->output[i].path);
		if (vol_ckmanifest_add_output(m, &o, err) < 0)
			return -1;
	}
	return 0;
}

static int differs(const char *what, struct vol_error *err)
{
	return vol_errorf_errno(err, EPERM, "record and manifest differ in %s",
				what);
}

static bool has_output(const struct vol_ckmanifest *m,
		       const struct vol_record_output *o)
{
	for (size_t i = 0; i < m->n_outputs; i++)
		if (strcmp(m->output[i].path, o->path) == 0)
			return m->output[i].bytes == o->length;
	return false;
}

static int check_outputs(const struct vol_record *r,
			 const struct vol_ckmanifest *m, struct vol_error *err)
{
	if (r->outputs != m->n_outputs ||
	    (r->outputs == 2 &&
	     strcmp(r->output[0].path, r->output[1].path) == 0))
		return differs("output files", err);
	for (size_t i = 0; i < r->outputs; i++)
		if (!has_output(m, &r->output[i]))
			return differs("output files", err);
	return 0;
}

/* The copies of files are in the image, one behind the other. */
static int check_copies(const struct vol_record *r,
			const struct vol_ckmanifest *m, struct vol_error *err)
{
	const struct vol_ckfile *file =
		vol_ckmanifest_file(m, strrchr(VOL_RECORD_COPIES, '/') + 1);
	uint64_t left = file ? file->bytes : 0;

	for (size_t i = 0; i < r->entries; i++) {
		if (!vol_rollback_has_copy(&r->entry[i]))
			continue;
		if (r->entry[i].length > left)
			return differs("copies of files", err);
		left -= r->entry[i].length;
	}
	return left == 0 ? 0 : differs("copies of files", err);
}

void vol_ckrecord_key(const struct vol_record *r, const char *target,
		      char key[VOL_CKKEY_SIZE])
{
	key[0] = '\0';
	for (size_t i = 0; i < r->mounts && !key[0]; i++)
		if (strcmp(r->mount[i], target) == 0)
			snprintf(key, VOL_CKKEY_SIZE, "m%u", (unsigned int)i);
}

/* As many, and each has a key of the record's: each once, then. */
static int check_mounts(const struct vol_record *r,
			const struct vol_ckmanifest *m, struct vol_error *err)
{
	size_t external = 0;

	for (size_t i = 0; i < m->places.n; i++) {
		const struct vol_ckplace *p = &m->places.place[i];
		char key[VOL_CKKEY_SIZE];

		if (p->kind != VOL_CKPLACE_EXTERNAL)
			continue;
		vol_ckrecord_key(r, p->target, key);
		if (!key[0] || strcmp(p->key, key) != 0)
			return differs("mounts", err);
		external++;
	}
	return external == r->mounts ? 0 : differs("mounts", err);
}

int vol_ckrecord_check(const struct vol_record *r,
		       const struct vol_ckmanifest *m, struct vol_error *err)
{
	if (r->job != m->job || r->step != m->step)
		return differs("the job", err);
	if (r->uid != m->uid || r->gid != m->gid || r->base != m->id_base)
		return differs("the job's ids", err);
	if (!r->batch)
		return vol_errorf_errno(err, EPERM,
					"the record is not of a batch script");
	if (r->script[0] && !vol_ckpath_valid(r->script))
		return vol_errorf_errno(err, EPERM,
					"the record's script is no normal "
					"path");
	if (check_outputs(r, m, err) < 0 || check_copies(r, m, err) < 0)
		return -1;
	return check_mounts(r, m, err);
}
