/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_procs.c - find our slurmd and slurmstepds, and live steps */
#include "config.h"

#include "device/procs.h"
#include "device/spank_flag.h"
#include "device/steps.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "atomicfile.h"
#include "stepfile.h"
#include "vtest.h"

#define CMDLINE                                                     \
	"/usr/sbin/slurmd\0-D\0-Z\0-N\0n1\0--conf-server\0c:6817\0" \
	"--conf\0Sockets=1 Feature=volunteer\0"

#define TEXT(s) s, sizeof(s) - 1

static void cmdlines(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		bool ours;
	} rows[] = {
		{TEXT(CMDLINE), true},
		{TEXT("slurmd-wlm\0-D\0-N\0n1\0--conf-server\0c:1\0"), true},
		/* The launcher, shortly before it is slurmd. */
		{TEXT("/x/slurm-volunteer-launch\0--\0" CMDLINE), true},
		{TEXT("slurm-volunteer-launch\0" CMDLINE), true},
		{TEXT("slurm-volunteer-launch\0"), false},
		{TEXT("slurm-volunteer-launch\0--\0"), false},
		{TEXT("slurm-volunteer-launch\0--\0--\0" CMDLINE), false},
		{TEXT("other-launch\0--\0" CMDLINE), false},
		{TEXT(""), false},
		{TEXT("slurmd"), false},
		{TEXT("slurmd\0"), false},
		/* No name, a bad one, in the background, no controller. */
		{TEXT("slurmd\0-D\0--conf-server\0c:1\0"), false},
		{TEXT("slurmd\0-D\0-N\0a;b\0--conf-server\0c:1\0"), false},
		{TEXT("slurmd\0-N\0n1\0--conf-server\0c:1\0"), false},
		{TEXT("slurmd\0-D\0-N\0n1\0"), false},
		{TEXT("slurmstepd\0-D\0-N\0n1\0--conf-server\0c:1\0"), false},
		{TEXT("bash\0-D\0-N\0n1\0--conf-server\0c:1\0"), false},
		/* The last word has no value; the text is cut. */
		{TEXT("slurmd\0-D\0-N\0n1\0--conf-server\0"), false},
		{TEXT("slurmd\0-D\0-N\0n1\0--conf-server\0c:1"), false},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct vol_slurmd_spec spec = {.node = "untouched"};

		assert_int_equal(vol_procs_parse_cmdline(rows[i].text,
							 rows[i].len, &spec),
				 rows[i].ours);
		assert_string_equal(spec.node,
				    rows[i].ours ? "n1" : "untouched");
	}
}

static void put(const char *root, long pid, const char *name, const char *data,
		size_t len)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/proc/%ld", root, pid);
	assert_int_equal(vol_mkdir_p(path, 0755, NULL), 0);
	snprintf(path, sizeof(path), "%s/proc/%ld/%s", root, pid, name);
	assert_int_equal(vol_file_replace(path, data, len, 0644, 0, NULL), 0);
}

#define PUT(root, pid, name, text) put(root, pid, name, text, sizeof(text) - 1)

static void count(pid_t pid, void *arg)
{
	*(long *)arg += pid;
}

