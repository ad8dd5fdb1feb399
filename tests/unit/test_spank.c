/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_spank.c - the hooks of the SPANK plugin outside slurmstepd */
#include "config.h"

#include <signal.h>

#include "vtest.h"

#include "atomicfile.h"
#include "fake_spank.h"
#include "plugins/spank/plugin.h"
#include "spank_bed.h"
#include "stepfile.h"

static void login_registers_options_only(void **state)
{
	const enum spank_context contexts[] = {S_CTX_LOCAL, S_CTX_ALLOCATOR};

	for (size_t i = 0; i < N_ELEMENTS(contexts); i++) {
		init(contexts[i], 0, NULL);
		assert_int_equal(fake_spank.n_options, 6);
		assert_int_equal(
			fake_spank_give_option("volunteer-info", NULL, 0), 0);
		post_opt();
		leave();
		assert_int_equal(fake_spank.errors, 0);
		assert_int_equal(fake_spank.n_env, 0);
		assert_int_equal(vtest_count_entries(in(*state, RUN)), 1);
	}
}

static void login_tells_wrong_arguments_once(void **state)
{
	(void)state;
	init(S_CTX_ALLOCATOR, 1, (char *[]){"colour=blue"});
	assert_int_equal(fake_spank.errors, 1);
	assert_contains(fake_spank.last_error, "spank_volunteer: ");
	assert_contains(fake_spank.last_error, "colour: unknown argument");
	assert_int_equal(fake_spank.n_options, 6);
}

static void refused_option_is_told(void **state)
{
	(void)state;
	fake_spank_reset(S_CTX_LOCAL);
	fake_spank.refuse_options = true;
	assert_int_equal(slurm_spank_init(fake_spank_handle(), 0, NULL), 0);
	assert_int_equal(fake_spank.errors, 1);
	assert_contains(fake_spank.last_error, "--volunteer-info");
}

static void script_and_error_contexts_do_nothing(void **state)
{
	const enum spank_context contexts[] = {S_CTX_JOB_SCRIPT, S_CTX_ERROR};

	for (size_t i = 0; i < N_ELEMENTS(contexts); i++) {
		init(contexts[i], 1, (char *[]){"colour=blue"});
		post_opt();
		leave();
		assert_int_equal(fake_spank.n_options, 0);
		assert_int_equal(fake_spank.errors, 0);
		assert_int_equal(vtest_count_entries(in(*state, RUN)), 1);
	}
}

static void slurmctld_is_told_how_often_state_is_saved(void **state)
{
	static const char *const wrong[] = {"",    "often", "0",     "-1",
					    "10x", "8d",    "500ms", NULL};
	const enum spank_context contexts[] = {S_CTX_LOCAL, S_CTX_ALLOCATOR};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(contexts); i++) {
		init(contexts[i], 0, NULL);
		for (size_t k = 0; k < N_ELEMENTS(wrong); k++) {
			assert_int_equal(
				fake_spank_give_option("volunteer-saves",
						       wrong[k], 0),
				-1);
			assert_int_equal(fake_spank.errors, k + 1);
			assert_contains(fake_spank.last_error,
					"--volunteer-saves: ");
		}
		post_opt();
		assert_int_equal(fake_spank.n_env, 0);
		assert_int_equal(fake_spank_give_option("volunteer-saves",
							"1h30m", 0),
				 0);
		post_opt();
		assert_string_equal(fake_spank_env("VOLUNTEER_CHECKPOINT"),
				    "5400");
		fake_spank.refuse_env = true;
		fake_spank.errors = 0;
		post_opt();
		assert_int_equal(fake_spank.errors, 1);
		assert_contains(fake_spank.last_error, "not told");
		leave();
	}
}

static void a_signal_is_known_or_told(void **state)
{
	static const char *const wrong[] = {"", "KILL", "9", "term", NULL};

	(void)state;
	init(S_CTX_ALLOCATOR, 0, NULL);
	assert_int_equal(vol_spank_options()->signal, SIGTERM);
	for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
		assert_int_equal(fake_spank_give_option("volunteer-signal",
							wrong[i], 0),
				 -1);
		assert_int_equal(fake_spank.errors, i + 1);
		assert_contains(fake_spank.last_error, "--volunteer-signal: ");
		assert_int_equal(vol_spank_options()->signal, SIGTERM);
	}
	assert_int_equal(
		fake_spank_give_option("volunteer-signal", "SIGUSR2", 0), 0);
	assert_int_equal(vol_spank_options()->signal, SIGUSR2);
	leave();
}

