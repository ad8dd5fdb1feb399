/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_srunline.c - command lines of srun: what is taken, what becomes of it */
#include "config.h"

#include "srunline.h"

#include <errno.h>
#include <string.h>

#include "vtest.h"

#define WORDS_MAX 16
#define JOB       42

#define TAIL "--jobid=42", "--chdir=/work", "--"

static const struct {
	const char *argv[WORDS_MAX];
	const char *built[WORDS_MAX];
} good[] = {
	{{"srun"}, {"srun", TAIL}},
	{{"/usr/bin/srun", "hostname"}, {"srun", TAIL, "hostname"}},
	{{"srun", "-n2", "-l", "hostname", "-f"},
	 {"srun", "--ntasks=2", "--label", TAIL, "hostname", "-f"}},
	{{"srun", "-n", "2", "x"}, {"srun", "--ntasks=2", TAIL, "x"}},
	{{"srun", "-lvn2", "x"},
	 {"srun", "--label", "--verbose", "--ntasks=2", TAIL, "x"}},
	{{"srun", "-ln", "2", "x"},
	 {"srun", "--label", "--ntasks=2", TAIL, "x"}},
	{{"srun", "--ntasks=2", "x"}, {"srun", "--ntasks=2", TAIL, "x"}},
	{{"srun", "--ntasks", "2", "x"}, {"srun", "--ntasks=2", TAIL, "x"}},
	{{"srun", "--", "-n2"}, {"srun", TAIL, "-n2"}},
	{{"srun", "--", "--", "x"}, {"srun", TAIL, "--", "x"}},
	{{"srun", "-"}, {"srun", TAIL, "-"}},
	{{"srun", "", "x"}, {"srun", TAIL, "", "x"}},
	/* What is behind the program is the program's. */
	{{"srun", "x", "--prolog=/evil", "--uid=0"},
	 {"srun", TAIL, "x", "--prolog=/evil", "--uid=0"}},
	{{"srun", "x", "a:b", "::", " :"},
	 {"srun", TAIL, "x", "a:b", "::", " :"}},
	/* A value may look like an option: getopt_long takes it. */
	{{"srun", "--comment", "--prolog=/evil", "x"},
	 {"srun", "--comment=--prolog=/evil", TAIL, "x"}},
	{{"srun", "-J", "-n", "x"}, {"srun", "--job-name=-n", TAIL, "x"}},
	/* Optional values are taken with "=" or at the letter only. */
	{{"srun", "--exclusive", "x"}, {"srun", "--exclusive", TAIL, "x"}},
	{{"srun", "--exclusive=user", "x"},
	 {"srun", "--exclusive=user", TAIL, "x"}},
	{{"srun", "-K", "0"}, {"srun", "--kill-on-bad-exit", TAIL, "0"}},
	{{"srun", "-K1", "x"}, {"srun", "--kill-on-bad-exit=1", TAIL, "x"}},
	{{"srun", "-I60", "x"}, {"srun", "--immediate=60", TAIL, "x"}},
	{{"srun", "--jobid=42", "x"}, {"srun", TAIL, "x"}},
	{{"srun", "--jobid", "42", "x"}, {"srun", TAIL, "x"}},
	{{"srun", "--export=ALL,A=1,B=x y", "x"}, {"srun", TAIL, "x"}},
	{{"srun", "-D", "/tmp", "x"},
	 {"srun", "--jobid=42", "--chdir=/tmp", "--", "x"}},
	{{"srun", "--chdir=sub/dir", "x"},
	 {"srun", "--jobid=42", "--chdir=/work/sub/dir", "--", "x"}},
	{{"srun", "-w", "desk[1-2],desk4", "x"},
	 {"srun", "--nodelist=desk[1-2],desk4", TAIL, "x"}},
	{{"srun", "--cpu-bind=verbose,map_cpu:0,1", "x"},
	 {"srun", "--cpu-bind=verbose,map_cpu:0,1", TAIL, "x"}},
	{{"srun", "-m", "plane=4", "--mem=1G", "-t", "1-00:00:00", "x"},
	 {"srun", "--distribution=plane=4", "--mem=1G", "--time=1-00:00:00",
	  TAIL, "x"}},
	{{"srun", "--mpi=pmix_v4", "x"}, {"srun", "--mpi=pmix_v4", TAIL, "x"}},
	{{"srun", "--job-name=\xc3\xa4 b", "x"},
	 {"srun", "--job-name=\xc3\xa4 b", TAIL, "x"}},
	/* Files: ours go away, Slurm's stay. */
	{{"srun", "-o", "out", "-e", "err", "-i", "in", "x"},
	 {"srun", TAIL, "x"}},
	{{"srun", "-o", "out-%j", "x"}, {"srun", TAIL, "x"}},
	{{"srun", "--output=o-%t", "--error=e-%2t", "-inone", "x"},
	 {"srun", "--input=none", "--output=o-%t", "--error=e-%2t", TAIL, "x"}},
	{{"srun", "-i0", "-o", "all", "-e", "-", "x"},
	 {"srun", "--input=0", "--output=all", "--error=-", TAIL, "x"}},
	{{"srun", "-o", "o.%j.%N", "x"},
	 {"srun", "--output=o.%j.%N", TAIL, "x"}},
	{{"srun", "-o", "100%%t", "x"}, {"srun", TAIL, "x"}},
	{{"srun", "--open-mode=append", "-o", "out", "x"},
	 {"srun", "--open-mode=append", TAIL, "x"}},
	{{"srun", "--version"}, {"srun", "--version", TAIL}},
	{{"srun", "--volunteer-info", "x"},
	 {"srun", "--volunteer-info", TAIL, "x"}},
};

