/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_vbatch_args.c - which words are vbatch's, sbatch's and the script's */
#include "config.h"

#include "vtest.h"

#include <errno.h>

#include "wrappers/vbatch/args.h"
#include "wrappers/vbatch/header.h"
#include "wrappers/vbatch/limits.h"

#define WORDS_MAX 32

/* Cut a line at blanks into argv. */
static int split(char *line, char **argv)
{
	int argc = 0;

	for (char *w = strtok(line, " "); w && argc < WORDS_MAX;
	     w = strtok(NULL, " "))
		argv[argc++] = w;
	argv[argc] = NULL;
	return argc;
}

static void join(char *out, size_t size, const char *const *words, size_t n)
{
	out[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (i)
			strncat(out, " ", size - strlen(out) - 1);
		strncat(out, words[i], size - strlen(out) - 1);
	}
}

/* A plugin's flag and a plugin's option with an optional value. */
static enum vb_arg unknown(const char *name, size_t size, void *arg)
{
	static const char help[] = "  -h, --help  this\n"
				   "      --volunteer-flag   a flag\n"
				   "      --volunteer-opt[=x] maybe\n"
				   "      --volunteer-word=x  a word\n";

	(void)arg;
	return vb_option_in_help(help, name, size);
}

static void test_split(void **state)
{
	static const struct {
		const char *line, *sbatch, *script;
	} cases[] = {
		{"vbatch", "", ""},
		{"vbatch s", "", "s"},
		{"vbatch --matrix n=1 s --matrix n=2", "", "s --matrix n=2"},
		{"vbatch -p q --matrix n=1 -t 5 s a", "-p q -t 5", "s a"},
		{"vbatch -pq -Ht5 s", "-pq -Ht5", "s"},
		{"vbatch -Ht 5 s", "-Ht 5", "s"},
		{"vbatch -k s", "-k", "s"},
		{"vbatch -kfoo s", "-kfoo", "s"},
		{"vbatch -vvH -W s", "-vvH -W", "s"},
		{"vbatch --hold s", "--hold", "s"},
		{"vbatch --nice s", "--nice", "s"},
		{"vbatch --nice=5 s", "--nice=5", "s"},
		{"vbatch --exclusive s", "--exclusive", "s"},
		{"vbatch --get-user-env s", "--get-user-env", "s"},
		{"vbatch --time 5 s", "--time 5", "s"},
		{"vbatch --time=5 s", "--time=5", "s"},
		{"vbatch --ti 5 s", "--ti 5", "s"},
		{"vbatch --job n s", "--job n", "s"},
		{"vbatch --test s", "--test", "s"},
		{"vbatch --no-r s", "--no-r", "s"},
		{"vbatch --mem 5 s", "--mem 5", "s"},
		{"vbatch --volunteer-flag s", "--volunteer-flag", "s"},
		{"vbatch --volunteer-opt s", "--volunteer-opt", "s"},
		{"vbatch --volunteer-word s t", "--volunteer-word s", "t"},
		{"vbatch --later x s", "--later x", "s"},
		{"vbatch -H -- -s", "-H", "-s"},
		{"vbatch - s", "", "- s"},
		{"vbatch --clusters x s", "--clusters x", "s"},
		{"vbatch --cluste x s", "--cluste x", "s"},
		{"vbatch s --cluster x", "", "s --cluster x"},
		{"vbatch --wrap x -H", "-H", ""},
		{"vbatch --wra=x -H", "-H", ""},
		{"vbatch --matrix-list s", "", "s"},
		{"vbatch --matrix-list 5 s", "", "s"},
		{"vbatch --matrix-zip --matrix-limit 5 --matrix-first=7 s", "",
		 "s"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		char line[256], out[256], *argv[WORDS_MAX + 1];
		struct vol_error err = {""};
		struct vb_args args;
		int argc;

		strcpy(line, cases[i].line);
		argc = split(line, argv);
		if (vb_args_parse(&args, argc, argv, unknown, NULL, &err) < 0)
			fail_msg("%s: %s", cases[i].line, err.text);
		join(out, sizeof(out), args.sbatch, args.sbatch_count);
		assert_string_equal(out, cases[i].sbatch);
		join(out, sizeof(out), (const char *const *)args.script,
		     args.script_count);
		assert_string_equal(out, cases[i].script);
		vb_args_free(&args);
	}
}

static void test_refused(void **state)
{
	static const char *const cases[] = {
		"vbatch --cluster x s",
		"vbatch -H --cluster x s",
		"vbatch --cluster=x s",
		"vbatch --matrix",
		"vbatch --matrix-first x s",
		"vbatch --matrix-first -1 s",
		"vbatch --matrix-first 4294967296 s",
		"vbatch --matrix-first= s",
		"vbatch --matrix-limit 0 s",
		"vbatch --matrix-list=x s",
		"vbatch --matrix-list 0 s",
		"vbatch --matrix-zip=1 s",
		"vbatch --matrix-foo s",
		"vbatch --time",
		"vbatch -Ht",
		"vbatch --ex x s",
		"vbatch --=x s",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		char line[256], *argv[WORDS_MAX + 1];
		struct vol_error err = {""};
		struct vb_args args;
		int argc;

		strcpy(line, cases[i]);
		argc = split(line, argv);
		if (vb_args_parse(&args, argc, argv, unknown, NULL, &err) == 0)
			fail_msg("'%s' was accepted", cases[i]);
		assert_int_equal(errno, EINVAL);
		assert_true(err.text[0]);
	}
}

static void test_own(void **state)
{
	char line[] = "vbatch --matrix a=1 --matrix=b=2 --matrix-exclude a=1 "
		      "--matrix-limit 3 --matrix-first=4 --matrix-list=5 "
		      "--matrix-zip --help -V -Qa1 --depend after:1 -Mx "
		      "--wrap=y -W --test-only";
	char *argv[WORDS_MAX + 1];
	int argc = split(line, argv);
	struct vb_args args;

	(void)state;
	assert_int_equal(vb_args_parse(&args, argc, argv, NULL, NULL, NULL), 0);
	assert_int_equal(args.matrix_count, 2);
	assert_string_equal(args.matrix[0], "a=1");
	assert_string_equal(args.matrix[1], "b=2");
	assert_int_equal(args.exclude_count, 1);
	assert_int_equal(args.limit, 3);
	assert_int_equal(args.first, 4);
	assert_int_equal(args.list, 5);
	assert_true(args.zip && args.help && args.version && args.own);
	assert_true(args.seen.array && args.seen.quiet && args.seen.wait);
	assert_true(args.seen.test_only);
	assert_string_equal(args.seen.dependency, "after:1");
	assert_string_equal(args.seen.clusters, "x");
	assert_string_equal(args.seen.wrap, "y");
	vb_args_free(&args);
}

static void test_no_words(void **state)
{
	char *argv[] = {NULL};
	struct vb_args args;

	(void)state;
	assert_int_equal(vb_args_parse(&args, 0, argv, NULL, NULL, NULL), 0);
	assert_int_equal(args.script_count, 0);
	vb_args_free(&args);
}

static void test_header(void **state)
{
	static const struct {
		const char *text, *lines;
		bool array, het;
	} cases[] = {
		{"#!/bin/sh\n", "", false, false},
		{"#!/bin/sh\n#SBATCH -a 1-3\n", "#SBATCH -a 1-3\n", true,
		 false},
		{"#!/bin/sh\n#SBATCH --arr=1\necho\n", "#SBATCH --arr=1\n",
		 true, false},
		{"#!/bin/sh\n\n # x\n#SBATCH -H\n#no\n#SBATCH -t 5",
		 "#SBATCH -H\n#SBATCH -t 5\n", false, false},
		{"#!/bin/sh\necho\n#SBATCH -a 1\n", "", false, false},
		{"#!/bin/sh\n#SBATCH -J '-a' -o \"x -a 1\"\n",
		 "#SBATCH -J '-a' -o \"x -a 1\"\n", false, false},
		{"#!/bin/sh\n#SBATCH -J x\\ -a # -a 1\n",
		 "#SBATCH -J x\\ -a # -a 1\n", false, false},
		{"#!/bin/sh\n#SBATCH -J\n#SBATCH -a\n",
		 "#SBATCH -J\n#SBATCH -a\n", false, false},
		{"#!/bin/sh\n#SBATCH hetjob\n", "#SBATCH hetjob\n", false,
		 true},
		{"#!/bin/sh\n#SBATCH -J hetjob\n", "#SBATCH -J hetjob\n", false,
		 false},
		{"#!/bin/sh\necho\n#PBS -N x\n#BSUB -J y\n",
		 "#PBS -N x\n#BSUB -J y\n", false, false},
		{"#!/bin/sh\n#SBATCH -J 'open\n", "#SBATCH -J 'open\n", false,
		 false},
		{"#SBATCH", "#SBATCH\n", false, false},
		{"", "", false, false},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct vol_error err = {""};
		struct vb_header h;

		if (vb_header_read(&h, cases[i].text, strlen(cases[i].text),
				   NULL, NULL, &err) < 0)
			fail_msg("'%s': %s", cases[i].text, err.text);
		assert_string_equal(h.lines, cases[i].lines);
		assert_int_equal(h.seen.array, cases[i].array);
		assert_int_equal(h.seen.het, cases[i].het);
		vb_header_free(&h);
	}
}

static void test_limits(void **state)
{
	static const struct {
		const char *config;
		uint64_t size, tasks, jobs, script;
	} cases[] = {
		{"x\nMaxArraySize            = 1001\nMaxJobCount = 10000\n",
		 1001, 1001, 10000, 4 << 20},
		{"MaxArraySize = 1001\nMaxJobCount = 500\n", 1001, 499, 500,
		 4 << 20},
		{"MaxArraySize = 1001\nMaxJobCount = 10000\n"
		 "SchedulerParameters = a,max_array_tasks=20,max_script_size=9",
		 1001, 20, 10000, 9},
		{"MaxArraySize = 9\nMaxJobCount = 99\nMaxArraySize = 5\n", 5, 5,
		 99, 4 << 20},
		{"", 0, 0, 0, 0},
		{"MaxArraySize = 0\n", 0, 0, 0, 0},
		{"MaxArraySize = 5\nMaxJobCount = 0\n", 0, 0, 0, 0},
		{"MaxArraySize = 5\nMaxJobCount = 1\n", 0, 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct vol_error err = {""};
		struct vb_limits l;

		if (vb_limits_parse(cases[i].config, &l, &err) < 0) {
			assert_int_equal(cases[i].size, 0);
			assert_true(err.text[0]);
			continue;
		}
		assert_int_equal(l.array_size, cases[i].size);
		assert_int_equal(l.array_tasks, cases[i].tasks);
		assert_int_equal(l.jobs, cases[i].jobs);
		assert_int_equal(l.script_size, cases[i].script);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),  cmocka_unit_test(test_refused),
		cmocka_unit_test(test_own),    cmocka_unit_test(test_no_words),
		cmocka_unit_test(test_header), cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