static void a_mode_of_saving_is_known_or_told(void **state)
{
	static const struct {
		const char *mode, *reason;
	} wrong[] = {
		{"", ": \"\": want off, on-evict, auto, app or a duration"},
		{"app,", ": \"\": want off"},
		{"On-Evict", ": \"On-Evict\": want"},
		{"on-evict\n", ": \"on-evict?\": want"},
		{"0s", "want 1s to 1w"},
		{"8d", "want 1s to 1w"},
		{"1500ms", "want off"},
		{NULL, ": \"\": want"},
	};

	(void)state;
	init(S_CTX_ALLOCATOR, 0, NULL);
	assert_int_equal(vol_spank_options()->checkpoint.mode, VOL_CKMODE_OFF);
	for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
		assert_int_equal(fake_spank_give_option("volunteer-checkpoint",
							wrong[i].mode, 0),
				 -1);
		assert_int_equal(fake_spank.errors, i + 1);
		assert_contains(fake_spank.last_error,
				"--volunteer-checkpoint");
		assert_contains(fake_spank.last_error, wrong[i].reason);
		assert_int_equal(vol_spank_options()->checkpoint.mode,
				 VOL_CKMODE_OFF);
	}
	assert_int_equal(fake_spank_give_option("volunteer-checkpoint",
						"on-evict", 0),
			 0);
	assert_int_equal(vol_spank_options()->checkpoint.mode,
			 VOL_CKMODE_ON_EVICT);
	/* The last one counts, as of all options. */
	assert_int_equal(
		fake_spank_give_option("volunteer-checkpoint", "off", 0), 0);
	assert_int_equal(vol_spank_options()->checkpoint.mode, VOL_CKMODE_OFF);
	/* It is nothing that slurmctld has to know. */
	post_opt();
	assert_int_equal(fake_spank.n_env, 0);
	assert_int_equal(
		fake_spank_give_option("volunteer-checkpoint", "auto", 0), 0);
	post_opt();
	assert_int_equal(fake_spank.n_env, 0);
	/* But what a job loses at most is. */
	assert_int_equal(
		fake_spank_give_option("volunteer-checkpoint", "10m", 0), 0);
	assert_int_equal(vol_spank_options()->checkpoint.mode,
			 VOL_CKMODE_EVERY);
	post_opt();
	assert_string_equal(fake_spank_env("VOLUNTEER_CHECKPOINT"), "600");
	/* What its user knows better counts. */
	assert_int_equal(fake_spank_give_option("volunteer-saves", "1m", 0), 0);
	post_opt();
	assert_string_equal(fake_spank_env("VOLUNTEER_CHECKPOINT"), "60");
}

static void whose_files_they_are_is_known_or_told(void **state)
{
	(void)state;
	init(S_CTX_ALLOCATOR, 0, NULL);
	assert_int_equal(vol_spank_options()->files, VOL_ROLLBACK_SHARED);
	assert_int_equal(fake_spank_give_option("volunteer-files", "own", 0),
			 0);
	assert_int_equal(vol_spank_options()->files, VOL_ROLLBACK_OWN);
	assert_int_equal(fake_spank_give_option("volunteer-files", "mine", 0),
			 -1);
	assert_contains(fake_spank.last_error,
			"--volunteer-files: \"mine\" is not shared, opened or "
			"own");
	assert_int_equal(fake_spank_give_option("volunteer-files", NULL, 0),
			 -1);
	assert_int_equal(vol_spank_options()->files, VOL_ROLLBACK_OWN);
	leave();
}

