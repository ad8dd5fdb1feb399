/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_door.c - devices at the door: tokens, revocation, other names
 *
 * The controller role over real links, as in test_controller.c.
 */
#include "config.h"

#include "door_bed.h"

/* ---- tokens ---- */

static void a_token_lets_in(void **state)
{
	struct bed *bed = *state;
	struct vol_jointoken token;
	struct vol_link_msg m;
	struct client c;
	json_t *data, *row;

	set_mode(bed, "token");
	token = make_token(bed, 1, 3600);
	hello_with(bed, &c, ID_A, "desk", &token);
	expect(bed, &c, VOL_LINK_WELCOME, &m);
	assert_string_equal(m.node, "desk");
	assert_contains(bed->log, "approved by token ");
	hang_up(&c);
	/* Now it is known, whatever it says. */
	join(bed, &c, ID_A, "desk", "desk");
	hang_up(&c);
	hello_with(bed, &c, ID_A, "desk", &token);
	expect(bed, &c, VOL_LINK_WELCOME, &m);
	hang_up(&c);
	/* Another one is late. */
	hello_with(bed, &c, ID_B, "desk", &token);
	expect_refuse(bed, &c, "bad_token", "not valid");
	assert_contains(bed->log, "is used up");
	restart_to_know(bed);
	hello_with(bed, &c, ID_B, "desk", &token);
	expect_refuse(bed, &c, "bad_token", "not valid");
	hello_with(bed, &c, ID_A, "desk", &token);
	expect(bed, &c, VOL_LINK_WELCOME, &m);
	hang_up(&c);
	data = do_it(bed, json_pack("{s:s}", "type", "tokens"));
	row = json_array_get(json_object_get(data, "tokens"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "state")),
			    "used up");
	assert_int_equal(json_integer_value(json_object_get(row, "used")), 1);
	assert_int_equal(json_integer_value(json_object_get(row, "uid")), 1000);
	json_decref(data);
}

/* All that is wrong looks alike to the peer, and is told apart in the log. */
static void bad_tokens_look_alike(void **state)
{
	static const char *const log[] = {"its token is not known",
					  "another secret", "was revoked"};
	struct bed *bed = *state;
	struct vol_jointoken token, bad;
	struct vol_link_msg m;
	struct client c;
	char first[VOL_REASON_SIZE] = "", id[VOL_TICKET_ID_SIZE];

	set_mode(bed, "ask");
	token = make_token(bed, 5, 3600);
	vol_hex_encode(token.id, sizeof(token.id), id);
	for (size_t i = 0; i < N_ELEMENTS(log); i++) {
		bad = token;
		if (i == 0)
			bad.id[0] ^= 1;
		if (i == 1)
			bad.secret[15] ^= 1;
		if (i == 2)
			json_decref(do_it(bed,
					  json_pack("{s:s, s:s}", "type",
						    "revoke-token", "id", id)));
		hello_with(bed, &c, ID_A, "desk", &bad);
		expect(bed, &c, VOL_LINK_REFUSE, &m);
		assert_string_equal(m.code, "bad_token");
		if (*first)
			assert_string_equal(m.reason, first);
		strcpy(first, m.reason);
		assert_contains(bed->log, log[i]);
		assert_null(strstr(bed->log, m.reason));
		hang_up(&c);
	}
	assert_int_equal(fake_cluster_updates(), 0);
	refuse(bed, json_pack("{s:s, s:s}", "type", "revoke-token", "id", "x"),
	       "no such token");
	refuse(bed, json_pack("{s:s, s:i}", "type", "token", "uses", 1001),
	       "uses");
	refuse(bed, json_pack("{s:s, s:i}", "type", "token", "uses", -1),
	       "uses");
	refuse(bed, json_pack("{s:s, s:i}", "type", "token", "ttl_s", 59),
	       "ttl");
	refuse(bed, json_pack("{s:s, s:s}", "type", "token", "ttl_s", "1h"),
	       "ttl");
}

/* ---- forget ---- */

