/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_spank_app.c - a program that saves itself is started again with the
 * files of its image, or without; the program that fetches it is a shell script
 */
#include "config.h"

#include "resume_bed.h"

#define OF_IMAGE "volunteer: starts again with its files of image "

/* Of an image that is for it; $older as in resume_bed.h. */
#define LOADED                                                  \
	"touch $dir/step; n=$older; [ $n = 0 ] && n=9\n"        \
	"echo \"{\\\"number\\\": $((n - 1)), \\\"until\\\": 0," \
	" \\\"made_s\\\": 5, \\\"node\\\": \\\"desk1\\\","      \
	" \\\"cause\\\": \\\"evict\\\"}\""

static void one_that_saves_itself_finds_its_files(void **state)
{
	char text[2048], *said;

	write_program(*state, LOADED);
	start_as(*state, "1", "app");
	assert_string_equal(fake_sandbox.job.checkpoint, "app");
	expected_calls = "CHKBE";
	assert_int_equal(run_task(*state, text, sizeof(text)), 0);
	assert_int_equal(strncmp(text, OF_IMAGE "8, made ",
				 strlen(OF_IMAGE "8, made ")),
			 0);
	assert_contains(text, " ago on desk1\nrestored 8\n");
	assert_null(strstr(text, BEGINS));
	said = args(*state);
	/* It is not lost when the job ends here. */
	leave();
	fake_sandbox.where = "";
	start_as(*state, "1", "app");
	assert_int_equal(run_task(*state, text, sizeof(text)), 0);
	assert_contains(text, " is not on this machine; the job runs in /tmp, "
			      "which goes along with it\n");
	assert_contains(said, "--job=12 --uid=1000 --gid=1001 --files "
			      "--before=0 --progress load ");
	assert_null(strstr(said, "--places"));
	free(said);
	nothing_is_left(*state);
}

static void one_that_saves_itself_goes_back(void **state)
{
	char text[2048];

	/* An image that is not what it should be, and the one before it. */
	write_program(*state,
		      "[ $older = 8 ] || { echo '{\"number\": 8}'; echo "
		      "/etc/x: no >&2; exit 6; }\n" LOADED);
	start_as(*state, "1", "app,10m");
	expected_calls = "CHKBE";
	assert_int_equal(run_task(*state, text, sizeof(text)), 0);
	assert_contains(text, "volunteer: image 8 is not for " NODE
			      ": /etc/x: no\n" OF_IMAGE "7, made ");
	assert_contains(text, "\nrestored 7\n");
	leave();
	/* None of them can be put back. */
	write_program(*state, LOADED);
	fake_sandbox.no_bring = true;
	start_as(*state, "1", "app");
	expected_calls = "CHKBBE";
	assert_int_equal(run_task(*state, text, sizeof(text)), 0);
	assert_string_equal(
		text, "volunteer: image 8 can not be put back on " NODE
		      ": no bring\nvolunteer: image 7 can not be put back "
		      "on " NODE ": no bring\n" BEGINS);
	fake_sandbox.no_bring = false;
	leave();
	/* What was wrong was seen inside only. */
	fake_sandbox.unbrought = "/tmp/x: No space left on device";
	start_as(*state, "1", "app");
	expected_calls = "CHKBE";
	assert_int_equal(run_task(*state, text, sizeof(text)), 0);
	assert_contains(text, "volunteer: image 8 can not be put back on " NODE
			      ": /tmp/x: No space left on device; the job "
			      "starts from the beginning\n");
	assert_null(strstr(text, "restored"));
	fake_sandbox.unbrought = NULL;
	leave();
	write_program(*state, "exit 4");
	start_as(*state, "1", "app");
	expected_calls = "CHKE";
	assert_int_equal(run_task(*state, text, sizeof(text)), 0);
	assert_string_equal(
		text, "volunteer: there is no image of this job\n" BEGINS);
	leave();
	write_program(*state, "exit 1");
	start_as(*state, "1", "app");
	expected_calls = NULL;
	assert_int_equal(run_task(*state, text, sizeof(text)),
			 VOL_EXIT_REQUEUE);
	assert_contains(text, "which is queued again");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_that_saves_itself_finds_its_files),
		TEST(one_that_saves_itself_goes_back),
	};

	/* It becomes root and hands on what is root's. */
	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
