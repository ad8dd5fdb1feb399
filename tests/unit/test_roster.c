/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_roster.c - nodes of old names, which a slurmctld that was killed brings
 * back, are deleted; nobody else's are
 */
#include "config.h"

#include "controller.h"

#include "controller_bed.h"

static void put(const char *name, const char *comment, bool dynamic,
		bool allocated)
{
	struct vol_slurm_node node = {.sockets = 1,
				      .cores = 4,
				      .threads = 1,
				      .memory_mb = 4000,
				      .dynamic = dynamic,
				      .allocated = allocated,
				      .registered = true};

	snprintf(node.name, sizeof(node.name), "%s", name);
	snprintf(node.comment, sizeof(node.comment), "%s", comment);
	fake_cluster_put(&node);
}

static bool is_there(const char *name)
{
	struct vol_slurm_node node;

	return fake_cluster_get(name, &node);
}

/* A view that was begun after now has been seen, and what was wished for then
 * was done. */
static void look(struct bed *bed)
{
	struct vol_controller *c = bed->role;

	for (int i = 0; i < 2; i++) {
		uint64_t number = vol_registrar_refresh(c->registrar);

		run_until(bed, c->view_refresh >= number);
	}
}

static void an_old_name_comes_back(void **state)
{
	struct bed *bed = *state;
	struct vol_controller *role = bed->role;
	char label[VOL_MEMBER_LABEL_SIZE];
	struct vol_slurm_node node;
	struct vol_member *s;
	struct vol_error err;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	s = vol_controller_member_at_node(role, "desk");
	vol_member_label(s, label);
	run_until(bed, fake_cluster_get("desk", &node) &&
			       strcmp(node.comment, label) == 0);
	run_until(bed, !s->pending);
	if (vol_member_rename(s, "zoo", &err) < 0)
		fail_msg("%s", err.text);
	run_until(bed, strcmp(s->node_name, "zoo") == 0 && !s->unsaved);
	hang_up(&c);
	join(bed, &c, ID_A, "desk", "zoo");
	run_until(bed, fake_cluster_get("zoo", &node) &&
			       strcmp(node.comment, label) == 0);
	assert_false(is_there("desk"));
	/* The state before that. */
	put("desk", label, true, true);
	/* Of others, and of somebody who copied the words. */
	put("lab", "volunteer device, host lab, 01234567", true, false);
	put("odd", VOL_MEMBER_LABEL, true, false);
	put("gpu1", "", true, false);
	put("gpu2", label, false, false);
	look(bed);
	assert_true(is_there("desk"));
	put("desk", label, true, false);
	look(bed);
	assert_false(is_there("desk"));
	assert_contains(bed->log, "desk: an old name's node was deleted");
	assert_true(is_there("zoo") && is_there("lab") && is_there("odd"));
	assert_true(is_there("gpu1") && is_there("gpu2"));
	hang_up(&c);
}

#define TEST(_name) cmocka_unit_test_setup_teardown(_name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_old_name_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
