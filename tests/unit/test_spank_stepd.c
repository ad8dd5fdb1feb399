/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_spank_stepd.c - the hooks of the SPANK plugin in slurmstepd */
#include "config.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "vtest.h"

#include "atomicfile.h"
#include "fake_spank.h"
#include "plugins/spank/plugin.h"
#include "spank_bed.h"
#include "stepfile.h"

static bool is_frozen(void *root)
{
	char *text = vol_file_read(in(root, FREEZE), 16, NULL, NULL);
	bool frozen = text && text[0] == '1';

	free(text);
	return frozen;
}

/* The step must not start, for this reason. */
static void refuse(const char *reason)
{
	assert_int_equal(
		slurm_spank_init_post_opt(fake_spank_handle(), 0, NULL), -1);
	assert_contains(fake_spank.last_error, "the step does not start");
	assert_contains(fake_spank.last_error, reason);
}

/* What task_init writes to the task's stderr, "" for nothing. */
static const char *task_init(void *root)
{
	static char text[2048];
	char path[PATH_MAX];
	int saved = dup(STDERR_FILENO), fd;
	ssize_t n;

	snprintf(path, sizeof(path), "%s", in(root, "/stderr"));
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(saved >= 0 && fd >= 0);
	dup2(fd, STDERR_FILENO);
	slurm_spank_task_init(fake_spank_handle(), 0, NULL);
	dup2(saved, STDERR_FILENO);
	close(saved);
	n = pread(fd, text, sizeof(text) - 1, 0);
	close(fd);
	unlink(path);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static void assert_step(void *root, const char *name, uint32_t job,
			uint32_t step)
{
	struct vol_step got;
	size_t len;
	char *text =
		vol_file_read(in(root, name), VOL_STEPFILE_MAX, &len, NULL);

	assert_non_null(text);
	assert_int_equal(vol_step_parse(name, text, len, &got, NULL), 0);
	free(text);
	assert_int_equal(got.job, job);
	assert_int_equal(got.step, step);
	assert_int_equal(got.uid, 1000);
	assert_int_equal(got.stepd, getpid());
	assert_string_equal(got.cgroup, CGROUP);
	assert_int_equal(got.tasks, step == 0xfffffffc ? 0 : 2);
	assert_false(got.born);
}

static bool is_born(void *root, const char *name)
{
	struct vol_step got = {0};
	size_t len;
	char *text =
		vol_file_read(in(root, name), VOL_STEPFILE_MAX, &len, NULL);

	assert_non_null(text);
	assert_int_equal(vol_step_parse(name, text, len, &got, NULL), 0);
	free(text);
	return got.born;
}

static void forked(int task)
{
	fake_spank.task = task;
	assert_int_equal(
		slurm_spank_task_post_fork(fake_spank_handle(), 0, NULL), 0);
}

static void step_is_marked_and_published(void **state)
{
	init(S_CTX_REMOTE, 0, NULL);
	assert_int_equal(fake_spank.n_env, 0);
	assert_false(exists(*state, RUN "/steps"));
	assert_false(is_frozen(*state));
	post_opt();
	assert_int_equal(fake_spank.errors, 0);
	assert_true(is_frozen(*state));
	assert_string_equal(fake_spank_env("SLURM_VOLUNTEER"), "1");
	assert_string_equal(fake_spank_env("SLURM_VOLUNTEER_NODE"), NODE);
	assert_step(*state, RUN "/steps/12.0", 12, 0);
	assert_string_equal(task_init(*state), "");
	leave();
	assert_int_equal(vtest_count_entries(in(*state, RUN "/steps")), 0);
	assert_int_equal(fake_spank.errors, 0);
}

static void users_own_marks_are_overwritten(void **state)
{
	(void)state;
	init(S_CTX_REMOTE, 0, NULL);
	spank_setenv(fake_spank_handle(), "SLURM_VOLUNTEER", "0", 1);
	spank_setenv(fake_spank_handle(), "SLURM_VOLUNTEER_NODE", "lie", 1);
	post_opt();
	assert_string_equal(fake_spank_env("SLURM_VOLUNTEER"), "1");
	assert_string_equal(fake_spank_env("SLURM_VOLUNTEER_NODE"), NODE);
}

static void special_steps_keep_their_numbers(void **state)
{
	const struct {
		uint32_t step;
		const char *file;
	} cases[] = {
		{0xfffffffa, RUN "/steps/4294967295.4294967290"},
		{0xfffffffb, RUN "/steps/4294967295.4294967291"},
		{0xfffffffc, RUN "/steps/4294967295.4294967292"},
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		init(S_CTX_REMOTE, 0, NULL);
		fake_spank.job = UINT32_MAX;
		fake_spank.step = cases[i].step;
		post_opt();
		assert_step(*state, cases[i].file, UINT32_MAX, cases[i].step);
		leave();
		assert_false(exists(*state, cases[i].file));
	}
}

static void other_nodes_are_left_alone(void **state)
{
	unsetenv(VOL_ENV_DEVICE);
	init(S_CTX_REMOTE, 1, (char *[]){"info=yes"});
	/* The user can write this one; it must not count. */
	spank_setenv(fake_spank_handle(), VOL_ENV_DEVICE, "liar", 1);
	post_opt();
	fake_spank.task = 0;
	assert_string_equal(task_init(*state), "");
	leave();
	assert_int_equal(fake_spank.n_env, 1);
	assert_int_equal(fake_spank.errors, 0);
	assert_int_equal(fake_spank.messages, 0);
	assert_int_equal(vtest_count_entries(in(*state, RUN)), 1);
	assert_false(is_frozen(*state));
}

static void bad_cgroups_stop_the_step(void **state)
{
	const struct {
		const char *text, *reason;
	} cases[] = {
		{"", "no cgroup v2"},
		{"4:memory:/a/step_0/slurm\n", "no cgroup v2"},
		{"0::/\n", "/proc/self/cgroup"},
		{"0::/slurm\n", "not below a step"},
		/* slurmd's own cgroup: no proctrack/cgroup */
		{"0::/system.slice/slurmd.service\n", "proctrack/cgroup"},
		{"0::/a/step_0/slurmx\n", "proctrack/cgroup"},
		{"0::/a/../step_0/slurm\n", "component"},
		/* no such folder */
		{"0::/a/step_0/slurm\n", "/a/step_0/user/cgroup.freeze: No"},
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		write_cgroup(*state, cases[i].text);
		init(S_CTX_REMOTE, 0, NULL);
		refuse(cases[i].reason);
		assert_int_equal(fake_spank.errors, 1);
		assert_false(exists(*state, RUN "/steps"));
		leave();
		assert_int_equal(fake_spank.errors, 1);
	}
	unlink(in(*state, "/proc/self/cgroup"));
	init(S_CTX_REMOTE, 0, NULL);
	refuse("/proc/self/cgroup");
	assert_int_equal(fake_spank.errors, 1);
}

static void step_that_nobody_hears_of_stays_frozen(void **state)
{
	assert_int_equal(vol_mkdir_p(in(*state, RUN), 0755, NULL), 0);
	/* A file where the folder belongs stops root, too. */
	assert_int_equal(vol_file_replace(in(*state, RUN "/steps"), "", 0, 0644,
					  0, NULL),
			 0);
	init(S_CTX_REMOTE, 0, NULL);
	refuse("/steps");
	assert_int_equal(fake_spank.errors, 1);
	assert_true(is_frozen(*state));
	leave();
	assert_int_equal(fake_spank.errors, 1);
}

static void device_without_a_name_starts_nothing(void **state)
{
	(void)state;
	setenv(VOL_ENV_DEVICE, "lab[1-9]", 1);
	init(S_CTX_REMOTE, 0, NULL);
	assert_int_equal(
		slurm_spank_init_post_opt(fake_spank_handle(), 0, NULL), -1);
	assert_contains(fake_spank.last_error, "no name");
}

static void what_slurm_refuses_is_told(void **state)
{
	init(S_CTX_REMOTE, 0, NULL);
	fake_spank.refuse_items = true;
	refuse("which step");
	/* Nor what its environment is. */
	assert_int_equal(fake_spank.errors, 2);
	assert_false(exists(*state, RUN "/steps"));

	init(S_CTX_REMOTE, 0, NULL);
	fake_spank.refuse_env = true;
	post_opt();
	assert_int_equal(fake_spank.errors, 1);
	assert_contains(fake_spank.last_error, "environment");
	assert_true(exists(*state, RUN "/steps/12.0"));
}

static void refused_option_leaves_no_step_unguarded(void **state)
{
	fake_spank_reset(S_CTX_REMOTE);
	fake_spank.refuse_options = true;
	assert_int_equal(slurm_spank_init(fake_spank_handle(), 0, NULL), 0);
	post_opt();
	assert_true(is_frozen(*state));
	assert_step(*state, RUN "/steps/12.0", 12, 0);
}

static void step_is_born_with_its_last_task(void **state)
{
	init(S_CTX_REMOTE, 0, NULL);
	post_opt();
	forked(0);
	assert_false(is_born(*state, RUN "/steps/12.0"));
	forked(1);
	assert_true(is_born(*state, RUN "/steps/12.0"));
	assert_int_equal(fake_spank.errors, 0);
	leave();
	assert_false(exists(*state, RUN "/steps/12.0"));
}

/* Its processes come as users log in. */
static void extern_step_is_never_born(void **state)
{
	init(S_CTX_REMOTE, 0, NULL);
	fake_spank.step = 0xfffffffc;
	post_opt();
	forked(-1);
	forked(0);
	assert_false(is_born(*state, RUN "/steps/12.4294967292"));
	assert_int_equal(fake_spank.errors, 0);
}

static void birth_that_can_not_be_told_stops_nothing(void **state)
{
	init(S_CTX_REMOTE, 0, NULL);
	post_opt();
	assert_int_equal(unlink(in(*state, RUN "/steps/12.0")), 0);
	assert_int_equal(rmdir(in(*state, RUN "/steps")), 0);
	assert_int_equal(vol_file_replace(in(*state, RUN "/steps"), "", 0, 0644,
					  0, NULL),
			 0);
	forked(1);
	assert_int_equal(fake_spank.errors, 1);
	assert_contains(fake_spank.last_error, "/steps");
	/* Other nodes, other processes. */
	unsetenv(VOL_ENV_DEVICE);
	init(S_CTX_REMOTE, 0, NULL);
	post_opt();
	forked(1);
	init(S_CTX_LOCAL, 0, NULL);
	forked(1);
	assert_int_equal(fake_spank.errors, 0);
}

static void account_is_a_hint(void **state)
{
	char longest[VOL_ACCOUNT_SIZE + 1];
	const struct {
		const char *env, *account;
	} cases[] = {
		{"physics", "physics"}, {"", ""},         {"a b", ""},
		{"a\nuid=0", ""},       {"\xc3\xa4", ""}, {longest, ""},
	};

	memset(longest, 'a', VOL_ACCOUNT_SIZE);
	longest[VOL_ACCOUNT_SIZE] = '\0';
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct vol_step got;
		size_t len;
		char *text;

		init(S_CTX_REMOTE, 0, NULL);
		spank_setenv(fake_spank_handle(), "SLURM_JOB_ACCOUNT",
			     cases[i].env, 1);
		post_opt();
		text = vol_file_read(in(*state, RUN "/steps/12.0"),
				     VOL_STEPFILE_MAX, &len, NULL);
		assert_non_null(text);
		assert_int_equal(vol_step_parse("12.0", text, len, &got, NULL),
				 0);
		assert_string_equal(got.account, cases[i].account);
		free(text);
		leave();
	}
}

