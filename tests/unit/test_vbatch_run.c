/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_vbatch_run.c - the whole program against a fake sbatch
 *
 * The fake writes its words to the file "log" and what it has in its
 * environment of Slurm's to "seen", counts its calls in "calls" and does what
 * FAKE_REFUSE (the call to refuse), FAKE_SIGNAL (the call in which to send
 * vbatch a Ctrl-C) and FAKE_EXIT say.
 */
#include "config.h"

#include "vtest.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char fake_sbatch[] =
	"#!/bin/sh\n"
	"case $1 in --help) echo '  --plugin-flag  of a plugin'; exit; esac\n"
	"env | grep -E '^(SLURM|SBATCH|SPANK)' >seen\n"
	"n=$(($(cat calls 2>/dev/null) + 1)); echo $n >calls\n"
	"echo \"$*\" >>log\n"
	"cat >script.$n\n"
	"case \" $* \" in *' --test-only '*) echo tested >&2; exit 0; esac\n"
	"[ \"$n\" = \"$FAKE_SIGNAL\" ] && kill -INT $PPID\n"
	"[ \"$n\" = \"$FAKE_REFUSE\" ] && { echo no >&2; exit 9; }\n"
	"case \" $* \" in *' --parsable '*) echo $((100 + n));;\n"
	"*) echo Submitted batch job $((100 + n));; esac\n"
	"exit ${FAKE_EXIT:-0}\n";

static const char fake_scontrol[] =
	"#!/bin/sh\n"
	"echo \"$*\" >>asked; echo \"$SLURM_CONF\" >asked-conf\n"
	"[ \"$FAKE_DOWN\" ] && exit 1\n"
	"echo \"MaxArraySize            = ${FAKE_SIZE:-10}\"\n"
	"echo \"MaxJobCount             = ${FAKE_JOBS:-10000}\"\n";

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *fp;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fp = fopen(path, "w");
	assert_non_null(fp);
	fputs(text, fp);
	fclose(fp);
	assert_int_equal(chmod(path, 0755), 0);
}

static char *read_file(const char *folder, const char *name)
{
	char path[PATH_MAX], *text = calloc(1, 1 << 16);
	FILE *fp;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fp = fopen(path, "r");
	if (fp) {
		text[fread(text, 1, (1 << 16) - 1, fp)] = '\0';
		fclose(fp);
	}
	return text;
}

