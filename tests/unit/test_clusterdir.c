/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_clusterdir.c - names of clusters, their files, and the way to them */
#include "config.h"

#include "vtest.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "clusterdir.h"

#define FORTY "abcdefghijklmnopqrstuvwxyz0123456789-_AB"

static void test_names(void **state)
{
	static const struct {
		const char *name;
		bool valid;
	} cases[] = {
		{"volunteer", true}, {"v", true},      {"7", true},
		{"Lab_2-b", true},   {FORTY, true},    {FORTY "C", false},
		{"", false},         {".", false},     {"..", false},
		{"../x", false},     {"a/b", false},   {"/etc", false},
		{"-M", false},       {"_x", false},    {"a.b", false},
		{"a b", false},      {"a\nb", false},  {"a%s", false},
		{"\xc3\xa4", false}, {"x\x7f", false}, {"a,b", false},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct vol_error err = {""};
		char path[PATH_MAX];

		print_message("'%s'\n", cases[i].name);
		assert_int_equal(vol_cluster_name_valid(cases[i].name),
				 cases[i].valid);
		errno = 0;
		assert_int_equal(vol_clusterdir_conf("/nonexistent",
						     cases[i].name, path, &err),
				 -1);
		assert_int_equal(errno, cases[i].valid ? ENOENT : EINVAL);
		assert_printable(err.text);
	}
}

static void test_name_of(void **state)
{
	static const struct {
		const char *conf, *name;
	} cases[] = {
		{NULL, ""},
		{"", ""},
		{"/etc/slurm/slurm.conf", ""},
		{VOL_CLUSTERS_DIR "/volunteer/slurm.conf", "volunteer"},
		{VOL_CLUSTERS_DIR "/" FORTY "/slurm.conf", FORTY},
		{VOL_CLUSTERS_DIR "/" FORTY "C/slurm.conf", ""},
		{VOL_CLUSTERS_DIR "/volunteer", ""},
		{VOL_CLUSTERS_DIR "/volunteer/", ""},
		{VOL_CLUSTERS_DIR "/volunteer/slurm.conf/x", ""},
		{VOL_CLUSTERS_DIR "/volunteer/x/slurm.conf", ""},
		{VOL_CLUSTERS_DIR "//slurm.conf", ""},
		{VOL_CLUSTERS_DIR "/../slurm.conf", ""},
		{VOL_CLUSTERS_DIR, ""},
		{"x" VOL_CLUSTERS_DIR "/volunteer/slurm.conf", ""},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		char name[VOL_CLUSTER_NAME_SIZE] = "before";

		vol_cluster_name_of(cases[i].conf, name);
		assert_string_equal(name, cases[i].name);
	}
}

/* ROOT/NAME/slurm.conf */
static void make(const char *root, const char *name)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/%s/slurm.conf", root, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
}