static void a_forgotten_device_stays_out(void **state)
{
	struct bed *bed = *state;
	struct vol_jointoken token;
	struct vol_slurm_node node;
	struct vol_shortcode code;
	struct vol_link_msg m;
	struct client c, d;
	char id[VOL_DEVICE_ID_SIZE];
	json_t *data;

	set_mode(bed, "all");
	join(bed, &c, ID_A, "desk", "desk");
	refuse(bed, named("forget", "nobody"), "no device");
	json_decref(do_it(bed, named("forget", "desk")));
	expect_refuse(bed, &c, "not_enrolled", "revoked");
	run_until(bed, !fake_cluster_get("desk", &node));
	/* Not by any way, not after a restart, not in any mode. */
	token = make_token(bed, 9, 3600);
	for (int i = 0; i < 2; i++) {
		fill_hello(bed, &m, ID_A, "desk");
		dial(bed, &c);
		send_msg(&c, &m);
		expect_refuse(bed, &c, "not_enrolled", "revoked");
		hello_with(bed, &c, ID_A, "desk", &token);
		expect_refuse(bed, &c, "not_enrolled", "revoked");
		fill_knock(bed, &m, ID_A, "desk", &code);
		dial(bed, &c);
		send_msg(&c, &m);
		expect_refuse(bed, &c, "not_enrolled", "revoked");
		restart_to_know(bed);
	}
	data = do_it(bed, json_pack("{s:s}", "type", "tokens"));
	assert_int_equal(
		json_integer_value(json_object_get(
			json_array_get(json_object_get(data, "tokens"), 0),
			"used")),
		0);
	json_decref(data);
	/* Its name is free for the next. */
	join(bed, &d, ID_B, "desk", "desk");
	hang_up(&d);
	/* A slip of the hand can be undone, by its id. */
	strcpy(id, device_key(bed, ID_A)->id);
	json_decref(do_it(bed, named("approve", id)));
	join(bed, &c, ID_A, "desk", "desk-2");
	hang_up(&c);
}

/* Stopped in the midst of it. */
static void forgetting_goes_on(void **state)
{
	struct bed *bed = *state;
	struct vol_slurm_node node;
	struct vol_link_msg m;
	struct client c;

	set_mode(bed, "all");
	join(bed, &c, ID_A, "desk", "desk");
	fake_cluster_set_away(true);
	json_decref(do_it(bed, named("forget", "desk")));
	expect_refuse(bed, &c, "not_enrolled", "revoked");
	vol_role_controller.stop(bed->role);
	fake_cluster_set_away(false);
	assert_true(fake_cluster_get("desk", &node));
	bed->role = start_role(bed, false, NULL);
	run_until(bed, !fake_cluster_get("desk", &node));
	fill_hello(bed, &m, ID_A, "desk");
	dial(bed, &c);
	send_msg(&c, &m);
	expect_refuse(bed, &c, "not_enrolled", "revoked");
}

static void one_that_waits_is_turned_away(void **state)
{
	struct bed *bed = *state;
	struct vol_shortcode code;
	struct vol_link_msg m;
	struct client c;
	json_t *data;

	set_mode(bed, "ask");
	knock(bed, &c, ID_A, "desk", &code);
	json_decref(do_it(bed, named("forget", "desk")));
	expect_refuse(bed, &c, "not_enrolled", "turned");
	fill_knock(bed, &m, ID_A, "desk", &code);
	dial(bed, &c);
	send_msg(&c, &m);
	expect_refuse(bed, &c, "not_enrolled", "revoked");
	json_decref(pending(bed, 0));
	data = do_it(bed,
		     json_pack("{s:s, s:b}", "type", "pending", "revoked", 1));
	assert_int_equal(json_array_size(json_object_get(data, "pending")), 1);
	json_decref(data);
}

/* ---- rename ---- */

static json_t *renaming(const char *old, const char *name)
{
	return json_pack("{s:s, s:s, s:s}", "type", "rename", "old", old, "new",
			 name);
}

static void a_node_is_renamed(void **state)
{
	struct bed *bed = *state;
	struct vol_slurm_node node;
	struct vol_link_msg m;
	struct client c;

	set_mode(bed, "all");
	join(bed, &c, ID_A, "desk", "desk");
	refuse(bed, renaming("x", "y"), "no device \"x\"");
	refuse(bed, renaming("desk", "A b"), "can not be the name");
	refuse(bed, renaming("desk", "desk"), "taken");
	say_state(&c, VOL_SLURMD_UP);
	m = (struct vol_link_msg){
		.type = VOL_LINK_STATE, .slurmd = VOL_SLURMD_UP, .busy = true};
	send_msg(&c, &m);
	run_until(bed, vol_controller_member_at_node(bed->role, "desk")->busy);
	refuse(bed, renaming("desk", "zoo"), "jobs are on desk");
	say_state(&c, VOL_SLURMD_UP);
	run_until(bed, !vol_controller_member_at_node(bed->role, "desk")->busy);
	json_decref(do_it(bed, renaming("desk", "zoo")));
	expect_refuse(bed, &c, "busy", "name changes");
	join(bed, &c, ID_A, "desk", "zoo");
	assert_false(fake_cluster_get("desk", &node));
	hang_up(&c);
	restart_to_know(bed);
	join(bed, &c, ID_A, "desk", "zoo");
	hang_up(&c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_lets_in),
		TEST(bad_tokens_look_alike),
		TEST(a_forgotten_device_stays_out),
		TEST(forgetting_goes_on),
		TEST(one_that_waits_is_turned_away),
		TEST(a_node_is_renamed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
