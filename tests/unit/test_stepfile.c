/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_stepfile.c - step files and /proc/self/cgroup */
#include "config.h"

#include "stepfile.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vtest.h"

#define V "version=1\n"
#define J "job=7\n"
#define S "step=4294967291\n"
#define U "uid=1000\n"
#define D "stepd=4711\n"
#define C "cgroup=/system.slice/slurmstepd.scope/job_7/step_0\n"
#define T "tasks=4\n"
#define B "born=1\n"
#define A "account=physics\n"
#define W "save=1\n"
#define E "every=600\n"
#define R "restarts=3\n"
#define N "signal=15\n"

static int parse(const char *text, struct vol_step *step, struct vol_error *err)
{
	return vol_step_parse("7.0", text, strlen(text), step, err);
}

static void test_good(void **state)
{
	struct vol_error err = {""};
	struct vol_step step;

	(void)state;
	assert_int_equal(parse(V J S U D C T B A W E R N, &step, &err), 0);
	assert_int_equal(step.job, 7);
	assert_int_equal(step.step, 4294967291);
	assert_int_equal(step.uid, 1000);
	assert_int_equal(step.stepd, 4711);
	assert_string_equal(step.cgroup,
			    "/system.slice/slurmstepd.scope/job_7/step_0");
	assert_int_equal(step.tasks, 4);
	assert_true(step.born);
	assert_string_equal(step.account, "physics");
	assert_true(step.save);
	assert_int_equal(step.every_s, 600);
	assert_int_equal(step.restarts, 3);
	assert_int_equal(step.signal, 15);
	assert_int_equal(parse(N R E W A B T C D U S J V, &step, &err), 0);
	assert_int_equal(parse(V J "step=0\nuid=0\nstepd=1\ncgroup=/a=b c\n"
				   "tasks=0\nborn=0\naccount=\nsave=0\n"
				   "every=0\nrestarts=0\nsignal=0\n",
			       &step, &err),
			 0);
	assert_string_equal(step.cgroup, "/a=b c");
	assert_int_equal(step.tasks, 0);
	assert_false(step.born);
	assert_string_equal(step.account, "");
	assert_false(step.save);
	assert_int_equal(step.every_s, 0);
	assert_int_equal(step.restarts, 0);
	assert_int_equal(step.signal, 0);
}

