/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_spank_resume.c - a batch script that was queued again goes on from an
 * image, or starts from the beginning; the program that fetches them is a shell
 * script
 */
#include "config.h"

#include "resume_bed.h"

static void the_newest_image_goes_on(void **state)
{
	char body[1024], want[PATH_MAX + 128], text[1024], *said;
	unsigned age;
	int n = 0;

	snprintf(body, sizeof(body),
		 "[ \"$(cat $places)\" = '/usr 7' ] || exit 1\n"
		 "[ \"$(stat -c %%a:%%u $dir)\" = 700:0 ] || exit 1\n"
		 "[ -z \"$(ls $dir)$(env | grep -v -e ^PWD= -e ^PATH= -e "
		 "^SHLVL= -e ^OLDPWD= -e ^_=)\" ] || exit 1\n"
		 "[ \"$(pwd)$(cat)\" = / ] || exit 1\n"
		 "touch $dir/step\n"
		 "echo '{\"number\": 3, \"until\": 2, \"made_s\": %" PRIu64
		 ", \"node\": \"desk1\", \"cause\": \"evict\"}'",
		 (uint64_t)time(NULL) - 12);
	write_program(*state, body);
	start(*state, "3");
	assert_string_equal(fake_sandbox.job.checkpoint, "on-evict");
	assert_int_equal(run_task(*state, text, sizeof(text)), FAKE_RESTORED);
	assert_int_equal(sscanf(text,
				GOES_ON "3, made %us ago on desk1\nrestore\n%n",
				&age, &n),
			 1);
	assert_int_equal(n, strlen(text));
	assert_in_range(age, 12, 60);
	said = args(*state);
	assert_non_null(said);
	snprintf(want, sizeof(want),
		 "--wait=1m --job=12 --uid=1000 --gid=1001 --places=%s/12.",
		 in(*state, FOLDERS));
	assert_int_equal(strncmp(said, want, strlen(want)), 0);
	assert_contains(said, "/places --before=0 --progress load ");
	assert_contains(said, "/image\n");
	free(said);
	/* It was killed, as it were: slurmstepd sees to what is left. */
	assert_int_equal(vtest_count_entries(in(*state, FOLDERS)), 1);
	leave();
	nothing_is_left(*state);
}

/* Which discoveryd believes, once it has killed the step. */
static bool says_that_it_waits(void *root)
{
	return getxattr(in(root, TASKS), VOL_STEP_WAITS, NULL, 0) >= 0;
}

static void nothing_has_run_until_it_goes_on(void **state)
{
	static const struct {
		const char *body;
		int status;
		bool waits;
	} rows[] = {
		{"touch $dir/step; echo '{\"number\": 3, \"until\": 0, "
		 "\"made_s\": 5, \"node\": \"d\", \"cause\": \"evict\"}'",
		 FAKE_RESTORED, false},
		/* It starts from the beginning. */
		{"exit 4", 0, false},
		/* Nobody knows, and it is queued again. */
		{"exit 1", VOL_EXIT_REQUEUE, true},
	};
	char text[1024];

	expected_calls = NULL;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		write_program(*state, rows[i].body);
		start(*state, "1");
		assert_true(says_that_it_waits(*state));
		assert_int_equal(run_task(*state, text, sizeof(text)),
				 rows[i].status);
		assert_int_equal(says_that_it_waits(*state), rows[i].waits);
		leave();
	}
	/* Who has sent it on has taken the mark: it is not restored, nor does
	 * it begin. */
	for (size_t i = 0; i < 2; i++) {
		write_program(*state, rows[i].body);
		start(*state, "1");
		assert_int_equal(removexattr(in(*state, TASKS), VOL_STEP_WAITS),
				 0);
		assert_int_equal(run_task(*state, text, sizeof(text)),
				 VOL_EXIT_REQUEUE);
		assert_contains(text, "was sent on before it began");
		assert_null(strstr(text, GOES_ON));
		assert_null(strstr(text, "can not be put back"));
		leave();
	}
	/* A job that is not saved says nothing, whatever one before it left. */
	assert_int_equal(setxattr(in(*state, TASKS), VOL_STEP_WAITS, "1", 1, 0),
			 0);
	start_as(*state, NULL, "off");
	assert_false(says_that_it_waits(*state));
	leave();
}

