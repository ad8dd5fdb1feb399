/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_slurmkey.c - a device is given the cluster's Slurm key
 *
 * What restarts munged is a shell script here, which notes that it ran.
 */
#include "config.h"

#include "device/slurmkey.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "vtest.h"

#include "authkey_file.h"
#include "digest.h"

#define DEADLINE_S 30

struct bed {
	char *folder;
	sd_event *loop;
	struct vol_slurmkey *key;
	char path[PATH_MAX], old[PATH_MAX], ran[PATH_MAX], script[PATH_MAX];
	struct vol_link_msg said;
	unsigned n_said, n_changed, n_holds;
	bool held, calm;
	struct vol_authkey a, b;
};

static void on_send(const struct vol_link_msg *msg, void *arg)
{
	struct bed *bed = arg;

	assert_int_equal(msg->type, VOL_LINK_KEYED);
	bed->said = *msg;
	bed->n_said++;
}

static void on_hold(bool on, void *arg)
{
	struct bed *bed = arg;

	assert_int_not_equal(bed->held, on);
	bed->held = on;
	bed->n_holds++;
}

static bool is_calm(void *arg)
{
	struct bed *bed = arg;

	return bed->calm;
}

static void on_changed(void *arg)
{
	struct bed *bed = arg;

	bed->n_changed++;
}

static const struct vol_slurmkey_ops ops = {on_send, on_hold, is_calm,
					    on_changed};

static void write_script(struct bed *bed, int status)
{
	FILE *f = fopen(bed->script, "w");

	assert_non_null(f);
	fprintf(f, "#!/bin/sh\necho >> %s\nexit %d\n", bed->ran, status);
	fclose(f);
	chmod(bed->script, 0700);
}

static void start(struct bed *bed)
{
	bed->key = vol_slurmkey_create(bed->loop, bed->folder, bed->path,
				       bed->script, &ops, bed, NULL);
	assert_non_null(bed->key);
}

static void restart(struct bed *bed)
{
	vol_slurmkey_destroy(bed->key);
	start(bed);
}

static int setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	void *folder;

	if (!bed || vtest_folder_setup(&folder) < 0 ||
	    sd_event_new(&bed->loop) < 0)
		return -1;
	bed->folder = folder;
	snprintf(bed->path, sizeof(bed->path), "%s/munge.key", bed->folder);
	snprintf(bed->old, sizeof(bed->old), "%s/munge.key.old", bed->folder);
	snprintf(bed->ran, sizeof(bed->ran), "%s/ran", bed->folder);
	snprintf(bed->script, sizeof(bed->script), "%s/script", bed->folder);
	assert_int_equal(vol_authkey_make(&bed->a, vol_sha256, NULL), 0);
	assert_int_equal(vol_authkey_make(&bed->b, vol_sha256, NULL), 0);
	write_script(bed, 0);
	bed->calm = true;
	start(bed);
	*state = bed;
	return 0;
}

static int teardown(void **state)
{
	struct bed *bed = *state;
	void *folder = bed->folder;

	vol_slurmkey_destroy(bed->key);
	sd_event_unref(bed->loop);
	free(bed);
	return vtest_folder_teardown(&folder);
}

#define run_until(bed, condition)                         \
	do {                                              \
		time_t end_ = time(NULL) + DEADLINE_S;    \
		while (!(condition)) {                    \
			sd_event_run((bed)->loop, 20000); \
			assert_true(time(NULL) <= end_);  \
		}                                         \
	} while (0)

static void tell(struct bed *bed, enum vol_link_type type,
		 const struct vol_authkey *key, enum vol_key_use use)
{
	struct vol_link_msg msg = {.type = type, .key_use = use};

	strcpy(msg.auth, key->id);
	if (type == VOL_LINK_KEY)
		vol_authkey_text(key, msg.key);
	vol_slurmkey_message(bed->key, &msg);
}

static void welcome(struct bed *bed, const char *auth)
{
	struct vol_link_msg msg = {.type = VOL_LINK_WELCOME};

	strcpy(msg.auth, auth);
	vol_slurmkey_welcomed(bed->key, &msg);
}

static void in_place(struct bed *bed, const struct vol_authkey *key)
{
	struct vol_authkey got = {0};

	assert_int_equal(vol_authkey_load(bed->path, &got, vol_sha256, NULL),
			 0);
	assert_string_equal(got.id, key->id);
}

static size_t runs(struct bed *bed)
{
	struct stat st;

	return stat(bed->ran, &st) == 0 ? (size_t)st.st_size : 0;
}

static const char *hello(struct bed *bed)
{
	static struct vol_link_msg msg;

	memset(&msg, 0, sizeof(msg));
	vol_slurmkey_hello(bed->key, &msg);
	return msg.auth;
}

