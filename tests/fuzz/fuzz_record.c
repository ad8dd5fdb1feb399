/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_record.c - any text as the record of a saved step
 *
 * What is accepted has absolute paths without "..", and is the same when it is
 * written and read again.  What is then taken for the files of a program that
 * saves itself is in the folders that a job has for itself, and fits.
 */
#include "config.h"

#include "ckfiles.h"
#include "fuzz.h"
#include "sandbox/checkpoint.h"

static void check_path(const char *path, size_t size)
{
	fuzz_assert(strnlen(path, size) < size);
	fuzz_assert(path[0] == '/' && !strstr(path, "/../"));
	fuzz_assert(!strchr(path, '\n'));
}

#define ROOM (UINT64_C(1) << 40)

static void check_files(const struct vol_record *r)
{
	uint64_t bytes = 0;

	if (vol_ckfiles_check(r->entry, r->entries, ROOM, NULL) != 0)
		return;
	for (size_t i = 0; i < r->entries; i++) {
		const struct vol_rollback_entry *e = &r->entry[i];

		fuzz_assert(strncmp(e->path, "/tmp/", 5) == 0 ||
			    strncmp(e->path, "/var/tmp/", 9) == 0 ||
			    strncmp(e->path, "/home/", 6) == 0);
		fuzz_assert(!strstr(e->path, "/../"));
		fuzz_assert((e->mode & ~0777u) == 0);
		bytes += e->length;
		for (size_t k = 0; k < i; k++)
			fuzz_assert(strcmp(e->path, r->entry[k].path) != 0);
	}
	fuzz_assert(bytes <= ROOM);
}

static void check(const struct vol_record *r, struct vol_record *again)
{
	char *text = vol_record_format(r, NULL);

	fuzz_assert(text);
	fuzz_assert(r->outputs <= VOL_RECORD_OUTPUTS);
	fuzz_assert(r->mounts <= VOL_RECORD_MOUNTS_MAX);
	for (size_t i = 0; i < r->outputs; i++)
		check_path(r->output[i].path, sizeof(r->output[i].path));
	for (size_t i = 0; i < r->mounts; i++)
		check_path(r->mount[i], sizeof(r->mount[i]));
	fuzz_assert(r->entries <= VOL_ROLLBACK_MAX);
	for (size_t i = 0; i < r->entries; i++)
		check_path(r->entry[i].path, sizeof(r->entry[i].path));
	if (strlen(text) <= VOL_RECORD_MAX) {
		fuzz_assert(vol_record_parse("r", text, strlen(text), again,
					     NULL) == 0);
		fuzz_assert(again->job == r->job && again->pid1 == r->pid1 &&
			    again->start == r->start &&
			    again->mounts == r->mounts &&
			    again->outputs == r->outputs &&
			    again->entries == r->entries &&
			    again->moment_ns == r->moment_ns);
		for (size_t i = 0; i < r->entries; i++)
			fuzz_assert(strcmp(again->entry[i].path,
					   r->entry[i].path) == 0 &&
				    again->entry[i].how == r->entry[i].how &&
				    again->entry[i].sum == r->entry[i].sum);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vol_record *r = calloc(1, sizeof(*r));
	struct vol_record *again = calloc(1, sizeof(*again));
	struct vol_error err = {""};

	fuzz_assert(r && again);
	if (vol_record_parse("r", (const char *)data, size, r, &err) == 0) {
		check_files(r);
		check(r, again);
	} else {
		fuzz_assert(strncmp(err.text, "r:", 2) == 0);
	}
	free(again);
	free(r);
	return 0;
}