static void after_another_run_output_is_taken_back(void **state)
{
	char text[1024];

	write_program(*state, "touch $dir/step; echo '{\"number\":1, "
			      "\"until\":0,\"made_s\":99999999999,"
			      "\"node\":\"x\\ty\",\"cause\":\"evict\"}'");
	start(*state, "2");
	assert_int_equal(run_task(*state, text, sizeof(text)), FAKE_RESTORED);
	/* A clock that is behind, and a name that is none. */
	assert_string_equal(text, GOES_ON "1, made 0s ago on another device\n"
					  "restore back\n");
	leave();
	start(*state, "1");
	assert_int_equal(run_task(*state, text, sizeof(text)), FAKE_RESTORED);
	assert_contains(text, "\nrestore\n");
}

/* The device died, say, while the job went on. */
static void after_an_image_of_a_job_that_went_on(void **state)
{
	static const char *const causes[] = {"\"periodic\"", "\"asked\"",
					     "\"evicted\"", "evict", "1"};
	char body[256], text[1024];

	for (size_t i = 0; i < N_ELEMENTS(causes); i++) {
		snprintf(body, sizeof(body),
			 "touch $dir/step; echo '{\"number\": 3, "
			 "\"until\": 0, \"made_s\": 5, \"node\": \"d\", "
			 "\"cause\": %s}'",
			 causes[i]);
		write_program(*state, body);
		start(*state, "1");
		assert_int_equal(run_task(*state, text, sizeof(text)),
				 FAKE_RESTORED);
		/* What is said stays: it comes when the rest was cut. */
		assert_contains(text, GOES_ON "3, made ");
		assert_contains(text, "\nrestore back\n");
		leave();
	}
}

static void one_that_fails_is_followed_by_the_one_before(void **state)
{
	char text[2048], *said;

	write_program(*state,
		      "touch $dir/step; n=$older; [ $n = 0 ] && n=9\n"
		      "echo \"{\\\"number\\\": $((n - 1)), \\\"until\\\": 0,"
		      " \\\"made_s\\\": 5, \\\"node\\\": \\\"desk1\\\","
		      " \\\"cause\\\": \\\"evict\\\"}\"");
	fake_sandbox.no_restore = fake_sandbox.ran = true;
	start(*state, "1");
	expected_calls = "CHKORORORORE";
	assert_int_equal(run_task(*state, text, sizeof(text)), 0);
	assert_contains(text, GOES_ON "8, made ");
	/* The second time it may have run for a moment. */
	assert_contains(text,
			"\nrestore\nvolunteer: image 8 can not be put "
			"back on " NODE ": no restore\n" GOES_ON "8, made ");
	assert_contains(text,
			"\nrestore back\nvolunteer: image 8 can not be put "
			"back on " NODE ": no restore\n" GOES_ON "7, made ");
	assert_contains(text,
			"\nrestore back\nvolunteer: image 7 can not be put "
			"back on " NODE ": no restore\n" BEGINS);
	said = args(*state);
	assert_contains(said, "--before=0 --progress load");
	assert_contains(said, "--before=8 --progress load");
	assert_null(strstr(said, "--before=7"));
	free(said);
	nothing_is_left(*state);
	leave();
	/* It is known that it has not. */
	fake_sandbox.ran = false;
	start(*state, "1");
	expected_calls = "CHKORORORORE";
	assert_int_equal(run_task(*state, text, sizeof(text)), 0);
	assert_contains(text,
			"\nrestore\nvolunteer: image 8 can not be put "
			"back on " NODE ": no restore\n" GOES_ON "7, made ");
}

static void one_that_is_not_for_this_device_is_left_alone(void **state)
{
	char text[2048];

	write_program(*state,
		      "if [ $older = 0 ]; then echo '{\"number\": 5}'\n"
		      "printf 'slurm-volunteer-image: no \\033[1mavx512f\\n' "
		      ">&2\necho second line >&2; exit 6; fi\n"
		      "[ $older = 5 ] || exit 1; touch $dir/step; echo "
		      "'{\"number\": 4, \"until\": 0, \"made_s\": 5, "
		      "\"node\": \"desk2\"}'");
	start(*state, "1");
	assert_int_equal(run_task(*state, text, sizeof(text)), FAKE_RESTORED);
	assert_int_equal(strncmp(text,
				 "volunteer: image 5 is not for " NODE
				 ": no ?[1mavx512f\n" GOES_ON "4, made ",
				 75),
			 0);
	assert_null(strstr(text, "second"));
	leave();
	/* The one before is none either. */
	write_program(*state, "n=$older; [ $n = 0 ] && n=9\n"
			      "echo \"{\\\"number\\\": $((n - 1))}\"\n"
			      "echo why $n >&2; exit 6");
	start(*state, "1");
	expected_calls = "CHKOOE";
	assert_int_equal(run_task(*state, text, sizeof(text)), 0);
	assert_string_equal(text,
			    "volunteer: image 8 is not for " NODE ": why 9\n"
			    "volunteer: image 7 is not for " NODE
			    ": why 8\n" BEGINS);
	nothing_is_left(*state);
}