static char **parse_and_build(const char *const *argv)
{
	struct vol_error err = {""};
	struct vol_srunline line;
	char **built;

	if (vol_srunline_parse((char *const *)argv, JOB, &line, &err) < 0)
		fail_msg("%s %s: %s", argv[0], argv[1], err.text);
	built = vol_srunline_build(&line, JOB, "/work", NULL, &err);
	assert_non_null(built);
	vol_srunline_release(&line);
	return built;
}

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(good); i++) {
		char **built = parse_and_build(good[i].argv);
		size_t n = 0;

		for (; built[n] && good[i].built[n]; n++)
			if (strcmp(built[n], good[i].built[n]) != 0)
				fail_msg("%zu, word %zu: \"%s\", want \"%s\"",
					 i, n, built[n], good[i].built[n]);
		if (built[n] || good[i].built[n])
			fail_msg("%zu: %zu words", i, n);
		free(built);
	}
}

static void test_export(void **state)
{
	static char *argv[] = {"srun", "--export=A=/x,ALL", "x", NULL};
	struct vol_srunline line;
	char **built;

	(void)state;
	assert_int_equal(vol_srunline_parse(argv, JOB, &line, NULL), 0);
	built = vol_srunline_build(&line, JOB, "/work", "VOLENV_A", NULL);
	assert_non_null(built);
	assert_string_equal(built[1], "--export=VOLENV_A");
	assert_non_null(strstr(built[2], "--jobid="));
	vol_srunline_release(&line);
	free(built);
}

#define NOT_VALUE "not a value that works"
#define IN_FULL   "must be written in full"

