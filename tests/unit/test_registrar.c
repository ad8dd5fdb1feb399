/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_registrar.c - wishes are carried out, kept while Slurm is away, bundled
 */
#include "config.h"

#include <errno.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "fake_cluster.h"
#include "registrar.h"

#include "vtest.h"

/* Far above what any of this takes. */
#define DEADLINE_S 20

struct log {
	sd_event *loop;
	struct vol_registrar *registrar;
	unsigned answers, views, aways;
	int error; /* of failed */
	struct vol_answer last;
	struct vol_wish last_wish, failed; /* the last, and the last that did */
	size_t view_nodes;
};

static void on_answer(const struct vol_answer *answer, void *arg)
{
	struct log *log = arg;

	log->answers++;
	log->last = *answer;
	log->last_wish = *answer->wish;
	if (!answer->error)
		return;
	log->failed = *answer->wish;
	log->error = answer->error;
}

static void on_view(struct vol_slurm_view *view, void *arg)
{
	struct log *log = arg;

	log->views++;
	log->view_nodes = view->all.n_nodes;
	assert_string_equal(view->identity.cluster, "fake");
	assert_int_equal(view->identity.ctld_port, 6817);
}

static void on_away(const char *reason, void *arg)
{
	struct log *log = arg;

	log->aways++;
	assert_contains(reason, "away");
}

/* Run the loop until *counter is at least n. */
static void run_until(struct log *log, const unsigned *counter, unsigned n)
{
	time_t end = time(NULL) + DEADLINE_S;

	while (*counter < n) {
		assert_true(sd_event_run(log->loop, 100000) >= 0);
		if (time(NULL) > end)
			fail_msg("waited in vain for %u, have %u", n, *counter);
	}
}

static int setup(void **state)
{
	static const struct vol_registrar_ops ops = {on_answer, on_view,
						     on_away};
	struct log *log = calloc(1, sizeof(*log));
	struct vol_error err;

	fake_cluster_reset();
	if (!log || sd_event_new(&log->loop) < 0)
		return -1;
	log->registrar =
		vol_registrar_create(log->loop, 3600000, &ops, log, &err);
	*state = log;
	return log->registrar ? 0 : -1;
}

static int teardown(void **state)
{
	struct log *log = *state;

	vol_registrar_destroy(log->registrar);
	sd_event_unref(log->loop);
	free(log);
	return 0;
}

static void wish(struct log *log, enum vol_action action, const char *node,
		 const char *text)
{
	struct vol_wish w = {.action = action};

	snprintf(w.node, sizeof(w.node), "%s", node);
	snprintf(w.text, sizeof(w.text), "%s", text);
	strcpy(w.address, "192.0.2.1");
	strcpy(w.hostname, "desk");
	w.facts.sockets = w.facts.cores_per_socket = 1;
	w.facts.threads_per_core = 1;
	w.facts.memory_mb = 1000;
	assert_int_equal(vol_registrar_wish(log->registrar, &w), 0);
}

static void create_look_delete(void **state)
{
	struct log *log = *state;

	run_until(log, &log->views, 1);
	assert_int_equal(log->view_nodes, 0);
	wish(log, VOL_ACT_CREATE, "desk", "");
	run_until(log, &log->answers, 1);
	assert_int_equal(log->last.error, 0);
	assert_true(log->last.looked && log->last.exists);
	assert_true(log->last.node.future);
	assert_string_equal(log->last_wish.node, "desk");

	fake_cluster_register("desk");
	wish(log, VOL_ACT_WAIT, "desk", "");
	run_until(log, &log->answers, 2);
	assert_true(log->last.node.registered);

	wish(log, VOL_ACT_DELETE, "desk", "");
	run_until(log, &log->answers, 3);
	assert_int_equal(log->last.error, 0);
	assert_true(log->last.looked);
	assert_false(log->last.exists);

	/* Gone already is as good as deleted. */
	wish(log, VOL_ACT_DELETE, "desk", "");
	run_until(log, &log->answers, 4);
	assert_int_equal(log->last.error, 0);
}

