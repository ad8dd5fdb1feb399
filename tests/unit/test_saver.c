/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_saver.c - a job is saved by a program, which may fail in many ways
 *
 * The program is a shell script here.
 */
#include "config.h"

#include "device/saver.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "freezer_bed.h"
#include "saver_bed.h"

#define DEADLINE_S 30
#define LONG_MS    60000
#define STEPD      70

static struct {
	struct bed *cgroups;
	struct vol_freezer *freezer;
	char folder[64], program[96];
	sd_event *loop;
	struct vol_saver *saver;
	struct vol_saved result;
	unsigned n, written;
	bool give_back;
	enum vol_ckcause cause;
	uint32_t signal;
	uint64_t grace_ms;
} bed;

static void on_done(const struct vol_saved *result, void *arg)
{
	assert_ptr_equal(arg, &bed);
	/* It is back, and stopped, before anybody hears of it. */
	assert_int_equal(vol_saver_job(bed.saver), 0);
	bed.result = *result;
	bed.n++;
}

static void program_does(const char *body)
{
	write_saver(bed.program, bed.folder, body);
}

static bool is_there(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", bed.folder, name);
	return access(path, F_OK) == 0;
}

static void make_file(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", bed.folder, name);
	assert_int_equal(close(creat(path, 0600)), 0);
}

static void run_once(void)
{
	assert_true(sd_event_run(bed.loop, 10000) >= 0);
}