static const struct {
	const char *argv[WORDS_MAX];
	const char *error;
} bad[] = {
	{{"srun", "--prolog=/x", "y"}, "--prolog does not work"},
	{{"srun", "--prolog", "/x", "y"}, "outside of the sandbox"},
	{{"srun", "--epilog=/x", "y"}, "--epilog does not work"},
	{{"srun", "--task-epilog=/x", "y"}, "--task-epilog does not work"},
	{{"srun", "--task-prolog=/x", "y"}, "have the program run it"},
	{{"srun", "--bcast", "y"}, "--bcast does not work"},
	{{"srun", "--bcast=/home/ann/.bashrc", "y"}, "--bcast does not work"},
	{{"srun", "--send-libs=yes", "y"}, "--send-libs"},
	{{"srun", "--multi-prog", "f"}, "--multi-prog does not work"},
	{{"srun", "--uid=0", "y"}, "--uid does not work"},
	{{"srun", "--gid=0", "y"}, "--gid does not work"},
	{{"srun", "--x11", "y"}, "there is no display"},
	{{"srun", "--clusters=c", "y"}, "--clusters"},
	{{"srun", "-M", "c", "y"}, "option -\"M\""},
	{{"srun", "-Z", "y"}, "option -\"Z\""},
	{{"srun", "-F", "/etc/shadow", "y"}, "option -\"F\""},
	{{"srun", "-E", "y"}, "option -\"E\""},
	{{"srun", "-lE", "y"}, "option -\"E\""},
	{{"srun", "--bbf=/etc/shadow", "y"}, "--bbf"},
	{{"srun", "--container=/x", "y"}, "--container"},
	{{"srun", "--het-group=0,1", "y"}, "heterogeneous"},
	{{"srun", "--prol=/x", "y"}, IN_FULL},
	{{"srun", "--prolo=/x", "y"}, IN_FULL},
	{{"srun", "--out=x", "y"}, IN_FULL},
	{{"srun", "--nt=2", "y"}, IN_FULL},
	{{"srun", "--Prolog=/x", "y"}, IN_FULL},
	{{"srun", "--=x", "y"}, IN_FULL},
	{{"srun", "---", "y"}, IN_FULL},
	{{"srun", "--ntasks =2", "y"}, IN_FULL},
	{{"srun", "--\x1b[2J", "y"}, IN_FULL},
	{{"srun", "-\x1b", "y"}, "option -\"?\""},
	{{"srun", "-?", "y"}, "option -\"?\""},
	{{"srun", "-n2", "--prolog=/x", "y"}, "--prolog"},
	/* Another component of a heterogeneous step, with options of its own.
	 */
	{{"srun", "y", ":", "--prolog=/x", "z"}, "\":\""},
	{{"srun", "--", "y", ":", "--prolog=/x", "z"}, "\":\""},
	{{"srun", ":", "--prolog=/x", "z"}, "\":\""},
	{{"srun", "y", ":"}, "\":\""},
	/* Values. */
	{{"srun", "--jobid=43", "y"}, "only steps of this job, 42"},
	{{"srun", "--jobid=042", "y"}, "only steps of this job"},
	{{"srun", "--jobid=42.0", "y"}, NOT_VALUE},
	{{"srun", "--jobid=", "y"}, NOT_VALUE},
	{{"srun", "--jobid=42_1", "y"}, NOT_VALUE},
	{{"srun", "--nodelist=/etc/shadow", "y"}, NOT_VALUE},
	{{"srun", "--nodelist=./x", "y"}, NOT_VALUE},
	{{"srun", "-w../x", "y"}, NOT_VALUE},
	{{"srun", "--exclude=/etc/shadow", "y"}, NOT_VALUE},
	{{"srun", "--mpi=../evil", "y"}, NOT_VALUE},
	{{"srun", "--mpi=pmi2.so", "y"}, NOT_VALUE},
	{{"srun", "--mpi=", "y"}, NOT_VALUE},
	{{"srun", "--mem=/x", "y"}, NOT_VALUE},
	{{"srun", "-n", "2 --uid=0", "y"}, NOT_VALUE},
	{{"srun", "--job-name=a\nb", "y"}, NOT_VALUE},
	{{"srun", "-o", "a\nb", "y"}, NOT_VALUE},
	{{"srun", "-o", "a\\%t", "y"}, "backslash"},
	{{"srun", "--open-mode=other", "y"}, NOT_VALUE},
	{{"srun", "--wait=x", "y"}, NOT_VALUE},
	{{"srun", "--label=x", "y"}, "takes no value"},
	{{"srun", "--label=", "y"}, "takes no value"},
	{{"srun", "--pty=/etc/shadow", "y"}, "takes no value"},
	{{"srun", "--exclusive=", "y"}, NOT_VALUE},
	{{"srun", "--ntasks"}, "--ntasks needs a value"},
	{{"srun", "-n"}, "-n needs a value"},
	{{"srun", "-ln"}, "-n needs a value"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		struct vol_srunline line, before;
		struct vol_error err = {""};

		memset(&line, 0x5a, sizeof(line));
		before = line;
		errno = 0;
		if (vol_srunline_parse((char *const *)bad[i].argv, JOB, &line,
				       &err) != -1 ||
		    errno != EINVAL || !strstr(err.text, bad[i].error))
			fail_msg("%zu (%s): errno %d, text \"%s\", want \"%s\"",
				 i, bad[i].argv[1], errno, err.text,
				 bad[i].error);
		assert_printable(err.text);
		assert_memory_equal(&line, &before, sizeof(line));
	}
}

