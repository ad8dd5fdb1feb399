/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_spank_wall.c - which hook of the SPANK plugin asks what of the sandbox
 */
#include "config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "vtest.h"

#include "atomicfile.h"
#include "fake_sandbox.h"
#include "fake_spank.h"
#include "plugins/spank/plugin.h"
#include "spank_bed.h"
#include "wallsfail.h"

#define WALLS  RUN "/walls"
#define FAILED RUN "/walls-failed"

/* A step of two tasks up to post_opt, with walls. */
static void start(void *root)
{
	write_walls(root, true);
	init(S_CTX_REMOTE, 0, NULL);
	post_opt();
	assert_int_equal(fake_spank.errors, 0);
}

/* init_post_opt answers -1 and nothing of the step is left. */
static void refuse(void *root, const char *reason)
{
	char *text;

	assert_int_equal(
		slurm_spank_init_post_opt(fake_spank_handle(), 0, NULL), -1);
	assert_int_equal(fake_spank.errors, 1);
	assert_contains(fake_spank.last_error,
			"the step does not start: the "
			"sandbox on " NODE " could not be built: ");
	assert_contains(fake_spank.last_error, reason);
	assert_int_equal(vtest_count_entries(in(root, RUN "/steps")), 0);
	text = vol_file_read(in(root, FAILED), VOL_WALLSFAIL_MAX, NULL, NULL);
	assert_non_null(text);
	assert_contains(text, "version=1\njob=12\nreason=");
	assert_contains(text, reason);
	free(text);
	unlink(in(root, FAILED));
}

/* Of the sandbox, in the task. */
static const char *expected_calls = "CHKE";

/* A task: the hooks of its process in a child; its status, and what it wrote
 * to its stderr. */