static const struct {
	const char *text, *error;
} bad[] = {
	{"", "7.0: version: missing"},
	{"\n", "7.0:1: unknown key \"\""},
	{V J S U D T B A W E R N, "cgroup: missing"},
	{J S U D C T B A W E R N, "version: missing"},
	{V S U D C T B A W E R N, "job: missing"},
	{V J U D C T B A W E R N, "step: missing"},
	{V J S D C T B A W E R N, "uid: missing"},
	{V J S U C T B A W E R N, "stepd: missing"},
	{V J S U D C B A W E R N, "tasks: missing"},
	{V J S U D C T A W E R N, "born: missing"},
	{V J S U D C T B W E R N, "account: missing"},
	{V J S U D C T B A E R N, "save: missing"},
	{V J S U D C T B A W R N, "every: missing"},
	{V J S U D C T B A W E N, "restarts: missing"},
	{V J S U D C T B A W E R, "signal: missing"},
	{V V, "7.0:2: version: given twice"},
	{"version=2\n", "version: \"2\""},
	{"version\n", "no value"},
	{"version=1", "7.0:1: line without its end"},
	{V J S U D "cgroup=/a", "7.0:6: line without its end"},
	{V "\n", "7.0:2: unknown key \"\""},
	{V "color=red\n", "unknown key \"color\""},
	{V "JOB=7\n", "unknown key \"JOB\""},
	{V " job=7\n", "unknown key"},
	{V "job =7\n", "unknown key"},
	{V "#\n", "unknown key"},
	{"version=1\r\n", "version"},
	{"job=\n", "job: \"\" is not a number"},
	{"job=0\n", "job"},
	{"job=-1\n", "job"},
	{"job=+1\n", "job"},
	{"job= 1\n", "job"},
	{"job=1 \n", "job"},
	{"job=007\n", "job"},
	{"job=0x7\n", "job"},
	{"job=7.0\n", "job"},
	{"job=4294967296\n", "job"},
	{"job=18446744073709551616\n", "job"},
	{"step=4294967296\n", "step"},
	{"uid=4294967295\n", "uid"},
	{"stepd=0\n", "stepd"},
	{"stepd=2147483648\n", "stepd"},
	{"cgroup=\n", "absolute"},
	{"cgroup=/\n", "absolute"},
	{"cgroup=a/b\n", "absolute"},
	{"cgroup=/..\n", "component"},
	{"cgroup=/../a\n", "component"},
	{"cgroup=/a/../b\n", "component"},
	{"cgroup=/a/..\n", "component"},
	{"cgroup=/a/./b\n", "component"},
	{"cgroup=//a\n", "component"},
	{"cgroup=/a//b\n", "component"},
	{"cgroup=/a/\n", "component"},
	{"cgroup=/a\tb\n", "forbidden"},
	{"cgroup=/a\x7f\n", "forbidden"},
	{"cgroup=/a\x1b[2J\n", "forbidden"},
	{"tasks=\n", "tasks: \"\" is not a number"},
	{"tasks=-1\n", "tasks"},
	{"tasks=4294967296\n", "tasks"},
	{"born=2\n", "born"},
	{"born=yes\n", "born"},
	{"save=2\n", "save"},
	{"save=on-evict\n", "save"},
	{"every=10m\n", "every"},
	{"every=4294967296\n", "every"},
	{"restarts=-1\n", "restarts"},
	{"signal=-1\n", "signal"},
	{"signal=32\n", "signal"},
	{"signal=TERM\n", "signal"},
	{"restarts=4294967296\n", "restarts"},
	{"account\n", "no value"},
	{"account=a b\n", "forbidden"},
	{"account=a\tb\n", "forbidden"},
	{"account=\x1b[2J\n", "forbidden"},
	{"account=\xc3\xa4\n", "forbidden"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		struct vol_error err = {""};
		struct vol_step step, before;

		memset(&step, 0x5a, sizeof(step));
		before = step;
		errno = 0;
		if (parse(bad[i].text, &step, &err) != -1 || errno != EINVAL ||
		    !strstr(err.text, bad[i].error) ||
		    strncmp(err.text, "7.0:", 4) != 0)
			fail_msg("%zu: errno %d, text \"%s\", want \"%s\"", i,
				 errno, err.text, bad[i].error);
		assert_memory_equal(&step, &before, sizeof(step));
	}
}

static void test_sizes(void **state)
{
	char path[VOL_CGROUP_SIZE + 1], *text = malloc(65536);
	struct vol_error err;
	struct vol_step step;

	(void)state;
	assert_non_null(text);
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[VOL_CGROUP_SIZE - 1] = '\0';
	sprintf(text, V J S U D T B A W E R N "cgroup=%s\n", path);
	assert_int_equal(parse(text, &step, &err), 0);
	assert_string_equal(step.cgroup, path);
	path[VOL_CGROUP_SIZE - 1] = 'a';
	path[VOL_CGROUP_SIZE] = '\0';
	sprintf(text, V J S U D "cgroup=%s\n", path);
	assert_int_equal(parse(text, &step, &err), -1);
	assert_non_null(strstr(err.text, "too long"));
	memset(text, 'a', 65536);
	assert_int_equal(vol_step_parse("7.0", text, 65536, &step, &err), -1);
	assert_non_null(strstr(err.text, "65536 bytes"));
	assert_int_equal(vol_step_parse("7.0", V J S U D "cgroup=/a\0b\n",
					sizeof(V J S U D "cgroup=/a\0b\n") - 1,
					&step, &err),
			 -1);
	assert_non_null(strstr(err.text, "forbidden"));
	assert_int_equal(vol_step_parse("7.0", NULL, 0, &step, NULL), -1);
	free(text);
}

static void test_account_size(void **state)
{
	char account[VOL_ACCOUNT_SIZE + 1], text[1024];
	struct vol_error err;
	struct vol_step step;

	(void)state;
	memset(account, 'a', sizeof(account));
	account[VOL_ACCOUNT_SIZE - 1] = '\0';
	sprintf(text, V J S U D C T B W E R N "account=%s\n", account);
	assert_int_equal(parse(text, &step, &err), 0);
	assert_string_equal(step.account, account);
	account[VOL_ACCOUNT_SIZE - 1] = 'a';
	account[VOL_ACCOUNT_SIZE] = '\0';
	sprintf(text, V J S U D C T B W E R N "account=%s\n", account);
	assert_int_equal(parse(text, &step, &err), -1);
	assert_contains(err.text, "too long");
}

