/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckmanifest_json.c - the text form of a manifest */
#include "config.h"

#include "ckmanifest.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "ckmachine.h"
#include "cleanup.h"
#include "fields.h"
#include "hex.h"
#include "text.h"

/* 9999-12-31 */
#define SECONDS_MAX 253402300799

/* "%" and two digits for what is not printable ASCII. */
#define ESCAPED_SIZE (3 * VOL_CKPATH_SIZE)

static bool plain(char c)
{
	return c != '%' && vol_char_printable((unsigned char)c);
}

static json_t *path_encode(const void *member)
{
	const char *path = member;
	char text[ESCAPED_SIZE];
	size_t len = 0;

	for (; *path; path++) {
		if (plain(*path)) {
			text[len++] = *path;
			continue;
		}
		text[len++] = '%';
		vol_hex_encode((const uint8_t *)path, 1, text + len);
		len += 2;
	}
	return json_stringn(text, len);
}

/* Bytes of text, or SIZE_MAX. */
static size_t unescape(const char *text, size_t len, char *path, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char pair[3] = "";
		uint8_t byte = (uint8_t)text[i];

		if (text[i] == '%') {
			if (len - i < 3)
				return SIZE_MAX;
			memcpy(pair, text + i + 1, 2);
			if (!vol_hex_decode(pair, &byte, 1) ||
			    plain((char)byte))
				return SIZE_MAX;
			i += 2;
		} else if (!plain(text[i])) {
			return SIZE_MAX;
		}
		if (n == size)
			return SIZE_MAX;
		path[n++] = (char)byte;
	}
	return n;
}

static int path_decode(const json_t *json, void *member, struct vol_error *err)
{
	char path[VOL_CKPATH_SIZE];
	size_t len = 0;

	if (json_is_string(json))
		len = unescape(json_string_value(json),
			       json_string_length(json), path, sizeof(path));
	if (len == SIZE_MAX || !vol_ckpath_valid_n(path, len))
		return vol_field_mismatch("a normal absolute path", json, err);
	memcpy(member, path, len);
	memset((char *)member + len, 0, VOL_CKPATH_SIZE - len);
	return 0;
}

static json_t *digest_encode(const void *member)
{
	char text[2 * VOL_SHA256_BYTES + 1];

	vol_hex_encode(member, VOL_SHA256_BYTES, text);
	return json_string(text);
}

static int digest_decode(const json_t *json, void *member,
			 struct vol_error *err)
{
	if (!vol_hex_decode(json_string_value(json), member, VOL_SHA256_BYTES))
		return vol_field_mismatch("64 digits", json, err);
	return 0;
}

static int cpu_decode(const json_t *json, void *member, struct vol_error *err)
{
	struct vol_ckcpu cpu = {.bit = {0}};

	if (!json_is_array(json))
		return vol_field_mismatch("an array", json, err);
	for (size_t i = 0; i < json_array_size(json); i++) {
		const json_t *name = json_array_get(json, i);

		if (!json_is_string(name) ||
		    strlen(json_string_value(name)) !=
			    json_string_length(name) ||
		    !vol_ckcpu_add(&cpu, json_string_value(name)))
			return vol_field_mismatch("a CPU feature", name, err);
	}
	memcpy(member, &cpu, sizeof(cpu));
	return 0;
}

static json_t *build_encode(const void *member)
{
	const struct vol_ckmapped_file *file = member;
	char text[2 * VOL_CKBUILD_SIZE + 1] = "";

	vol_hex_encode(file->build, file->n_build, text);
	return json_string(text);
}

static int build_decode(const json_t *json, void *member, struct vol_error *err)
{
	struct vol_ckmapped_file *file = member;
	size_t n = json_string_length(json) / 2;

	if (!json_is_string(json) || n > VOL_CKBUILD_SIZE ||
	    (n > 0 && !vol_hex_decode(json_string_value(json), file->build, n)))
		return vol_field_mismatch("a build id", json, err);
	file->n_build = (uint32_t)n;
	return 0;
}

static bool arch_valid(const char *text)
{
	return *text;
}

static bool boot_valid(const char *text)
{
	for (int i = 0; i < VOL_CKBOOT_SIZE - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-'
			 : !text[i] || !strchr("0123456789abcdef", text[i]))
			return false;
	}
	return true;
}

#define FILE_AT(_name) .name = #_name, VOL_FIELD_AT(struct vol_ckfile, _name)
static const struct vol_field file_fields[] = {
	{FILE_AT(name), .kind = VOL_FIELD_TEXT, .charset = "-./"},
	{FILE_AT(bytes), .kind = VOL_FIELD_UINT, .max = VOL_CKBYTES_MAX},
};

