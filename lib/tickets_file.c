/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tickets_file.c - tickets.json, read and written */
#include "config.h"

#include "tickets.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "fields.h"
#include "hex.h"
#include "tickets_private.h"

#define VERSION 1
/* 256 tickets with 1000 users of 35 bytes each are 9 MiB. */
#define FILE_MAX  (16 * 1024 * 1024)
#define FILE_MODE 0600

static bool ticket_id_valid(const char *text)
{
	uint8_t id[VOL_JOINTOKEN_ID];

	return vol_hex_decode(text, id, sizeof(id));
}

static bool digest_valid(const char *text)
{
	uint8_t digest[VOL_SHA256_BYTES];

	return vol_hex_decode(text, digest, sizeof(digest));
}

static json_t *users_encode(const void *member)
{
	const struct vol_ticket_users *users = member;
	json_t *list = json_array();

	for (size_t i = 0; list && i < users->n; i++) {
		if (json_array_append_new(list, json_string(users->id[i])) <
		    0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static int users_decode(const json_t *json, void *member, struct vol_error *err)
{
	static const struct vol_field field = {
		.kind = VOL_FIELD_TEXT,
		.size = VOL_DEVICE_ID_SIZE,
		.charset = "",
		.valid = vol_device_id_valid,
	};
	struct vol_ticket_users *users = member;
	size_t n = json_array_size(json);

	if (!json_is_array(json))
		return vol_field_mismatch("an array", json, err);
	if (n > VOL_TICKET_USES)
		return vol_errorf_errno(err, EINVAL, "%zu of them, at most %d",
					n, VOL_TICKET_USES);
	users->id = n ? calloc(n, sizeof(*users->id)) : NULL;
	if (n && !users->id)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	for (users->n = 0; users->n < n; users->n++)
		if (vol_field_text(json_array_get(json, users->n), &field,
				   users->id[users->n], err) < 0)
			return -1;
	return 0;
}

#define AT(_name) .name = #_name, VOL_FIELD_AT(struct vol_ticket, _name)

static const struct vol_field fields[] = {
	{AT(id), .kind = VOL_FIELD_TEXT, .charset = "",
	 .valid = ticket_id_valid},
	{AT(digest), .kind = VOL_FIELD_TEXT, .charset = "",
	 .valid = digest_valid},
	{AT(uses), .kind = VOL_FIELD_UINT, .min = 1, .max = VOL_TICKET_USES},
	{AT(made), .kind = VOL_FIELD_UINT, .max = SECONDS_MAX},
	{AT(expires), .kind = VOL_FIELD_UINT, .max = SECONDS_MAX},
	{AT(uid), .kind = VOL_FIELD_UINT, .max = UINT32_MAX},
	{AT(revoked), .kind = VOL_FIELD_BOOL},
	{AT(used), .kind = VOL_FIELD_OTHER, .encode = users_encode,
	 .decode = users_decode},
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

int vol_tickets_append(struct vol_tickets *t, const struct vol_ticket *k)
{
	if (t->n == t->size) {
		size_t size = t->size ? 2 * t->size : 8;
		struct vol_ticket *grown =
			reallocarray(t->ticket, size, sizeof(*grown));

		if (!grown)
			return -1;
		t->ticket = grown;
		t->size = size;
	}
	t->ticket[t->n++] = *k;
	return 0;
}

static int check_ticket(const struct vol_tickets *t, const struct vol_ticket *k,
			struct vol_error *err)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->ticket[i].id, k->id) == 0)
			return vol_errorf_errno(err, EINVAL,
						"id %s given twice", k->id);
	if (k->used.n > k->uses)
		return vol_errorf_errno(err, EINVAL,
					"used %zu times, but for %" PRIu32,
					k->used.n, k->uses);
	return 0;
}

static int load_ticket(struct vol_tickets *t, const json_t *json,
		       struct vol_error *err)
{
	struct vol_ticket k = {.uses = 0};

	if (vol_fields_decode(json, fields, N_FIELDS, &k, err) < 0 ||
	    check_ticket(t, &k, err) < 0) {
		free(k.used.id);
		return -1;
	}
	if (vol_tickets_append(t, &k) < 0) {
		free(k.used.id);
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	}
	return 0;
}

static int load_root(struct vol_tickets *t, const json_t *root,
		     struct vol_error *err)
{
	const json_t *version = json_object_get(root, "version");
	const json_t *clock = json_object_get(root, "clock");
	const json_t *list = json_object_get(root, "tickets");
	size_t n = json_array_size(list);

	if (!json_is_integer(version) || json_integer_value(version) != VERSION)
		return vol_errorf_errno(err, EINVAL,
					"version: want %d, the only one known",
					VERSION);
	if (!json_is_integer(clock) || json_integer_value(clock) < 0 ||
	    json_integer_value(clock) > SECONDS_MAX)
		return vol_errorf_errno(err, EINVAL, "clock: want a time");
	if (!json_is_array(list) || n > VOL_TICKETS_MAX)
		return vol_errorf_errno(err, EINVAL,
					"tickets: want an array of at most %d",
					VOL_TICKETS_MAX);
	if (json_object_size(root) != 3)
		return vol_errorf_errno(err, EINVAL,
					"unknown member beside version, clock "
					"and tickets");
	for (size_t i = 0; i < n; i++)
		if (load_ticket(t, json_array_get(list, i), err) < 0)
			return vol_error_prefix(err, "ticket %zu", i + 1);
	t->clock = t->saved_clock = (time_t)json_integer_value(clock);
	return 0;
}

static int load_text(struct vol_tickets *t, const char *text, size_t len,
		     struct vol_error *err)
{
	json_error_t error;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	int rc;

	if (!root && json_error_code(&error) == json_error_out_of_memory)
		return vol_errorf_errno(err, ENOMEM, "%s: out of memory",
					t->path);
	if (!root)
		return vol_errorf_errno(err, EINVAL, "%s:%d:%d: %s", t->path,
					error.line, error.column, error.text);
	rc = load_root(t, root, err);
	json_decref(root);
	return rc < 0 ? vol_error_prefix(err, "%s", t->path) : 0;
}

static struct vol_tickets *create(const char *path, struct vol_error *err)
{
	struct vol_tickets *t = calloc(1, sizeof(*t));

	if (t && (t->path = strdup(path)))
		return t;
	vol_errorf_errno(err, ENOMEM, "%s: out of memory", path);
	vol_tickets_destroy(t);
	return NULL;
}

struct vol_tickets *vol_tickets_parse(const char *path, const char *text,
				      size_t len, struct vol_error *err)
{
	struct vol_tickets *t = create(path, err);

	if (!t || load_text(t, text, len, err) == 0)
		return t;
	vol_tickets_destroy(t);
	return NULL;
}

struct vol_tickets *vol_tickets_load(const char *path, struct vol_error *err)
{
	cleanup_free char *text = NULL;
	size_t len;

	text = vol_file_read(path, FILE_MAX, &len, err);
	if (text)
		return vol_tickets_parse(path, text, len, err);
	return errno == ENOENT ? create(path, err) : NULL;
}

void vol_tickets_destroy(struct vol_tickets *t)
{
	int saved = errno;

	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		free(t->ticket[i].used.id);
	free(t->ticket);
	free(t->path);
	free(t);
	errno = saved;
}

static int write_all(const struct vol_tickets *t, FILE *out,
		     struct vol_error *err)
{
	fprintf(out, "{\"version\": %d, \"clock\": %" PRId64 ", \"tickets\": [",
		VERSION, (int64_t)t->clock);
	for (size_t i = 0; i < t->n; i++) {
		json_t *json =
			vol_fields_encode(fields, N_FIELDS, &t->ticket[i]);
		int rc;

		fputs(i ? ",\n" : "\n", out);
		rc = json ? json_dumpf(json, out, JSON_COMPACT) : -1;
		json_decref(json);
		if (rc < 0)
			return vol_errorf_errno(err, ENOMEM, "out of memory");
	}
	fputs("\n]}\n", out);
	return 0;
}

char *vol_tickets_text(const struct vol_tickets *t, size_t *len,
		       struct vol_error *err)
{
	cleanup_free char *text = NULL;
	FILE *out = open_memstream(&text, len);
	int rc;

	if (!out) {
		vol_errorf(err, "%s: %s", t->path, strerror(errno));
		return NULL;
	}
	rc = write_all(t, out, err);
	if (fclose(out) != 0 && rc == 0)
		rc = vol_errorf_errno(err, ENOMEM, "out of memory");
	if (rc == 0)
		return steal_ptr(&text);
	vol_error_prefix(err, "%s", t->path);
	return NULL;
}

int vol_tickets_save(struct vol_tickets *t, struct vol_error *err)
{
	cleanup_free char *text = NULL;
	size_t len = 0;

	if (!t->dirty)
		return 0;
	text = vol_tickets_text(t, &len, err);
	if (!text ||
	    vol_file_replace(t->path, text, len, FILE_MODE, 1, err) < 0)
		return -1;
	t->dirty = false;
	t->saved_clock = t->clock;
	return 0;
}