static void test_format(void **state)
{
	struct vol_step step = {UINT32_MAX, UINT32_MAX, UINT32_MAX - 1,
				INT_MAX,    "/a/b",     UINT32_MAX,
				true,       "physics",  true,
				600,        UINT32_MAX, 31};
	struct vol_step back;
	char buf[VOL_STEPFILE_MAX];
	int len;

	(void)state;
	len = vol_step_format(&step, buf, sizeof(buf));
	assert_int_equal(len, strlen(buf));
	assert_int_equal(parse(buf, &back, NULL), 0);
	assert_int_equal(back.job, UINT32_MAX);
	assert_int_equal(back.uid, UINT32_MAX - 1);
	assert_int_equal(back.stepd, INT_MAX);
	assert_string_equal(back.cgroup, step.cgroup);
	assert_int_equal(back.tasks, UINT32_MAX);
	assert_true(back.born);
	assert_string_equal(back.account, "physics");
	assert_true(back.save);
	assert_int_equal(back.every_s, 600);
	assert_int_equal(back.restarts, UINT32_MAX);
	assert_int_equal(back.signal, 31);
	assert_int_equal(vol_step_format(&step, buf, (size_t)len), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(vol_step_format(&step, buf, (size_t)len + 1), len);
	assert_int_equal(vol_step_format(&step, NULL, 0), -1);
	strcpy(step.cgroup, "/a\nuid=0");
	assert_int_equal(vol_step_format(&step, buf, sizeof(buf)), -1);
	assert_int_equal(errno, EINVAL);
	strcpy(step.cgroup, "/a");
	strcpy(step.account, "a b");
	assert_int_equal(vol_step_format(&step, buf, sizeof(buf)), -1);
	assert_int_equal(errno, EINVAL);
}

static const struct {
	const char *text, *cgroup;
	int errnum;
} proc[] = {
	{"0::/system.slice/x.scope/job_7/step_0/slurm\n",
	 "/system.slice/x.scope/job_7/step_0", 0},
	{"0::/a/b", "/a", 0},
	{"12:cpu,cpuacct:/x\n1:name=systemd:/y\n0::/a/b/slurm\n", "/a/b", 0},
	{"0::/a/b\n10:memory:/c/d/e\n", "/a", 0},
	{"10:x:/0::/no\n0::/a/b\n", "/a", 0},
	{"0::/system.slice/pc-1_slurmstepd.scope/s9AXM7/step_batch/slurm\n",
	 "/system.slice/pc-1_slurmstepd.scope/s9AXM7/step_batch", 0},
	{"", NULL, ENOENT},
	{"\n", NULL, ENOENT},
	{"4:memory:/a/b\n", NULL, ENOENT},
	{"10::/a/b\n", NULL, ENOENT},
	{"0:", NULL, ENOENT},
	{"0::", NULL, EINVAL},
	{"0::\n", NULL, EINVAL},
	{"0::/\n", NULL, EINVAL},
	{"0::/slurm\n", NULL, EINVAL},
	{"0::relative/slurm\n", NULL, EINVAL},
	{"0::/../other/slurm\n", NULL, EINVAL},
	{"0::/a/../b/slurm\n", NULL, EINVAL},
	{"0::/a\x01/slurm\n", NULL, EINVAL},
};

static void test_cgroup(void **state)
{
	struct vol_error err;
	char buf[VOL_CGROUP_SIZE];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(proc); i++) {
		int rc;

		strcpy(buf, "untouched");
		errno = 0;
		rc = vol_step_cgroup(proc[i].text, buf, sizeof(buf), &err);
		if (errno != proc[i].errnum || rc != (errno ? -1 : 0))
			fail_msg("%zu: rc %d, errno %d", i, rc, errno);
		assert_string_equal(buf, rc ? "untouched" : proc[i].cgroup);
	}
	assert_int_equal(vol_step_cgroup("0::/abc/d\n", buf, 4, &err), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(vol_step_cgroup("0::/abc/d\n", buf, 5, &err), 0);
	assert_string_equal(buf, "/abc");
	assert_int_equal(vol_step_cgroup(NULL, buf, sizeof(buf), NULL), -1);
	assert_int_equal(errno, ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_account_size),
		cmocka_unit_test(test_cgroup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