static void the_first_one(void **state)
{
	struct bed *bed = *state;

	assert_false(vol_slurmkey_ready(bed->key));
	assert_string_equal(hello(bed), "");
	welcome(bed, bed->a.id);
	assert_false(vol_slurmkey_ready(bed->key));
	tell(bed, VOL_LINK_KEY, &bed->a, VOL_KEY_NOW);
	/* Not before munged has it. */
	assert_false(vol_slurmkey_ready(bed->key));
	run_until(bed, bed->n_said == 1);
	assert_string_equal(bed->said.reason, "");
	assert_string_equal(bed->said.auth, bed->a.id);
	assert_int_equal(bed->said.key_use, VOL_KEY_NOW);
	assert_true(vol_slurmkey_ready(bed->key));
	assert_true(bed->n_changed > 0);
	in_place(bed, &bed->a);
	assert_int_equal(runs(bed), 1);
	assert_string_equal(hello(bed), bed->a.id);
	assert_int_equal(access(bed->old, F_OK), -1);
	assert_int_equal(bed->n_holds, 0);
}

static void given_by_hand(void **state)
{
	struct bed *bed = *state;
	struct vol_authkey got = {0};

	assert_int_equal(vol_authkey_install(bed->path, &bed->a, false, NULL),
			 0);
	welcome(bed, "");
	assert_true(vol_slurmkey_ready(bed->key));
	assert_string_equal(hello(bed), bed->a.id);
	/* Another one: kept. */
	tell(bed, VOL_LINK_KEY, &bed->b, VOL_KEY_NOW);
	run_until(bed, bed->n_said == 1);
	in_place(bed, &bed->b);
	assert_int_equal(vol_authkey_load(bed->old, &got, vol_sha256, NULL), 0);
	assert_string_equal(got.id, bed->a.id);
	/* One of ours is not, and does not take the place of what is. */
	restart(bed);
	tell(bed, VOL_LINK_KEY, &bed->a, VOL_KEY_NOW);
	run_until(bed, bed->n_said == 2);
	assert_int_equal(vol_authkey_load(bed->old, &got, vol_sha256, NULL), 0);
	assert_string_equal(got.id, bed->a.id);
	tell(bed, VOL_LINK_KEY, &bed->b, VOL_KEY_NOW);
	run_until(bed, bed->n_said == 3);
	in_place(bed, &bed->b);
	assert_int_equal(vol_authkey_load(bed->old, &got, vol_sha256, NULL), 0);
	assert_string_equal(got.id, bed->a.id);
}

static void a_bad_one_changes_nothing(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg msg = {.type = VOL_LINK_KEY};

	assert_int_equal(vol_authkey_install(bed->path, &bed->a, false, NULL),
			 0);
	welcome(bed, bed->b.id);
	assert_false(vol_slurmkey_ready(bed->key));
	strcpy(msg.auth, bed->b.id);
	vol_authkey_text(&bed->a, msg.key);
	vol_slurmkey_message(bed->key, &msg);
	assert_int_equal(bed->n_said, 1);
	assert_string_not_equal(bed->said.reason, "");
	assert_string_equal(bed->said.auth, bed->b.id);
	in_place(bed, &bed->a);
	assert_int_equal(runs(bed), 0);
	/* What it had is still a key. */
	assert_true(vol_slurmkey_ready(bed->key));
}

static void munged_that_does_not_start(void **state)
{
	struct bed *bed = *state;

	write_script(bed, 3);
	tell(bed, VOL_LINK_KEY, &bed->a, VOL_KEY_NOW);
	run_until(bed, bed->n_said == 1);
	assert_contains(bed->said.reason, "3");
	assert_false(bed->held);
}

static void nothing_to_restart(void **state)
{
	struct bed *bed = *state;

	vol_slurmkey_destroy(bed->key);
	bed->key = vol_slurmkey_create(bed->loop, bed->folder, bed->path,
				       "none", &ops, bed, NULL);
	tell(bed, VOL_LINK_KEY, &bed->a, VOL_KEY_NOW);
	assert_int_equal(bed->n_said, 1);
	assert_string_equal(bed->said.reason, "");
	in_place(bed, &bed->a);
}

static void keys_are_none_of_ours(void **state)
{
	struct bed *bed = *state;

	vol_slurmkey_destroy(bed->key);
	bed->key = vol_slurmkey_create(bed->loop, bed->folder, "none", "none",
				       &ops, bed, NULL);
	assert_true(vol_slurmkey_ready(bed->key));
	assert_string_equal(hello(bed), "");
	tell(bed, VOL_LINK_KEY, &bed->a, VOL_KEY_NOW);
	assert_contains(bed->said.reason, "none");
	assert_int_equal(access(bed->path, F_OK), -1);
}

