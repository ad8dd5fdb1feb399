/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_nodes.c - what schedulers read of the controller's devices, and what it
 * remembers of their owners
 *
 * The controller role over real sockets, as in test_controller.c, and a reader
 * of its node table.
 */
#include "config.h"

#include "controller.h"

#include <sys/stat.h>

#include "atomicfile.h"
#include "controller_bed.h"
#include "forecast.h"
#include "forecastfile.h"
#include "forecasts.h"
#include "nodes.h"
#include "nodetable.h"
#include "score.h"

#define WHY "owner present since 10:31"
/* Heartbeats of the bed are every 200 ms. */
#define QUIET_MS 1000

static struct vol_nodeview *view;

static uint64_t now_ms(void)
{
	return vol_controller_now_ms();
}

static int setup_view(void **state)
{
	char path[PATH_MAX];

	if (setup(state) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/nodes",
		 ((struct bed *)*state)->folder);
	view = vol_nodeview_create(path);
	return view ? 0 : -1;
}

static int teardown_view(void **state)
{
	vol_nodeview_destroy(view);
	return teardown(state);
}

/* As a scheduler sees it so much later; NULL: it does not know the name. */
static const struct vol_nodetable_node *see_at(const char *name,
					       uint64_t later_ms,
					       enum vol_nodetable_state *state)
{
	struct vol_error err = {""};
	uint32_t slot;

	if (vol_nodeview_refresh(view, now_ms() + later_ms, &err) < 0)
		fail_msg("%s", err.text);
	slot = vol_nodeview_slot(view, name);
	if (slot == UINT32_MAX)
		return NULL;
	*state = vol_nodeview_state(view, slot);
	return vol_nodeview_node(view, slot);
}

static enum vol_nodetable_state state_of(const char *name)
{
	enum vol_nodetable_state state = VOL_NODETABLE_FREE;

	(void)see_at(name, 0, &state);
	return state;
}

static const struct vol_nodetable_node *record(const char *name)
{
	enum vol_nodetable_state state;
	const struct vol_nodetable_node *node = see_at(name, 0, &state);

	assert_non_null(node);
	assert_int_equal(node->state, state);
	return node;
}

static struct vol_member *member(struct bed *bed, const char *node)
{
	struct vol_member *s = vol_controller_member_at_node(bed->role, node);

	assert_non_null(s);
	return s;
}

static void harvest(struct vol_link_msg *m, enum vol_harvest harvest)
{
	memset(m, 0, sizeof(*m));
	m->type = VOL_LINK_HARVEST;
	m->harvest = harvest;
	if (harvest != VOL_HARVEST_OPEN)
		strcpy(m->why, WHY);
}

/* Without a turn of the loop: no timer, no call to Slurm comes first. */
static void a_harvest_is_there_at_once(void **state)
{
	static const struct {
		enum vol_harvest harvest;
		enum vol_nodetable_state state;
	} steps[] = {
		{VOL_HARVEST_PARKED, VOL_NODETABLE_PARKED},
		{VOL_HARVEST_OPEN, VOL_NODETABLE_OPEN},
		{VOL_HARVEST_CLOSED, VOL_NODETABLE_CLOSED},
		{VOL_HARVEST_OPEN, VOL_NODETABLE_OPEN},
		{VOL_HARVEST_DRAINING, VOL_NODETABLE_DRAINING},
	};
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client c;
	size_t i;

	join(bed, &c, ID_A, "desk", "desk");
	assert_int_equal(state_of("desk"), VOL_NODETABLE_OPEN);
	assert_string_equal(record("desk")->why, "");
	for (i = 0; i < N_ELEMENTS(steps); i++) {
		harvest(&m, steps[i].harvest);
		vol_member_message(member(bed, "desk"), &m);
		assert_int_equal(state_of("desk"), steps[i].state);
		assert_string_equal(record("desk")->why, m.why);
		assert_int_equal(record("desk")->state, steps[i].state);
	}
	hang_up(&c);
}