static void wrong_arguments_leave_the_defaults(void **state)
{
	init(S_CTX_REMOTE, 2, (char *[]){"run_dir=/elsewhere", "info="});
	assert_int_equal(fake_spank.errors, 1);
	post_opt();
	assert_true(exists(*state, RUN "/steps/12.0"));
	assert_false(exists(*state, "/elsewhere"));
}

static void run_dir_moves_every_file(void **state)
{
	char *av[] = {"run_dir=/elsewhere"};
	char from[PATH_MAX];

	snprintf(from, sizeof(from), "%s", in(*state, RUN));
	assert_int_equal(rename(from, in(*state, "/elsewhere")), 0);
	init(S_CTX_REMOTE, 1, av);
	post_opt();
	assert_step(*state, "/elsewhere/steps/12.0", 12, 0);
	leave();
	init(S_CTX_SLURMD, 1, av);
	assert_true(exists(*state, "/elsewhere/spank-active"));
	slurm_spank_slurmd_exit(fake_spank_handle(), 0, NULL);
	assert_false(exists(*state, "/elsewhere/spank-active"));
	assert_false(exists(*state, RUN));
}

/* Ask for the line before post_opt, as slurmstepd does. */
static void start_with_info(void)
{
	init(S_CTX_REMOTE, 0, NULL);
	assert_int_equal(fake_spank_give_option("volunteer-info", NULL, 1), 0);
	post_opt();
	fake_spank.cpus = 2;
	fake_spank.step_cores = "0-1";
	fake_spank.step_memory_mb = 200;
}