#define UNTIL(condition)                                           \
	do {                                                       \
		time_t end_ = time(NULL) + DEADLINE_S;             \
		while (!(condition)) {                             \
			if (time(NULL) > end_)                     \
				fail_msg("never: %s", #condition); \
			run_once();                                \
		}                                                  \
	} while (0)

static void on_written(uint32_t job, void *arg)
{
	assert_ptr_equal(arg, &bed);
	assert_int_equal(job, 7);
	assert_true(vol_saver_written(bed.saver));
	bed.written++;
	if (bed.give_back)
		vol_saver_give_back(bed.saver);
}

/* hold is for test_saver_before.c. */
static const struct vol_saver_ops ops = {on_written, on_done, NULL};

static void create(void)
{
	struct vol_error err = {""};

	bed.saver = vol_saver_create(bed.loop, bed.freezer, bed.program,
				     "/etc/some/device.conf", &ops, &bed, &err);
	if (!bed.saver)
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	void *folder;

	memset(&bed, 0, sizeof(bed));
	if (bed_setup_fake(state) < 0 || vtest_folder_setup(&folder) < 0 ||
	    sd_event_new(&bed.loop) < 0)
		return -1;
	snprintf(bed.folder, sizeof(bed.folder), "%s", (char *)folder);
	free(folder);
	snprintf(bed.program, sizeof(bed.program), "%s/program", bed.folder);
	bed.cgroups = *state;
	bed.freezer = freezer(bed.cgroups);
	/* A step that is born, and stopped. */
	bed_step(bed.cgroups, "7.0");
	bed_task(bed.cgroups, "7.0", "task_0");
	add(bed.freezer, bed.cgroups, 7, 0, true);
	bed_write(bed.cgroups, "7.0", "user/cgroup.freeze", "0");
	create();
	return 0;
}

static int teardown(void **state)
{
	void *folder = strdup(bed.folder);

	vol_saver_destroy(bed.saver);
	vol_freezer_destroy(bed.freezer);
	sd_event_unref(bed.loop);
	vtest_folder_teardown(&folder);
	return bed_teardown(state);
}

static int begin_for(uint64_t ms, struct vol_error *err)
{
	const struct vol_step step = {.job = 7,
				      .stepd = STEPD,
				      .cgroup = "/some/step",
				      .save = true,
				      .restarts = 2,
				      .signal = bed.signal};

	return vol_saver_begin(bed.saver, &step, bed.cause, ms, bed.grace_ms,
			       err);
}

static void begin(uint64_t ms)
{
	struct vol_error err = {""};

	if (begin_for(ms, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(vol_saver_job(bed.saver), 7);
}

static char task(void)
{
	return bed_read(bed.cgroups, "7.0", "user/task_0/cgroup.freeze");
}

static void it_is_told_what_to_save(void **state)
{
	(void)state;
	program_does("[ $# = 8 ] || exit 9\n"
		     "[ \"$1\" = --conf=/etc/some/device.conf ] || exit 10\n"
		     "[ \"$2\" = --wait=60000ms ] || exit 11\n"
		     "[ \"$3\" = --progress ] || exit 12\n"
		     "[ \"$4 $5\" = '--job=7 --restarts=2' ] || exit 13\n"
		     "[ \"$6\" = --cause=evict ] || exit 14\n"
		     "[ \"$7\" = save ] || exit 14\n"
		     "[ \"$8\" = /sys/fs/cgroup/some/step/user ] || exit 15\n"
		     "echo '{\"stage\": \"dump\", \"bytes\": 1}'\n"
		     "echo '{\"stage\": \"send\", \"bytes\": 1}'\n"
		     "echo '{\"number\": 4, \"bytes\": 5000000000, "
		     "\"memory\": 6000000000, \"dump_ms\": 99, "
		     "\"send_ms\": 4294967296}'");
	begin(LONG_MS);
	UNTIL(bed.n == 1);
	assert_string_equal(bed.result.why, "");
	assert_true(bed.result.saved);
	assert_int_equal(bed.result.job, 7);
	assert_int_equal(bed.result.number, 4);
	assert_int_equal(bed.result.bytes, 5000000000);
	assert_int_equal(bed.result.memory, 6000000000);
	assert_int_equal(bed.result.dump_ms, 99);
	assert_int_equal(bed.result.send_ms, UINT32_MAX);
	assert_int_equal(task(), '1');
}

static void one_that_saves_itself(void **state)
{
	static const struct {
		uint32_t signal;
		uint64_t grace_ms;
		const char *words;
	} rows[] = {
		{15, 2500, "--files --signal=15 --grace=2500ms save"},
		{10, 0, "--files save /sys/fs/cgroup/some"},
		{0, 2500, "--cause=evict save"},
	};

	(void)state;
	program_does("echo \"$*\" >&2; exit 1");
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		bed.signal = rows[i].signal;
		bed.grace_ms = rows[i].grace_ms;
		begin(LONG_MS);
		UNTIL(bed.n == i + 1);
		assert_contains(bed.result.why, rows[i].words);
	}
}

/* A job that goes on does so as soon as its memory is on disk. */
static void the_step_comes_back_when_it_is_written(void **state)
{
	(void)state;
	program_does("echo '{\"stage\": \"dump\", \"bytes\": 0}'\n"
		     "until [ -e go ]; do sleep 0.01; done\n"
		     "echo '{\"stage\": \"send\", \"bytes\": 0}'\n"
		     "echo '{\"stage\": \"send\", \"bytes\": 1}'\n"
		     "until [ -e on ]; do sleep 0.01; done\n"
		     "echo $6 >&2; exit 1");
	vol_freezer_open(bed.freezer);
	vol_freezer_hold(bed.freezer, 7, true);
	bed.cause = VOL_CKCAUSE_PERIODIC;
	bed.give_back = true;
	begin(LONG_MS);
	assert_int_equal(vol_saver_cause(bed.saver), VOL_CKCAUSE_PERIODIC);
	assert_false(vol_saver_written(bed.saver));
	vol_freezer_hold(bed.freezer, 7, false);
	assert_int_equal(task(), '1');
	make_file("go");
	UNTIL(bed.written == 1);
	assert_int_equal(task(), '0');
	assert_int_equal(bed.n, 0);
	vol_freezer_hold(bed.freezer, 7, true);
	assert_int_equal(task(), '1');
	make_file("on");
	UNTIL(bed.n == 1);
	assert_int_equal(bed.written, 1);
	assert_string_equal(bed.result.why, "--cause=periodic");
	assert_int_equal(bed.result.cause, VOL_CKCAUSE_PERIODIC);
}

/* Field 41 of stat is the policy, 5 is SCHED_IDLE; field 5 the group. */
static void it_is_the_least_of_all(void **state)
{
	(void)state;
	program_does(
		"stat=$(cat /proc/$$/stat)\n"
		"set -- ${stat##*) }\n"
		"group=$3\n"
		"shift 38\n"
		"echo \"policy $1 $([ $group = $$ ] && echo leader)\" >&2\n"
		"exit 1");
	begin(LONG_MS);
	UNTIL(bed.n == 1);
	assert_string_equal(bed.result.why, "policy 5 leader");
}

static const struct {
	const char *body, *why;
} ways[] = {
	{"echo 'slurm-volunteer-image: a POSIX message queue is open' >&2; "
	 "exit 5",
	 "a POSIX message queue is open"},
	{"echo 'slurm-volunteer-image: refused (no_room): full' >&2; exit 3",
	 "refused (no_room): full"},
	{"echo one >&2; echo two >&2; exit 1", "one"},
	{"echo; echo >&2; echo first >&2; exit 1", "first"},
	{"printf 'no newline' >&2; exit 1", "no newline"},
	{"printf '\\033[2J\\303\\244\\n' >&2; exit 1", "?[2J??"},
	{"exit 1", "program ended with status 1"},
	{"kill -9 $$", "program ended with signal 9"},
	{"exit 0", "no number of an image was told"},
	{"echo '{\"number\": 0}'", "no number of an image was told"},
	{"echo '{\"number\": 4294967296}'", "no number of an image was told"},
	{"echo '{\"number\": -1}'", "no number of an image was told"},
	{"echo '{\"number\": 1'; echo '[]'; echo nothing",
	 "no number of an image was told"},
	{"echo '{\"number\": 1}'; exit 1", "program ended with status 1"},
	/* More than any line, and more than a pipe holds. */
	{"head -c 300000 /dev/zero | tr '\\0' x; "
	 "head -c 300000 /dev/zero | tr '\\0' y >&2; exit 1",
	 "yyyyyyyyyyyy"},
	{"head -c 300000 /dev/zero | tr '\\0' '\\n'; "
	 "head -c 300000 /dev/zero | tr '\\0' '\\n' >&2; exit 1",
	 "program ended with status 1"},
};

static void it_says_why_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(ways); i++) {
		program_does(ways[i].body);
		begin(LONG_MS);
		UNTIL(bed.n == i + 1);
		assert_false(bed.result.saved);
		assert_contains(bed.result.why, ways[i].why);
		assert_printable(bed.result.why);
		assert_int_equal(task(), '1');
	}
}

