/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_stepenv.c - what of a job's environment srun sees, and what its steps */
#include "config.h"

#include "stepenv.h"

#include <stdbool.h>
#include <string.h>

#include "vtest.h"

#define WORDS_MAX 16
#define FIRST     "PATH=/usr/bin:/bin", "SLURM_JOB_ID=42"

static const struct {
	const char *env[WORDS_MAX];
	const char *export;
	const char *packed[WORDS_MAX];
} packs[] = {
	{{NULL}, NULL, {FIRST}},
	{{"HOME=/h", "A=1"}, NULL, {FIRST, "VOLENV_HOME=/h", "VOLENV_A=1"}},
	{{"A=\xc3\xa4\nb=c", "E="},
	 NULL,
	 {FIRST, "VOLENV_A=\xc3\xa4\nb=c", "VOLENV_E="}},
	/* What srun and the C library would obey. */
	{{"LD_PRELOAD=/e.so", "PATH=/e", "SLURM_CONF=/e", "SLURM_PROLOG=/e"},
	 NULL,
	 {FIRST, "VOLENV_LD_PRELOAD=/e.so", "VOLENV_PATH=/e",
	  "VOLENV_SLURM_CONF=/e", "VOLENV_SLURM_PROLOG=/e"}},
	{{"SLURM_JOB_ID=7", "SLURM_JOBID=7"},
	 NULL,
	 {FIRST, "VOLENV_SLURM_JOB_ID=7", "VOLENV_SLURM_JOBID=7"}},
	/* What may pass does both. */
	{{"SLURM_NTASKS=2"},
	 NULL,
	 {FIRST, "SLURM_NTASKS=2", "VOLENV_SLURM_NTASKS=2"}},
	{{"SLURM_MPI_TYPE=../e"}, NULL, {FIRST, "VOLENV_SLURM_MPI_TYPE=../e"}},
	/* No variables at all. */
	{{"", "=x", "A", "B=1"}, NULL, {FIRST, "VOLENV_B=1"}},
	{{"VOLENV_A=1"}, NULL, {FIRST, "VOLENV_VOLENV_A=1"}},
	/* --export */
	{{"A=1", "B=2"}, "ALL", {FIRST, "VOLENV_A=1", "VOLENV_B=2"}},
	{{"A=1", "B=2"}, "NONE", {FIRST}},
	{{"A=1", "B=2"}, "none", {FIRST}},
	{{"A=1", "B=2"}, "", {FIRST}},
	{{"A=1", "B=2"}, "B", {FIRST, "VOLENV_B=2"}},
	{{"A=1", "B=2"}, "C", {FIRST}},
	{{"A=1", "B=2"}, "C=3,A", {FIRST, "VOLENV_C=3", "VOLENV_A=1"}},
	{{"A=1", "B=2"},
	 "ALL,C=3",
	 {FIRST, "VOLENV_C=3", "VOLENV_A=1", "VOLENV_B=2"}},
	/* srun lets the environment win. */
	{{"A=1"}, "ALL,A=9", {FIRST, "VOLENV_A=1"}},
	{{"A=1"}, "A=9", {FIRST, "VOLENV_A=9"}},
	{{"A=1"}, "B=1,NONE,A", {FIRST, "VOLENV_B=1"}},
	{{"A=1"},
	 "C='x,y',D=\"1,2\",\"E=3,4\"",
	 {FIRST, "VOLENV_C='x,y'", "VOLENV_D=\"1,2\"", "VOLENV_E=3,4"}},
	{{"A=1"}, "LD_PRELOAD=/e.so", {FIRST, "VOLENV_LD_PRELOAD=/e.so"}},
	{{"A=1"}, ",,=x,A", {FIRST, "VOLENV_A=1"}},
	{{"A=1"}, "'A", {FIRST}},
	{{"A=1", "SLURM_NTASKS=2", "SLURM_X=3", "SRUN_X=4"},
	 "NONE",
	 {FIRST, "SLURM_NTASKS=2", "VOLENV_SLURM_NTASKS=2", "VOLENV_SLURM_X=3",
	  "VOLENV_SRUN_X=4"}},
	{{"SLURM_X=3"}, "SLURM_X", {FIRST, "VOLENV_SLURM_X=3"}},
	/* As variables; the option wins over them. */
	{{"A=1", "SLURM_EXPORT_ENV=NONE"},
	 NULL,
	 {FIRST, "VOLENV_SLURM_EXPORT_ENV=NONE"}},
	{{"A=1", "SLURM_EXPORT_ENV=NONE", "SRUN_EXPORT_ENV=A"},
	 NULL,
	 {FIRST, "VOLENV_A=1", "VOLENV_SLURM_EXPORT_ENV=NONE",
	  "VOLENV_SRUN_EXPORT_ENV=A"}},
	{{"A=1", "SLURM_EXPORT_ENV=NONE"},
	 "ALL",
	 {FIRST, "VOLENV_A=1", "VOLENV_SLURM_EXPORT_ENV=NONE"}},
};