static void process_tree(void **state)
{
	const char *root = *state;
	struct vol_slurmd_spec spec;
	char path[512];
	long sum = 0;

	assert_int_equal(vol_procs_find_slurmd(root, &spec), 0);
	/* The child of one of ours that has ended. */
	PUT(root, 8, "cmdline", CMDLINE);
	PUT(root, 8, "environ", VOL_ENV_DEVICE "=n1\0");
	PUT(root, 8, "stat", "8 (slurmd) S 1 7 7 0");
	assert_int_equal(vol_procs_find_slurmd(root, &spec), 0);
	/* Another slurmd; ours; a child of ours that has not exec'ed yet. */
	PUT(root, 10, "cmdline", CMDLINE);
	PUT(root, 10, "environ", "PATH=/bin\0" VOL_ENV_DEVICE "=n2\0");
	PUT(root, 10, "stat", "10 (slurmd) S 1 10 10 0");
	PUT(root, 9, "cmdline", CMDLINE);
	PUT(root, 9, "environ", VOL_ENV_DEVICE "=n1\0");
	PUT(root, 9, "stat", "9 (a ) b) S 20 9 9 0");
	PUT(root, 20, "cmdline", CMDLINE);
	PUT(root, 20, "environ",
	    "A=b\0" VOL_ENV_DEVICE "=n1\0" VOL_ENV_VIEW "=0123\0");
	PUT(root, 20, "stat", "20 (slurmd) S 1 20 20 0");
	assert_int_equal(vol_procs_find_slurmd(root, &spec), 20);
	assert_string_equal(spec.node, "n1");
	assert_string_equal(spec.conf_server, "c:6817");
	assert_string_equal(spec.view, "0123");
	assert_string_equal(spec.conf, "Sockets=1 Feature=volunteer");

	PUT(root, 30, "comm", "slurmstepd\n");
	PUT(root, 40, "comm", "slurmstepd: [7\n");
	PUT(root, 50, "comm", "slurmd\n");
	/* What keeps slurmd's scope alive under systemd is no step. */
	PUT(root, 70, "comm", "slurmstepd\n");
	PUT(root, 70, "cmdline", "/usr/sbin/slurmstepd\0infinity\0");
	assert_int_equal(vol_procs_each_stepd(root, count, &sum), 0);
	assert_int_equal(sum, 70);
	assert_true(vol_procs_is_stepd(root, 30));
	assert_false(vol_procs_is_stepd(root, 50));
	assert_false(vol_procs_is_stepd(root, 60));
	/* Whether it is one can not be seen: a folder is no file. */
	snprintf(path, sizeof(path), "%s/proc/80/comm", root);
	assert_int_equal(vol_mkdir_p(path, 0755, NULL), 0);
	assert_int_equal(vol_procs_is_stepd(root, 80), -1);
	/* Nor whether it is one of this machine. */
	PUT(root, 90, "comm", "slurmstepd\n");
	snprintf(path, sizeof(path), "%s/proc/90/ns/pid", root);
	assert_int_equal(vol_mkdir_p(path, 0755, NULL), 0);
	assert_int_equal(vol_procs_is_stepd(root, 90), -1);
	sum = 0;
	assert_int_equal(vol_procs_each_stepd(root, count, &sum), -1);
	assert_int_equal(sum, 70);
	assert_int_equal(vol_procs_each_stepd("/nowhere", count, &sum), -1);
}

static void ignore(int signal)
{
	(void)signal;
}

static void signals(void **state)
{
	const char *root = *state;

	/* 1 = SIGHUP, 15 = SIGTERM. */
	PUT(root, 5, "status", "Name:\tslurmd\nSigCgt:\t0000000000004001\n");
	PUT(root, 6, "status", "Name:\tslurmd\nSigCgt:\t0000000000004000\n");
	PUT(root, 7, "status", "Name:\tSigCgt:\t1\nSigIgn:\t1\n");
	assert_true(vol_procs_catches(root, 5, SIGHUP));
	assert_true(vol_procs_catches(root, 5, SIGTERM));
	assert_false(vol_procs_catches(root, 5, SIGINT));
	assert_false(vol_procs_catches(root, 6, SIGHUP));
	assert_false(vol_procs_catches(root, 7, SIGHUP));
	assert_false(vol_procs_catches(root, 8, SIGHUP));
	/* And the kernel means the same. */
	assert_false(vol_procs_catches("", getpid(), SIGUSR2));
	signal(SIGUSR2, SIG_IGN);
	assert_false(vol_procs_catches("", getpid(), SIGUSR2));
	signal(SIGUSR2, ignore);
	assert_true(vol_procs_catches("", getpid(), SIGUSR2));
	signal(SIGUSR2, SIG_DFL);
}