static int run_task(void *root, int task, char *text, size_t size)
{
	char path[PATH_MAX];
	int status, fd;
	ssize_t n;
	pid_t pid;

	snprintf(path, sizeof(path), "%s", in(root, "/stderr"));
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	pid = fork();
	if (pid == 0) {
		dup2(fd, STDERR_FILENO);
		fake_spank.task = task;
		slurm_spank_task_init_privileged(fake_spank_handle(), 0, NULL);
		slurm_spank_task_init(fake_spank_handle(), 0, NULL);
		/* Slurm's exec. */
		_exit(strcmp(fake_sandbox.calls, expected_calls) ||
		      fake_spank_env("SLURM_CONF") ||
		      fake_sandbox.task != (uint32_t)task);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	n = pread(fd, text, size - 1, 0);
	close(fd);
	unlink(path);
	assert_true(n >= 0 && WIFEXITED(status));
	text[n] = '\0';
	return WEXITSTATUS(status);
}

static void hooks_come_in_their_order(void **state)
{
	char text[512];

	start(*state);
	spank_setenv(fake_spank_handle(), "SLURM_CONF", "/spool/slurm.conf", 1);
	assert_string_equal(fake_sandbox.calls, "CH");
	assert_int_equal(run_task(*state, 1, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(run_task(*state, 0, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	/* Two tasks: what one leaves behind may be there for the other. */
	slurm_spank_task_exit(fake_spank_handle(), 0, NULL);
	assert_string_equal(fake_sandbox.calls, "CH");
	slurm_spank_task_exit(fake_spank_handle(), 0, NULL);
	assert_string_equal(fake_sandbox.calls, "CHX");
	assert_string_equal(fake_sandbox.cgroup, in(*state, TASKS));
	leave();
	assert_string_equal(fake_sandbox.calls, "CHXD");
	leave();
	assert_string_equal(fake_sandbox.calls, "CHXD");
	assert_false(exists(*state, FAILED));
}

static void sandbox_knows_its_step(void **state)
{
	start(*state);
	assert_int_equal(fake_sandbox.job.job, 12);
	assert_int_equal(fake_sandbox.job.step, 0);
	assert_int_equal(fake_sandbox.job.uid, 1000);
	assert_int_equal(fake_sandbox.job.gid, 1001);
	assert_int_equal(fake_sandbox.job.tasks, 2);
	assert_false(fake_sandbox.job.batch);
	assert_string_equal(fake_sandbox.script, "");
	assert_string_equal(fake_sandbox.job.host, NODE);
	assert_int_equal(fake_sandbox.job.network, VOL_NETWORK_NONE);
	assert_int_equal(fake_sandbox.scratch_bytes, 12345678);
	assert_string_equal(fake_sandbox.state_dir, in(*state, RUN "/sandbox"));
}

static void batch_step_brings_its_script(void **state)
{
	char script[] = "/spool/job00012/slurm_script";

	write_walls(*state, true);
	init(S_CTX_REMOTE, 0, NULL);
	fake_spank.step = 0xfffffffb;
	refuse(*state, "the job's script");
	init(S_CTX_REMOTE, 0, NULL);
	fake_spank.step = 0xfffffffb;
	fake_spank.argv[0] = script;
	post_opt();
	assert_true(fake_sandbox.job.batch);
	assert_string_equal(fake_sandbox.script, script);
	leave();
	/* A shell of salloc's is no script. */
	init(S_CTX_REMOTE, 0, NULL);
	fake_spank.step = 0xfffffffa;
	post_opt();
	assert_false(fake_sandbox.job.batch);
	assert_string_equal(fake_sandbox.script, "");
}

static void users_name_is_the_jobs_own(void **state)
{
	char longest[65];
	const struct {
		const char *slurm, *user, *logname, *name;
	} cases[] = {
		{NULL, NULL, NULL, "u1000"},
		{"alice", "bob", "carl", "alice"},
		{NULL, "bob", "carl", "bob"},
		{"", "", "carl", "carl"},
		{"a:b", "-x", "c\nd", "u1000"},
		{".x", ".", "..", "u1000"},
		{"\xc3\xa4", "a/b", "a b", "u1000"},
		{longest, "bob", NULL, "bob"},
		{longest + 1, "bob", NULL, longest + 1},
	};

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	write_walls(*state, true);
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		init(S_CTX_REMOTE, 0, NULL);
		if (cases[i].slurm)
			spank_setenv(fake_spank_handle(), "SLURM_JOB_USER",
				     cases[i].slurm, 1);
		if (cases[i].user)
			spank_setenv(fake_spank_handle(), "USER", cases[i].user,
				     1);
		if (cases[i].logname)
			spank_setenv(fake_spank_handle(), "LOGNAME",
				     cases[i].logname, 1);
		post_opt();
		assert_string_equal(fake_sandbox.job.user, cases[i].name);
		leave();
	}
}

static void home_and_shell_are_the_jobs_own(void **state)
{
	char longest[VOL_WALLS_PATH_SIZE + 1];

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	write_walls(*state, true);
	init(S_CTX_REMOTE, 0, NULL);
	spank_setenv(fake_spank_handle(), "HOME", "/campaign/alice", 1);
	spank_setenv(fake_spank_handle(), "SHELL", longest, 1);
	post_opt();
	assert_string_equal(fake_sandbox.job.home, "/campaign/alice");
	assert_string_equal(fake_sandbox.job.shell, "");
	leave();
}

static void socket_of_pmi2_is_passed_on(void **state)
{
	const struct {
		const char *pmi_fd;
		bool passed;
	} cases[] = {{"31", true},          {"2", true},   {"", false},
		     {"x", false},          {"-1", false}, {"3 ", false},
		     {"99999999999", false}};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		char text[512];

		fake_sandbox.calls[0] = '\0';
		start(*state);
		spank_setenv(fake_spank_handle(), "PMI_FD", cases[i].pmi_fd, 1);
		expected_calls = cases[i].passed ? "CHKPE" : "CHKE";
		assert_int_equal(run_task(*state, 0, text, sizeof(text)), 0);
		expected_calls = "CHKE";
		assert_string_equal(text, "");
		leave();
	}
}

/* No hook calls anything of the sandbox, or changes anything else. */
static void run_bare(void *root)
{
	if (fake_spank.context == S_CTX_REMOTE)
		spank_setenv(fake_spank_handle(), "SLURM_CONF", "/spool", 1);
	fake_sandbox.calls[0] = '\0';
	post_opt();
	fake_spank.task = 0;
	slurm_spank_task_init_privileged(fake_spank_handle(), 0, NULL);
	slurm_spank_task_init(fake_spank_handle(), 0, NULL);
	leave();
	assert_string_equal(fake_sandbox.calls, "");
	assert_int_equal(fake_spank.errors, 0);
	assert_false(exists(root, FAILED));
	if (fake_spank.context == S_CTX_REMOTE)
		assert_non_null(fake_spank_env("SLURM_CONF"));
}

static void some_steps_run_bare(void **state)
{
	/* The owner took the walls down. */
	write_walls(*state, false);
	init(S_CTX_REMOTE, 0, NULL);
	run_bare(*state);
	/* A sleep of Slurm's own. */
	write_walls(*state, true);
	init(S_CTX_REMOTE, 0, NULL);
	fake_spank.step = 0xfffffffc;
	run_bare(*state);
	/* No device: walls or not. */
	unsetenv(VOL_ENV_DEVICE);
	init(S_CTX_REMOTE, 0, NULL);
	spank_setenv(fake_spank_handle(), VOL_ENV_DEVICE, "liar", 1);
	run_bare(*state);
	assert_int_equal(unlink(in(*state, WALLS)), 0);
	init(S_CTX_REMOTE, 0, NULL);
	run_bare(*state);
	/* Other processes. */
	for (int c = S_CTX_LOCAL; c <= S_CTX_JOB_SCRIPT; c++)
		if (c != S_CTX_REMOTE) {
			init((enum spank_context)c, 0, NULL);
			run_bare(*state);
		}
}

static void walls_that_are_not_roots_stop_the_step(void **state)
{
	const char *path;

	init(S_CTX_REMOTE, 0, NULL);
	assert_int_equal(unlink(in(*state, WALLS)), 0);
	refuse(*state, "/walls: No such file");

	write_walls(*state, true);
	path = in(*state, WALLS);
	assert_int_equal(chmod(path, 0664), 0);
	init(S_CTX_REMOTE, 0, NULL);
	refuse(*state, "others than its owner may write");

	path = in(*state, WALLS);
	assert_int_equal(vol_file_replace(path, "version=1\nwalls=maybe\n", 22,
					  0644, 0, NULL),
			 0);
	init(S_CTX_REMOTE, 0, NULL);
	refuse(*state, "/walls:2: ");

	path = in(*state, WALLS);
	assert_int_equal(truncate(path, VOL_WALLS_FILE_MAX + 1), 0);
	init(S_CTX_REMOTE, 0, NULL);
	refuse(*state, "/walls: ");

	path = in(*state, WALLS);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	init(S_CTX_REMOTE, 0, NULL);
	refuse(*state, "/walls: ");
	assert_string_equal(fake_sandbox.calls, "");
}

static void early_failure_leaves_nothing(void **state)
{
	write_walls(*state, true);
	init(S_CTX_REMOTE, 0, NULL);
	fake_sandbox.no_create = true;
	refuse(*state, "no create");
	assert_string_equal(fake_sandbox.calls, "C");
	/* Slurm calls no hook any more; if it did: */
	leave();
	assert_string_equal(fake_sandbox.calls, "C");

	init(S_CTX_REMOTE, 0, NULL);
	fake_sandbox = (struct fake_sandbox){.no_hide = true};
	refuse(*state, "no hide");
	assert_string_equal(fake_sandbox.calls, "CHD");
	leave();
	assert_string_equal(fake_sandbox.calls, "CHD");
}

static void late_failure_gives_the_job_back(void **state)
{
	char text[512], *told;

	start(*state);
	for (int i = 0; i < 2; i++) {
		fake_sandbox.no_keep = i == 0;
		fake_sandbox.no_enter = i == 1;
		assert_int_equal(run_task(*state, 0, text, sizeof(text)),
				 VOL_EXIT_REQUEUE);
		assert_contains(text, "volunteer: the sandbox on " NODE
				      " could not be built: ");
		assert_contains(text, i ? "no enter" : "no keep");
		assert_contains(text, "; the job goes to another machine\n");
		if (geteuid() != 0)
			continue; /* we do not become root for the file */
		told = vol_file_read(in(*state, FAILED), VOL_WALLSFAIL_MAX,
				     NULL, NULL);
		assert_non_null(told);
		assert_string_equal(told,
				    i ? "version=1\njob=12\nreason=no enter\n"
				      : "version=1\njob=12\nreason=no keep\n");
		free(told);
		unlink(in(*state, FAILED));
	}
	/* A machine without a network gets one again. */
	fake_sandbox.enter_errno = ENETUNREACH;
	assert_int_equal(run_task(*state, 0, text, sizeof(text)),
			 VOL_EXIT_REQUEUE);
	assert_contains(text, "; the job goes to another machine\n");
	assert_int_equal(access(in(*state, FAILED), F_OK), -1);
	fake_sandbox.no_enter = false;
	assert_int_equal(run_task(*state, -1, text, sizeof(text)),
			 VOL_EXIT_REQUEUE);
	assert_contains(text, "which task");
}

/* Whoever submits jobs must not be able to close devices. */
static void what_the_job_asked_for_is_its_own_fault(void **state)
{
	char text[512], path[PATH_MAX];

	start(*state);
	fake_sandbox.no_enter = true;
	fake_sandbox.enter_errno = EACCES;
	assert_int_equal(run_task(*state, 0, text, sizeof(text)), 1);
	assert_string_equal(text, "volunteer: the job does not start on " NODE
				  ": no enter\n");
	assert_false(exists(*state, FAILED));
	leave();

	/* What is in no working folder is nobody's to write into. */
	snprintf(path, sizeof(path), "%s", in(*state, "/work"));
	assert_int_equal(vol_mkdir_p(path, 0755, NULL), 0);
	fake_sandbox.calls[0] = '\0';
	write_walls_for(*state, true, path);
	init(S_CTX_REMOTE, 0, NULL);
	post_opt();
	for (int i = 0; i < 2; i++) {
		fake_sandbox.enter_errno = i ? EPERM : EACCES;
		assert_int_equal(run_task(*state, 0, text, sizeof(text)),
				 i ? VOL_EXIT_REQUEUE : 1);
		assert_string_equal(text, "");
	}
	unlink(in(*state, FAILED));
}

/* The device is not to blame, and stays open. */
static void jobs_of_root_are_refused(void **state)
{
	char text[512];

	write_walls(*state, true);
	for (int i = 0; i < 2; i++) {
		init(S_CTX_REMOTE, 0, NULL);
		if (i)
			fake_spank.gid = 0;
		else
			fake_spank.uid = 0;
		post_opt();
		assert_int_equal(fake_sandbox.job.uid, 65534);
		assert_int_equal(fake_sandbox.job.gid, 65534);
		assert_int_equal(run_task(*state, 1, text, sizeof(text)), 1);
		assert_string_equal(text, "volunteer: " NODE " runs no jobs of "
					  "root, nor of its group\n");
		assert_false(exists(*state, FAILED));
		leave();
		fake_sandbox.calls[0] = '\0';
	}
}

/* The user's own folder, with all that may be in its name, in one line. */
static void reason_is_one_line(void **state)
{
	char *text;

	write_walls(*state, true);
	assert_int_equal(unlink(in(*state, WALLS)), 0);
	init(S_CTX_REMOTE, 1, (char *[]){"run_dir=/a\nversion=2"});
	assert_int_equal(vol_mkdir_p(in(*state, "/a\nversion=2"), 0755, NULL),
			 0);
	assert_int_equal(
		slurm_spank_init_post_opt(fake_spank_handle(), 0, NULL), -1);
	text = vol_file_read(in(*state, "/a\nversion=2/walls-failed"),
			     VOL_WALLSFAIL_MAX, NULL, NULL);
	assert_non_null(text);
	assert_null(strstr(text, "version=2\n"));
	assert_contains(text, "/a?version=2/walls: No such file");
	free(text);
}

static void the_sandbox_knows_whose_files_they_are(void **state)
{
	static const struct {
		const char *asked;
		uint32_t array_task;
		int files;
		const char *says;
	} cases[] = {
		{NULL, 0xfffffffe, VOL_ROLLBACK_SHARED, ""},
		{"opened", 0xfffffffe, VOL_ROLLBACK_OPENED, ""},
		{"own", 0xfffffffe, VOL_ROLLBACK_OWN, ""},
		{"opened", 0, VOL_ROLLBACK_OPENED, ""},
		{"own", 0, VOL_ROLLBACK_SHARED,
		 "volunteer: --volunteer-files=own is not for a task of an "
		 "array, which shares the folder that it starts in\n"},
	};
	char text[512];

	write_walls(*state, true);
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		init(S_CTX_REMOTE, 0, NULL);
		fake_spank.array_task = cases[i].array_task;
		if (cases[i].array_task == 0)
			fake_spank.array_job = 11;
		if (cases[i].asked)
			assert_int_equal(
				fake_spank_give_option("volunteer-files",
						       cases[i].asked, 1),
				0);
		post_opt();
		assert_int_equal(fake_sandbox.job.files, cases[i].files);
		assert_int_equal(run_task(*state, 0, text, sizeof(text)), 0);
		assert_string_equal(text, cases[i].says);
		leave();
		fake_sandbox.calls[0] = '\0';
	}
}

static void device_gives_less_than_was_asked(void **state)
{
	static const char *const asked[] = {"internet", "lan"};
	char text[512], want[512];

	write_walls(*state, true);
	for (size_t i = 0; i < N_ELEMENTS(asked); i++) {
		init(S_CTX_REMOTE, 0, NULL);
		assert_int_equal(fake_spank_give_option("volunteer-net",
							asked[i], 1),
				 0);
		post_opt();
		assert_int_equal(fake_sandbox.job.network, VOL_NETWORK_NONE);
		assert_int_equal(run_task(*state, 1, text, sizeof(text)), 0);
		assert_string_equal(text, "");
		assert_int_equal(run_task(*state, 0, text, sizeof(text)), 0);
		snprintf(want, sizeof(want),
			 "volunteer: " NODE " gives a job network=none, not "
			 "%s: the device's policy wins\n",
			 asked[i]);
		assert_string_equal(text, want);
		leave();
		fake_sandbox.calls[0] = '\0';
	}
	/* No more than was asked for, where more may be had. */
	write_walls_of(*state, true, *state, VOL_NETWORK_INTERNET);
	init(S_CTX_REMOTE, 0, NULL);
	assert_int_equal(fake_spank_give_option("volunteer-net", "lan", 1), 0);
	post_opt();
	assert_int_equal(fake_sandbox.job.network, VOL_NETWORK_INTERNET);
	assert_int_equal(run_task(*state, 0, text, sizeof(text)), 0);
	assert_string_equal(text,
			    "volunteer: " NODE " gives a job network=internet, "
			    "not lan: the device's policy wins\n");
	leave();
	fake_sandbox.calls[0] = '\0';
	init(S_CTX_REMOTE, 0, NULL);
	post_opt();
	assert_int_equal(fake_sandbox.job.network, VOL_NETWORK_NONE);
	leave();
	fake_sandbox.calls[0] = '\0';
	init(S_CTX_REMOTE, 0, NULL);
	assert_int_equal(fake_spank_give_option("volunteer-net", "none", 1), 0);
	post_opt();
	assert_int_equal(run_task(*state, 0, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	/* The job's environment, which the user writes, carries it to us. */
	assert_int_equal(fake_spank_give_option("volunteer-net", "wifi", 1),
			 -1);
	assert_int_equal(fake_spank_give_option("volunteer-net", NULL, 1), -1);
	assert_contains(fake_spank.last_error, "--volunteer-net: ");
}

static void folder_that_is_not_here_is_named(void **state)
{
	char text[PATH_MAX], back[PATH_MAX], want[2 * PATH_MAX];

	assert_non_null(getcwd(back, sizeof(back)));
	start(*state);
	fake_sandbox.where = "";
	assert_int_equal(chdir(*state), 0);
	assert_int_equal(run_task(*state, 0, text, sizeof(text)), 0);
	snprintf(want, sizeof(want),
		 "volunteer: %s is not on this machine; the job runs in /tmp, "
		 "which is removed when it ends\n",
		 (char *)*state);
	assert_string_equal(text, want);
	assert_int_equal(run_task(*state, 1, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	/* slurmstepd has given up on it already. */
	assert_int_equal(chdir("/tmp"), 0);
	assert_int_equal(run_task(*state, 0, text, sizeof(text)), 0);
	assert_contains(text, "volunteer: the working folder is not on this ");
	assert_int_equal(chdir(back), 0);
}

static void session_of_the_login_node_stays_there(void **state)
{
	static const char *const gone[] = {
		"DBUS_SESSION_BUS_ADDRESS", "DISPLAY",        "SSH_AUTH_SOCK",
		"XDG_RUNTIME_DIR",          "XDG_SESSION_ID", "XAUTHORITY",
		"WAYLAND_DISPLAY",          "GPG_AGENT_INFO"};
	static const char *const kept[] = {"DISPLAYS", "XDG_DATA_HOME", "SSH",
					   "HOME"};

	for (int up = 0; up < 2; up++) {
		write_walls(*state, up);
		init(S_CTX_REMOTE, 0, NULL);
		for (size_t i = 0; i < N_ELEMENTS(gone); i++)
			spank_setenv(fake_spank_handle(), gone[i], "=x", 1);
		for (size_t i = 0; i < N_ELEMENTS(kept); i++)
			spank_setenv(fake_spank_handle(), kept[i],
				     "DISPLAY=", 1);
		post_opt();
		/* Without walls a job is as on any node. */
		for (size_t i = 0; i < N_ELEMENTS(gone); i++)
			assert_int_equal(fake_spank_env(gone[i]) == NULL, up);
		for (size_t i = 0; i < N_ELEMENTS(kept); i++)
			assert_non_null(fake_spank_env(kept[i]));
		leave();
	}
	assert_int_equal(fake_spank.errors, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_the_job_asked_for_is_its_own_fault),
		TEST(session_of_the_login_node_stays_there),
		TEST(hooks_come_in_their_order),
		TEST(sandbox_knows_its_step),
		TEST(batch_step_brings_its_script),
		TEST(users_name_is_the_jobs_own),
		TEST(home_and_shell_are_the_jobs_own),
		TEST(socket_of_pmi2_is_passed_on),
		TEST(some_steps_run_bare),
		TEST(walls_that_are_not_roots_stop_the_step),
		TEST(early_failure_leaves_nothing),
		TEST(late_failure_gives_the_job_back),
		TEST(jobs_of_root_are_refused),
		TEST(reason_is_one_line),
		TEST(the_sandbox_knows_whose_files_they_are),
		TEST(device_gives_less_than_was_asked),
		TEST(folder_that_is_not_here_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