static void a_record(void **state)
{
	const struct vol_nodetable_node *n;
	struct bed *bed = *state;
	time_t now = time(NULL);
	struct vol_link_msg m;
	struct client c;

	fill_hello(bed, &m, ID_A, "desk");
	m.away_s = 600;
	m.battery = true;
	m.closes_s = 7200;
	m.speed = 777;
	join_as(bed, &c, &m, "desk");
	n = record("desk");
	assert_string_equal(n->name, "desk");
	assert_string_equal(n->id, device_key(bed, ID_A)->id);
	assert_in_range(n->since, now, now + DEADLINE_S);
	assert_in_range(n->away_since, now - 600, now - 600 + DEADLINE_S);
	assert_in_range(n->closes_at, now + 7200, now + 7200 + DEADLINE_S);
	assert_true(n->on_battery);
	assert_int_equal(n->speed, VOL_SCORE_SPEED);
	assert_int_equal(n->quiet_s, 1);
	assert_in_range(n->outlook_at, now, now + DEADLINE_S);
	/* It closes in two hours, whatever the owner does. */
	assert_true(vol_outlook_survival(&n->outlook, 60) > 0.1);
	assert_true(vol_outlook_survival(&n->outlook, 4 * 3600) < 0.01);
	/* Closed, there is nothing to look ahead to. */
	harvest(&m, VOL_HARVEST_CLOSED);
	vol_member_message(member(bed, "desk"), &m);
	n = record("desk");
	assert_int_equal(n->outlook_at, 0);
	assert_int_equal(n->away_since, 0);
	assert_int_equal(n->closes_at, 0);
	assert_false(n->on_battery);
	hang_up(&c);
}

/* A device that was looked at for so many days until now. */
static void known_for(struct vol_member *s, int days)
{
	struct vol_availability **model = &s->forecast->model;
	struct vol_moment now;
	int64_t t;

	vol_moment_of(&now, time(NULL));
	t = now.local - (int64_t)days * 86400;
	vol_availability_destroy(*model);
	*model = vol_availability_create(t);
	assert_non_null(*model);
	for (; t <= now.local; t += 900)
		vol_availability_note(*model, t, VOL_AVAILABLE_YES);
	vol_nodes_put(s);
}

/* Jobs wait where that is known to help. */
static void risks(void **state)
{
	struct bed *bed = *state;
	struct vol_controller *c = bed->role;
	struct client client;

	join(bed, &client, ID_A, "desk", "desk");
	assert_int_equal(record("desk")->max_risk, VOL_OUTLOOK_ONE);
	known_for(member(bed, "desk"), 6);
	assert_int_equal(record("desk")->max_risk, VOL_OUTLOOK_ONE);
	known_for(member(bed, "desk"), 8);
	assert_int_equal(record("desk")->max_risk, VOL_SCORE_MAX_RISK);
	c->conf.max_risk_pct = 100;
	vol_nodes_put(member(bed, "desk"));
	assert_int_equal(record("desk")->max_risk, VOL_OUTLOOK_ONE);
	c->conf.max_risk_pct = 0;
	vol_nodes_put(member(bed, "desk"));
	assert_int_equal(record("desk")->max_risk, 0);
	hang_up(&client);
}

static bool heard_again(struct bed *bed, struct client *c)
{
	struct vol_link_msg m = {.type = VOL_LINK_PING};
	enum vol_nodetable_state seen;

	send_msg(c, &m);
	expect(bed, c, VOL_LINK_PONG, &m);
	assert_non_null(see_at("desk", QUIET_MS / 2, &seen));
	return seen == VOL_NODETABLE_OPEN;
}