static void failures_are_answers(void **state)
{
	struct vol_slurm_node busy = {.name = "busy", .allocated = true};
	struct log *log = *state;

	fake_cluster_put(&busy);
	fake_cluster_set_max(1);
	wish(log, VOL_ACT_DELETE, "busy", "");
	run_until(log, &log->answers, 1);
	assert_int_equal(log->last.error, EBUSY);
	assert_true(log->last.exists);

	wish(log, VOL_ACT_CREATE, "desk", "");
	run_until(log, &log->answers, 2);
	assert_int_equal(log->last.error, ENOSPC);
	assert_contains(log->last.why.text, "MaxNodeCount");
	assert_true(log->last.looked);
	assert_false(log->last.exists);

	wish(log, VOL_ACT_CREATE, "busy", "");
	run_until(log, &log->answers, 3);
	assert_int_equal(log->last.error, EEXIST);
	assert_true(log->last.exists);
	assert_int_equal(log->aways, 0);
}

static void wishes_survive_an_absence(void **state)
{
	struct vol_slurm_node node;
	struct log *log = *state;

	run_until(log, &log->views, 1);
	fake_cluster_set_away(true);
	wish(log, VOL_ACT_CREATE, "desk", "");
	run_until(log, &log->aways, 1);
	wish(log, VOL_ACT_CREATE, "other", "");
	assert_int_equal(log->answers, 0);
	fake_cluster_set_away(false);
	run_until(log, &log->answers, 2);
	run_until(log, &log->views, 2);
	assert_true(fake_cluster_get("desk", &node));
	assert_true(fake_cluster_get("other", &node));
	assert_int_equal(log->aways, 1);
}

static void newer_wish_replaces_older(void **state)
{
	struct vol_slurm_node node = {.name = "desk"};
	struct log *log = *state;

	fake_cluster_put(&node);
	run_until(log, &log->views, 1);
	fake_cluster_set_away(true);
	wish(log, VOL_ACT_DRAIN, "desk", "first");
	run_until(log, &log->aways, 1);
	wish(log, VOL_ACT_DOWN, "desk", "second");
	wish(log, VOL_ACT_DOWN, "desk", "third");
	fake_cluster_set_away(false);
	run_until(log, &log->answers, 1);
	run_until(log, &log->views, 2);
	assert_int_equal(log->answers, 1);
	assert_true(fake_cluster_get("desk", &node));
	assert_string_equal(node.reason, "third");
	assert_false(node.drained);
	assert_int_equal(fake_cluster_updates(), 1);
}

static void put_many(unsigned n)
{
	struct vol_slurm_node node = {0};
	unsigned i;

	for (i = 0; i < n; i++) {
		snprintf(node.name, sizeof(node.name), "d%u", i);
		fake_cluster_put(&node);
	}
}

static void wish_many(struct log *log, unsigned n)
{
	char name[16];
	unsigned i;

	/* Held back together, so that they meet in one round. */
	fake_cluster_set_away(true);
	wish(log, VOL_ACT_WAIT, "d0", "");
	run_until(log, &log->aways, log->aways + 1);
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		wish(log, VOL_ACT_DOWN, name, "volunteer: lost");
	}
	fake_cluster_set_away(false);
}

static void equal_changes_are_one_call(void **state)
{
	struct vol_slurm_node node;
	struct log *log = *state;

	put_many(300);
	run_until(log, &log->views, 1);
	wish_many(log, 300);
	run_until(log, &log->answers, 300);
	run_until(log, &log->views, 2);
	assert_true(fake_cluster_get("d299", &node));
	assert_true(node.down);
	assert_true(fake_cluster_get("d0", &node));
	assert_true(node.down);
	assert_int_equal(fake_cluster_updates(), 1);
}

/* One look and one call for all, and the next round a second later. */
static void owners_come_in_rounds(void **state)
{
	struct log *log = *state;
	struct vol_slurm_node node;
	struct timespec a, b;
	unsigned before, i;
	char name[16];

	put_many(300);
	run_until(log, &log->views, 1);
	before = fake_cluster_rpcs();
	/* The first one goes at once, the others meet in the next round. */
	wish(log, VOL_ACT_DRAIN, "d0", "volunteer: first");
	run_until(log, &log->answers, 1);
	assert_true(log->last.looked && log->last.node.drained);
	assert_string_equal(log->last.node.reason, "volunteer: first");
	assert_int_equal(fake_cluster_rpcs() - before, 2);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 1; i < 300; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		wish(log, VOL_ACT_DRAIN, name, "volunteer: owner present");
	}
	wish(log, VOL_ACT_RESUME, "d0", "device is back");
	run_until(log, &log->answers, 301);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_true((b.tv_sec - a.tv_sec) * 1000 +
			    (b.tv_nsec - a.tv_nsec) / 1000000 >=
		    500);
	assert_int_equal(fake_cluster_rpcs() - before, 2 + 3);
	assert_true(fake_cluster_get("d299", &node));
	assert_true(node.drained);
	assert_true(fake_cluster_get("d0", &node));
	assert_false(node.drained);
}

