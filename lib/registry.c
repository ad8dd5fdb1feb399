/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registry.c - the controller's memory of devices: identity -> node name
 *
 * Two arrays of pointers to the same devices, one sorted by id and one by node
 * name: identities are chosen by strangers, who could make a hash degenerate.
 */
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
#include "text.h"

#define VERSION    1
#define SUFFIX_MAX 9999
/* A device is under 2 KiB, so that this is more than Slurm has nodes. */
#define FILE_MAX  (256 * 1024 * 1024)
#define FILE_MODE 0600
/* 9999-12-31, for people who print it */
#define SECONDS_MAX INT64_C(253402300799)

enum order { BY_ID, BY_NODE, N_ORDERS };

struct vol_registry {
	char *path;
	struct vol_device **sorted[N_ORDERS];
	size_t n, size;
	bool dirty;
	/* Devices with one hostname (clones) come in crowds: the numbers below
	 * next are taken for names that begin with base. */
	char base[VOL_NODE_NAME_SIZE];
	unsigned next;
};

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

#define AT(_name) .name = #_name, VOL_FIELD_AT(struct vol_device, _name)

static const struct vol_field fields[] = {
	{AT(id), .kind = VOL_FIELD_TEXT, .valid = vol_device_id_valid},
	{AT(node), .kind = VOL_FIELD_TEXT, .valid = vol_node_name_valid},
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

static const char *key_of(const struct vol_device *d, enum order order)
{
	return order == BY_ID ? d->id : d->node;
}

/* Place of key in the order: true if it is there, else where it belongs. */
static bool find(const struct vol_registry *r, enum order order,
		 const char *key, size_t *place)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int cmp = strcmp(key_of(r->sorted[order][mid], order), key);

		if (cmp == 0) {
			*place = mid;
			return true;
		}
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*place = lo;
	return false;
}

static struct vol_device *lookup(struct vol_registry *r, enum order order,
				 const char *key)
{
	size_t place;

	return key && find(r, order, key, &place) ? r->sorted[order][place]
						  : NULL;
}

static int grow(struct vol_registry *r)
{
	size_t size = r->size ? 2 * r->size : 64;

	if (r->n < r->size)
		return 0;
	for (enum order order = 0; order < N_ORDERS; order++) {
		struct vol_device **p = reallocarray(
			r->sorted[order], size, sizeof(struct vol_device *));

		if (!p)
			return -1;
		r->sorted[order] = p;
	}
	r->size = size;
	return 0;
}

/* Takes d over.  Neither id nor node may be known. */
static int insert(struct vol_registry *r, struct vol_device *d)
{
	if (grow(r) < 0)
		return -1;
	for (enum order order = 0; order < N_ORDERS; order++) {
		struct vol_device **at = r->sorted[order];
		size_t place;

		find(r, order, key_of(d, order), &place);
		memmove(at + place + 1, at + place,
			(r->n - place) * sizeof(struct vol_device *));
		at[place] = d;
	}
	r->n++;
	return 0;
}

static int load_device(struct vol_registry *r, const json_t *json,
		       struct vol_error *err)
{
	cleanup_free struct vol_device *d = calloc(1, sizeof(*d));

	if (!d)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	if (vol_fields_decode(json, fields, N_FIELDS, d, err) < 0)
		return -1;
	if (lookup(r, BY_ID, d->id))
		return vol_errorf_errno(err, EINVAL, "id %s given twice",
					d->id);
	if (lookup(r, BY_NODE, d->node))
		return vol_errorf_errno(err, EINVAL, "node %s given twice",
					d->node);
	if (insert(r, d) < 0)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	d = NULL;
	return 0;
}

static int load_root(struct vol_registry *r, const json_t *root,
		     struct vol_error *err)
{
	const json_t *version = json_object_get(root, "version");
	const json_t *devices = json_object_get(root, "devices");
	size_t n = json_array_size(devices);

