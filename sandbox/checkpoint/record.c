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
	FILES,
	FOLDER,
	BEGAN,
	GOES_ON,
	MOMENT,
	UNLISTED,
	OUTPUT,
	MOUNT,
	ENTRY,
	KEYS
};

#define N(names) (sizeof(names) / sizeof((names)[0]))

static const char *const keys[] = {
	"version", "job",     "step",   "uid",      "gid",    "batch", "asked",
	"base",    "network", "pid1",   "start",    "script", "files", "folder",
	"began",   "goes_on", "moment", "unlisted", "output", "mount", "entry"};

static const char *const hows[] = {
	[VOL_ROLLBACK_STAT] = "stat",   [VOL_ROLLBACK_SUM] = "sum",
	[VOL_ROLLBACK_COPY] = "copy",   [VOL_ROLLBACK_FOLDER] = "folder",
	[VOL_ROLLBACK_LINK] = "link",   [VOL_ROLLBACK_TARGET] = "target",
	[VOL_ROLLBACK_OTHER] = "other",
};

static const char *const openeds[] = {
	[VOL_ROLLBACK_CLOSED] = "closed",
	[VOL_ROLLBACK_APPEND] = "append",
	[VOL_ROLLBACK_WRITE] = "write",
};

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

static int take_name(const char *const *names, size_t n, const char *value,
		     size_t len, int *to)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(names[i]) == len &&
		    memcmp(names[i], value, len) == 0) {
			*to = (int)i;
			return 0;
		}
	errno = EINVAL;
	return -1;
}

/* The next word of a value, and the space behind it; NULL: none. */
static const char *take_field(const char **value, size_t *len, size_t *n)
{
	const char *at = *value, *space = memchr(at, ' ', *len);

	if (!space)
		return NULL;
	*n = (size_t)(space - at);
	*value += *n + 1;
	*len -= *n + 1;
	return at;
}

static int take_numbers(const char **value, size_t *len, uint64_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t size;
		const char *at = take_field(value, len, &size);

		if (!at ||
		    vol_text_number(at, size, 0, UINT64_MAX, &to[i]) != 0)
			return -1;
	}
	return 0;
}

static int take_entry(struct vol_record *r, const char *value, size_t len)
{
	struct vol_rollback_entry *e = &r->entry[r->entries];
	uint64_t n[5]; /* mode, length, mtime, ctime, sum */
	const char *how, *opened;
	size_t how_len, opened_len;

	if (r->entries == VOL_ROLLBACK_MAX ||
	    !(how = take_field(&value, &len, &how_len)) ||
	    !(opened = take_field(&value, &len, &opened_len)) ||
	    take_name(hows, N(hows), how, how_len, &e->how) != 0 ||
	    take_name(openeds, N(openeds), opened, opened_len, &e->opened) !=
		    0 ||
	    take_numbers(&value, &len, n, 5) != 0 || n[0] > 07777 ||
	    n[1] > INT64_MAX || n[2] > INT64_MAX || n[3] > INT64_MAX ||
	    !vol_ckpath_valid_n(value, len)) {
		errno = EINVAL;
		return -1;
	}
	e->mode = (uint32_t)n[0];
	e->length = n[1];
	e->mtime_ns = n[2];
	e->ctime_ns = n[3];
	e->sum = n[4];
	memcpy(e->path, value, len);
	e->path[len] = '\0';
	r->entries++;
	return 0;
}

static int take_bool(const char *value, size_t len, bool *to)
{
	static const char *const words[] = {"no", "yes"};
	int n;

	if (take_name(words, N(words), value, len, &n) != 0)
		return -1;
	*to = n;
	return 0;
}

static int take_files(const char *value, size_t len, int *to)
{
	char word[16];

	return take_text(value, len, word, sizeof(word)) == 0
		       ? vol_rollback_mode_parse(word, to, NULL)
		       : -1;
}

static int take_folder(struct vol_record *r, const char *value, size_t len)
{
	if (len > 0 && !vol_ckpath_valid_n(value, len)) {
		errno = EINVAL;
		return -1;
	}
	return take_text(value, len, r->folder, sizeof(r->folder));
}