/* Held back together, they are made in one call; the one whose name is in use
 * hears of that, and so do those for which there is no room. */
static void many_are_made_at_once(void **state)
{
	struct vol_slurm_node node = {.name = "d7"};
	struct log *log = *state;
	unsigned before, i;
	char name[16];

	fake_cluster_put(&node);
	fake_cluster_set_max(51);
	run_until(log, &log->views, 1);
	fake_cluster_set_away(true);
	wish(log, VOL_ACT_WAIT, "x", "");
	run_until(log, &log->aways, 1);
	for (i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		wish(log, VOL_ACT_CREATE, name, "");
	}
	before = fake_cluster_rpcs();
	fake_cluster_set_away(false);
	run_until(log, &log->answers, 51);
	assert_int_equal(fake_cluster_updates(), 1);
	for (i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		assert_true(fake_cluster_get(name, &node));
		assert_int_equal(node.future, i != 7);
	}
	/* The two of a view, the look, two looks at all, one call; then the one
	 * that failed, and what is there in its place. */
	assert_true(fake_cluster_rpcs() - before <= 10);
	assert_string_equal(log->failed.node, "d7");
	assert_int_equal(log->error, EEXIST);

	log->answers = 0;
	fake_cluster_set_away(true);
	wish(log, VOL_ACT_WAIT, "x", "");
	run_until(log, &log->aways, 2);
	for (i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "e%u", i);
		wish(log, VOL_ACT_CREATE, name, "");
	}
	fake_cluster_set_away(false);
	run_until(log, &log->answers, 3);
	assert_true(fake_cluster_get("e0", &node));
	assert_false(fake_cluster_get("e1", &node));
	assert_string_equal(log->last_wish.node, "e1");
	assert_int_equal(log->last.error, ENOSPC);
}

/* A few looks are made at once; many wait for the round and are one. */
static void many_looks_are_one(void **state)
{
	struct log *log = *state;
	unsigned before, i;
	char name[16];

	put_many(300);
	run_until(log, &log->views, 1);
	before = fake_cluster_rpcs();
	wish(log, VOL_ACT_WAIT, "d0", "");
	run_until(log, &log->answers, 1);
	assert_true(log->last.looked && log->last.exists);
	assert_int_equal(fake_cluster_rpcs() - before, 1);
	fake_cluster_set_away(true);
	wish(log, VOL_ACT_WAIT, "d0", "");
	run_until(log, &log->aways, 1);
	for (i = 0; i < 301; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		wish(log, VOL_ACT_WAIT, name, "");
	}
	before = fake_cluster_rpcs();
	fake_cluster_set_away(false);
	run_until(log, &log->answers, 302);
	assert_string_equal(log->last_wish.node, "d300");
	assert_true(log->last.looked && !log->last.exists);
	assert_int_equal(log->last.error, 0);
	/* And tries, and the view, while it came back. */
	assert_true(fake_cluster_rpcs() - before < 30);
}

static void held_nodes_are_left_alone(void **state)
{
	struct vol_slurm_node node = {
		.name = "desk", .drained = true, .reason = "new disk"};
	struct log *log = *state;

	fake_cluster_put(&node);
	run_until(log, &log->views, 1);
	wish(log, VOL_ACT_RESUME, "desk", "device is back");
	run_until(log, &log->answers, 1);
	assert_int_equal(log->last.error, ESTALE);
	assert_true(log->last.looked && log->last.exists);
	assert_string_equal(log->last.node.reason, "new disk");
	wish(log, VOL_ACT_DRAIN, "desk", "volunteer: owner present");
	run_until(log, &log->answers, 2);
	assert_int_equal(log->last.error, ESTALE);
	assert_int_equal(fake_cluster_updates(), 0);
	wish(log, VOL_ACT_DRAIN, "nobody", "volunteer: owner present");
	run_until(log, &log->answers, 3);
	assert_int_equal(log->last.error, ENOENT);
	assert_false(log->last.exists);
}