static void test_limits(void **state)
{
	static char *none[] = {NULL};
	struct vol_srunline line;
	struct vol_error err = {""};
	char many[4096], *argv[] = {"srun", many, NULL}, **built;

	(void)state;
	assert_int_equal(vol_srunline_parse(none, JOB, &line, &err), 0);
	assert_null(line.program[0]);
	vol_srunline_release(&line);
	vol_srunline_release(&line);
	/* Each letter is an option. */
	memset(many, 'v', sizeof(many));
	many[0] = '-';
	many[sizeof(many) - 1] = '\0';
	built = parse_and_build((const char *const *)argv);
	assert_string_equal(built[4094], "--verbose");
	assert_string_equal(built[4095], "--jobid=42");
	free(built);
}

static const struct {
	const char *name, *path;
	int errnum;
} files[] = {
	{"out", "out", 0},
	{"/a/b-%j", "/a/b-42", 0},
	{"%5j.%x", "00042.my job", 0},
	{"%A_%a-%b", "40_13-3", 0},
	{"%03a", "013", 0},
	{"100%%", "100%", 0},
	{"%%j", "%j", 0},
	{"%", "%", 0},
	{"%7", "%7", 0},
	{"%q%j", "%q42", 0},
	{"%99999999999j", "0000000042", 0},
	{"%J", NULL, EINVAL},
	{"a-%s", NULL, EINVAL},
	{"%j-%4s", NULL, EINVAL},
	{"0123456789012345678901234567890", "0123456789012345678901234567890",
	 0},
	{"01234567890123456789012345678901", NULL, ENAMETOOLONG},
	{"%x%x%x%x%x%x%x", NULL, ENAMETOOLONG},
};

static void test_files(void **state)
{
	static char *env[] = {"SLURM_JOB_ID=42", "SLURM_JOB_NAME=my job",
			      "SLURM_ARRAY_JOB_ID=40", "SLURM_ARRAY_TASK_ID=13",
			      NULL};
	static char *none[] = {NULL};
	struct vol_error err = {""};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(files); i++) {
		int rc;

		errno = 0;
		rc = vol_srunline_file(files[i].name, env, buf, sizeof(buf),
				       &err);
		if (rc != (files[i].path ? 0 : -1) ||
		    (rc && errno != files[i].errnum) ||
		    (!rc && strcmp(buf, files[i].path) != 0))
			fail_msg("%s: %d, \"%s\", %s", files[i].name, rc, buf,
				 err.text);
	}
	/* As srun: NO_VAL. */
	assert_int_equal(
		vol_srunline_file("%a%x", none, buf, sizeof(buf), &err), 0);
	assert_string_equal(buf, "4294967294");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),  cmocka_unit_test(test_export),
		cmocka_unit_test(test_bad),   cmocka_unit_test(test_limits),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