static void test_list(void **state)
{
	const char *root = *state;
	struct vol_error err = {""};
	char path[PATH_MAX], **names;
	size_t n;

	assert_int_equal(vol_clusterdir_list(root, &names, &n, &err), 0);
	assert_int_equal(n, 0);
	make(root, "volunteer");
	make(root, "lab");
	make(root, "not.a.name");
	snprintf(path, sizeof(path), "%s/empty", root);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(vol_clusterdir_list(root, &names, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_string_equal(names[0], "lab");
	assert_string_equal(names[1], "volunteer");
	free(names[0]);
	free(names[1]);
	free(names);
	snprintf(path, sizeof(path), "%s/none", root);
	assert_int_equal(vol_clusterdir_list(path, &names, &n, &err), 0);
	assert_int_equal(n, 0);
	snprintf(path, sizeof(path), "%s/lab/slurm.conf", root);
	assert_int_equal(vol_clusterdir_list(path, &names, &n, &err), -1);
	assert_int_equal(errno, ENOTDIR);
}

/* A job's environment, on the way to another cluster. */
static void test_enter(void **state)
{
	static const char *const foreign[] = {
		"SLURM_CONF",
		"SLURM_JOB_ID",
		"SLURM_CONF_SERVER",
		"SLURMD_NODENAME",
		"SLURM",
		"SBATCH_PARTITION",
		"SBATCH_CLUSTERS",
		"SALLOC_QOS",
		"SRUN_DEBUG",
		"SPANK_X",
		"_SLURM_SPANK_OPTION_a_b",
	};
	static const char *const kept[] = {
		"PATH",   "HOME",          "VBATCH_POINT", "XSLURM_X",
		"SBATCH", "SQUEUE_FORMAT", "slurm_x",
	};
	const char *root = *state;
	struct vol_error err = {""};
	char path[PATH_MAX];

	make(root, "volunteer");
	assert_int_equal(clearenv(), 0);
	for (size_t i = 0; i < N_ELEMENTS(foreign); i++)
		assert_int_equal(setenv(foreign[i], "x", 1), 0);
	for (size_t i = 0; i < N_ELEMENTS(kept); i++)
		assert_int_equal(setenv(kept[i], "x", 1), 0);
	/* Not there: nothing is changed. */
	assert_int_equal(vol_clusterdir_enter(root, "nosuch", &err), -1);
	assert_contains(err.text, "cluster nosuch is not known here");
	assert_contains(err.text, "/nosuch/slurm.conf");
	assert_string_equal(getenv("SLURM_CONF"), "x");
	assert_non_null(getenv("SLURM_JOB_ID"));
	assert_int_equal(vol_clusterdir_enter(root, "volunteer", &err), 0);
	for (size_t i = 1; i < N_ELEMENTS(foreign); i++)
		assert_null(getenv(foreign[i]));
	for (size_t i = 0; i < N_ELEMENTS(kept); i++)
		assert_string_equal(getenv(kept[i]), "x");
	snprintf(path, sizeof(path), "%s/volunteer/slurm.conf", root);
	assert_string_equal(getenv("SLURM_CONF"), path);
	/* An environment of none. */
	assert_int_equal(clearenv(), 0);
	assert_int_equal(vol_clusterdir_enter(root, "volunteer", &err), 0);
	assert_string_equal(getenv("SLURM_CONF"), path);
}

static void test_root(void **state)
{
	(void)state;
	unsetenv("VOLUNTEER_CLUSTERS");
	assert_string_equal(vol_clusterdir_root(), VOL_CLUSTERS_DIR);
	setenv("VOLUNTEER_CLUSTERS", "", 1);
	assert_string_equal(vol_clusterdir_root(), VOL_CLUSTERS_DIR);
	setenv("VOLUNTEER_CLUSTERS", "/x", 1);
	assert_string_equal(vol_clusterdir_root(), "/x");
}

/* "volunteer cluster": all that it prints, and its status. */
static int volunteer(const char *root, const char *words, char *out,
		     size_t size)
{
	char command[PATH_MAX * 2];
	size_t n;
	FILE *pipe;

	snprintf(command, sizeof(command),
		 "VOLUNTEER_CLUSTERS=%s SLURM_JOB_ID=7 " VOLUNTEER
		 " cluster %s 2>&1",
		 root, words);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	n = fread(out, 1, size - 1, pipe);
	out[n] = '\0';
	return WEXITSTATUS(pclose(pipe));
}

static void test_volunteer_cluster(void **state)
{
	static const struct {
		const char *words;
		int status;
		const char *part;
	} cases[] = {
		{"", 0, "lab\nvolunteer\n"},
		{"lab", 0, "/lab/slurm.conf\n"},
		{"lab env", 0, "/lab/slurm.conf\n"},
		{"lab -- sh -c 'echo $SLURM_CONF $SLURM_JOB_ID.; exit 3'", 3,
		 "/lab/slurm.conf .\n"},
		{"lab --", 0, "SLURM_CONF="},
		{"lab /nosuch", 127, "/nosuch: No such file"},
		{"nosuch env", 1, "cluster nosuch is not known here"},
		{"../lab env", 1, "the name of a cluster"},
		{"--json", 2, "unknown option --json"},
		{"--help", 0, "Usage: volunteer cluster"},
	};
	const char *root = *state;
	char out[1 << 14];

	make(root, "volunteer");
	make(root, "lab");
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		print_message("cluster %s\n", cases[i].words);
		assert_int_equal(volunteer(root, cases[i].words, out,
					   sizeof(out)),
				 cases[i].status);
		assert_contains(out, cases[i].part);
		assert_null(strstr(out, "SLURM_JOB_ID"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_name_of),
		cmocka_unit_test_setup_teardown(test_list, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(test_enter, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test(test_root),
		cmocka_unit_test_setup_teardown(test_volunteer_cluster,
						vtest_folder_setup,
						vtest_folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
