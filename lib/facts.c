/* SPDX-License-Identifier: GPL-2.0-or-later */
/* facts.c - what a device offers to the cluster, and its wire and Slurm forms
 */
#include "config.h"

#include "facts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fields.h"
#include "text.h"

/* What every node of ours carries; the NodeSet picks nodes by it. */
#define OWN_FEATURE "volunteer"

/* 2^30 MB are a pebibyte, and Slurm's own fields hold them. */
#define MB_MAX (UINT64_C(1) << 30)

static bool feature_char(char c)
{
	return !(c >= 'A' && c <= 'Z') && vol_char_in((unsigned char)c, "_.-");
}

static bool feature_valid(const char *feature)
{
	for (const char *p = feature; *p; p++) {
		if (!feature_char(*p))
			return false;
	}
	return *feature && strcmp(feature, OWN_FEATURE) != 0;
}

static bool has_feature(const struct vol_facts *f, const char *feature)
{
	for (size_t i = 0; i < f->n_features; i++) {
		if (strcmp(f->feature[i], feature) == 0)
			return true;
	}
	return false;
}

static json_t *features_encode(const void *member)
{
	const struct vol_facts *f = member;
	json_t *list = json_array();

	for (size_t i = 0; list && i < f->n_features; i++) {
		if (json_array_append_new(list, json_string(f->feature[i])) <
		    0) {
			json_decref(list);
			list = NULL;
		}
	}
	if (!list)
		errno = ENOMEM;
	return list;
}

static int features_decode(const json_t *json, void *member,
			   struct vol_error *err)
{
	static const struct vol_field item = {
		.kind = VOL_FIELD_TEXT,
		.size = VOL_FACTS_FEATURE_SIZE,
		.valid = feature_valid,
	};
	struct vol_facts *f = member;
	size_t n = json_array_size(json);

	if (!json_is_array(json))
		return vol_field_mismatch("an array", json, err);
	if (n > VOL_FACTS_FEATURES)
		return vol_errorf_errno(err, EINVAL, "%zu entries, at most %d",
					n, VOL_FACTS_FEATURES);
	f->n_features = 0;
	memset(f->feature, 0, sizeof(f->feature));
	for (size_t i = 0; i < n; i++) {
		char *text = f->feature[i];

		if (vol_field_text(json_array_get(json, i), &item, text, err))
			return vol_error_prefix(err, "entry %zu", i + 1);
		if (has_feature(f, text))
			return vol_errorf_errno(err, EINVAL,
						"\"%s\" given twice", text);
		f->n_features++;
	}
	return 0;
}

#define COUNT(_name, _min, _max)                                     \
	{                                                            \
		.name = #_name, .kind = VOL_FIELD_UINT, .min = _min, \
		.max = _max, VOL_FIELD_AT(struct vol_facts, _name)   \
	}

static const struct vol_field fields[] = {
	COUNT(sockets, 1, 64),
	COUNT(cores_per_socket, 1, 1024),
	COUNT(threads_per_core, 1, 16),
	COUNT(memory_mb, 1, MB_MAX),
	COUNT(scratch_mb, 0, MB_MAX),
	COUNT(gpus, 0, 64),
	/* Two members of the structure, so it is handed over whole. */
	{
		.name = "features",
		.kind = VOL_FIELD_OTHER,
		.encode = features_encode,
		.decode = features_decode,
	},
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

uint32_t vol_facts_cpus(const struct vol_facts *f)
{
	return f->sockets * f->cores_per_socket * f->threads_per_core;
}

int vol_facts_add_feature(struct vol_facts *f, const char *feature)
{
	char text[VOL_FACTS_FEATURE_SIZE] = "";

	if (!feature || !*feature) {
		errno = EINVAL;
		return -1;
	}
	for (size_t i = 0; i < sizeof(text) - 1 && feature[i]; i++)
		text[i] = feature_char(feature[i]) ? feature[i] : '_';
	if (strcmp(text, OWN_FEATURE) == 0 || has_feature(f, text))
		return 0;
	if (f->n_features >= VOL_FACTS_FEATURES) {
		errno = ENOSPC;
		return -1;
	}
	memcpy(f->feature[f->n_features++], text, sizeof(text));
	return 0;
}

json_t *vol_facts_to_json(const struct vol_facts *f)
{
	return vol_fields_encode(fields, N_FIELDS, f);
}

int vol_facts_from_json(const json_t *json, struct vol_facts *f,
			struct vol_error *err)
{
	struct vol_facts facts = {0};

	if (vol_fields_decode(json, fields, N_FIELDS, &facts, err) < 0)
		return -1;
	if (vol_facts_cpus(&facts) > VOL_FACTS_CPUS)
		return vol_errorf_errno(err, EINVAL,
					"%" PRIu32 " CPUs, at most %d",
					vol_facts_cpus(&facts), VOL_FACTS_CPUS);
	*f = facts;
	return 0;
}

/* Append to a text of *len bytes; -1 with ENOSPC when it does not fit. */
static int __attribute__((format(printf, 4, 5)))
append(char *buf, size_t size, size_t *len, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(*len < size ? buf + *len : NULL,
		      *len < size ? size - *len : 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= size - *len) {
		errno = ENOSPC;
		return -1;
	}
	*len += (size_t)n;
	return 0;
}

int vol_facts_features(const struct vol_facts *f, char *buf, size_t size)
{
	size_t len = 0;

	if (append(buf, size, &len, "%s", OWN_FEATURE) < 0)
		return -1;
	for (size_t i = 0; i < f->n_features; i++) {
		if (append(buf, size, &len, ",%s", f->feature[i]) < 0)
			return -1;
	}
	return 0;
}

int vol_facts_conf(const struct vol_facts *f, char *buf, size_t size)
{
	size_t len = 0;

	if (append(buf, size, &len,
		   "Sockets=%" PRIu32 " CoresPerSocket=%" PRIu32
		   " ThreadsPerCore=%" PRIu32 " RealMemory=%" PRIu64,
		   f->sockets, f->cores_per_socket, f->threads_per_core,
		   f->memory_mb) < 0)
		return -1;
	if (f->scratch_mb &&
	    append(buf, size, &len, " TmpDisk=%" PRIu64, f->scratch_mb) < 0)
		return -1;
	if (f->gpus &&
	    append(buf, size, &len, " Gres=gpu:%" PRIu32, f->gpus) < 0)
		return -1;
	if (append(buf, size, &len, " Feature=") < 0)
		return -1;
	return vol_facts_features(f, buf + len, size - len);
}

bool vol_facts_equal(const struct vol_facts *a, const struct vol_facts *b)
{
	if (a->sockets != b->sockets ||
	    a->cores_per_socket != b->cores_per_socket ||
	    a->threads_per_core != b->threads_per_core ||
	    a->memory_mb != b->memory_mb || a->scratch_mb != b->scratch_mb ||
	    a->gpus != b->gpus || a->n_features != b->n_features)
		return false;
	/* Both are sets, so one direction is enough. */
	for (size_t i = 0; i < a->n_features; i++) {
		if (!has_feature(b, a->feature[i]))
			return false;
	}
	return true;
}