static void a_turn(void **state)
{
	struct bed *bed = *state;

	tell(bed, VOL_LINK_KEY, &bed->a, VOL_KEY_NOW);
	run_until(bed, bed->n_said == 1);
	tell(bed, VOL_LINK_KEY, &bed->b, VOL_KEY_NEXT);
	assert_int_equal(bed->n_said, 2);
	assert_int_equal(bed->said.key_use, VOL_KEY_NEXT);
	in_place(bed, &bed->a);
	/* Also after a restart of ours. */
	restart(bed);
	in_place(bed, &bed->a);
	tell(bed, VOL_LINK_TURN, &bed->b, VOL_KEY_NOW);
	assert_true(bed->held);
	in_place(bed, &bed->a);
	run_until(bed, bed->n_said == 3);
	assert_int_equal(bed->said.key_use, VOL_KEY_NOW);
	assert_string_equal(bed->said.reason, "");
	in_place(bed, &bed->b);
	/* Until the controller has turned, too. */
	assert_true(bed->held);
	tell(bed, VOL_LINK_TURNED, &bed->a, VOL_KEY_NOW);
	assert_true(bed->held);
	tell(bed, VOL_LINK_TURNED, &bed->b, VOL_KEY_NOW);
	assert_false(bed->held);
	/* Ours, so it was not kept, and the next one is gone. */
	assert_int_equal(access(bed->old, F_OK), -1);
	tell(bed, VOL_LINK_TURN, &bed->b, VOL_KEY_NOW);
	assert_string_not_equal(bed->said.reason, "");
	assert_false(bed->held);
}

/* Its last word must be heard before. */
static void a_step_that_ends(void **state)
{
	struct bed *bed = *state;

	bed->calm = false;
	tell(bed, VOL_LINK_KEY, &bed->b, VOL_KEY_NEXT);
	tell(bed, VOL_LINK_TURN, &bed->b, VOL_KEY_NOW);
	for (int i = 0; i < 10; i++)
		sd_event_run(bed->loop, 5000);
	assert_int_equal(access(bed->path, F_OK), -1);
	assert_true(bed->held);
	bed->calm = true;
	run_until(bed, bed->n_said == 2);
	in_place(bed, &bed->b);
}

/* But not for ever. */
static void a_step_that_does_not_end(void **state)
{
	struct bed *bed = *state;

	bed->calm = false;
	tell(bed, VOL_LINK_KEY, &bed->b, VOL_KEY_NEXT);
	tell(bed, VOL_LINK_TURN, &bed->b, VOL_KEY_NOW);
	run_until(bed, bed->n_said == 2);
	in_place(bed, &bed->b);
}

static void a_turn_to_what_was_not_given(void **state)
{
	struct bed *bed = *state;

	tell(bed, VOL_LINK_KEY, &bed->a, VOL_KEY_NEXT);
	tell(bed, VOL_LINK_TURN, &bed->b, VOL_KEY_NOW);
	assert_int_equal(bed->n_said, 2);
	assert_string_not_equal(bed->said.reason, "");
	assert_int_equal(bed->n_holds, 0);
	assert_int_equal(access(bed->path, F_OK), -1);
}

/* A controller that is gone: VOL_SLURMKEY_HOLD_MS. */
static void jobs_do_not_wait_for_ever(void **state)
{
	struct bed *bed = *state;

	tell(bed, VOL_LINK_KEY, &bed->b, VOL_KEY_NEXT);
	tell(bed, VOL_LINK_TURN, &bed->b, VOL_KEY_NOW);
	vol_slurmkey_lost(bed->key);
	assert_true(bed->held);
	run_until(bed, !bed->held);
	in_place(bed, &bed->b);
}

/* Killed after the key was put in its place, before munged was restarted. */
static void what_was_begun_is_finished(void **state)
{
	struct bed *bed = *state;
	char path[PATH_MAX + 20];
	FILE *f;

	snprintf(path, sizeof(path), "%s/slurmkey.json", bed->folder);
	assert_int_equal(vol_authkey_install(bed->path, &bed->a, false, NULL),
			 0);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "{\"given\": \"%s\", \"before\": \"\", \"due\": true}",
		bed->a.id);
	fclose(f);
	restart(bed);
	run_until(bed, runs(bed) == 1);
	run_until(bed, bed->n_said == 1);
	restart(bed);
	sd_event_run(bed->loop, 50000);
	assert_int_equal(runs(bed), 1);
}

#define TEST(_name) cmocka_unit_test_setup_teardown(_name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_one),
		TEST(given_by_hand),
		TEST(a_bad_one_changes_nothing),
		TEST(munged_that_does_not_start),
		TEST(nothing_to_restart),
		TEST(keys_are_none_of_ours),
		TEST(a_turn),
		TEST(a_step_that_ends),
		TEST(a_step_that_does_not_end),
		TEST(a_turn_to_what_was_not_given),
		TEST(jobs_do_not_wait_for_ever),
		TEST(what_was_begun_is_finished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