static void a_program_that_is_missing(void **state)
{
	(void)state;
	begin(LONG_MS);
	UNTIL(bed.n == 1);
	assert_false(bed.result.saved);
	assert_contains(bed.result.why, "No such file");
}

/* CRIU thaws what it holds; whoever froze it then would have it wait. */
static void the_step_is_lent_to_it(void **state)
{
	(void)state;
	program_does("until [ -e go ]; do sleep 0.01; done\n"
		     "echo '{\"number\": 1, \"bytes\": 1}'");
	vol_freezer_open(bed.freezer);
	vol_freezer_hold(bed.freezer, 7, true);
	assert_int_equal(task(), '1');
	begin(LONG_MS);
	bed_write(bed.cgroups, "7.0", "user/task_0/cgroup.freeze", "0");
	vol_freezer_close(bed.freezer);
	assert_true(vol_freezer_wait(bed.freezer, 0));
	add(bed.freezer, bed.cgroups, 7, 0, true);
	bed_task(bed.cgroups, "7.0", "task_1");
	dispatch(bed.freezer);
	assert_int_equal(task(), '0');
	make_file("go");
	UNTIL(bed.n == 1);
	assert_true(bed.result.saved);
	assert_int_equal(task(), '1');
	assert_int_equal(
		bed_read(bed.cgroups, "7.0", "user/task_1/cgroup.freeze"), '1');
}