static void spank_flag(void **state)
{
	static const char text[] = "version=1\nplugin=0.1.0\nslurm=24.11.5\n"
				   "slurmd=4711\nnode=n1\n";
	char slurm[VOL_VERSION_SIZE], path[512];

	snprintf(path, sizeof(path), "%s/flag", (char *)*state);
	assert_false(vol_spank_flag_read(path, 4711, slurm));
	assert_int_equal(
		vol_file_replace(path, text, strlen(text), 0644, 0, NULL), 0);
	assert_true(vol_spank_flag_read(path, 4711, slurm));
	assert_string_equal(slurm, "24.11.5");
	assert_false(vol_spank_flag_read(path, 471, slurm));
	assert_false(vol_spank_flag_read(path, 0, slurm));
	assert_string_equal(slurm, "");
}

/* ---- live steps ---- */

static pid_t play_stepd(void)
{
	int fds[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NAME, "slurmstepd");
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[1]);
		close(fds[0]);
		for (;;)
			pause();
	}
	/* Wait until it has its name. */
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 0);
	close(fds[0]);
	return pid;
}

static void put_step(const char *dir, const char *name, pid_t pid)
{
	struct vol_step step = {
		.job = 7, .step = 0, .uid = 1, .stepd = pid, .cgroup = "/a/b"};
	char text[VOL_STEPFILE_MAX], path[512];
	int len = vol_step_format(&step, text, sizeof(text));

	assert_true(len > 0);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(
		vol_file_replace(path, text, (size_t)len, 0644, 0, NULL), 0);
}

static void note_change(void *arg)
{
	++*(unsigned *)arg;
}

static size_t count_steps(const struct vol_steps *s)
{
	json_t *list = vol_steps_json(s);
	size_t n = json_array_size(list);

	json_decref(list);
	return n;
}

static bool run_until(sd_event *loop, struct vol_steps *s, size_t n)
{
	for (int i = 0; i < 1000; i++) {
		if (count_steps(s) == n)
			return true;
		sd_event_run(loop, 10 * 1000);
	}
	return false;
}

static void live_steps(void **state)
{
	char dir[256], stale[300];
	pid_t one = play_stepd(), two, ended = fork();
	unsigned changes = 0;
	struct vol_steps *s;
	struct vol_error err;
	sd_event *loop;
	size_t others;

	if (ended == 0)
		_exit(0);
	waitpid(ended, NULL, 0);
	snprintf(dir, sizeof(dir), "%s/steps", (char *)*state);
	snprintf(stale, sizeof(stale), "%s/7.9", dir);
	assert_int_equal(vol_mkdir_p(dir, 0755, NULL), 0);
	put_step(dir, "7.9", ended);
	assert_int_equal(sd_event_new(&loop), 0);
	s = vol_steps_create(loop, dir, NULL, note_change, &changes, &err);
	assert_non_null(s);
	/* The stale file is gone, the running one was found without a file. */
	assert_int_equal(access(stale, F_OK), -1);
	assert_true(vol_steps_busy(s));
	others = count_steps(s) - 1; /* of this machine */

	two = play_stepd();
	put_step(dir, "7.1", two);
	assert_true(run_until(loop, s, others + 2));
	/* A file for the one we knew adds nothing. */
	put_step(dir, "7.0", one);
	put_step(dir, ".hidden", one);
	sd_event_run(loop, 100 * 1000);
	assert_true(run_until(loop, s, others + 2));

	kill(two, SIGKILL);
	waitpid(two, NULL, 0);
	assert_true(run_until(loop, s, others + 1));
	snprintf(stale, sizeof(stale), "%s/7.1", dir);
	assert_int_equal(access(stale, F_OK), -1);
	assert_true(changes > 0);
	kill(one, SIGKILL);
	waitpid(one, NULL, 0);
	assert_true(run_until(loop, s, others));
	vol_steps_destroy(s);
	sd_event_unref(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cmdlines),
		cmocka_unit_test_setup_teardown(process_tree,
						vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(signals, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(spank_flag, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(live_steps, vtest_folder_setup,
						vtest_folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