#define OUT_AT(_name) .name = #_name, VOL_FIELD_AT(struct vol_ckoutput, _name)
static const struct vol_field output_fields[] = {
	{OUT_AT(path), .kind = VOL_FIELD_OTHER, .encode = path_encode,
	 .decode = path_decode},
	{OUT_AT(bytes), .kind = VOL_FIELD_UINT, .max = INT64_MAX},
};

static const char *const kinds[] = {
	[VOL_CKPLACE_EXTERNAL] = "external",
	[VOL_CKPLACE_TMPFS] = "tmpfs",
	[VOL_CKPLACE_PROC] = "proc",
	[VOL_CKPLACE_DEVPTS] = "devpts",
};

#define PLACE_AT(_name) .name = #_name, VOL_FIELD_AT(struct vol_ckplace, _name)
static const struct vol_field place_fields[] = {
	{PLACE_AT(target), .kind = VOL_FIELD_OTHER, .encode = path_encode,
	 .decode = path_decode},
	{PLACE_AT(kind), .kind = VOL_FIELD_ENUM, .names = kinds,
	 .max = VOL_CKPLACE_DEVPTS},
	{PLACE_AT(key), .kind = VOL_FIELD_TEXT, .charset = ""},
	{PLACE_AT(flags), .kind = VOL_FIELD_UINT, .max = VOL_CKPLACE_FLAGS},
};

#define MAP_AT(_name) \
	.name = #_name, VOL_FIELD_AT(struct vol_ckmapped_file, _name)
static const struct vol_field mapped_fields[] = {
	{MAP_AT(path), .kind = VOL_FIELD_OTHER, .encode = path_encode,
	 .decode = path_decode},
	{MAP_AT(bytes), .kind = VOL_FIELD_UINT, .max = INT64_MAX},
	/* Two members. */
	{.name = "build",
	 .kind = VOL_FIELD_OTHER,
	 .encode = build_encode,
	 .decode = build_decode},
};

#define N(fields) (sizeof(fields) / sizeof((fields)[0]))

static json_t *list_encode(const void *item, size_t n, size_t size,
			   const struct vol_field *fields, size_t n_fields)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < n; i++)
		if (json_array_append_new(
			    list, vol_fields_encode(fields, n_fields,
						    (const char *)item +
							    i * size)) < 0) {
			json_decref(list);
			list = NULL;
		}
	if (!list)
		errno = ENOMEM;
	return list;
}

/* The next one of a list into item, which is zeroed; behind the one before
 * it. */
static int item_decode(const json_t *list, size_t i, const char *last,
		       void *item, const struct vol_field *fields, size_t n,
		       struct vol_error *err)
{
	/* All of these structures begin with their name. */
	const char *name = item;

	if (vol_fields_decode(json_array_get(list, i), fields, n, item, err) <
	    0)
		return vol_error_prefix(err, "entry %zu", i + 1);
	if (last && strcmp(last, name) >= 0)
		return vol_errorf_errno(err, EINVAL,
					"entry %zu: not behind the one before "
					"it",
					i + 1);
	return 0;
}

static int check_list(const json_t *list, size_t max, struct vol_error *err)
{
	if (!json_is_array(list))
		return vol_field_mismatch("an array", list, err);
	if (json_array_size(list) > max)
		return vol_errorf_errno(err, EINVAL, "%zu entries, at most %zu",
					json_array_size(list), max);
	return 0;
}

static json_t *files_encode(const void *member)
{
	const struct vol_ckmanifest *m = member;

	return list_encode(m->file, m->n_files, sizeof(*m->file), file_fields,
			   N(file_fields));
}

static int files_decode(const json_t *list, void *member, struct vol_error *err)
{
	struct vol_ckmanifest *m = member;

	if (check_list(list, VOL_CKFILES_MAX, err) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct vol_ckfile item = {.bytes = 0};
		const char *last = i ? m->file[i - 1].name : NULL;

		if (item_decode(list, i, last, &item, file_fields,
				N(file_fields), err) < 0 ||
		    vol_ckmanifest_add_file(m, &item, err) < 0)
			return -1;
	}
	return 0;
}

static json_t *outputs_encode(const void *member)
{
	const struct vol_ckmanifest *m = member;

	return list_encode(m->output, m->n_outputs, sizeof(*m->output),
			   output_fields, N(output_fields));
}