static void without_an_image_it_begins_anew(void **state)
{
	char text[8192];

	write_program(*state, "exit 4");
	start(*state, "1");
	expected_calls = "CHKOE";
	assert_int_equal(run_task(*state, text, sizeof(text)), 0);
	assert_string_equal(
		text, "volunteer: there is no image of this job\n" BEGINS);
	leave();
	nothing_is_left(*state);
}

/* What it has done is not thrown away. */
#define QUEUED                                                           \
	"volunteer: nobody says whether there is an image of this job, " \
	"which is queued again\n"

static void without_an_answer_it_is_queued_again(void **state)
{
	static const struct {
		const char *body, *says;
	} rows[] = {
		{"echo not yours >&2; exit 3", "not yours; trying again\n"},
		{"echo 'slurm-volunteer-image: no controller' >&2; exit 1",
		 "no controller; trying again\n"},
		{"exit 1", "no reason is known; trying again\n"},
		{"kill -KILL $$", "killed by signal 9; trying again\n"},
		{"exit 6", "does not say which image; trying again\n"},
		{"exit 0", "does not say which image"},
		{"echo '{\"number\": 0, \"until\": 0, \"made_s\": 5}'",
		 "does not say which image"},
		{"echo '{\"number\": 1, \"until\": 0}'",
		 "does not say which image"},
		{"echo '{\"number\": -1, \"until\": 0, \"made_s\": 5}'",
		 "does not say which image"},
		{"echo '{\"number\": 1x'; exit 0", "does not say"},
		{"echo '{\"number\": 99999999999999999999'; exit 6",
		 "does not say"},
		{"seq 100000; seq 100000 >&2; exit 1",
		 "no image comes to " NODE ": 1; trying again\n"},
		{"yes | head -c 5000 | tr -d '\\n' >&2; exit 1", "yyyyyyyy"},
	};
	char text[8192];

	expected_calls = NULL;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		write_program(*state, rows[i].body);
		start(*state, "1");
		assert_int_equal(run_task(*state, text, sizeof(text)),
				 VOL_EXIT_REQUEUE);
		assert_contains(text, rows[i].says);
		assert_contains(text, "\n" QUEUED);
		assert_null(strstr(text, BEGINS));
		assert_int_equal(
			strncmp(text, "volunteer: no image comes to ", 29), 0);
		/* A reason is told once. */
		assert_ptr_equal(strstr(strchr(text, '\n') + 1, QUEUED),
				 strchr(text, '\n') + 1);
		leave();
		nothing_is_left(*state);
	}
	assert_int_equal(unlink(in(*state, PROGRAM)), 0);
	start(*state, "1");
	assert_int_equal(run_task(*state, text, sizeof(text)),
			 VOL_EXIT_REQUEUE);
	assert_contains(text, "slurm-volunteer-image: No such file");
	leave();
	fake_sandbox.no_offer = true;
	start(*state, "1");
	assert_int_equal(run_task(*state, text, sizeof(text)),
			 VOL_EXIT_REQUEUE);
	assert_string_equal(text, "volunteer: no image comes to " NODE
				  ": no offer; trying again\n" QUEUED);
	fake_sandbox.no_offer = false;
	leave();
	/* Nor where there is no room for one. */
	assert_int_equal(rmdir(in(*state, FOLDERS)), 0);
	assert_int_equal(
		vol_file_replace(in(*state, FOLDERS), "", 0, 0600, 0, NULL), 0);
	start(*state, "1");
	assert_int_equal(run_task(*state, text, sizeof(text)),
			 VOL_EXIT_REQUEUE);
	assert_contains(text, "volunteer: no image comes to " NODE ": ");
}

/* The controller was away, or the owner here, for a while. */
static void an_answer_that_comes_late_counts(void **state)
{
	char body[1024], text[2048];

	snprintf(body, sizeof(body),
		 "echo x >>%s/tries\n"
		 "case $(wc -l <%s/tries) in\n"
		 "1) echo away >&2; exit 1 ;;\n"
		 "2) echo '{\"bytes\": 7}'; echo away >&2; exit 3 ;;\n"
		 "*) echo '{\"bytes\": 5}'; echo '{\"bytes\": 8}'\n"
		 "touch $dir/step\n"
		 "echo '{\"number\": 2, \"until\": 0, \"made_s\": 5, "
		 "\"node\": \"desk1\", \"cause\": \"evict\"}' ;;\n"
		 "esac",
		 (char *)*state, (char *)*state);
	write_program(*state, body);
	start(*state, "1");
	assert_int_equal(run_task(*state, text, sizeof(text)), FAKE_RESTORED);
	assert_int_equal(strncmp(text,
				 "volunteer: no image comes to " NODE
				 ": away; trying again\n" GOES_ON "2, made ",
				 75),
			 0);
	assert_contains(text, "\nrestore\n");
}