/* Run "vbatch WORDS" in a folder with the fakes; out and err are files. */
static int run(const char *folder, const char *environment, const char *words)
{
	char command[8192];
	int status;

	write_file(folder, "sbatch", fake_sbatch);
	write_file(folder, "scontrol", fake_scontrol);
	write_file(folder, "job.sh", "#!/bin/sh\necho job\n");
	write_file(folder, "array.sh", "#!/bin/sh\n#SBATCH --array=1-3\n");
	write_file(folder, "dep.sh", "#!/bin/sh\n#SBATCH -d singleton\n");
	snprintf(command, sizeof(command),
		 "cd %s && rm -f calls log script.* asked* seen && "
		 "env PATH=\"%s:$PATH\" %s " VBATCH " %s >out 2>err </dev/null",
		 folder, folder, environment, words);
	status = system(command);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void assert_file(const char *folder, const char *name,
			const char *expected)
{
	char *text = read_file(folder, name);

	assert_string_equal(text, expected);
	free(text);
}

static void assert_in_file(const char *folder, const char *name,
			   const char *part)
{
	char *text = read_file(folder, name);

	assert_contains(text, part);
	free(text);
}

static void test_runs(void **state)
{
	static const struct {
		const char *environment, *words;
		int status;
		const char *out, *log, *err;
	} cases[] = {
		/* no matrix: sbatch itself */
		{"FAKE_EXIT=5", "-H --matrixless job.sh a", 5,
		 "Submitted batch job 101\n", "-H --matrixless job.sh a\n", ""},
		{"", "-H job.sh --matrix", 0, "Submitted batch job 101\n",
		 "-H job.sh --matrix\n", ""},
		/* one array: sbatch's status, all other options in order */
		{"FAKE_EXIT=5", "-p q --matrix n=1..10 -t5 job.sh", 5,
		 "Submitted batch job 101\n", "-p q -t5 --array=0-9\n", ""},
		{"", "--plugin-flag --matrix n=1 job.sh", 0,
		 "Submitted batch job 101\n", "--plugin-flag --array=0\n", ""},
		{"", "--matrix n=1,2 --parsable --wrap 'echo {n}'", 0, "101\n",
		 "--parsable --array=0-1\n", ""},
		/* several arrays */
		{"", "--matrix n=1..25 --parsable job.sh", 0, "101\n102\n103\n",
		 "--parsable --array=0-9\n--parsable --array=0-9\n"
		 "--parsable --array=0-4\n",
		 ""},
		{"FAKE_JOBS=8", "--matrix n=1..6 --matrix-first=2 job.sh", 0,
		 "Submitted batch job 101\n", "--array=0-3\n", ""},
		{"", "--matrix n=1..25 --matrix-limit 3 job.sh", 0,
		 "Submitted batch job 101\nSubmitted batch job 102\n"
		 "Submitted batch job 103\n",
		 "--array=0-9%3\n--dependency=afterany:101 --array=0-9%3\n"
		 "--dependency=afterany:102 --array=0-4%3\n",
		 ""},
		{"", "--matrix n=1..11 --matrix-limit 3 dep.sh", 0,
		 "Submitted batch job 101\nSubmitted batch job 102\n",
		 "--array=0-9%3\n"
		 "--dependency=singleton,afterany:101 --array=0%3\n",
		 ""},
		{"", "-Q --matrix n=1..11 --matrix-limit 3 job.sh", 1, "", "",
		 "leave out --quiet"},
		/* --wait: the highest status, but all are submitted */
		{"FAKE_EXIT=4", "-W --matrix n=1..12 job.sh", 4,
		 "Submitted batch job 101\nSubmitted batch job 102\n",
		 "-W --array=0-9\n-W --array=0-1\n", ""},
		/* refused: nothing, or the rest */
		{"FAKE_REFUSE=1", "--matrix n=1..25 job.sh", 9, "",
		 "--array=0-9\n", "no\n"},
		{"FAKE_REFUSE=2", "--matrix n=1..25 job.sh", 1,
		 "Submitted batch job 101\n", "--array=0-9\n--array=0-9\n",
		 "points 10 to 24 are not submitted"},
		{"FAKE_REFUSE=3", "--matrix n=1..25 job.sh", 1,
		 "Submitted batch job 101\nSubmitted batch job 102\n",
		 "--array=0-9\n--array=0-9\n--array=0-4\n",
		 "submitted jobs: 101 102\nvbatch: to submit the rest, repeat "
		 "the command with --matrix-first=20\n"},
		{"FAKE_SIGNAL=2", "--matrix n=1..25 job.sh", 1,
		 "Submitted batch job 101\nSubmitted batch job 102\n",
		 "--array=0-9\n--array=0-9\n", "--matrix-first=20\n"},
		/* looking only */
		{"", "--matrix n=1..25 --test-only job.sh", 0, "",
		 "--test-only --array=0-9\n", "25 points in 3 arrays"},
		{"",
		 "--matrix n=1..3 --matrix s=a,b --matrix-list 2 "
		 "--matrix-exclude n=1,s=b",
		 0, "0\tn=1\ts=a\n2\tn=2\ts=a\n", "", ""},
		/* refused by vbatch */
		{"", "-a 1 --matrix n=1 job.sh", 1, "", "", "--matrix-limit N"},
		{"", "--matrix n=1 array.sh", 1, "", "", "#SBATCH lines"},
		{"", "--matrix n=1 : job.sh", 1, "", "", "heterogeneous"},
		{"", "--matrix n=1 nosuch", 1, "", "", "cannot open"},
		{"", "--matrix n=1", 1, "", "", "is empty"},
		{"", "--matrix n=1 --wrap x y", 1, "", "", "--wrap takes no"},
		{"", "--matrix n=1..2 --matrix-first 2 job.sh", 1, "", "",
		 "no point is left"},
		{"", "--matrix-zip job.sh", 1, "", "", "there is no --matrix"},
		{"", "--matrix", 2, "", "", "--matrix needs a value"},
		{"FAKE_DOWN=1", "--matrix n=1 job.sh", 1, "", "",
		 "limits of the cluster are unknown"},
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		int status = run(*state, cases[i].environment, cases[i].words);

		print_message("%s\n", cases[i].words);
		assert_file(*state, "out", cases[i].out);
		assert_file(*state, "log", cases[i].log);
		assert_in_file(*state, "err", cases[i].err);
		assert_int_equal(status, cases[i].status);
	}
}

static void test_script_passed(void **state)
{
	assert_int_equal(run(*state, "", "--matrix n=1..25 job.sh {n}"), 0);
	assert_in_file(*state, "script.1", "#SBATCH --job-name=\"job.sh\"\n");
	assert_in_file(*state, "script.1", "ID:?} + 0))");
	assert_in_file(*state, "script.3", "ID:?} + 20))");
	assert_in_file(*state, "script.3", "\nset -- ''\"$n\"''\n");
	assert_in_file(*state, "script.3", "}\n#!/bin/sh\necho job\n");
	assert_int_equal(run(*state, "", "-M c1 --matrix n=1 job.sh"), 0);
	assert_file(*state, "asked", "-M c1 show config\n");
}

/* Another cluster, from inside a job of this one. */
static void test_cluster(void **state)
{
	static const struct {
		const char *words;
		int status;
		const char *log, *err;
		bool there;
	} cases[] = {
		{"--cluster lab --matrix n=1..2 job.sh", 0, "--array=0-1\n", "",
		 true},
		{"--cluster=lab --plugin-flag --matrix n=1 job.sh", 0,
		 "--plugin-flag --array=0\n", "", true},
		{"--cluster lab -H job.sh a", 0, "-H job.sh a\n", "", true},
		{"--cluster lab job.sh --cluster b", 0, "job.sh --cluster b\n",
		 "", true},
		{"job.sh --cluster lab", 0, "job.sh --cluster lab\n", "",
		 false},
		{"--clusters lab job.sh", 0, "--clusters lab job.sh\n", "",
		 false},
		{"--cluster", 2, "", "--cluster needs a name", false},
		{"--cluster= job.sh", 2, "", "the name of a cluster", false},
		{"--cluster ../lab job.sh", 2, "", "the name of a cluster",
		 false},
		{"--cluster nosuch job.sh", 2, "",
		 "cluster nosuch is not known here", false},
		{"-H --cluster lab job.sh", 2, "", "before all other options",
		 false},
		{"--matrix n=1 --cluster=lab job.sh", 2, "",
		 "before all other options", false},
		{"--cluster lab --cluster lab job.sh", 2, "",
		 "before all other options", false},
	};
	const char *folder = *state;
	char text[PATH_MAX * 2];

	snprintf(text, sizeof(text), "%s/clusters", folder);
	assert_int_equal(mkdir(text, 0755), 0);
	snprintf(text, sizeof(text), "%s/clusters/lab", folder);
	assert_int_equal(mkdir(text, 0755), 0);
	write_file(text, "slurm.conf", "");
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		char environment[PATH_MAX * 2], conf[PATH_MAX];

		print_message("%s\n", cases[i].words);
		snprintf(environment, sizeof(environment),
			 "VOLUNTEER_CLUSTERS=%s/clusters SLURM_CONF=/main "
			 "SLURM_JOB_ID=7 SBATCH_WAIT=1 SPANK_X=1",
			 folder);
		assert_int_equal(run(folder, environment, cases[i].words),
				 cases[i].status);
		assert_file(folder, "log", cases[i].log);
		assert_in_file(folder, "err", cases[i].err);
		snprintf(conf, sizeof(conf), "%s/clusters/lab/slurm.conf\n",
			 folder);
		if (cases[i].there && strstr(cases[i].words, "--matrix"))
			assert_file(folder, "asked-conf", conf);
		snprintf(text, sizeof(text), "SLURM_CONF=%s", conf);
		if (cases[i].there)
			assert_file(folder, "seen", text);
		else if (cases[i].status == 0)
			assert_in_file(folder, "seen", "SLURM_JOB_ID=7\n");
	}
}

/* The issue of size: see the limit in the manual page. */
static void test_million(void **state)
{
	struct rusage usage;

	assert_int_equal(run(*state, "FAKE_SIZE=1001",
			     "--matrix n=1..1000000 --test-only job.sh"),
			 0);
	assert_in_file(*state, "err", "1000000 points in 1000 arrays");
	assert_in_file(*state, "err", "MaxJobCount");
	getrusage(RUSAGE_CHILDREN, &usage);
#ifndef VOL_SANITIZED
	assert_true(usage.ru_maxrss < 50 << 10);
#endif
	assert_true(usage.ru_utime.tv_sec < 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_runs, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(test_script_passed,
						vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(test_cluster,
						vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(test_million,
						vtest_folder_setup,
						vtest_folder_teardown),
	};

	/* A shell that starts us in the background ignores it. */
	signal(SIGINT, SIG_DFL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