static int outputs_decode(const json_t *list, void *member,
			  struct vol_error *err)
{
	struct vol_ckmanifest *m = member;

	if (check_list(list, VOL_CKOUTPUTS_MAX, err) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct vol_ckoutput item = {.bytes = 0};
		const char *last = i ? m->output[i - 1].path : NULL;

		if (item_decode(list, i, last, &item, output_fields,
				N(output_fields), err) < 0 ||
		    vol_ckmanifest_add_output(m, &item, err) < 0)
			return -1;
	}
	return 0;
}

static json_t *places_encode(const void *member)
{
	const struct vol_ckplaces *p = member;

	return list_encode(p->place, p->n, sizeof(*p->place), place_fields,
			   N(place_fields));
}

static int places_decode(const json_t *list, void *member,
			 struct vol_error *err)
{
	struct vol_ckplaces *p = member;

	if (check_list(list, VOL_CKPLACES_MAX, err) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct vol_ckplace item = {.kind = 0};
		const char *last = i ? p->place[i - 1].target : NULL;

		if (item_decode(list, i, last, &item, place_fields,
				N(place_fields), err) < 0 ||
		    vol_ckplaces_add(p, &item, err) < 0)
			return -1;
	}
	return 0;
}

static json_t *mapped_encode(const void *member)
{
	const struct vol_ckmapped *p = member;

	return list_encode(p->file, p->n, sizeof(*p->file), mapped_fields,
			   N(mapped_fields));
}

static int mapped_decode(const json_t *list, void *member,
			 struct vol_error *err)
{
	struct vol_ckmapped *p = member;

	if (check_list(list, VOL_CKMAPPED_MAX, err) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct vol_ckmapped_file item = {.bytes = 0};
		const char *last = i ? p->file[i - 1].path : NULL;

		if (item_decode(list, i, last, &item, mapped_fields,
				N(mapped_fields), err) < 0 ||
		    vol_ckmapped_add(p, &item, err) < 0)
			return -1;
	}
	return 0;
}

#define AT(_member) VOL_FIELD_AT(struct vol_ckmanifest, _member)
#define UINT(_name, _min, _max)                                    \
	{                                                          \
		.name = #_name, .kind = VOL_FIELD_UINT, AT(_name), \
		.min = _min, .max = _max                           \
	}
#define DIGEST(_name)                                               \
	{                                                           \
		.name = #_name, .kind = VOL_FIELD_OTHER, AT(_name), \
		.encode = digest_encode, .decode = digest_decode    \
	}
/* Handed over whole: a number and a list. */
#define LIST(_name)                                                \
	{                                                          \
		.name = #_name, .kind = VOL_FIELD_OTHER,           \
		.encode = _name##_encode, .decode = _name##_decode \
	}

static const struct vol_field fields[] = {
	UINT(job, 1, UINT32_MAX),
	UINT(step, 0, UINT32_MAX),
	UINT(restarts, 0, UINT32_MAX),
	UINT(sequence, 1, UINT32_MAX),
	{.name = "cluster",
	 .kind = VOL_FIELD_TEXT,
	 AT(cluster),
	 .charset = "-_",
	 .valid = vol_cluster_name_valid},
	DIGEST(previous),
	{.name = "cause",
	 .kind = VOL_FIELD_ENUM,
	 AT(cause),
	 .names = vol_ckcause_names,
	 .max = VOL_CKCAUSE_ASKED},
	UINT(when, 1, SECONDS_MAX),
	{.name = "node",
	 .kind = VOL_FIELD_TEXT,
	 AT(node),
	 .charset = "-",
	 .valid = vol_node_name_valid},
	{.name = "device",
	 .kind = VOL_FIELD_TEXT,
	 AT(device),
	 .charset = "",
	 .valid = vol_device_id_valid},
	{.name = "boot",
	 .kind = VOL_FIELD_TEXT,
	 AT(boot),
	 .charset = "-",
	 .valid = boot_valid},
	{.name = "arch",
	 .kind = VOL_FIELD_TEXT,
	 AT(machine.arch),
	 .charset = "_",
	 .valid = arch_valid},
	{.name = "kernel", .kind = VOL_FIELD_TEXT, AT(machine.kernel)},
	{.name = "criu",
	 .kind = VOL_FIELD_UINT,
	 AT(machine.criu),
	 .max = 999999},
	{.name = "runtime",
	 .kind = VOL_FIELD_TEXT,
	 AT(machine.runtime),
	 .charset = ""},
	{.name = "cpu",
	 .kind = VOL_FIELD_OTHER,
	 AT(machine.cpu),
	 .encode = vol_ckmachine_encode_cpu,
	 .decode = cpu_decode},
	UINT(uid, 1, UINT32_MAX - 1),
	UINT(gid, 0, UINT32_MAX - 1),
	UINT(id_base, 0, UINT32_MAX),
	DIGEST(filter),
	UINT(processes, 0, UINT32_MAX),
	UINT(memory, 0, VOL_CKBYTES_MAX),
	{.name = "places",
	 .kind = VOL_FIELD_OTHER,
	 AT(places),
	 .encode = places_encode,
	 .decode = places_decode},
	{.name = "mapped",
	 .kind = VOL_FIELD_OTHER,
	 AT(mapped),
	 .encode = mapped_encode,
	 .decode = mapped_decode},
	LIST(outputs),
	LIST(files),
};