static void silence(void **state)
{
	enum vol_nodetable_state seen;
	struct bed *bed = *state;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	assert_non_null(see_at("desk", 0, &seen));
	assert_int_equal(seen, VOL_NODETABLE_OPEN);
	/* Its lease is 2.5 s; by then nobody should count on it. */
	assert_non_null(see_at("desk", QUIET_MS + 1001, &seen));
	assert_int_equal(seen, VOL_NODETABLE_UNKNOWN);
	/* Any heartbeat will do. */
	run_until(bed, (see_at("desk", QUIET_MS / 2, &seen),
			seen == VOL_NODETABLE_UNKNOWN));
	run_until(bed, heard_again(bed, &c));
	/* The link ends. */
	hang_up(&c);
	run_until(bed, state_of("desk") == VOL_NODETABLE_UNKNOWN);
	assert_string_equal(record("desk")->why, "no link");
	run_until(bed, strstr(record("desk")->why, "lost contact"));
	assert_int_equal(state_of("desk"), VOL_NODETABLE_UNKNOWN);
}

static void goodbye(void **state)
{
	struct vol_link_msg m = {.type = VOL_LINK_BYE, .reason = "going home"};
	struct bed *bed = *state;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	send_msg(&c, &m);
	run_until(bed, state_of("desk") == VOL_NODETABLE_CLOSED);
	assert_string_equal(record("desk")->why, "device left (going home)");
	hang_up(&c);
}

static void not_let_in(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client c;

	fake_cluster_set_max(0);
	dial(bed, &c);
	fill_hello(bed, &m, ID_A, "desk");
	send_msg(&c, &m);
	run_until(bed, state_of("desk") != VOL_NODETABLE_FREE);
	assert_int_equal(state_of("desk"), VOL_NODETABLE_UNKNOWN);
	run_until(bed, try_recv(&c, &m) || c.closed);
	assert_int_equal(state_of("desk"), VOL_NODETABLE_UNKNOWN);
	hang_up(&c);
}

static void a_restart_knows_nothing(void **state)
{
	struct vol_error err;
	struct bed *bed = *state;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	assert_int_equal(state_of("desk"), VOL_NODETABLE_OPEN);
	/* Killed, its word is worth nothing soon. */
	assert_int_equal(vol_nodeview_refresh(
				 view, now_ms() + VOL_NODETABLE_STALE_MS + 3000,
				 &err),
			 -1);
	assert_int_equal(errno, ESTALE);
	restart(bed);
	assert_int_equal(state_of("desk"), VOL_NODETABLE_UNKNOWN);
	assert_string_equal(record("desk")->why,
			    "not heard since the controller began");
	hang_up(&c);
	join(bed, &c, ID_A, "desk", "desk");
	assert_int_equal(state_of("desk"), VOL_NODETABLE_OPEN);
	hang_up(&c);
}

static void names_change_and_go(void **state)
{
	struct bed *bed = *state;
	struct vol_member *s;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	s = member(bed, "desk");
	assert_int_equal(vol_controller_rename(bed->role, s, NULL, NULL), 0);
	assert_string_equal(s->node_name, "desk-2");
	assert_int_equal(state_of("desk"), VOL_NODETABLE_FREE);
	assert_int_equal(state_of("desk-2"), VOL_NODETABLE_OPEN);
	hang_up(&c);
	run_until(bed, !s->peer);
	vol_controller_forget(bed->role, s);
	assert_int_equal(state_of("desk-2"), VOL_NODETABLE_FREE);
}

