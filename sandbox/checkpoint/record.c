/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record.c - the text of a record (checkpoint.h); pure */
#include "config.h"

#include "../checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keyvalue.h"
#include "text.h"

enum key {
	VERSION,
	JOB,
	STEP,
	UID,
	GID,
	BATCH,
	ASKED,
	BASE,
	NETWORK,
	PID1,
	START,
	SCRIPT,
	OUTPUT,
	MOUNT,
	KEYS
};

static const char *const keys[] = {"version", "job",   "step",  "uid",
				   "gid",     "batch", "asked", "base",
				   "network", "pid1",  "start", "script",
				   "output",  "mount"};

static int take_text(const char *value, size_t len, char *to, size_t size)
{
	if (len >= size || memchr(value, '\0', len)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(to, value, len);
	to[len] = '\0';
	return 0;
}

static int take_u32(const char *value, size_t len, uint32_t *to)
{
	uint64_t n;

	if (vol_text_number(value, len, 0, UINT32_MAX, &n) != 0)
		return -1;
	*to = (uint32_t)n;
	return 0;
}

static int take_path(const char *value, size_t len, char *to, size_t size)
{
	if (take_text(value, len, to, size) != 0)
		return -1;
	if (to[0] != '/' || strstr(to, "/../")) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

static int take_output(struct vol_record *r, const char *value, size_t len)
{
	const char *space = memchr(value, ' ', len);
	struct vol_record_output *o = &r->output[r->outputs];
	size_t n = space ? (size_t)(space - value) : 0;

	if (r->outputs == VOL_RECORD_OUTPUTS || !space ||
	    vol_text_number(value, n, 0, INT64_MAX, &o->length) != 0 ||
	    take_path(space + 1, len - n - 1, o->path, sizeof(o->path)) != 0) {
		errno = EINVAL;
		return -1;
	}
	r->outputs++;
	return 0;
}

static int take_mount(struct vol_record *r, const char *value, size_t len)
{
	if (r->mounts == VOL_RECORD_MOUNTS_MAX ||
	    take_path(value, len, r->mount[r->mounts], sizeof(r->mount[0])) !=
		    0) {
		errno = EINVAL;
		return -1;
	}
	r->mounts++;
	return 0;
}

static int take_word(struct vol_record *r, enum key key, const char *value,
		     size_t len)
{
	char word[16];
	uint64_t n;

	switch (key) {
	case VERSION:
		return len == 1 && value[0] == '1' ? 0 : -1;
	case BATCH:
		if (take_text(value, len, word, sizeof(word)) != 0)
			return -1;
		r->batch = strcmp(word, "yes") == 0;
		return r->batch || strcmp(word, "no") == 0 ? 0 : -1;
	case NETWORK:
		return take_text(value, len, word, sizeof(word)) == 0
			       ? vol_network_parse(word, &r->network, NULL)
			       : -1;
	case PID1:
		if (vol_text_number(value, len, 1, INT_MAX, &n) != 0)
			return -1;
		r->pid1 = (pid_t)n;
		return 0;
	default:
		return vol_text_number(value, len, 0, INT64_MAX, &r->start);
	}
}

static int take_key(struct vol_record *r, enum key key, const char *value,
		    size_t len)
{
	switch (key) {
	case JOB:
		return take_u32(value, len, &r->job);
	case STEP:
		return take_u32(value, len, &r->step);
	case UID:
		return take_u32(value, len, &r->uid);
	case GID:
		return take_u32(value, len, &r->gid);
	case BASE:
		return take_u32(value, len, &r->base);
	case ASKED:
		return take_text(value, len, r->asked, sizeof(r->asked));
	case SCRIPT:
		return take_text(value, len, r->script, sizeof(r->script));
	case OUTPUT:
		return take_output(r, value, len);
	case MOUNT:
		return take_mount(r, value, len);
	default:
		return take_word(r, key, value, len);
	}
}

static int take(int key, const char *value, size_t len, void *arg,
		struct vol_error *err)
{
	char shown[VOL_EXCERPT_SIZE];

	if (take_key(arg, (enum key)key, value, len) != 0)
		return vol_errorf(err, "not %s",
				  vol_text_excerpt(value, len, shown));
	return 0;
}

int vol_record_parse(const char *name, const char *text, size_t len,
		     struct vol_record *record, struct vol_error *err)
{
	const struct vol_keyvalue format = {.keys = keys,
					    .n = KEYS,
					    .once = OUTPUT,
					    .max = VOL_RECORD_MAX,
					    .take = take};

	record->outputs = record->mounts = 0;
	return vol_keyvalue_parse(&format, name, text, len, record, err);
}

static void print(FILE *to, const struct vol_record *r)
{
	fprintf(to,
		"version=1\njob=%" PRIu32 "\nstep=%" PRIu32 "\nuid=%" PRIu32
		"\ngid=%" PRIu32 "\nbatch=%s\nasked=%s\nbase=%" PRIu32
		"\nnetwork=%s\npid1=%d\nstart=%" PRIu64 "\nscript=%s\n",
		r->job, r->step, r->uid, r->gid, r->batch ? "yes" : "no",
		r->asked, r->base, vol_network_name(r->network), (int)r->pid1,
		r->start, r->script);
	for (size_t i = 0; i < r->outputs; i++)
		fprintf(to, "output=%" PRIu64 " %s\n", r->output[i].length,
			r->output[i].path);
	for (size_t i = 0; i < r->mounts; i++)
		fprintf(to, "mount=%s\n", r->mount[i]);
}

static bool has_newline(const struct vol_record *r)
{
	for (size_t i = 0; i < r->outputs; i++)
		if (strchr(r->output[i].path, '\n'))
			return true;
	for (size_t i = 0; i < r->mounts; i++)
		if (strchr(r->mount[i], '\n'))
			return true;
	return strchr(r->asked, '\n') || strchr(r->script, '\n');
}

char *vol_record_format(const struct vol_record *r, struct vol_error *err)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to;

	if (has_newline(r)) {
		vol_errorf_errno(err, EINVAL, "a path with a newline in it");
		return NULL;
	}
	to = open_memstream(&text, &size);
	if (to)
		print(to, r);
	if (!to || fclose(to) != 0) {
		free(text);
		vol_errorf_errno(err, ENOMEM, "record: %s", strerror(ENOMEM));
		return NULL;
	}
	return text;
}