static void info_is_written_by_the_first_task_only(void **state)
{
	start_with_info();
	fake_spank.task = 1;
	assert_string_equal(task_init(*state), "");
	fake_spank.task = 0;
	spank_setenv(fake_spank_handle(), "SLURM_RESTART_COUNT", "3", 1);
	assert_string_equal(task_init(*state),
			    "volunteer: step 12.0 on device lab-7: 2 cpus "
			    "(cores 0-1), 200 MB of memory, restart 3, cgroup "
			    "/system.slice/lab-7_slurmstepd.scope/job_12/"
			    "step_0\n");
	/* The user's nonsense is not repeated. */
	spank_setenv(fake_spank_handle(), "SLURM_RESTART_COUNT", "x\n", 1);
	assert_null(strstr(task_init(*state), "restart"));
}

static void info_answers_on_other_nodes(void **state)
{
	unsetenv(VOL_ENV_DEVICE);
	start_with_info();
	fake_spank.task = 0;
	assert_string_equal(task_init(*state),
			    "volunteer: step 12.0 does not run on a volunteer "
			    "device\n");
}

static void info_argument_asks_for_every_step(void **state)
{
	init(S_CTX_REMOTE, 1, (char *[]){"info=yes"});
	post_opt();
	fake_spank.task = 0;
	assert_contains(task_init(*state), "on device lab-7");
}

