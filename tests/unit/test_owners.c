/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_owners.c - nodes follow their owners: drained, resumed, never more than
 * that
 *
 * The controller role over real sockets, as in test_controller.c.
 */
#include "config.h"

#include "controller.h"

#include "controller_bed.h"

#define WHY "owner present since 10:31"

static void say_harvest(struct client *c, enum vol_harvest harvest,
			const char *why)
{
	struct vol_link_msg m = {.type = VOL_LINK_HARVEST, .harvest = harvest};

	snprintf(m.why, sizeof(m.why), "%s", why);
	send_msg(c, &m);
}

static bool is_drained(const char *node, const char *reason)
{
	struct vol_slurm_node n;

	return fake_cluster_get(node, &n) && n.drained &&
	       strcmp(n.reason, reason) == 0;
}

static bool is_open(const char *node)
{
	struct vol_slurm_node n;

	return fake_cluster_get(node, &n) && !n.drained && !n.down;
}

static uint64_t now_ms(void)
{
	return vol_controller_now_ms();
}

/* The device pings meanwhile, as it must. */
static void run_for(struct bed *bed, struct client *c, uint64_t ms)
{
	struct vol_link_msg ping = {.type = VOL_LINK_PING}, m;
	uint64_t end = now_ms() + ms, next = 0;

	while (now_ms() < end) {
		if (now_ms() >= next) {
			send_msg(c, &ping);
			next = now_ms() + 200;
		}
		turn(bed);
		while (try_recv(c, &m))
			assert_int_not_equal(m.type, VOL_LINK_NODE);
	}
}

static void a_visit_drains(void **state)
{
	struct bed *bed = *state;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	say_harvest(&c, VOL_HARVEST_PARKED, WHY);
	run_until(bed, is_drained("desk", "volunteer: " WHY));
	say_harvest(&c, VOL_HARVEST_DRAINING, "on battery");
	run_until(bed, is_drained("desk", "volunteer: on battery"));
	say_harvest(&c, VOL_HARVEST_OPEN, "");
	run_until(bed, is_open("desk"));
	/* All the while the node is as it should be: nothing to say. */
	run_for(bed, &c, 300);
	hang_up(&c);
}

/* Neither does a message that says the same again. */
static void a_short_visit_costs_nothing(void **state)
{
	struct bed *bed = *state;
	struct vol_slurm_node n;
	struct client c;
	unsigned before;

	join(bed, &c, ID_A, "desk", "desk");
	run_until(bed, fake_cluster_get("desk", &n) && *n.comment);
	before = fake_cluster_updates();
	say_harvest(&c, VOL_HARVEST_PARKED, WHY);
	turn(bed);
	say_harvest(&c, VOL_HARVEST_OPEN, "");
	run_for(bed, &c, 1500);
	assert_int_equal(fake_cluster_updates(), before);
	say_harvest(&c, VOL_HARVEST_PARKED, WHY);
	run_until(bed, is_drained("desk", "volunteer: " WHY));
	say_harvest(&c, VOL_HARVEST_DRAINING, WHY);
	say_harvest(&c, VOL_HARVEST_CLOSED, WHY);
	run_for(bed, &c, 1500);
	assert_int_equal(fake_cluster_updates(), before + 1);
	hang_up(&c);
}

static void it_joins_closed(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg hello, m;
	struct client c;

	fill_hello(bed, &hello, ID_A, "desk");
	hello.harvest = VOL_HARVEST_CLOSED;
	strcpy(hello.why, "no input sensor works");
	dial(bed, &c);
	send_msg(&c, &hello);
	expect(bed, &c, VOL_LINK_WELCOME, &m);
	/* Before its slurmd can start: no moment in which it looks free. */
	assert_true(is_drained("desk", "volunteer: no input sensor works"));
	say_state(&c, VOL_SLURMD_STARTING);
	fake_cluster_register("desk");
	say_state(&c, VOL_SLURMD_UP);
	expect(bed, &c, VOL_LINK_NODE, &m);
	assert_int_equal(m.node_state, VOL_NODE_UP);
	assert_true(is_drained("desk", "volunteer: no input sensor works"));
	say_harvest(&c, VOL_HARVEST_OPEN, "");
	run_until(bed, is_open("desk"));
	hang_up(&c);
}