static void test_pack(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(packs); i++) {
		char **list = vol_stepenv_pack((char *const *)packs[i].env,
					       packs[i].export, 42, NULL, NULL);
		size_t n = 0;

		assert_non_null(list);
		for (; list[n] && packs[i].packed[n]; n++)
			if (strcmp(list[n], packs[i].packed[n]) != 0)
				fail_msg("%zu, %zu: \"%s\", want \"%s\"", i, n,
					 list[n], packs[i].packed[n]);
		if (list[n] || packs[i].packed[n])
			fail_msg("%zu: %zu variables, then \"%s\"", i, n,
				 list[n] ? list[n] : packs[i].packed[n]);
		free(list);
	}
}

static void test_conf(void **state)
{
	static char *env[] = {"SLURM_CONF=/evil", NULL};
	char **list =
		vol_stepenv_pack(env, NULL, UINT32_MAX, "/c/slurm.conf", NULL);

	(void)state;
	assert_non_null(list);
	assert_string_equal(list[1], "SLURM_JOB_ID=4294967295");
	assert_string_equal(list[2], "SLURM_CONF=/c/slurm.conf");
	assert_string_equal(list[3], "VOLENV_SLURM_CONF=/evil");
	assert_null(list[4]);
	free(list);
}

static const struct {
	const char *env, *export;
	bool all;
} whole[] = {
	{"A=1", NULL, true},
	{"A=1", "ALL", true},
	{"A=1", "A,all,B=2", true},
	{"A=1", "NONE", false},
	{"A=1", "NONE,ALL", false},
	{"A=1", "A", false},
	{"A=1", "", false},
	{"SLURM_EXPORT_ENV=NONE", NULL, false},
	{"SRUN_EXPORT_ENV=A", NULL, false},
	{"SRUN_EXPORT_ENV=ALL", NULL, true},
	{"SLURM_EXPORT_ENV=NONE", "ALL", true},
};

static void test_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(whole); i++) {
		char *env[] = {(char *)whole[i].env, NULL};

		if (vol_stepenv_all(env, whole[i].export) != whole[i].all)
			fail_msg("%zu", i);
	}
}

static const struct {
	char *list[6];
	const char *export;
} exports[] = {
	{{NULL}, "NONE"},
	{{"PATH=/bin", "SLURM_JOB_ID=1", NULL}, "NONE"},
	{{"PATH=/bin", "VOLENV_A=1", "VOLENV_SLURM_X=VOLENV_B=2", NULL},
	 "VOLENV_A,VOLENV_SLURM_X"},
	/* One that is lost is better than one that is made up. */
	{{"VOLENV_A,ALL=1", "VOLENV_'B=1", "VOLENV_\"C=", "VOLENV_F%%=() {",
	  NULL},
	 "VOLENV_F%%"},
};

static void test_export(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(exports); i++) {
		char *text = vol_stepenv_export(exports[i].list, NULL);

		assert_non_null(text);
		assert_string_equal(text, exports[i].export);
		free(text);
	}
}