static json_t *pack(const struct vol_ckmanifest *m)
{
	json_t *root = vol_fields_encode(fields, N(fields), m);

	if (root &&
	    json_object_set_new(root, "version",
				json_integer(VOL_CKMANIFEST_VERSION)) < 0) {
		json_decref(root);
		errno = ENOMEM;
		return NULL;
	}
	return root;
}

static char *write_text(const struct vol_ckmanifest *m, size_t *len)
{
	json_t *root = pack(m);
	char *text =
		root ? json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	json_decref(root);
	if (text)
		*len = strlen(text);
	return text;
}

static int read_json(const char *text, size_t len, json_t *root,
		     struct vol_ckmanifest *m, struct vol_error *err)
{
	const json_t *version = json_object_get(root, "version");
	cleanup_free char *again = NULL;
	size_t n = 0;

	if (!json_is_integer(version) ||
	    json_integer_value(version) != VOL_CKMANIFEST_VERSION)
		return vol_errorf_errno(err, EBADMSG,
					"version: want %d, the only one known",
					VOL_CKMANIFEST_VERSION);
	json_object_del(root, "version");
	if (vol_fields_decode(root, fields, N(fields), m, err) < 0)
		return -1;
	again = write_text(m, &n);
	if (!again)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	if (n != len || memcmp(again, text, n) != 0)
		return vol_errorf_errno(err, EBADMSG,
					"not in the form in which it is "
					"written");
	return 0;
}

int vol_ckmanifest_decode(const char *text, size_t len,
			  struct vol_ckmanifest *m, struct vol_error *err)
{
	char excerpt[VOL_EXCERPT_SIZE];
	json_error_t error;
	json_t *root;
	int rc;

	if (len > VOL_CKMANIFEST_MAX)
		return vol_errorf_errno(err, EFBIG,
					"a manifest of %zu bytes, at most %u",
					len, VOL_CKMANIFEST_MAX);
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!root && json_error_code(&error) == json_error_out_of_memory)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	if (!json_is_object(root)) {
		vol_text_excerpt(error.text, root ? 0 : strlen(error.text),
				 excerpt);
		json_decref(root);
		return vol_errorf_errno(err, EBADMSG, "no JSON object: %s",
					excerpt);
	}
	rc = read_json(text, len, root, m, err);
	json_decref(root);
	if (rc == 0)
		return 0;
	if (errno != ENOMEM)
		errno = EBADMSG;
	vol_ckmanifest_clear(m);
	return -1;
}

static int order_files(const void *a, const void *b)
{
	const struct vol_ckfile *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int order_outputs(const void *a, const void *b)
{
	const struct vol_ckoutput *x = a, *y = b;

	return strcmp(x->path, y->path);
}

char *vol_ckmanifest_encode(struct vol_ckmanifest *m, size_t *len,
			    struct vol_error *err)
{
	struct vol_ckmanifest check = VOL_CKMANIFEST_INIT;
	cleanup_free char *text = NULL;

	if (m->n_files)
		qsort(m->file, m->n_files, sizeof(*m->file), order_files);
	if (m->n_outputs)
		qsort(m->output, m->n_outputs, sizeof(*m->output),
		      order_outputs);
	errno = ENOMEM;
	text = write_text(m, len);
	if (!text) {
		vol_errorf(err, errno == ENOMEM ? "out of memory"
						: "a manifest that can not be");
		return NULL;
	}
	/* The reader knows what is right. */
	if (vol_ckmanifest_decode(text, *len, &check, err) < 0) {
		errno = errno == EBADMSG ? EINVAL : errno;
		return NULL;
	}
	vol_ckmanifest_clear(&check);
	return steal_ptr(&text);
}