static void only_a_script_that_was_queued_again_asks(void **state)
{
	char text[1024];

	write_program(*state, "exit 4");
	expected_calls = "CHKE";
	for (int i = 0; i < 5; i++) {
		start(*state, i == 0   ? NULL
			      : i == 1 ? "0"
			      : i == 2 ? "x"
				       : "1");
		if (i > 2) {
			leave();
			fake_sandbox.calls[0] = '\0';
			init(S_CTX_REMOTE, 0, NULL);
			fake_spank.tasks = 1;
			fake_spank.argv[0] = (char *)"/script";
			spank_setenv(fake_spank_handle(), "SLURM_RESTART_COUNT",
				     "1", 1);
			fake_spank.step = i == 3 ? BATCH : 0;
			spank_setenv(fake_spank_handle(), "SLURM_JOB_NUM_NODES",
				     i == 3 ? "2" : "1", 1);
			assert_int_equal(
				fake_spank_give_option("volunteer-checkpoint",
						       "on-evict", 1),
				0);
			post_opt();
			assert_string_equal(fake_sandbox.job.checkpoint, "");
		}
		assert_int_equal(run_task(*state, text, sizeof(text)), 0);
		assert_string_equal(text, "");
		assert_null(args(*state));
		leave();
	}
	/* Without the option. */
	start(*state, "1");
	assert_int_equal(
		fake_spank_give_option("volunteer-checkpoint", "off", 1), 0);
	leave();
	fake_sandbox.calls[0] = '\0';
	post_opt();
	assert_int_equal(run_task(*state, text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

static void read_step(void *root, struct vol_step *step)
{
	struct vol_error err;
	char *text;
	size_t len;

	text = vol_file_read(in(root, RUN "/steps/12.4294967291"),
			     VOL_STEPFILE_MAX, &len, NULL);
	assert_non_null(text);
	assert_int_equal(vol_step_parse("12.batch", text, len, step, &err), 0);
	free(text);
}

static void discoveryd_is_told_what_to_save(void **state)
{
	struct vol_step step;
	char text[1024];
	struct stat st;

	write_program(*state, "exit 4");
	expected_calls = NULL;
	start(*state, "7");
	read_step(*state, &step);
	assert_false(step.save);
	fake_spank.task = 0;
	slurm_spank_task_post_fork(fake_spank_handle(), 0, NULL);
	read_step(*state, &step);
	assert_true(step.born);
	assert_false(step.save);
	assert_int_equal(run_task(*state, text, sizeof(text)), 0);
	read_step(*state, &step);
	assert_true(step.born && step.save);
	assert_int_equal(step.every_s, 0);
	assert_int_equal(step.restarts, 7);
	assert_int_equal(step.stepd, getpid());
	assert_int_equal(stat(in(*state, RUN "/steps/12.4294967291"), &st), 0);
	assert_int_equal(st.st_uid, 0);
	leave();
	assert_false(exists(*state, RUN "/steps/12.4294967291"));
	/* In its first run, too. */
	start(*state, NULL);
	assert_int_equal(run_task(*state, text, sizeof(text)), 0);
	read_step(*state, &step);
	assert_true(step.born && step.save);
	assert_int_equal(step.restarts, 0);
	leave();
	/* Without walls nobody can. */
	write_walls(*state, false);
	init(S_CTX_REMOTE, 0, NULL);
	fake_spank.step = BATCH;
	fake_spank.tasks = 1;
	assert_int_equal(fake_spank_give_option("volunteer-checkpoint",
						"on-evict", 1),
			 0);
	post_opt();
	assert_int_equal(run_task(*state, text, sizeof(text)), 0);
	read_step(*state, &step);
	assert_false(step.save);
}

static void discoveryd_is_told_how_often(void **state)
{
	static const struct {
		const char *option;
		uint32_t every_s;
		uint32_t signal;
	} rows[] = {{"auto", VOL_STEP_EVERY_AUTO, 0},
		    {"10m", 600, 0},
		    {"1s", 1, 0},
		    {"app", 0, 15},
		    {"app,auto", VOL_STEP_EVERY_AUTO, 15},
		    {"app,10m", 600, 10}};
	struct vol_step step;
	char text[1024];

	write_program(*state, "exit 4");
	expected_calls = NULL;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		write_walls(*state, true);
		init(S_CTX_REMOTE, 0, NULL);
		fake_spank.step = BATCH;
		fake_spank.tasks = 1;
		fake_spank.argv[0] = (char *)"/script";
		spank_setenv(fake_spank_handle(), "SLURM_JOB_NUM_NODES", "1",
			     1);
		assert_int_equal(fake_spank_give_option("volunteer-checkpoint",
							rows[i].option, 1),
				 0);
		if (rows[i].signal == 10)
			assert_int_equal(fake_spank_give_option(
						 "volunteer-signal", "USR1", 1),
					 0);
		post_opt();
		assert_string_equal(fake_sandbox.job.checkpoint,
				    rows[i].option);
		read_step(*state, &step);
		assert_int_equal(step.every_s, 0);
		assert_int_equal(run_task(*state, text, sizeof(text)), 0);
		read_step(*state, &step);
		assert_true(step.save);
		assert_int_equal(step.every_s, rows[i].every_s);
		assert_int_equal(step.signal, rows[i].signal);
		leave();
	}
}

static void what_the_killed_left_goes(void **state)
{
	char text[1024], path[PATH_MAX];
	int fd;

	write_program(*state, "exit 4");
	expected_calls = "CHKOE";
	snprintf(path, sizeof(path), "%s", in(*state, FOLDERS "/7.dead/image"));
	assert_int_equal(vol_mkdir_p(path, 0700, NULL), 0);
	assert_int_equal(symlink("/etc", in(*state, FOLDERS "/7.dead/link")),
			 0);
	snprintf(path, sizeof(path), "%s", in(*state, FOLDERS "/8.used"));
	assert_int_equal(vol_mkdir_p(path, 0700, NULL), 0);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0 && flock(fd, LOCK_EX) == 0);
	start(*state, "1");
	assert_int_equal(run_task(*state, text, sizeof(text)), 0);
	assert_int_equal(vtest_count_entries(in(*state, FOLDERS)), 1);
	assert_true(exists(*state, FOLDERS "/8.used"));
	close(fd);
	leave();
	nothing_is_left(*state);
}

/* scancel, or the owner: nothing of it goes on alone. */
static void the_program_ends_with_the_task(void **state)
{
	char *said = NULL;
	int fd, status, tries = 500;
	pid_t pid;

	write_program(*state, "echo $$ > ${dir%/*}/../pid.new\n"
			      "mv ${dir%/*}/../pid.new ${dir%/*}/../pid\n"
			      "exec sleep 100");
	start(*state, "1");
	pid = begin_task(*state, &fd);
	while (!said && tries-- > 0) {
		said = vol_file_read(in(*state, FOLDERS "/pid"), 32, NULL,
				     NULL);
		usleep(10000);
	}
	assert_non_null(said);
	assert_int_equal(kill(atoi(said), 0), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (tries = 500; kill(atoi(said), 0) == 0 && tries > 0; tries--)
		usleep(10000);
	assert_true(tries > 0);
	free(said);
	close(fd);
	unlink(in(*state, FOLDERS "/pid"));
	leave();
	nothing_is_left(*state);
}

static void fresh_starts_do_not_look_restored(void **state)
{
	start(*state, NULL);
	leave();
	fake_sandbox.calls[0] = '\0';
	spank_setenv(fake_spank_handle(), "VOLUNTEER_RESTORED", "1", 1);
	post_opt();
	assert_null(fake_spank_env("VOLUNTEER_RESTORED"));
	leave();
	unsetenv(VOL_ENV_DEVICE);
	init(S_CTX_REMOTE, 0, NULL);
	spank_setenv(fake_spank_handle(), "VOLUNTEER_RESTORED", "1", 1);
	post_opt();
	assert_non_null(fake_spank_env("VOLUNTEER_RESTORED"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_newest_image_goes_on),
		TEST(nothing_has_run_until_it_goes_on),
		TEST(after_another_run_output_is_taken_back),
		TEST(after_an_image_of_a_job_that_went_on),
		TEST(one_that_fails_is_followed_by_the_one_before),
		TEST(one_that_is_not_for_this_device_is_left_alone),
		TEST(without_an_image_it_begins_anew),
		TEST(without_an_answer_it_is_queued_again),
		TEST(an_answer_that_comes_late_counts),
		TEST(only_a_script_that_was_queued_again_asks),
		TEST(discoveryd_is_told_what_to_save),
		TEST(discoveryd_is_told_how_often),
		TEST(what_the_killed_left_goes),
		TEST(the_program_ends_with_the_task),
		TEST(fresh_starts_do_not_look_restored),
	};

	/* It becomes root and hands on what is root's. */
	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