static void one_at_a_time(void **state)
{
	struct vol_error err;

	(void)state;
	program_does("exec sleep 1000");
	begin(LONG_MS);
	assert_int_equal(begin_for(LONG_MS, &err), -1);
	assert_int_equal(errno, EBUSY);
	assert_int_equal(vol_saver_job(bed.saver), 7);
}

static void what_slurm_has_suspended_waits_in_vain(void **state)
{
	struct vol_error err;

	(void)state;
	program_does("exit 0");
	bed_write(bed.cgroups, "7.0", "user/cgroup.freeze", "1");
	assert_int_equal(begin_for(LONG_MS, &err), -1);
	assert_int_equal(errno, EBUSY);
	assert_contains(err.text, "suspended");
	assert_int_equal(vol_saver_job(bed.saver), 0);
	vol_freezer_remove(bed.freezer, STEPD);
	assert_int_equal(begin_for(LONG_MS, &err), -1);
	assert_int_equal(errno, ENOENT);
}

/* The program has a moment to put its things away. */
static void its_time_ends(void **state)
{
	(void)state;
	program_does("trap 'echo >tidy; exit 1' TERM\n"
		     "echo >ready\n"
		     "while :; do sleep 0.01; done");
	begin(3000);
	UNTIL(bed.n == 1);
	assert_false(bed.result.saved);
	assert_string_equal(bed.result.why, "it took too long");
	assert_true(is_there("tidy"));
}

static pid_t read_pid(const char *name)
{
	char path[128];
	long pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", bed.folder, name);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%ld", &pid) != 1)
		pid = 0;
	fclose(f);
	return (pid_t)pid;
}

/* A child that has lost its parent is reaped by somebody else, soon. */
static bool is_gone(pid_t pid)
{
	char path[64], text[256] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	f = fopen(path, "re");
	if (!f)
		return true;
	if (!fgets(text, sizeof(text), f))
		*text = '\0';
	fclose(f);
	return !*text || strstr(text, ") Z ");
}

/* Deaf to SIGTERM, with a child that has our pipes. */
#define DEAF                                   \
	"trap '' TERM\n"                       \
	"sleep 1000 &\n"                       \
	"echo $! >.child && mv .child child\n" \
	"while :; do sleep 0.01; done"

static void all_of_it_is_killed(void **state)
{
	(void)state;
	program_does(DEAF);
	begin(LONG_MS);
	UNTIL(read_pid("child"));
	/* Less is less, more is not more. */
	vol_saver_limit(bed.saver, 100, "sleep");
	vol_saver_limit(bed.saver, LONG_MS, "no");
	UNTIL(bed.n == 1);
	assert_string_equal(bed.result.why, "sleep");
	assert_true(bed.result.took_ms >= 100 + VOL_SAVER_GRACE_MS);
	/* It could not tidy up itself. */
	for (int i = 0; i < DEADLINE_S * 100 && !is_there("tidied"); i++)
		usleep(10000);
	assert_true(is_there("tidied"));
	UNTIL(is_gone(read_pid("child")));
}

/* One that ends well, and leaves somebody behind. */
static void nobody_is_left(void **state)
{
	(void)state;
	program_does("sleep 1000 &\n"
		     "echo $! >child\n"
		     "echo '{\"number\": 1}'");
	begin(LONG_MS);
	UNTIL(bed.n == 1);
	assert_true(bed.result.saved);
	UNTIL(is_gone(read_pid("child")));
}

static void no_time_at_all(void **state)
{
	(void)state;
	program_does(DEAF);
	begin(LONG_MS);
	bed_write(bed.cgroups, "7.0", "user/task_0/cgroup.freeze", "0");
	vol_saver_limit(bed.saver, 0, "fenced");
	assert_int_equal(task(), '1');
	assert_int_equal(bed.n, 0);
	UNTIL(bed.n == 1);
	assert_string_equal(bed.result.why, "fenced");
	assert_true(bed.result.took_ms < VOL_SAVER_GRACE_MS);
	/* Nothing is being saved: no harm. */
	vol_saver_limit(bed.saver, 0, "fenced");
	assert_int_equal(bed.n, 1);
	/* And it is good for another one. */
	program_does("echo '{\"number\": 1}'");
	begin(LONG_MS);
	UNTIL(bed.n == 2);
	assert_true(bed.result.saved);
}