static void speeds(void **state)
{
	static const struct {
		uint32_t speed, median, step;
	} steps[] = {
		{0, 500, 1000},
		{500, 0, 1000},
		{500, 500, 1000},
		{549, 500, 1000},
		{456, 500, 1000},
		{560, 500, 1200},
		{450, 500, 833},
		{1000, 500, 2073},
		{250, 500, 481},
		{1000000, 1, 0},
		/* somewhere */ {1, 1000000, 0},
	};
	static const uint32_t told[] = {500, 510, 480, 1010, 505};
	struct vol_link_msg m;
	struct bed *bed = *state;
	struct client c[N_ELEMENTS(told)];
	char id[VOL_DEVICE_ID_SIZE], host[16];
	size_t i;

	for (i = 0; i < N_ELEMENTS(steps); i++) {
		uint32_t step = vol_speed_step(steps[i].speed, steps[i].median);

		assert_in_range(step, 15, 121000);
		if (steps[i].step)
			assert_in_range(step, steps[i].step - 5,
					steps[i].step + 5);
	}
	for (i = 0; i < N_ELEMENTS(told); i++) {
		memset(id, (int)('1' + i), sizeof(id) - 1);
		id[sizeof(id) - 1] = '\0';
		snprintf(host, sizeof(host), "pc%zu", i);
		fill_hello(bed, &m, id, host);
		m.speed = told[i];
		join_as(bed, &c[i], &m, host);
	}
	harvest(&m, VOL_HARVEST_PARKED);
	/* With the next beat, none of which may wait for a message. */
	run_until(bed, record("pc3")->speed != VOL_SCORE_SPEED);
	assert_in_range(record("pc3")->speed, 2068, 2078);
	for (i = 0; i < N_ELEMENTS(told); i++) {
		snprintf(host, sizeof(host), "pc%zu", i);
		if (i != 3)
			assert_int_equal(record(host)->speed, VOL_SCORE_SPEED);
		hang_up(&c[i]);
	}
}

static void history_survives(void **state)
{
	struct vol_forecast *f;
	struct bed *bed = *state;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	vol_forecasts_evicted(member(bed, "desk"), 2);
	assert_int_equal(record("desk")->evictions, 2);
	assert_int_equal(record("desk")->evictions_day, 2);
	assert_int_equal(record("desk")->evictions_week, 2);
	assert_in_range(record("desk")->last_eviction, 1, time(NULL));
	assert_int_equal(member(bed, "desk")->forecast->is, VOL_AVAILABLE_YES);
	hang_up(&c);
	restart(bed);
	f = member(bed, "desk")->forecast;
	assert_int_equal(f->is, VOL_AVAILABLE_UNKNOWN);
	assert_int_equal(f->evictions.total, 2);
	assert_int_equal(record("desk")->evictions_week, 2);
}

static void damaged_history(void **state)
{
	static const char junk[] = "VOLFCAST and more that is not one";
	struct vol_error err = {""};
	char path[PATH_MAX], aside[PATH_MAX + 16];
	struct bed *bed = *state;
	struct client c;
	struct stat st;

	join(bed, &c, ID_A, "desk", "desk");
	vol_forecasts_evicted(member(bed, "desk"), 2);
	hang_up(&c);
	vol_role_controller.stop(bed->role);
	snprintf(path, sizeof(path), "%s/" VOL_FORECASTFILE_NAME, bed->folder);
	snprintf(aside, sizeof(aside), "%s.damaged", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size,
			 VOL_FORECASTFILE_HEADER + VOL_FORECASTFILE_RECORD);
	assert_int_equal(
		vol_file_replace(path, junk, sizeof(junk), 0644, 0, NULL), 0);
	bed->role = start_role(bed, false, &err);
	assert_non_null(bed->role);
	assert_contains(bed->log, "forecast: version ");
	assert_contains(bed->log, "forecasts begin anew");
	assert_int_equal(stat(aside, &st), 0);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(member(bed, "desk")->forecast->evictions.total, 0);
	/* A check of the configuration leaves all as it is. */
	vol_role_controller.stop(bed->role);
	bed->role = start_role(bed, false, &err);
	assert_non_null(bed->role);
}

static void a_second_one_disturbs_nothing(void **state)
{
	struct vol_error err = {""};
	char path[PATH_MAX];
	struct bed *bed = *state;
	struct client c;
	struct stat st;

	join(bed, &c, ID_A, "desk", "desk");
	/* The port is taken. */
	assert_null(start_role(bed, false, &err));
	assert_contains(err.text, "in use");
	assert_int_equal(state_of("desk"), VOL_NODETABLE_OPEN);
	snprintf(path, sizeof(path), "%s/" VOL_FORECASTFILE_NAME, bed->folder);
	assert_int_equal(stat(path, &st), -1);
	hang_up(&c);
}

/* ---- 10 000 devices ---- */

#define MANY 10000

/* What is done here for 10 000 at a time may take longer than a table stays
 * fresh without a beat. */