	if (!json_is_integer(version) || json_integer_value(version) != VERSION)
		return vol_errorf_errno(err, EINVAL,
					"version: want %d, the only one known",
					VERSION);
	if (!json_is_array(devices))
		return vol_errorf_errno(err, EINVAL, "devices: want an array");
	if (json_object_size(root) != 2)
		return vol_errorf_errno(err, EINVAL,
					"unknown member beside "
					"version and devices");
	for (size_t i = 0; i < n; i++) {
		if (load_device(r, json_array_get(devices, i), err) < 0)
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

static int load_file(struct vol_registry *r, struct vol_error *err)
{
	cleanup_free char *text = NULL;
	size_t len;

	text = vol_file_read(r->path, FILE_MAX, &len, err);
	if (text)
		return load_text(r, text, len, err);
	return errno == ENOENT ? 0 : -1;
}

struct vol_registry *vol_registry_load(const char *path, struct vol_error *err)
{
	struct vol_registry *r = calloc(1, sizeof(*r));

	if (!r)
		goto no_memory;
	r->path = strdup(path);
	if (!r->path)
		goto no_memory;
	if (load_file(r, err) < 0)
		goto error;
	return r;

no_memory:
	vol_errorf_errno(err, ENOMEM, "%s: out of memory", path);
error:
	vol_registry_destroy(r);
	return NULL;
}

void vol_registry_destroy(struct vol_registry *r)
{
	int saved = errno;

	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		free(r->sorted[BY_ID][i]);
	for (enum order order = 0; order < N_ORDERS; order++)
		free(r->sorted[order]);
	free(r->path);
	free(r);
	errno = saved;
}

/* One line a device, so that people can read and compare the file. */
static int write_device(FILE *out, const struct vol_device *d,
			struct vol_error *err)
{
	struct vol_device check;
	json_t *json = vol_fields_encode(fields, N_FIELDS, d);
	int rc;

	if (!json)
		return vol_errorf(err, "out of memory");
	/* Never replace a good file by one that the next start refuses. */
	rc = vol_fields_decode(json, fields, N_FIELDS, &check, err);
	if (rc == 0 && json_dumpf(json, out, JSON_COMPACT) < 0)
		rc = vol_errorf_errno(err, ENOMEM, "out of memory");
	json_decref(json);
	return rc;
}

static int write_all(const struct vol_registry *r, FILE *out,
		     struct vol_error *err)
{
	fprintf(out, "{\"version\": %d, \"devices\": [", VERSION);
	for (size_t i = 0; i < r->n; i++) {
		const struct vol_device *d = r->sorted[BY_NODE][i];

		fputs(i ? ",\n" : "\n", out);
		if (write_device(out, d, err) < 0)
			return vol_error_prefix(err, "device %zu", i + 1);
	}
	fputs("\n]}\n", out);
	return 0;
}

int vol_registry_save(struct vol_registry *r, struct vol_error *err)
{
	cleanup_free char *text = NULL;
	size_t len = 0;
	FILE *out;
	int rc;

	if (!r->dirty)
		return 0;
	out = open_memstream(&text, &len);
	if (!out)
		return vol_errorf(err, "%s: %s", r->path, strerror(errno));
	rc = write_all(r, out, err);
	if (fclose(out) != 0 && rc == 0)
		rc = vol_errorf_errno(err, ENOMEM, "out of memory");
	if (rc == 0 && len > FILE_MAX)
		rc = vol_errorf_errno(err, EFBIG, "more than %d bytes",
				      FILE_MAX);
	if (rc < 0)
		return vol_error_prefix(err, "%s", r->path);
	if (vol_file_replace(r->path, text, len, FILE_MODE, 1, err) < 0)
		return -1;
	r->dirty = false;
	return 0;
}

struct vol_device *vol_registry_by_id(struct vol_registry *r, const char *id)
{
	return lookup(r, BY_ID, id);
}

struct vol_device *vol_registry_by_node(struct vol_registry *r,
					const char *node)
{
	return lookup(r, BY_NODE, node);
}

size_t vol_registry_count(const struct vol_registry *r)
{
	return r->n;
}

struct vol_device *vol_registry_at(struct vol_registry *r, size_t i)
{
	return i < r->n ? r->sorted[BY_NODE][i] : NULL;
}

/* First free name from number first on; 0 if there is none. */
static unsigned free_number(struct vol_registry *r, const char *base,
			    unsigned first, vol_name_taken_f taken, void *arg,
			    char name[VOL_NODE_NAME_SIZE])
{
	for (unsigned n = first; n <= SUFFIX_MAX; n++) {
		vol_node_name_nth(base, n, name);
		if (!lookup(r, BY_NODE, name) && !(taken && taken(name, arg)))
			return n;
	}
	return 0;
}

static int choose_name(struct vol_registry *r, const char *hostname,
		       vol_name_taken_f taken, void *arg,
		       char name[VOL_NODE_NAME_SIZE], struct vol_error *err)
{
	char base[VOL_NODE_NAME_SIZE];
	unsigned n = 0;

	vol_node_name_from_host(hostname, base);
	if (strcmp(base, r->base) == 0)
		n = free_number(r, base, r->next, taken, arg, name);
	if (n == 0)
		n = free_number(r, base, 1, taken, arg, name);
	if (n == 0)
		return vol_errorf_errno(err, ENOSPC,
					"all names from %s to %s-%d are taken",
					base, base, SUFFIX_MAX);
	memcpy(r->base, base, sizeof(base));
	r->next = n + 1;
	return 0;
}

/* Keep what load accepts, of a name that nobody checked. */
static void copy_hostname(char to[VOL_HOSTNAME_SIZE], const char *from)
{
	for (size_t i = 0; i < VOL_HOSTNAME_SIZE - 1 && from[i]; i++)
		to[i] = vol_char_in((unsigned char)from[i], VOL_HOSTNAME_CHARS)
				? from[i]
				: '-';
}

struct vol_device *vol_registry_add(struct vol_registry *r, const char *id,
				    const char *hostname,
				    vol_name_taken_f taken, void *arg,
				    time_t now, struct vol_error *err)
{
	cleanup_free struct vol_device *d = calloc(1, sizeof(*d));
	char excerpt[VOL_EXCERPT_SIZE];

	if (!d)
		goto no_memory;
	if (!vol_device_id_valid(id)) {
		vol_errorf_errno(err, EINVAL, "%s is not a device identity",
				 vol_text_excerpt(id, id ? strlen(id) : 0,
						  excerpt));
		return NULL;
	}
	if (lookup(r, BY_ID, id)) {
		vol_errorf_errno(err, EEXIST, "device %s is known", id);
		return NULL;
	}
	if (choose_name(r, hostname, taken, arg, d->node, err) < 0)
		return NULL;
	memcpy(d->id, id, sizeof(d->id));
	copy_hostname(d->hostname, hostname ? hostname : "");
	d->first_seen = now;
	d->last_seen = now;
	if (insert(r, d) < 0)
		goto no_memory;
	r->dirty = true;
	return steal_ptr(&d);

no_memory:
	vol_errorf_errno(err, ENOMEM, "out of memory");
	return NULL;
}

void vol_registry_touch(struct vol_registry *r)
{
	r->dirty = true;
}

void vol_registry_remove(struct vol_registry *r, const char *id)
{
	struct vol_device *d = lookup(r, BY_ID, id);

	if (!d)
		return;
	for (enum order order = 0; order < N_ORDERS; order++) {
		struct vol_device **at = r->sorted[order];
		size_t place;

		find(r, order, key_of(d, order), &place);
		memmove(at + place, at + place + 1,
			(r->n - place - 1) * sizeof(struct vol_device *));
	}
	r->n--;
	r->dirty = true;
	r->base[0] = '\0'; /* a number below next is free again */
	free(d);
}