static void options_are_well_formed(void **state)
{
	static const struct {
		const char *name, *value;
	} values[] = {{"volunteer-checkpoint", "on-evict"},
		      {"volunteer-files", "own"},
		      {"volunteer-info", NULL},
		      {"volunteer-net", "lan"},
		      {"volunteer-saves", "10m"},
		      {"volunteer-signal", "USR1"}};

	(void)state;
	init(S_CTX_LOCAL, 0, NULL);
	for (size_t i = 0; i < fake_spank.n_options; i++) {
		const struct spank_option *o = fake_spank.options[i];

		assert_int_equal(strncmp(o->name, "volunteer-", 10), 0);
		assert_true(strlen(o->name) < SPANK_OPTION_MAXLEN);
		assert_non_null(o->usage);
		assert_int_equal(o->has_arg, o->arginfo != NULL);
		for (size_t k = 0; k < N_ELEMENTS(values); k++)
			if (!strcmp(o->name, values[k].name))
				assert_int_equal(fake_spank_give_option(
							 o->name,
							 values[k].value, 1),
						 0);
		assert_int_equal(o->cb(-1, "x", 1), -1);
	}
}

static void slurmd_flag_appears_and_vanishes(void **state)
{
	char want[256], *text;

	init(S_CTX_SLURMD, 0, NULL);
	assert_int_equal(fake_spank.errors, 0);
	text = vol_file_read(in(*state, VOL_SPANK_ACTIVE), 256, NULL, NULL);
	assert_non_null(text);
	snprintf(want, sizeof(want), "\nslurmd=%d\nnode=" NODE "\n",
		 (int)getpid());
	assert_int_equal(strncmp(text, "version=1\nplugin=", 17), 0);
	assert_contains(text, want);
	free(text);
	assert_true(exists(*state, RUN "/steps"));

	slurm_spank_slurmd_exit(fake_spank_handle(), 0, NULL);
	assert_int_equal(fake_spank.errors, 0);
	assert_int_equal(vtest_count_entries(in(*state, RUN)), 2);
	/* A second time, and with nothing to remove. */
	slurm_spank_slurmd_exit(fake_spank_handle(), 0, NULL);
	assert_int_equal(fake_spank.errors, 0);
}

static void slurmd_leaves_the_flag_of_its_successor(void **state)
{
	init(S_CTX_SLURMD, 0, NULL);
	assert_int_equal(vol_file_replace(in(*state, VOL_SPANK_ACTIVE), "new",
					  3, 0644, 0, NULL),
			 0);
	slurm_spank_slurmd_exit(fake_spank_handle(), 0, NULL);
	assert_true(exists(*state, VOL_SPANK_ACTIVE));
	assert_int_equal(fake_spank.errors, 0);
}

static void slurmd_without_device_does_nothing(void **state)
{
	unsetenv(VOL_ENV_DEVICE);
	init(S_CTX_SLURMD, 1, (char *[]){"colour=blue"});
	slurm_spank_slurmd_exit(fake_spank_handle(), 0, NULL);
	assert_int_equal(fake_spank.errors, 0);
	assert_int_equal(vtest_count_entries(in(*state, RUN)), 1);
}

static void slurmd_raises_no_flag_when_something_is_wrong(void **state)
{
	init(S_CTX_SLURMD, 1, (char *[]){"info=maybe"});
	assert_int_equal(fake_spank.errors, 1);
	assert_int_equal(vtest_count_entries(in(*state, RUN)), 1);

	setenv(VOL_ENV_DEVICE, "lab[1-9]", 1);
	init(S_CTX_SLURMD, 0, NULL);
	assert_int_equal(fake_spank.errors, 1);
	assert_contains(fake_spank.last_error, "not a node name");
	assert_int_equal(vtest_count_entries(in(*state, RUN)), 1);

	setenv(VOL_ENV_DEVICE, NODE, 1);
	assert_int_equal(vol_file_replace(in(*state, RUN "/steps"), "", 0, 0644,
					  0, NULL),
			 0);
	init(S_CTX_SLURMD, 0, NULL);
	assert_int_equal(fake_spank.errors, 1);
	assert_contains(fake_spank.last_error, "/steps");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(login_registers_options_only),
		TEST(login_tells_wrong_arguments_once),
		TEST(refused_option_is_told),
		TEST(script_and_error_contexts_do_nothing),
		TEST(slurmctld_is_told_how_often_state_is_saved),
		TEST(a_signal_is_known_or_told),
		TEST(a_mode_of_saving_is_known_or_told),
		TEST(whose_files_they_are_is_known_or_told),
		TEST(options_are_well_formed),
		TEST(slurmd_flag_appears_and_vanishes),
		TEST(slurmd_leaves_the_flag_of_its_successor),
		TEST(slurmd_without_device_does_nothing),
		TEST(slurmd_raises_no_flag_when_something_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