static void beat(struct bed *bed)
{
	run_until(bed, vol_nodeview_refresh(view, now_ms(), NULL) == 0);
}

static void add_many(struct bed *bed)
{
	struct vol_controller *c = bed->role;
	struct vol_fingerprint key = {{0}};
	struct vol_error err;
	struct vol_member *s;
	char host[16];
	unsigned i;

	run_until(bed, c->slurm_known);
	for (i = 0; i < MANY; i++) {
		/* Scattered, as keys are. */
		key.byte[0] = (uint8_t)(i * 157);
		key.byte[1] = (uint8_t)(i >> 8);
		key.byte[2] = (uint8_t)i;
		snprintf(host, sizeof(host), "pc%u", i);
		s = vol_controller_approve(c, &key, host, "all", &err);
		assert_non_null(s);
		/* All that is looked at here, and nothing for Slurm. */
		s->pending = true;
		s->unsaved = false;
		s->peer = (struct vol_peer *)s;
		s->contact = VOL_CONTACT_HERE;
		s->welcomed = true;
		s->heartbeat_ms = 60000;
		s->harvest = VOL_HARVEST_OPEN;
		s->speed = 900 + i % 200;
	}
}

/* Of this process: other work on this machine is no cost of ours. */
static uint64_t cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static double us_each(uint64_t begin)
{
	return (double)(cpu_us() - begin) / MANY;
}

static void many(void **state)
{
	struct bed *bed = *state;
	struct vol_controller *c = bed->role;
	double feed, mark, harvest_us;
	struct vol_link_msg m;
	uint64_t begin;
	size_t i;

	/* All of them would be told of in the log. */
	vol_log_set(NULL, NULL, VOL_LOG_ERR);
	add_many(bed);
	for (i = 0; i < c->n_members; i++)
		vol_nodes_put(c->members[i]);
	begin = cpu_us();
	for (i = 0; i < c->n_members; i++)
		vol_forecasts_feed(c->members[i]);
	feed = us_each(begin);
	begin = cpu_us();
	for (i = 0; i < c->n_members; i++)
		vol_nodes_mark(c->members[i]);
	mark = us_each(begin);
	harvest(&m, VOL_HARVEST_OPEN);
	begin = cpu_us();
	for (i = 0; i < c->n_members; i++)
		vol_member_message(c->members[i], &m);
	harvest_us = us_each(begin);
	print_message("%d devices: renewed %.2f us, heartbeat %.2f us, harvest "
		      "message %.2f us each\n",
		      MANY, feed, mark, harvest_us);
	/* A minute of one core has 6000 us for each. */
	assert_true(feed < 600 && mark < 100 && harvest_us < 600);
	beat(bed);
	assert_int_equal(state_of("pc0"), VOL_NODETABLE_OPEN);
	assert_int_equal(state_of("pc9999"), VOL_NODETABLE_OPEN);
	begin = cpu_us();
	vol_forecasts_save(c->forecasts);
	print_message("written %.2f us each\n", us_each(begin));
	for (i = 0; i < c->n_members; i++)
		c->members[i]->peer = NULL;
	begin = cpu_us();
	vol_role_controller.stop(bed->role);
	print_message("stopped %.2f us each\n", us_each(begin));
	begin = cpu_us();
	bed->role = start_role(bed, false, NULL);
	print_message("started %.2f us each\n", us_each(begin));
	assert_non_null(bed->role);
	assert_int_equal(((struct vol_controller *)bed->role)->n_members, MANY);
	beat(bed);
	assert_int_equal(state_of("pc9999"), VOL_NODETABLE_UNKNOWN);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_view, teardown_view)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_harvest_is_there_at_once),
		TEST(a_record),
		TEST(risks),
		TEST(silence),
		TEST(goodbye),
		TEST(not_let_in),
		TEST(a_restart_knows_nothing),
		TEST(names_change_and_go),
		TEST(speeds),
		TEST(history_survives),
		TEST(damaged_history),
		TEST(a_second_one_disturbs_nothing),
		TEST(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
