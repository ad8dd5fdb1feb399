/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_record.c - the record of a step that can be saved */
#include "config.h"

#include "sandbox/checkpoint.h"

#include <errno.h>

#include "vtest.h"

#define HEAD                                                                 \
	"version=1\njob=7\nstep=4294967291\nuid=1000\ngid=1001\nbatch=yes\n" \
	"asked=10m\nbase=1879048192\nnetwork=lan\npid1=4711\nstart=99\n"
#define SCRIPT "script=/var/spool/script\n"
#define MORE   "output=12 /campaign/a b\nmount=/usr\nmount=/campaign\n"

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
	/* Read into the same, it is not longer. */
	assert_int_equal(parse(HEAD "script=\n", r, NULL), 0);
	assert_int_equal(r->mounts + r->outputs, 0);
}

static const struct {
	const char *text, *error;
} bad[] = {
	{"", "r: version: missing"},
	{HEAD, "r: script: missing"},
	{HEAD HEAD, "given twice"},
	{"version=2\n", "version: not \"2\""},
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
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(good, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(
			names_with_a_newline_are_not_written, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