/* What there is to know of files. */
static int take_rollback(struct vol_record *r, enum key key, const char *value,
			 size_t len)
{
	switch (key) {
	case FILES:
		return take_files(value, len, &r->files);
	case FOLDER:
		return take_folder(r, value, len);
	case BEGAN:
		return vol_text_number(value, len, 0, INT64_MAX, &r->began_s);
	case GOES_ON:
		return take_bool(value, len, &r->goes_on);
	case MOMENT:
		return vol_text_number(value, len, 0, INT64_MAX, &r->moment_ns);
	case UNLISTED:
		return take_text(value, len, r->unlisted, sizeof(r->unlisted));
	default:
		return take_entry(r, value, len);
	}
}

static int take_word(struct vol_record *r, enum key key, const char *value,
		     size_t len)
{
	char word[16];
	uint64_t n;

	switch (key) {
	case VERSION:
		return len == 1 && value[0] == '2' ? 0 : -1;
	case BATCH:
		return take_bool(value, len, &r->batch);
	case NETWORK:
		return take_text(value, len, word, sizeof(word)) == 0
			       ? vol_network_parse(word, &r->network, NULL)
			       : -1;
	case PID1:
		if (vol_text_number(value, len, 1, INT_MAX, &n) != 0)
			return -1;
		r->pid1 = (pid_t)n;
		return 0;
	case START:
		return vol_text_number(value, len, 0, INT64_MAX, &r->start);
	default:
		return take_rollback(r, key, value, len);
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

	record->outputs = record->mounts = record->entries = 0;
	return vol_keyvalue_parse(&format, name, text, len, record, err);
}

static void print_entry(FILE *to, const struct vol_rollback_entry *e)
{
	fprintf(to,
		"entry=%s %s %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64
		" %" PRIu64 " %s\n",
		hows[e->how], openeds[e->opened], e->mode, e->length,
		e->mtime_ns, e->ctime_ns, e->sum, e->path);
}

static void print(FILE *to, const struct vol_record *r)
{
	fprintf(to,
		"version=2\njob=%" PRIu32 "\nstep=%" PRIu32 "\nuid=%" PRIu32
		"\ngid=%" PRIu32 "\nbatch=%s\nasked=%s\nbase=%" PRIu32
		"\nnetwork=%s\npid1=%d\nstart=%" PRIu64 "\nscript=%s\n",
		r->job, r->step, r->uid, r->gid, r->batch ? "yes" : "no",
		r->asked, r->base, vol_network_name(r->network), (int)r->pid1,
		r->start, r->script);
	fprintf(to,
		"files=%s\nfolder=%s\nbegan=%" PRIu64
		"\ngoes_on=%s\nmoment=%" PRIu64 "\nunlisted=%s\n",
		vol_rollback_mode_name(r->files), r->folder, r->began_s,
		r->goes_on ? "yes" : "no", r->moment_ns, r->unlisted);
	for (size_t i = 0; i < r->outputs; i++)
		fprintf(to, "output=%" PRIu64 " %s\n", r->output[i].length,
			r->output[i].path);
	for (size_t i = 0; i < r->mounts; i++)
		fprintf(to, "mount=%s\n", r->mount[i]);
	for (size_t i = 0; i < r->entries; i++)
		print_entry(to, &r->entry[i]);
}

static bool has_newline(const struct vol_record *r)
{
	for (size_t i = 0; i < r->outputs; i++)
		if (strchr(r->output[i].path, '\n'))
			return true;
	for (size_t i = 0; i < r->mounts; i++)
		if (strchr(r->mount[i], '\n'))
			return true;
	for (size_t i = 0; i < r->entries; i++)
		if (strchr(r->entry[i].path, '\n'))
			return true;
	return strchr(r->asked, '\n') || strchr(r->script, '\n') ||
	       strchr(r->folder, '\n') || strchr(r->unlisted, '\n');
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
