/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_keyring_killed.c - a rotation of the Slurm key that is interrupted
 *
 * The controller role over real links, as in test_controller.c; what puts a
 * key in its place is played by the test.
 */
#include "config.h"

#include "keyring_bed.h"

/* Where it stood when it was killed. */
static void put_record(struct bed *bed, const char *phase,
		       const struct vol_authkey *next)
{
	char path[PATH_MAX];
	FILE *f;

	vol_role_controller.stop(bed->role);
	bed->role = NULL;
	snprintf(path, sizeof(path), "%s/keys/next.key", bed->folder);
	assert_int_equal(vol_authkey_install(path, next, false, NULL), 0);
	snprintf(path, sizeof(path), "%s/keys/rotation.json", bed->folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
		"{\"version\": 1, \"phase\": \"%s\", \"old\": \"%s\", "
		"\"next\": \"%s\", \"partitions\": \"volunteer\", "
		"\"closed_ms\": 1, \"apart_ms\": 1}",
		phase, old.id, next->id);
	fclose(f);
}

static void start_again(struct bed *bed)
{
	struct vol_controller *c;
	struct vol_error err = {""};

	bed->role = start_role(bed, false, &err);
	if (!bed->role)
		fail_msg("%s", err.text);
	c = bed->role;
	run_until(bed, c->slurm_known);
}

static void killed_before_it_turned(void **state)
{
	static const char *const phases[] = {"close", "undo"};
	struct bed *bed = *state;
	struct vol_authkey next = {0};

	assert_int_equal(vol_authkey_make(&next, vol_sha256, NULL), 0);
	for (size_t i = 0; i < N_ELEMENTS(phases); i++) {
		fake_cluster_set_partitions("fixed");
		put_record(bed, phases[i], &next);
		start_again(bed);
		run_until(bed, has_result(bed, "undone"));
		assert_string_equal(fake_cluster_partitions(),
				    "fixed,volunteer");
		assert_int_equal(keys_left(bed), 0);
	}
}

static void killed_after_it_turned(void **state)
{
	static const char *const phases[] = {"turn", "self"};
	struct bed *bed = *state;
	struct vol_authkey next = {0};
	struct vol_link_msg m;
	struct client a;

	for (size_t i = 0; i < N_ELEMENTS(phases); i++) {
		assert_int_equal(vol_authkey_make(&next, vol_sha256, NULL), 0);
		fake_cluster_set_partitions("fixed");
		put_record(bed, phases[i], &next);
		start_again(bed);
		link_with(bed, &a, ID_A, "pc", old.id, &m);
		assert_string_equal(m.auth, next.id);
		expect_key(bed, &a, next.id, VOL_KEY_NOW, &m);
		keyed(&a, next.id, VOL_KEY_NOW, "");
		play_placer(bed, next.id);
		run_until(bed, has_result(bed, "done"));
		assert_string_equal(fake_cluster_partitions(),
				    "fixed,volunteer");
		hang_up(&a);
	}
}

/* The placer was done, and munged has it: only the partitions are left. */
static void killed_at_the_end(void **state)
{
	struct bed *bed = *state;
	struct vol_authkey next = {0};

	assert_int_equal(vol_authkey_make(&next, vol_sha256, NULL), 0);
	fake_cluster_set_partitions("fixed");
	put_record(bed, "self", &next);
	old = next;
	write_key(bed);
	start_again(bed);
	run_until(bed, has_result(bed, "done"));
	assert_string_equal(fake_cluster_partitions(), "fixed,volunteer");
}

#define TEST(_name) cmocka_unit_test_setup_teardown(_name, setup_keys, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(killed_before_it_turned),
		TEST(killed_after_it_turned),
		TEST(killed_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