static const struct {
	const char *variable;
	bool passes;
} passing[] = {
	{"", false},
	{"=", false},
	{"SLURM_NTASKS", false},
	{"SLURM_NTASKS=", false},
	{"SLURM_NTASKS=4", true},
	{"SLURM_NTASKS=4\n", false},
	{"SLURM_NTASKS=/etc/shadow", false},
	{"XSLURM_NTASKS=4", false},
	{"SLURM_NTASKSX=4", false},
	{"slurm_ntasks=4", false},
	{"SLURM_NODELIST=a", false},
	{"SLURM_JOB_NODELIST=desk[1-3]", true},
	{"SLURM_JOB_NODELIST=/etc/shadow", false},
	{"SLURM_TASKS_PER_NODE=2(x3),1", true},
	{"SLURM_CPU_BIND=quiet,mask_cpu:0x1", true},
	{"SLURM_CPU_BIND_VERBOSE=quiet", false},
	{"SLURM_MPI_TYPE=pmi2", true},
	{"SLURM_MPI_TYPE=../x", false},
	{"SLURM_JOB_ID=4", false},
	{"SLURM_CONF=/x", false},
	{"SLURM_CONF_SERVER=x", false},
	{"SLURM_CLUSTERS=x", false},
	{"SLURM_WORKING_CLUSTER=x:1.2.3.4:6817:1", false},
	{"SLURM_PROLOG=x", false},
	{"SLURM_EPILOG=x", false},
	{"SLURM_TASK_PROLOG=x", false},
	{"SLURM_TASK_EPILOG=x", false},
	{"SLURM_BCAST=x", false},
	{"SLURM_HOSTFILE=x", false},
	{"SLURM_HET_SIZE=2", false},
	{"SLURM_TEST_EXEC=1", false},
	{"SLURM_SRUN_MULTI=1", false},
	{"SLURM_REMOTE_CWD=x", false},
	{"SLURM_WORKING_DIR=x", false},
	{"SLURM_STDOUTMODE=x", false},
	{"SLURM_DEBUG_FLAGS=x", false},
	{"SRUN_OUTPUT=x", false},
	{"SRUN_INPUT=x", false},
	{"SRUN_CONTAINER=x", false},
	{"LD_PRELOAD=x", false},
	{"PATH=x", false},
	{"_SLURM_SPANK_OPTION_volunteer_info=1", true},
	{"_SLURM_SPANK_OPTION_volunteer_info=", true},
	{"_SLURM_SPANK_OPTION_volunteer_info=a b", false},
	{"_SLURM_SPANK_OPTION_pyxis_container_image=x", false},
	{"SLURM_SPANK__SLURM_SPANK_OPTION_x_y=1", false},
};

static void test_passes(void **state)
{
	char *large = malloc(70000);

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(passing); i++)
		if (vol_stepenv_passes(passing[i].variable) !=
		    passing[i].passes)
			fail_msg("%s", passing[i].variable);
	assert_non_null(large);
	memset(large, '1', 69999);
	large[69999] = '\0';
	memcpy(large, "SLURM_NTASKS=", 13);
	assert_false(vol_stepenv_passes(large));
	free(large);
}

static const struct {
	const char *variable, *unpacked;
} unpacks[] = {
	{"VOLENV_A=1", "A=1"},
	{"VOLENV_A=", "A="},
	{"VOLENV_VOLENV_A=1", "VOLENV_A=1"},
	{"VOLENV_BASH_FUNC_f%%=() {  x\n}", "BASH_FUNC_f%%=() {  x\n}"},
	{"", NULL},
	{"A=1", NULL},
	{"VOLENV_", NULL},
	{"VOLENV_=1", NULL},
	{"VOLENV_A", NULL},
	{"VOLENV=1", NULL},
	{"volenv_A=1", NULL},
	{"XVOLENV_A=1", NULL},
};

static void test_unpack(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(unpacks); i++) {
		const char *name = vol_stepenv_packed(unpacks[i].variable);

		if (!name != !unpacks[i].unpacked ||
		    (name && strcmp(name, unpacks[i].unpacked) != 0))
			fail_msg("%s", unpacks[i].variable);
	}
	assert_true(vol_stepenv_is_slurms("SLURM_PROCID=1"));
	assert_true(vol_stepenv_is_slurms("SLURMD_NODENAME"));
	assert_true(vol_stepenv_is_slurms("SRUN_DEBUG"));
	assert_false(vol_stepenv_is_slurms("SLURM"));
	assert_false(vol_stepenv_is_slurms("MY_SLURM_X"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pack),   cmocka_unit_test(test_conf),
		cmocka_unit_test(test_all),    cmocka_unit_test(test_export),
		cmocka_unit_test(test_passes), cmocka_unit_test(test_unpack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