/* slurmctld's word for a sandbox that could not be built. */
static void reason_of_walls_takes_slurms_place(void **state)
{
	struct vol_slurm_node node = {.name = "desk",
				      .drained = true,
				      .reason = "batch job complete failure"};
	struct log *log = *state;

	fake_cluster_put(&node);
	run_until(log, &log->views, 1);
	wish(log, VOL_ACT_RESUME, "desk", "device is back");
	run_until(log, &log->answers, 1);
	assert_int_equal(log->last.error, ESTALE);
	wish(log, VOL_ACT_DRAIN, "desk", "volunteer: owner present");
	run_until(log, &log->answers, 2);
	assert_int_equal(log->last.error, ESTALE);
	wish(log, VOL_ACT_DRAIN, "desk", "volunteer: sandbox: no mounts");
	run_until(log, &log->answers, 3);
	assert_int_equal(log->last.error, 0);
	assert_string_equal(log->last.node.reason,
			    "volunteer: sandbox: no mounts");
	wish(log, VOL_ACT_RESUME, "desk", "device is back");
	run_until(log, &log->answers, 4);
	assert_int_equal(log->last.error, 0);
	assert_false(log->last.node.drained);
}

struct errand {
	struct vol_errand errand; /* first */
	struct log *log;
	unsigned runs;
};

static unsigned errands_done;

static bool run_errand(struct vol_errand *e, struct vol_error *why)
{
	struct vol_slurm_jobs jobs = {NULL, 0};
	int rc = vol_slurm_jobs_load(&jobs, why);

	((struct errand *)e)->runs++;
	vol_slurm_jobs_clear(&jobs);
	return rc == 0;
}

static void errand_done(struct vol_errand *e)
{
	assert_true(((struct errand *)e)->runs >= 2);
	errands_done++;
	free(e);
}

static void drop_errand(struct vol_errand *e)
{
	free(e);
}

static void give_errand(struct log *log)
{
	struct errand *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	e->errand.run = run_errand;
	e->errand.done = errand_done;
	e->errand.drop = drop_errand;
	vol_registrar_errand(log->registrar, &e->errand);
}

static void errands_survive_an_absence(void **state)
{
	struct log *log = *state;

	errands_done = 0;
	run_until(log, &log->views, 1);
	fake_cluster_set_away(true);
	give_errand(log);
	run_until(log, &log->aways, 1);
	assert_int_equal(errands_done, 0);
	fake_cluster_set_away(false);
	run_until(log, &errands_done, 1);
	/* One that is never carried out is freed all the same. */
	fake_cluster_set_away(true);
	give_errand(log);
	run_until(log, &log->aways, 2);
	assert_int_equal(errands_done, 1);
}

static void one_bad_name_does_not_stop_the_others(void **state)
{
	struct vol_slurm_node node;
	struct log *log = *state;

	put_many(9);
	run_until(log, &log->views, 1);
	wish_many(log, 10); /* d9 does not exist */
	run_until(log, &log->answers, 10);
	assert_true(fake_cluster_get("d8", &node));
	assert_true(node.down);
}

static void destroy_while_away(void **state)
{
	struct log *log = *state;

	fake_cluster_set_away(true);
	wish(log, VOL_ACT_CREATE, "desk", "");
	run_until(log, &log->aways, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(create_look_delete),
		TEST(failures_are_answers),
		TEST(wishes_survive_an_absence),
		TEST(newer_wish_replaces_older),
		TEST(equal_changes_are_one_call),
		TEST(owners_come_in_rounds),
		TEST(many_are_made_at_once),
		TEST(many_looks_are_one),
		TEST(held_nodes_are_left_alone),
		TEST(reason_of_walls_takes_slurms_place),
		TEST(errands_survive_an_absence),
		TEST(one_bad_name_does_not_stop_the_others),
		TEST(destroy_while_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