static void a_closed_node_that_can_not_be_drained(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client c;

	fake_cluster_refuse_drains(true);
	fill_hello(bed, &m, ID_A, "desk");
	m.harvest = VOL_HARVEST_CLOSED;
	dial(bed, &c);
	send_msg(&c, &m);
	expect(bed, &c, VOL_LINK_REFUSE, &m);
	hang_up(&c);
	fill_hello(bed, &m, ID_A, "desk");
	m.harvest = VOL_HARVEST_CLOSED;
	dial(bed, &c);
	send_msg(&c, &m);
	expect(bed, &c, VOL_LINK_WELCOME, &m);
	hang_up(&c);
}

/* Their drain came after the last look at the table, over ours or before it. */
static void an_admins_drain_stands(void **state)
{
	struct bed *bed = *state;
	struct vol_slurm_node n;
	struct vol_link_msg m;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	say_harvest(&c, VOL_HARVEST_PARKED, WHY);
	run_until(bed, is_drained("desk", "volunteer: " WHY));
	assert_true(fake_cluster_get("desk", &n));
	strcpy(n.reason, "new disk");
	fake_cluster_put(&n);
	say_harvest(&c, VOL_HARVEST_OPEN, "");
	expect(bed, &c, VOL_LINK_NODE, &m);
	assert_int_equal(m.node_state, VOL_NODE_WRONG);
	assert_contains(m.reason, "new disk");
	say_harvest(&c, VOL_HARVEST_PARKED, WHY);
	run_for(bed, &c, 1500);
	assert_true(is_drained("desk", "new disk"));

	/* Lifted by them, it is ours again. */
	assert_true(fake_cluster_get("desk", &n));
	n.drained = false;
	*n.reason = '\0';
	fake_cluster_put(&n);
	run_until(bed, is_drained("desk", "volunteer: " WHY));
	hang_up(&c);
}

/* They were faster, by less than the time between two looks. */
static void an_admin_was_first(void **state)
{
	struct bed *bed = *state;
	struct vol_slurm_node n;
	struct vol_link_msg m;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	run_until(bed, fake_cluster_get("desk", &n) && *n.comment);
	n.drained = true;
	strcpy(n.reason, "new disk");
	fake_cluster_put(&n);
	say_harvest(&c, VOL_HARVEST_PARKED, WHY);
	expect(bed, &c, VOL_LINK_NODE, &m);
	assert_int_equal(m.node_state, VOL_NODE_WRONG);
	assert_true(is_drained("desk", "new disk"));
	hang_up(&c);
}

static void restarts_forget_nothing(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg hello;
	struct client c;
	unsigned before;

	join(bed, &c, ID_A, "desk", "desk");
	say_harvest(&c, VOL_HARVEST_PARKED, WHY);
	run_until(bed, is_drained("desk", "volunteer: " WHY));
	before = fake_cluster_updates();
	vol_role_controller.stop(bed->role);
	hang_up(&c);
	bed->role = start_role(bed, false, NULL);
	fill_hello(bed, &hello, ID_A, "desk");
	hello.harvest = VOL_HARVEST_PARKED;
	strcpy(hello.why, WHY);
	join_as(bed, &c, &hello, "desk");
	run_for(bed, &c, 300);
	assert_true(is_drained("desk", "volunteer: " WHY));
	assert_int_equal(fake_cluster_updates(), before);
	vol_role_controller.stop(bed->role);
	hang_up(&c);
	bed->role = start_role(bed, false, NULL);
	join(bed, &c, ID_A, "desk", "desk");
	run_until(bed, is_open("desk"));
	hang_up(&c);
}

#define CROWD    1000
#define CROWD_MS 6000 /* as 10 000 in a minute */

struct crowd {
	struct client clients[CROWD];
	uint64_t came_ms[CROWD], late_ms;
	bool drained[CROWD];
};

