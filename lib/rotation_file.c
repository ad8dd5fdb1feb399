/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rotation_file.c - how far a rotation has come, on the controller's disk */
#include "config.h"

#include "rotation_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "fields.h"

#define VERSION   1
#define FILE_MAX  (VOL_ROTATION_PARTITIONS + 1024)
#define FILE_MODE 0600
/* 9999-12-31 */
#define MS_MAX UINT64_C(253402300799000)

static const char *const phase_names[] = {
	[VOL_ROTATION_CLOSE] = "close", [VOL_ROTATION_TURN] = "turn",
	[VOL_ROTATION_SELF] = "self",   [VOL_ROTATION_OPEN] = "open",
	[VOL_ROTATION_UNDO] = "undo",
};

_Static_assert(sizeof(enum vol_rotation_phase) == sizeof(uint32_t),
	       "tables store enums by size");

struct file {
	uint32_t version;
	struct vol_rotation_record r;
};

#define AT(_name, _member) .name = _name, VOL_FIELD_AT(struct file, _member)

static const struct vol_field fields[] = {
	{AT("version", version), .kind = VOL_FIELD_UINT, .min = VERSION,
	 .max = VERSION},
	{AT("phase", r.phase), .kind = VOL_FIELD_ENUM,
	 .min = VOL_ROTATION_CLOSE, .max = VOL_ROTATION_UNDO,
	 .names = phase_names},
	{AT("old", r.old), .kind = VOL_FIELD_TEXT, .charset = "",
	 .optional = true, .valid = vol_authkey_id_valid},
	{AT("next", r.next), .kind = VOL_FIELD_TEXT, .charset = "",
	 .valid = vol_authkey_id_valid},
	/* As vol_slurm_partitions_up gives them. */
	{AT("partitions", r.partitions), .kind = VOL_FIELD_TEXT,
	 .charset = "_.,-"},
	{AT("closed_ms", r.closed_ms), .kind = VOL_FIELD_UINT, .max = MS_MAX},
	{AT("apart_ms", r.apart_ms), .kind = VOL_FIELD_UINT, .max = MS_MAX},
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

int vol_rotation_parse(const char *name, const char *text, size_t len,
		       struct vol_rotation_record *r, struct vol_error *err)
{
	struct file file = {.version = 0};
	json_error_t why;
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	int rc;

	if (!json)
		return vol_errorf_errno(err, EBADMSG, "%s:%d:%d: %s", name,
					why.line, why.column, why.text);
	rc = vol_fields_decode(json, fields, N_FIELDS, &file, err);
	json_decref(json);
	if (rc < 0)
		return vol_error_prefix(err, "%s", name);
	*r = file.r;
	return 0;
}

int vol_rotation_load(const char *path, struct vol_rotation_record *r,
		      struct vol_error *err)
{
	cleanup_free char *text = NULL;
	size_t len;

	text = vol_file_read(path, FILE_MAX, &len, err);
	if (text)
		return vol_rotation_parse(path, text, len, r, err);
	if (errno != ENOENT)
		return -1;
	memset(r, 0, sizeof(*r));
	return 0;
}

int vol_rotation_save(const char *path, const struct vol_rotation_record *r,
		      struct vol_error *err)
{
	struct file file = {.version = VERSION, .r = *r};
	cleanup_free char *text = NULL;
	json_t *json;

	if (r->phase == VOL_ROTATION_NONE) {
		if (unlink(path) < 0 && errno != ENOENT)
			return vol_errorf(err, "%s: %s", path, strerror(errno));
		return 0;
	}
	json = vol_fields_encode(fields, N_FIELDS, &file);
	text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
	json_decref(json);
	if (!text)
		return vol_errorf_errno(err, errno ? errno : ENOMEM,
					"%s: can not be written", path);
	return vol_file_replace(path, text, strlen(text), FILE_MODE, 1, err);
}