/* What the controller has kept in the last moment is kept. */
static void saved_in_the_end(void **state)
{
	(void)state;
	program_does("trap 'echo \"{\\\"number\\\": 9}\"; exit 0' TERM\n"
		     "while :; do sleep 0.01; done");
	begin(300);
	UNTIL(bed.n == 1);
	assert_true(bed.result.saved);
	assert_int_equal(bed.result.number, 9);
	assert_string_equal(bed.result.why, "");
}

static void status_shows_how_far_it_is(void **state)
{
	json_t *json = vol_saver_json(bed.saver);

	(void)state;
	assert_true(json_is_null(json));
	json_decref(json);
	program_does("echo '{\"stage\": \"send\", \"bytes\": 12}'\n"
		     "exec sleep 1000");
	begin(LONG_MS);
	for (;;) {
		const char *stage;

		json = vol_saver_json(bed.saver);
		stage = json_string_value(json_object_get(json, "stage"));
		assert_int_equal(
			json_integer_value(json_object_get(json, "job")), 7);
		if (strcmp(stage, "send") == 0)
			break;
		assert_string_equal(stage, "dump");
		json_decref(json);
		run_once();
	}
	assert_int_equal(json_integer_value(json_object_get(json, "bytes")),
			 12);
	json_decref(json);
}

static void who_leaves_takes_it_along(void **state)
{
	pid_t child;

	(void)state;
	program_does(DEAF);
	begin(LONG_MS);
	UNTIL((child = read_pid("child")));
	bed_write(bed.cgroups, "7.0", "user/task_0/cgroup.freeze", "0");
	vol_saver_destroy(bed.saver);
	bed.saver = NULL;
	assert_int_equal(task(), '1');
	UNTIL(is_gone(child));
}

/* What a discoveryd that was killed has left. */
static void a_new_one_tidies_up(void **state)
{
	(void)state;
	program_does("echo >ran");
	vol_saver_destroy(bed.saver);
	assert_false(is_there("tidied"));
	create();
	for (int i = 0; i < DEADLINE_S * 100 && !is_there("tidied"); i++)
		usleep(10000);
	assert_true(is_there("tidied"));
	assert_false(is_there("ran"));
}

/* kill -9 of discoveryd: the kernel tells the program. */
static void who_is_killed_has_it_told(void **state)
{
	pid_t we;

	(void)state;
	program_does("trap 'echo >tidy; exit 1' TERM\n"
		     "echo $$ >.pid && mv .pid pid\n"
		     "while :; do sleep 0.01; done");
	we = fork();
	if (we == 0) {
		/* A loop does not work for a child. */
		if (sd_event_new(&bed.loop) < 0)
			_exit(1);
		create();
		begin(LONG_MS);
		for (;;)
			pause();
	}
	UNTIL(read_pid("pid"));
	kill(we, SIGKILL);
	assert_int_equal(waitpid(we, NULL, 0), we);
	UNTIL(is_there("tidy"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_told_what_to_save),
		TEST(one_that_saves_itself),
		TEST(the_step_comes_back_when_it_is_written),
		TEST(it_is_the_least_of_all),
		TEST(it_says_why_not),
		TEST(a_program_that_is_missing),
		TEST(the_step_is_lent_to_it),
		TEST(one_at_a_time),
		TEST(what_slurm_has_suspended_waits_in_vain),
		TEST(its_time_ends),
		TEST(all_of_it_is_killed),
		TEST(nobody_is_left),
		TEST(no_time_at_all),
		TEST(saved_in_the_end),
		TEST(status_shows_how_far_it_is),
		TEST(who_leaves_takes_it_along),
		TEST(a_new_one_tidies_up),
		TEST(who_is_killed_has_it_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