/* Side by side, as many as may be strangers at a time. */
static void crowd_joins(struct bed *bed, struct crowd *crowd, unsigned from,
			unsigned to)
{
	char id[VOL_DEVICE_ID_SIZE], host[16];
	struct vol_link_msg m;
	unsigned i;

	for (i = from; i < to; i++) {
		snprintf(id, sizeof(id), "%032x", i + 1);
		snprintf(host, sizeof(host), "d%u", i);
		fill_hello(bed, &m, id, host);
		dial(bed, &crowd->clients[i]);
		send_msg(&crowd->clients[i], &m);
	}
	for (i = from; i < to; i++) {
		expect(bed, &crowd->clients[i], VOL_LINK_WELCOME, &m);
		fake_cluster_register(m.node);
		say_state(&crowd->clients[i], VOL_SLURMD_UP);
	}
	for (i = from; i < to; i++)
		expect(bed, &crowd->clients[i], VOL_LINK_NODE, &m);
}

/* Notes who was drained, and how late. */
static unsigned crowd_drained(struct crowd *crowd)
{
	struct vol_slurm_node n;
	unsigned i, total = 0;
	uint64_t took;
	char host[16];

	for (i = 0; i < CROWD; i++) {
		snprintf(host, sizeof(host), "d%u", i);
		if (!crowd->drained[i] && crowd->came_ms[i] &&
		    fake_cluster_get(host, &n) && n.drained) {
			crowd->drained[i] = true;
			took = now_ms() - crowd->came_ms[i];
			if (took > crowd->late_ms)
				crowd->late_ms = took;
		}
		total += crowd->drained[i];
	}
	return total;
}

static bool crowd_is_labelled(void)
{
	struct vol_slurm_node n;
	char host[16];
	unsigned i;

	for (i = 0; i < CROWD; i++) {
		snprintf(host, sizeof(host), "d%u", i);
		if (!fake_cluster_get(host, &n) || !*n.comment)
			return false;
	}
	return true;
}

/* Nine o'clock: few calls a second, and nobody waits for long. */
static void a_crowd_costs_little(void **state)
{
	struct bed *bed = *state;
	struct crowd *crowd = calloc(1, sizeof(*crowd));
	uint64_t begin, next_look = 0;
	unsigned i, before, total = 0;
	double per_s;

	bed->lost_after = "1h";
	write_conf(bed, "approve = all");
	assert_int_equal(vol_role_controller.reload(bed->role, NULL), 0);
	fake_cluster_set_max(CROWD);
	for (i = 0; i < CROWD; i += 100)
		crowd_joins(bed, crowd, i, i + 100);
	i = 0;
	run_until(bed, crowd_is_labelled());
	before = fake_cluster_rpcs();
	begin = now_ms();
	while (total < CROWD && now_ms() < begin + CROWD_MS + 20000) {
		while (i < CROWD &&
		       now_ms() >= begin + (uint64_t)i * CROWD_MS / CROWD) {
			/* The minute turns in the middle. */
			say_harvest(&crowd->clients[i], VOL_HARVEST_PARKED,
				    i < CROWD / 2 ? WHY : WHY "+");
			crowd->came_ms[i++] = now_ms();
		}
		turn(bed);
		if (now_ms() >= next_look) {
			total = crowd_drained(crowd);
			next_look = now_ms() + 50;
		}
	}
	per_s = (double)(fake_cluster_rpcs() - before) * 1000 /
		(double)(now_ms() - begin);
	print_message("%.1f calls/s, latest after %u ms\n", per_s,
		      (unsigned)crowd->late_ms);
	assert_int_equal(total, CROWD);
	assert_true(per_s <= 4);
	assert_true(crowd->late_ms <= 300 + 2000);
	for (i = 0; i < CROWD; i++)
		hang_up(&crowd->clients[i]);
	free(crowd);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_visit_drains),
		TEST(a_short_visit_costs_nothing),
		TEST(it_joins_closed),
		TEST(a_closed_node_that_can_not_be_drained),
		TEST(an_admins_drain_stands),
		TEST(an_admin_was_first),
		TEST(restarts_forget_nothing),
		TEST(a_crowd_costs_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
