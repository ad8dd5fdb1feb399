/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registry_file.c - registry.json, read and written */
#include "config.h"

#include "registry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "fields.h"
#include "registry_private.h"

#define VERSION 3
/* A device is under 2 KiB, so that this is more than Slurm has nodes. */
#define FILE_MAX  (256 * 1024 * 1024)
#define FILE_MODE 0600
/* 9999-12-31, for people who print it */
#define SECONDS_MAX INT64_C(253402300799)

static const char *const standing_names[] = {
	[VOL_PENDING] = "pending",
	[VOL_APPROVED] = "approved",
	[VOL_REVOKED] = "revoked",
};

const char *vol_standing_name(enum vol_standing standing)
{
	return standing <= VOL_REVOKED ? standing_names[standing] : "unknown";
}

static bool known_facts(const struct vol_facts *facts)
{
	return vol_facts_cpus(facts) > 0;
}

static json_t *facts_encode(const void *member)
{
	return known_facts(member) ? vol_facts_to_json(member) : json_null();
}

static int facts_decode(const json_t *json, void *member, struct vol_error *err)
{
	return json_is_null(json) ? 0 : vol_facts_from_json(json, member, err);
}

static json_t *machine_encode(const void *member)
{
	return vol_ckmachine_known(member) ? vol_ckmachine_to_json(member)
					   : json_null();
}

static int machine_decode(const json_t *json, void *member,
			  struct vol_error *err)
{
	return json_is_null(json) ? 0
				  : vol_ckmachine_from_json(json, member, err);
}

static bool fingerprint_valid(const char *text)
{
	struct vol_fingerprint f;

	return vol_fingerprint_parse(text, &f, NULL) == 0;
}

#define AT(_name) .name = #_name, VOL_FIELD_AT(struct vol_device, _name)

/* What older versions did not have comes first; how much of that, by
 * version. */
