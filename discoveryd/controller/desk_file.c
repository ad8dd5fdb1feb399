/* SPDX-License-Identifier: GPL-2.0-or-later */
/* desk_file.c - what the desk must not forget, in state_dir/jobs.json
 *
 * {"version": 1, "requeued": [...], "granted": [...]}
 */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "desk_private.h"
#include "fields.h"

/* 10 000 devices, each with a few jobs. */
#define FILE_MAX  (16 * 1024 * 1024)
#define LIST_MAX  100000
#define FILE_NAME "jobs.json"

#define NUMBER(_type, _name)                                                   \
	{                                                                      \
		.name = #_name, .kind = VOL_FIELD_UINT,                        \
		VOL_FIELD_AT(struct _type, _name), .min = 0, .max = UINT32_MAX \
	}

static bool empty_or_node(const char *text)
{
	return !*text || vol_node_name_valid(text);
}

static const struct vol_field revival[] = {
	NUMBER(vol_revival, job),
	NUMBER(vol_revival, restarts),
	NUMBER(vol_revival, priority),
	{.name = "release",
	 .kind = VOL_FIELD_BOOL,
	 VOL_FIELD_AT(struct vol_revival, release)},
	{.name = "node",
	 .kind = VOL_FIELD_TEXT,
	 .optional = true, /* not in the files of 0.1 */
	 VOL_FIELD_AT(struct vol_revival, node),
	 .charset = "-",
	 .valid = empty_or_node},
	{.name = "exclude",
	 .kind = VOL_FIELD_TEXT,
	 VOL_FIELD_AT(struct vol_revival, exclude),
	 .charset = "-",
	 .valid = empty_or_node},
	{.name = "since",
	 .kind = VOL_FIELD_UINT,
	 VOL_FIELD_AT(struct vol_revival, since),
	 .max = INT64_MAX},
};
static const struct vol_field grant[] = {
	NUMBER(vol_grant, job),
	{.name = "node",
	 .kind = VOL_FIELD_TEXT,
	 VOL_FIELD_AT(struct vol_grant, node),
	 .charset = "-",
	 .valid = vol_node_name_valid},
	NUMBER(vol_grant, restarts),
	NUMBER(vol_grant, granted_min),
};

#define N(_table) (sizeof(_table) / sizeof((_table)[0]))

/* list_of and read_list work on arrays of any structure with a table. */
static json_t *list_of(const struct vol_field *fields, size_t n_fields,
		       const void *items, size_t n, size_t size)
{
	json_t *list = json_array(), *item;
	size_t i;

	for (i = 0; list && i < n; i++) {
		item = vol_fields_encode(fields, n_fields,
					 (const char *)items + i * size);
		if (!item || json_array_append_new(list, item) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static int read_list(const json_t *list, const struct vol_field *fields,
		     size_t n_fields, size_t size, void **items, size_t *n,
		     struct vol_error *err)
{
	size_t count = json_array_size(list), i;
	char *fresh;

	if (!json_is_array(list) || count > LIST_MAX)
		return vol_errorf_errno(err, EINVAL, "not a list of jobs");
	fresh = calloc(count + 1, size);
	if (!fresh)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	for (i = 0; i < count; i++)
		if (vol_fields_decode(json_array_get(list, i), fields, n_fields,
				      fresh + i * size, err) < 0) {
			free(fresh);
			return vol_error_prefix(err, "entry %zu", i + 1);
		}
	*items = fresh;
	*n = count;
	return 0;
}

static int read_all(const json_t *json, struct vol_desk_memory *m,
		    struct vol_error *err)
{
	void *revivals = NULL, *grants = NULL;

	if (json_integer_value(json_object_get(json, "version")) != 1)
		return vol_errorf_errno(err, EINVAL, "version: want 1");
	if (read_list(json_object_get(json, "requeued"), revival, N(revival),
		      sizeof(*m->revivals), &revivals, &m->n_revivals, err) < 0)
		return vol_error_prefix(err, "requeued");
	if (read_list(json_object_get(json, "granted"), grant, N(grant),
		      sizeof(*m->grants), &grants, &m->n_grants, err) < 0) {
		free(revivals);
		return vol_error_prefix(err, "granted");
	}
	m->revivals = revivals;
	m->grants = grants;
	return 0;
}

int vol_desk_load(const char *dir, struct vol_desk_memory *m,
		  struct vol_error *err)
{
	cleanup_free char *path = NULL, *text = NULL;
	struct vol_desk_memory fresh = {0};
	json_error_t where;
	json_t *json;
	size_t len;
	int rc;

	if (asprintf(&path, "%s/" FILE_NAME, dir) < 0)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	text = vol_file_read(path, FILE_MAX, &len, err);
	if (!text)
		return errno == ENOENT ? 0 : -1;
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
	if (!json)
		return vol_errorf_errno(err, EINVAL, "%s:%d: %s", path,
					where.line, where.text);
	rc = read_all(json, &fresh, err);
	json_decref(json);
	if (rc < 0)
		return vol_error_prefix(err, "%s", path);
	*m = fresh;
	return 0;
}

int vol_desk_save(const char *dir, struct vol_desk_memory *m,
		  struct vol_error *err)
{
	cleanup_free char *path = NULL, *text = NULL;
	json_t *json, *revivals, *grants;

	if (!m->changed)
		return 0;
	if (asprintf(&path, "%s/" FILE_NAME, dir) < 0)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	revivals = list_of(revival, N(revival), m->revivals, m->n_revivals,
			   sizeof(*m->revivals));
	grants = list_of(grant, N(grant), m->grants, m->n_grants,
			 sizeof(*m->grants));
	/* Takes both references, also when it fails. */
	json = json_pack("{s:i, s:o, s:o}", "version", 1, "requeued", revivals,
			 "granted", grants);
	if (json)
		text = json_dumps(json, JSON_INDENT(1));
	json_decref(json);
	if (!text)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	if (vol_file_replace(path, text, strlen(text), 0644, 1, err) < 0)
		return -1;
	m->changed = false;
	return 0;
}

void vol_desk_memory_clear(struct vol_desk_memory *m)
{
	free(m->revivals);
	free(m->grants);
	memset(m, 0, sizeof(*m));
}
