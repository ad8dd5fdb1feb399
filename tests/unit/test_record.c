/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_record.c - the record of a step that can be saved */
#include "config.h"

#include "sandbox/checkpoint.h"

#include <errno.h>

#include "vtest.h"

#define HEAD                                                                 \
	"version=2\njob=7\nstep=4294967291\nuid=1000\ngid=1001\nbatch=yes\n" \
	"asked=10m\nbase=1879048192\nnetwork=lan\npid1=4711\nstart=99\n"
#define FILES(folder)                                           \
	"files=own\nfolder=" folder "\nbegan=17\ngoes_on=yes\n" \
	"moment=18000000001\nunlisted=\n"
#define SCRIPT "script=/var/spool/script\n" FILES("/campaign/a b")
#define MORE   "output=12 /campaign/a b\nmount=/usr\nmount=/campaign\n"
#define ENTRIES                                                                \
	"entry=copy write 420 12 99000000001 99000000002 77 /campaign/a/f g\n" \
	"entry=folder closed 493 0 0 0 0 /campaign/a/d\n"                      \
	"entry=sum append 4095 9223372036854775807 9223372036854775807 1 "     \
	"18446744073709551615 /campaign/a/l\n"

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct vol_record));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static int parse(const char *text, struct vol_record *r, struct vol_error *err)
{
	return vol_record_parse("r", text, strlen(text), r, err);
}

static void good(void **state)
{
	struct vol_record *r = *state;
	char *text;

	assert_int_equal(parse(HEAD SCRIPT MORE, r, NULL), 0);
	assert_int_equal(r->job, 7);
	assert_int_equal(r->step, 4294967291);
	assert_int_equal(r->uid, 1000);
	assert_int_equal(r->gid, 1001);
	assert_true(r->batch);
	assert_string_equal(r->asked, "10m");
	assert_int_equal(r->base, 1879048192);
	assert_int_equal(r->network, VOL_NETWORK_LAN);
	assert_int_equal(r->pid1, 4711);
	assert_int_equal(r->start, 99);
	assert_int_equal(r->outputs, 1);
	assert_int_equal(r->output[0].length, 12);
	assert_string_equal(r->output[0].path, "/campaign/a b");
	assert_int_equal(r->mounts, 2);
	assert_string_equal(r->mount[1], "/campaign");
	text = vol_record_format(r, NULL);
	assert_string_equal(text, HEAD SCRIPT MORE);
	free(text);
	assert_int_equal(r->entries, 0);
	assert_int_equal(r->files, VOL_ROLLBACK_OWN);
	assert_string_equal(r->folder, "/campaign/a b");
	assert_int_equal(r->began_s, 17);
	assert_true(r->goes_on);
	assert_int_equal(r->moment_ns, 18000000001);
	assert_string_equal(r->unlisted, "");
}

static void with_files(void **state)
{
	struct vol_record *r = *state;
	char *text;

	assert_int_equal(parse(HEAD SCRIPT MORE ENTRIES, r, NULL), 0);
	assert_int_equal(r->entries, 3);
	assert_int_equal(r->entry[0].how, VOL_ROLLBACK_COPY);
	assert_int_equal(r->entry[0].opened, VOL_ROLLBACK_WRITE);
	assert_int_equal(r->entry[0].mode, 0644);
	assert_int_equal(r->entry[0].length, 12);
	assert_int_equal(r->entry[0].mtime_ns, 99000000001);
	assert_int_equal(r->entry[0].ctime_ns, 99000000002);
	assert_int_equal(r->entry[0].sum, 77);
	assert_string_equal(r->entry[0].path, "/campaign/a/f g");
	assert_int_equal(r->entry[1].how, VOL_ROLLBACK_FOLDER);
	assert_int_equal(r->entry[2].opened, VOL_ROLLBACK_APPEND);
	assert_int_equal(r->entry[2].sum, UINT64_MAX);
	text = vol_record_format(r, NULL);
	assert_string_equal(text, HEAD SCRIPT MORE ENTRIES);
	free(text);
	/* Read into the same, it is not longer. */
	assert_int_equal(parse(HEAD "script=\n" FILES(""), r, NULL), 0);
	assert_int_equal(r->mounts + r->outputs + r->entries, 0);
	assert_string_equal(r->folder, "");
}