static const size_t n_new[VERSION + 1] = {[1] = 5, [2] = 1};
static const struct vol_field fields[] = {
	{AT(machine), .kind = VOL_FIELD_OTHER, .encode = machine_encode,
	 .decode = machine_decode},
	{AT(fingerprint), .kind = VOL_FIELD_TEXT, .charset = "",
	 .optional = true, .valid = fingerprint_valid},
	{AT(standing), .kind = VOL_FIELD_ENUM, .min = VOL_PENDING,
	 .max = VOL_REVOKED, .names = standing_names},
	{AT(standing_at), .kind = VOL_FIELD_UINT, .max = SECONDS_MAX},
	{AT(by), .kind = VOL_FIELD_TEXT},
	{AT(node), .kind = VOL_FIELD_TEXT, .optional = true,
	 .valid = vol_node_name_valid},
	{AT(id), .kind = VOL_FIELD_TEXT, .valid = vol_device_id_valid},
	{AT(hostname), .kind = VOL_FIELD_TEXT, .charset = VOL_HOSTNAME_CHARS,
	 .instead = '-'},
	{AT(address), .kind = VOL_FIELD_TEXT, .charset = ".:%_-"},
	{AT(facts), .kind = VOL_FIELD_OTHER, .encode = facts_encode,
	 .decode = facts_decode},
	{AT(first_seen), .kind = VOL_FIELD_UINT, .max = SECONDS_MAX},
	{AT(last_seen), .kind = VOL_FIELD_UINT, .max = SECONDS_MAX},
	{AT(created), .kind = VOL_FIELD_BOOL},
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

/* What no single member can say. */
static int check_device(const struct vol_device *d, struct vol_error *err)
{
	if (d->standing == VOL_APPROVED && !*d->node)
		return vol_errorf_errno(err, EINVAL, "approved without a node");
	if (d->standing == VOL_PENDING && *d->node)
		return vol_errorf_errno(err, EINVAL, "pending with a node");
	if (*d->fingerprint &&
	    strncmp(d->fingerprint, d->id, sizeof(d->id) - 1) != 0)
		return vol_errorf_errno(err, EINVAL,
					"fingerprint: does not begin with id");
	return 0;
}

static int decode(const json_t *json, int version, struct vol_device *d,
		  struct vol_error *err)
{
	size_t skip = n_new[version];

	memset(d, 0, sizeof(*d));
	if (vol_fields_decode(json, fields + skip, N_FIELDS - skip, d, err) < 0)
		return -1;
	if (version == 1) {
		d->standing = VOL_APPROVED;
		d->standing_at = d->first_seen;
	}
	return check_device(d, err);
}

static int load_device(struct vol_registry *r, const json_t *json, int version,
		       struct vol_error *err)
{
	cleanup_free struct vol_device *d = calloc(1, sizeof(*d));

	if (!d)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	if (decode(json, version, d, err) < 0)
		return -1;
	if (vol_registry_by_id(r, d->id))
		return vol_errorf_errno(err, EINVAL, "id %s given twice",
					d->id);
	if (*d->node && vol_registry_by_node(r, d->node))
		return vol_errorf_errno(err, EINVAL, "node %s given twice",
					d->node);
	if (vol_registry_insert(r, d) < 0)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	d = NULL;
	return 0;
}

static int load_root(struct vol_registry *r, const json_t *root,
		     struct vol_error *err)
{
	const json_t *number = json_object_get(root, "version");
	const json_t *devices = json_object_get(root, "devices");
	json_int_t version = json_integer_value(number);
	size_t n = json_array_size(devices);

	if (!json_is_integer(number) || version < 1 || version > VERSION)
		return vol_errorf_errno(err, EINVAL,
					"version: want 1 to %d, others are not "
					"known",
					VERSION);
	if (!json_is_array(devices))
		return vol_errorf_errno(err, EINVAL, "devices: want an array");
	if (json_object_size(root) != 2)
		return vol_errorf_errno(err, EINVAL,
					"unknown member beside "
					"version and devices");
	for (size_t i = 0; i < n; i++) {
		if (load_device(r, json_array_get(devices, i), (int)version,
				err) < 0)
			return vol_error_prefix(err, "device %zu", i + 1);
	}
	return 0;
}

static int load_text(struct vol_registry *r, const char *text, size_t len,
		     struct vol_error *err)
{
	json_error_t error;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	int rc;

	if (!root && json_error_code(&error) == json_error_out_of_memory)
		return vol_errorf_errno(err, ENOMEM, "%s: out of memory",
					r->path);
	if (!root)
		return vol_errorf_errno(err, EINVAL, "%s:%d:%d: %s", r->path,
					error.line, error.column, error.text);
	rc = load_root(r, root, err);
	if (rc < 0)
		vol_error_prefix(err, "%s", r->path);
	json_decref(root);
	return rc;
}

static struct vol_registry *create(const char *path, struct vol_error *err)
{
	struct vol_registry *r = calloc(1, sizeof(*r));

	if (r && (r->path = strdup(path)))
		return r;
	vol_errorf_errno(err, ENOMEM, "%s: out of memory", path);
	vol_registry_destroy(r);
	return NULL;
}

struct vol_registry *vol_registry_parse(const char *path, const char *text,
					size_t len, struct vol_error *err)
{
	struct vol_registry *r = create(path, err);

	if (!r || load_text(r, text, len, err) == 0)
		return r;
	vol_registry_destroy(r);
	return NULL;
}

struct vol_registry *vol_registry_load(const char *path, struct vol_error *err)
{
	cleanup_free char *text = NULL;
	size_t len;

	text = vol_file_read(path, FILE_MAX, &len, err);
	if (text)
		return vol_registry_parse(path, text, len, err);
	return errno == ENOENT ? create(path, err) : NULL;
}

static int make_line(struct vol_device *d, struct vol_error *err)
{
	struct vol_device check;
	json_t *json = vol_fields_encode(fields, N_FIELDS, d);
	int rc;

	if (!json)
		return vol_errorf(err, "out of memory");
	/* Never replace a good file by one that the next start refuses. */
	rc = decode(json, VERSION, &check, err);
	if (rc == 0)
		d->line = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	if (rc == 0 && !d->line)
		rc = vol_errorf_errno(err, ENOMEM, "out of memory");
	return rc;
}

/* One line a device, so that people can read and compare the file.  It is kept:
 * of ten thousand few have changed since it was written last. */
static int write_device(FILE *out, struct vol_device *d, struct vol_error *err)
{
	if (!d->line && make_line(d, err) < 0)
		return -1;
	fputs(d->line, out);
	return 0;
}

static int write_all(const struct vol_registry *r, FILE *out,
		     struct vol_error *err)
{
	fprintf(out, "{\"version\": %d, \"devices\": [", VERSION);
	for (size_t i = 0; i < r->n; i++) {
		struct vol_device *d = r->sorted[BY_NODE][i];

		fputs(i ? ",\n" : "\n", out);
		if (write_device(out, d, err) < 0)
			return vol_error_prefix(err, "device %zu", i + 1);
	}
	fputs("\n]}\n", out);
	return 0;
}

char *vol_registry_text(const struct vol_registry *r, size_t *len,
			struct vol_error *err)
{
	cleanup_free char *text = NULL;
	FILE *out = open_memstream(&text, len);
	int rc;

	if (!out) {
		vol_errorf(err, "%s: %s", r->path, strerror(errno));
		return NULL;
	}
	rc = write_all(r, out, err);
	if (fclose(out) != 0 && rc == 0)
		rc = vol_errorf_errno(err, ENOMEM, "out of memory");
	if (rc == 0 && *len > FILE_MAX)
		rc = vol_errorf_errno(err, EFBIG, "more than %d bytes",
				      FILE_MAX);
	if (rc == 0)
		return steal_ptr(&text);
	vol_error_prefix(err, "%s", r->path);
	return NULL;
}

int vol_registry_save(struct vol_registry *r, struct vol_error *err)
{
	cleanup_free char *text = NULL;
	size_t len = 0;

	if (!r->dirty)
		return 0;
	text = vol_registry_text(r, &len, err);
	if (!text ||
	    vol_file_replace(r->path, text, len, FILE_MODE, 1, err) < 0)
		return -1;
	r->dirty = false;
	return 0;
}