static void options_do_not_outlive_a_step(void **state)
{
	start_with_info();
	init(S_CTX_REMOTE, 0, NULL);
	post_opt();
	fake_spank.task = 0;
	assert_string_equal(task_init(*state), "");
}

static void exit_in_a_child_removes_nothing(void **state)
{
	int status;
	pid_t pid;

	init(S_CTX_REMOTE, 0, NULL);
	post_opt();
	pid = fork();
	if (pid == 0) {
		slurm_spank_exit(fake_spank_handle(), 0, NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(exists(*state, RUN "/steps/12.0"));
}

static void exit_leaves_the_file_of_a_requeued_step(void **state)
{
	const struct vol_step next = {.job = 12,
				      .uid = 1000,
				      .stepd = 1,
				      .cgroup = "/a/b",
				      .tasks = 1,
				      .born = true};
	char text[VOL_STEPFILE_MAX];
	int len = vol_step_format(&next, text, sizeof(text));

	init(S_CTX_REMOTE, 0, NULL);
	post_opt();
	assert_int_equal(vol_file_replace(in(*state, RUN "/steps/12.0"), text,
					  (size_t)len, 0644, 0, NULL),
			 0);
	leave();
	assert_true(exists(*state, RUN "/steps/12.0"));
	assert_int_equal(fake_spank.errors, 0);
}

static void exit_forgives_a_file_that_is_gone(void **state)
{
	init(S_CTX_REMOTE, 0, NULL);
	post_opt();
	unlink(in(*state, RUN "/steps/12.0"));
	leave();
	assert_int_equal(fake_spank.errors, 0);
}

/* lib/stepenv.h */
static void packed_variables_get_their_names_back(void **state)
{
	spank_t spank = fake_spank_handle();

	(void)state;
	init(S_CTX_REMOTE, 0, NULL);
	spank_setenv(spank, "SLURM_NTASKS", "4", 1);
	spank_setenv(spank, "PATH", "/srun's", 1);
	spank_setenv(spank, "VOLENV_SLURM_NTASKS", "1", 1);
	spank_setenv(spank, "VOLENV_SLURM_TMPDIR", "/scratch", 1);
	spank_setenv(spank, "VOLENV_PATH", "/job's", 1);
	spank_setenv(spank, "VOLENV_DISPLAY", ":0", 1);
	spank_setenv(spank, "VOLENV_A", "a=b", 1);
	spank_setenv(spank, "VOLENV_EMPTY", "", 1);
	spank_setenv(spank, "VOLENV_", "stays", 1);
	post_opt();
	assert_int_equal(fake_spank.errors, 0);
	assert_string_equal(fake_spank_env("SLURM_NTASKS"), "4");
	assert_string_equal(fake_spank_env("SLURM_TMPDIR"), "/scratch");
	assert_string_equal(fake_spank_env("PATH"), "/job's");
	assert_string_equal(fake_spank_env("A"), "a=b");
	assert_string_equal(fake_spank_env("EMPTY"), "");
	assert_string_equal(fake_spank_env("VOLENV_"), "stays");
	assert_null(fake_spank_env("VOLENV_SLURM_NTASKS"));
	assert_null(fake_spank_env("VOLENV_PATH"));
	assert_null(fake_spank_env("VOLENV_A"));
	leave();
}

static void variables_that_stay_packed_stop_nothing(void **state)
{
	(void)state;
	init(S_CTX_REMOTE, 0, NULL);
	spank_setenv(fake_spank_handle(), "VOLENV_A", "b", 1);
	fake_spank.refuse_env = true;
	post_opt();
	assert_true(fake_spank.errors > 0);
	assert_string_equal(fake_spank_env("VOLENV_A"), "b");
	leave();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(step_is_marked_and_published),
		TEST(users_own_marks_are_overwritten),
		TEST(special_steps_keep_their_numbers),
		TEST(other_nodes_are_left_alone),
		TEST(bad_cgroups_stop_the_step),
		TEST(step_that_nobody_hears_of_stays_frozen),
		TEST(device_without_a_name_starts_nothing),
		TEST(refused_option_leaves_no_step_unguarded),
		TEST(step_is_born_with_its_last_task),
		TEST(extern_step_is_never_born),
		TEST(birth_that_can_not_be_told_stops_nothing),
		TEST(account_is_a_hint),
		TEST(what_slurm_refuses_is_told),
		TEST(wrong_arguments_leave_the_defaults),
		TEST(run_dir_moves_every_file),
		TEST(info_is_written_by_the_first_task_only),
		TEST(info_answers_on_other_nodes),
		TEST(info_argument_asks_for_every_step),
		TEST(options_do_not_outlive_a_step),
		TEST(exit_in_a_child_removes_nothing),
		TEST(exit_leaves_the_file_of_a_requeued_step),
		TEST(exit_forgives_a_file_that_is_gone),
		TEST(packed_variables_get_their_names_back),
		TEST(variables_that_stay_packed_stop_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