static void it_holds_so_many_files(void **state)
{
	struct vol_record *r = *state;
	struct vol_error err;
	char *text;

	assert_int_equal(parse(HEAD SCRIPT MORE, r, NULL), 0);
	r->entries = VOL_ROLLBACK_MAX;
	for (size_t i = 0; i < r->entries; i++) {
		struct vol_rollback_entry *e = &r->entry[i];

		*e = (struct vol_rollback_entry){.how = VOL_ROLLBACK_FOLDER,
						 .opened = VOL_ROLLBACK_APPEND,
						 .mode = 07777,
						 .length = INT64_MAX,
						 .mtime_ns = INT64_MAX,
						 .ctime_ns = INT64_MAX,
						 .sum = UINT64_MAX};
		memset(e->path, 'x', sizeof(e->path) - 1);
		e->path[0] = '/';
	}
	text = vol_record_format(r, NULL);
	assert_true(strlen(text) + sizeof(r->mount) + sizeof(r->output) <
		    VOL_RECORD_MAX);
	assert_int_equal(parse(text, r, NULL), 0);
	assert_int_equal(r->entries, VOL_ROLLBACK_MAX);
	text = realloc(text, strlen(text) + sizeof(ENTRIES));
	strcat(text, ENTRIES);
	assert_int_equal(parse(text, r, &err), -1);
	assert_non_null(strstr(err.text, "entry: not"));
	free(text);
}

static const struct {
	const char *text, *error;
} bad[] = {
	{"", "r: version: missing"},
	{HEAD, "r: script: missing"},
	{HEAD "script=\n", "r: files: missing"},
	{HEAD HEAD, "given twice"},
	{"version=1\n", "version: not \"1\""},
	{"version=3\n", "version: not \"3\""},
	{"job=4294967296\n", "job: not"},
	{"uid=-1\n", "uid: not"},
	{"batch=maybe\n", "batch: not"},
	{"network=all\n", "network: not"},
	{"pid1=0\n", "pid1: not"},
	{"start=\n", "start: not"},
	{"output=/campaign/out\n", "output: not"},
	{"output=-1 /campaign/out\n", "output: not"},
	{"output=1 out\n", "output: not"},
	{"output=1 /a\noutput=1 /b\noutput=1 /c\n", "r:3: output: not"},
	{"mount=usr\n", "mount: not"},
	{"mount=/usr/../etc\n", "mount: not"},
	{"mount=\n", "mount: not"},
	{"files=all\n", "files: not"},
	{"files=\n", "files: not"},
	{"folder=campaign\n", "folder: not"},
	{"folder=/campaign/..\n", "folder: not"},
	{"goes_on=maybe\n", "goes_on: not"},
	{"moment=-1\n", "moment: not"},
	{"entry=\n", "entry: not"},
	{"entry=stat closed 0 0 0 0 0\n", "entry: not"},
	{"entry=stat closed 0 0 0 0 0 \n", "entry: not"},
	{"entry=stat closed 0 0 0 0 0 f\n", "entry: not"},
	{"entry=stat closed 0 0 0 0 0 /a/../f\n", "entry: not"},
	{"entry=stat closed 0 0 0 0 0 /a/\n", "entry: not"},
	{"entry=stat closed 4096 0 0 0 0 /f\n", "entry: not"},
	{"entry=stat closed 0 9223372036854775808 0 0 0 /f\n", "entry: not"},
	{"entry=stat closed 0 0 9223372036854775808 0 0 /f\n", "entry: not"},
	{"entry=stat closed 0 0 0 -1 0 /f\n", "entry: not"},
	{"entry=stat closed 0 0 0 0 18446744073709551616 /f\n", "entry: not"},
	{"entry=stats closed 0 0 0 0 0 /f\n", "entry: not"},
	{"entry=stat open 0 0 0 0 0 /f\n", "entry: not"},
	{"root=/\n", "unknown key"},
	{"job=7", "line without its end"},
};

static void wrong(void **state)
{
	struct vol_error err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		errno = 0;
		if (parse(bad[i].text, *state, &err) != -1 || errno != EINVAL)
			fail_msg("%s: taken", bad[i].text);
		if (!strstr(err.text, bad[i].error))
			fail_msg("%s: %s", bad[i].text, err.text);
	}
}

static void names_with_a_newline_are_not_written(void **state)
{
	struct vol_record *r = *state;
	struct vol_error err;

	assert_int_equal(parse(HEAD SCRIPT MORE, r, NULL), 0);
	strcpy(r->mount[0], "/a\nbatch=no");
	assert_null(vol_record_format(r, &err));
	assert_non_null(strstr(err.text, "newline"));
	assert_int_equal(parse(HEAD SCRIPT MORE ENTRIES, r, NULL), 0);
	strcpy(r->entry[1].path, "/a\nbatch=no");
	assert_null(vol_record_format(r, &err));
	assert_int_equal(parse(HEAD SCRIPT MORE, r, NULL), 0);
	strcpy(r->unlisted, "a\nbatch=no");
	assert_null(vol_record_format(r, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(good, setup, teardown),
		cmocka_unit_test_setup_teardown(with_files, setup, teardown),
		cmocka_unit_test_setup_teardown(it_holds_so_many_files, setup,
						teardown),
		cmocka_unit_test_setup_teardown(wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(
			names_with_a_newline_are_not_written, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
