/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_knock.c - devices that knock: codes, and who is meant by an approval
 *
 * The controller role over real links, as in test_controller.c.
 */
#include "config.h"

#include "door.h"
#include "door_bed.h"

static void a_code_is_approved(void **state)
{
	struct bed *bed = *state;
	struct vol_shortcode code;
	struct vol_link_msg m;
	struct client c, other;
	json_t *list, *data;

	set_mode(bed, "ask");
	/* A hello is too early. */
	fill_hello(bed, &m, ID_A, "desk");
	dial(bed, &c);
	send_msg(&c, &m);
	expect_refuse(bed, &c, "knock", "not approved");
	knock(bed, &c, ID_A, "Desk.lab", &code);
	list = pending(bed, 1);
	assert_string_equal(cell(list, 0, "name"), "desk");
	assert_string_equal(cell(list, 0, "hostname"), "Desk.lab");
	assert_string_equal(cell(list, 0, "address"), "127.0.0.1");
	assert_string_equal(cell(list, 0, "code"), code.code);
	json_decref(list);
	assert_contains(bed->log, "waits for approval: 127.0.0.1");
	/* It gets nothing, however long it waits. */
	m = (struct vol_link_msg){.type = VOL_LINK_PING, .seq = 7};
	send_msg(&c, &m);
	expect(bed, &c, VOL_LINK_PONG, &m);
	assert_int_equal(fake_cluster_updates(), 0);
	refuse(bed, named("approve", "other"), "no device");
	refuse(bed, named("approve", "000000"), "no device");
	data = do_it(bed, named("approve", code.code));
	assert_string_equal(json_string_value(json_object_get(data, "node")),
			    "desk");
	assert_true(json_is_true(json_object_get(data, "linked")));
	json_decref(data);
	expect(bed, &c, VOL_LINK_APPROVED, &m);
	say_hello(bed, &c, ID_A, "Desk.lab", "desk");
	refuse(bed, named("approve", "desk"), "no device");
	json_decref(pending(bed, 0));
	/* One that is approved already is told so, without a code. */
	fill_knock(bed, &m, ID_A, "desk", &code);
	dial(bed, &other);
	send_msg(&other, &m);
	expect(bed, &other, VOL_LINK_APPROVED, &m);
	hang_up(&other);
	hang_up(&c);
	/* On disk. */
	restart_to_know(bed);
	join(bed, &c, ID_A, "desk", "desk");
	hang_up(&c);
}

static void only_the_committed_number_counts(void **state)
{
	struct bed *bed = *state;
	struct vol_shortcode code;
	struct vol_link_msg m;
	struct client c;

	set_mode(bed, "ask");
	fill_knock(bed, &m, ID_A, "desk", &code);
	dial(bed, &c);
	send_msg(&c, &m);
	expect(bed, &c, VOL_LINK_NONCE, &m);
	code.nonce_d[5] ^= 1;
	reveal(&c, &code, &m);
	expect_refuse(bed, &c, "bad_message", "committed");
	/* Out of turn: a reveal alone, a second knock, a hello meanwhile. */
	dial(bed, &c);
	m = (struct vol_link_msg){.type = VOL_LINK_REVEAL};
	memset(m.nonce, '0', sizeof(m.nonce) - 1);
	send_msg(&c, &m);
	expect_refuse(bed, &c, "bad_message", "unexpected");
	fill_knock(bed, &m, ID_A, "desk", &code);
	dial(bed, &c);
	send_msg(&c, &m);
	send_msg(&c, &m);
	expect(bed, &c, VOL_LINK_NONCE, &m);
	expect_refuse(bed, &c, "bad_message", "unexpected");
	knock(bed, &c, ID_A, "desk", &code);
	fill_hello(bed, &m, ID_A, "desk");
	send_msg(&c, &m);
	expect_refuse(bed, &c, "bad_message", "unexpected");
	/* Another's name. */
	fill_knock(bed, &m, ID_B, "desk", &code);
	strcpy(m.id, device_key(bed, ID_A)->id);
	dial(bed, &c);
	shake_hands(&c, device_key(bed, ID_B));
	send_msg(&c, &m);
	expect_refuse(bed, &c, "bad_id", "key it does not hold");
	assert_int_equal(fake_cluster_updates(), 0);
}

static void two_of_one_name(void **state)
{
	struct bed *bed = *state;
	struct vol_shortcode a, b;
	struct vol_link_msg m;
	struct client ca, cb, again;
	char id[VOL_DEVICE_ID_SIZE];

	set_mode(bed, "ask");
	knock(bed, &ca, ID_A, "desk", &a);
	knock(bed, &cb, ID_B, "desk", &b);
	refuse(bed, named("approve", "desk"), "2 devices are called \"desk\"");
	/* It dials again: its older link is closed, and its code is new. */
	knock(bed, &again, ID_A, "desk", &a);
	run_until(bed, try_recv(&ca, &m) || ca.closed);
	assert_true(ca.closed);
	json_decref(pending(bed, 2));
	json_decref(do_it(bed, named("approve", a.code)));
	expect(bed, &again, VOL_LINK_APPROVED, &m);
	hang_up(&ca);
	hang_up(&again);
	/* One that is gone has no code; its key can be approved. */
	hang_up(&cb);
	strcpy(id, device_key(bed, ID_B)->id);
	run_until(bed, ({
			  json_t *list = pending(bed, 1);
			  bool gone = !*cell(list, 0, "code");

			  json_decref(list);
			  gone;
		  }));
	refuse(bed, named("approve", "desk"), "no code to compare");
	id[7] = '\0';
	refuse(bed, named("approve", id), "no device");
	strcpy(id, device_key(bed, ID_B)->id);
	json_decref(do_it(bed, named("approve", id)));
	join(bed, &cb, ID_B, "desk", "desk-2");
	hang_up(&cb);
}

static void wait_until_unlinked(struct bed *bed, const char *name)
{
	struct vol_controller *c = bed->role;
	const char *id = device_key(bed, name)->id;

	run_until(bed, ({
			  struct vol_peer *p = vol_server_waiting(c->server);

			  while (p && strcmp(vol_peer_waiting(p)->id, id) != 0)
				  p = vol_peer_next(p);
			  !p;
		  }));
}

static void expect_standing(struct bed *bed, const char *name,
			    enum vol_standing standing)
{
	struct vol_controller *c = bed->role;
	struct vol_device *d =
		vol_registry_by_id(c->registry, device_key(bed, name)->id);

	assert_non_null(d);
	assert_int_equal(d->standing, standing);
}

/* A stranger calls its host as it likes: like a code that another controller
 * has shown, or like the id that somebody else publishes. */
static void a_name_is_no_code_and_no_id(void **state)
{
	struct bed *bed = *state;
	struct vol_shortcode code;
	struct client desk, evil;
	char id[VOL_DEVICE_ID_SIZE], word[VOL_DEVICE_ID_SIZE];
	json_t *data;

	set_mode(bed, "ask");
	strcpy(id, device_key(bed, ID_A)->id);
	knock(bed, &desk, ID_A, "desk", &code);
	hang_up(&desk);
	wait_until_unlinked(bed, ID_A);
	knock(bed, &evil, ID_B, "482913", &code);
	if (strcmp(code.code, "482913") != 0)
		refuse(bed, named("approve", "482913"), "no device \"482913\"");
	hang_up(&evil);
	knock(bed, &evil, ID_B, "ABCDEF0123456789", &code);
	refuse(bed, named("approve", "ABCDEF0123456789"), "no device");
	refuse(bed, named("approve", "abcdef0123456789"), "no device");
	hang_up(&evil);
	/* The first digits, as a log shows them, are for neither. */
	snprintf(word, sizeof(word), "%.8s", id);
	knock(bed, &evil, ID_B, word, &code);
	refuse(bed, named("approve", word), "at least 16 digits of the id");
	refuse(bed, named("forget", word), "at least 16 digits of the id");
	refuse(bed, named("approve", "48291"), "which has 6 digits");
	hang_up(&evil);
	knock(bed, &evil, ID_B, id, &code);
	json_decref(do_it(bed, named("forget", id)));
	expect_standing(bed, ID_A, VOL_REVOKED);
	expect_standing(bed, ID_B, VOL_PENDING);
	snprintf(word, sizeof(word), "%.16s", id);
	data = do_it(bed, named("approve", word));
	assert_string_equal(json_string_value(json_object_get(data, "id")), id);
	assert_string_equal(json_string_value(json_object_get(data, "code")),
			    "");
	json_decref(data);
	expect_standing(bed, ID_A, VOL_APPROVED);
	expect_standing(bed, ID_B, VOL_PENDING);
	/* It may be approved all the same, as what it is. */
	data = do_it(bed, named("approve", code.code));
	assert_string_equal(json_string_value(json_object_get(data, "id")),
			    device_key(bed, ID_B)->id);
	assert_string_equal(json_string_value(json_object_get(data, "code")),
			    code.code);
	json_decref(data);
	hang_up(&evil);
	/* An id is good for a node, too. */
	refuse(bed, named("approve", id), "approved already");
	json_decref(do_it(bed, named("forget", id)));
	expect_standing(bed, ID_A, VOL_REVOKED);
}

/* A stranger has the node's name, by approve = all; the one that has it by
 * right waits. */
static void no_impostor_is_vouched_for(void **state)
{
	struct bed *bed = *state;
	struct vol_controller *c = bed->role;
	struct vol_error err = {""};
	struct vol_shortcode code;
	struct client desk, evil;
	struct vol_device *d;
	struct vol_link_msg m;

	join(bed, &evil, ID_B, "desk", "desk");
	set_mode(bed, "ask");
	knock(bed, &desk, ID_A, "desk", &code);
	assert_null(ask(bed, named("approve", "desk"), &err));
	assert_contains(err.text, device_key(bed, ID_A)->id);
	assert_contains(err.text, device_key(bed, ID_B)->id);
	d = vol_registry_by_id(c->registry, device_key(bed, ID_B)->id);
	assert_string_equal(d->by, "all");
	json_decref(do_it(bed, named("approve", code.code)));
	expect(bed, &desk, VOL_LINK_APPROVED, &m);
	say_hello(bed, &desk, ID_A, "desk", "desk-2");
	assert_string_equal(d->by, "all");
	/* An id is clear at all times. */
	json_decref(do_it(bed, named("approve", d->id)));
	assert_string_equal(d->by, "uid 1000");
	refuse(bed, named("approve", d->id), "approved already");
	hang_up(&desk);
	hang_up(&evil);
}

/* ---- crowds ---- */

static void few_may_wait(void **state)
{
	struct client c[VOL_SERVER_WAITING_EACH + 1];
	struct vol_shortcode code;
	struct bed *bed = *state;
	struct vol_link_msg m;
	char name[16];
	size_t i;

	set_mode(bed, "ask");
	for (i = 0; i < VOL_SERVER_WAITING_EACH; i++) {
		snprintf(name, sizeof(name), "key %zu", i);
		knock(bed, &c[i], name, "desk", &code);
	}
	fill_knock(bed, &m, ID_A, "desk", &code);
	dial(bed, &c[i]);
	send_msg(&c[i], &m);
	expect_refuse(bed, &c[i], "busy", "too many");
	json_decref(pending(bed, VOL_SERVER_WAITING_EACH));
	/* Members are not kept out by that. */
	set_mode(bed, "all");
	join(bed, &c[i], ID_B, "desk", "desk");
	hang_up(&c[i]);
	while (i > 0)
		hang_up(&c[--i]);
}

/* All knock first and tell their numbers then: as many wait as if they had come
 * one by one. */
static void few_may_wait_at_once(void **state)
{
	struct client c[VOL_SERVER_WAITING_EACH + 4];
	struct vol_shortcode code[N_ELEMENTS(c)];
	struct vol_link_msg m[N_ELEMENTS(c)];
	struct bed *bed = *state;
	size_t i, busy = 0;
	char name[16];

	set_mode(bed, "ask");
	for (i = 0; i < N_ELEMENTS(c); i++) {
		snprintf(name, sizeof(name), "key %zu", i);
		fill_knock(bed, &m[i], name, "desk", &code[i]);
		dial(bed, &c[i]);
		send_msg(&c[i], &m[i]);
		expect(bed, &c[i], VOL_LINK_NONCE, &m[i]);
	}
	for (i = 0; i < N_ELEMENTS(c); i++) {
		reveal(&c[i], &code[i], &m[i]);
		run_until(bed, try_recv(&c[i], &m[i]));
		busy += m[i].type == VOL_LINK_REFUSE &&
			strcmp(m[i].code, "busy") == 0;
	}
	assert_int_equal(busy, 4);
	json_decref(pending(bed, VOL_SERVER_WAITING_EACH));
	while (i > 0)
		hang_up(&c[--i]);
}

/* Nobody takes all codes from the others. */
static void codes_are_shared(void **state)
{
	static const char *const others[] = {"192.0.2.7", "2001:db8:0:2::1"};
	struct bed *bed = *state;
	struct vol_controller *c = bed->role;
	unsigned n = 0, again = 0, all;
	char address[VOL_ADDRESS_SIZE];

	/* An IPv6 host has as many addresses as it likes. */
	for (unsigned i = 0; i < 2 * VOL_DOOR_KNOCKS; i++) {
		snprintf(address, sizeof(address), "2001:db8:0:1::%x", i + 1);
		n += vol_door_may_knock(c->door, address);
	}
	assert_in_range(n, VOL_DOOR_KNOCKS / VOL_DOOR_KNOCK_SHARE,
			VOL_DOOR_KNOCKS / VOL_DOOR_KNOCK_SHARE + 2);
	for (size_t i = 0; i < N_ELEMENTS(others); i++)
		assert_true(vol_door_may_knock(c->door, others[i]));
	all = n + N_ELEMENTS(others);
	/* Nor do all together have more than there are; and who has had his
	 * share is not forgotten for a crowd that has had less. */
	for (unsigned i = 0; i < 4 * VOL_DOOR_KNOCKS; i++) {
		snprintf(address, sizeof(address), "10.0.%u.%u", i >> 8,
			 i & 255);
		all += vol_door_may_knock(c->door, address);
		again += i % 50 == 0 &&
			 vol_door_may_knock(c->door, "2001:db8:0:1::7");
	}
	assert_in_range(again, 0, 2); /* of 21 */
	assert_in_range(all, VOL_DOOR_KNOCKS, VOL_DOOR_KNOCKS + 8);
}

/* Whoever knocks with many keys pushes nobody out of the list that waits. */
static void who_waits_stays_in_the_list(void **state)
{
	struct bed *bed = *state;
	struct vol_controller *c = bed->role;
	struct vol_fingerprint key = {{0x77}};
	struct vol_shortcode code;
	struct vol_device *d;
	struct vol_link_msg m;
	struct client desk;

	set_mode(bed, "ask");
	knock(bed, &desk, ID_A, "desk", &code);
	d = vol_registry_by_id(c->registry, device_key(bed, ID_A)->id);
	d->last_seen = 1; /* long ago */
	for (size_t i = 0; i < 2 * VOL_REGISTRY_PENDING; i++) {
		key.byte[1] = (uint8_t)(i >> 8);
		key.byte[2] = (uint8_t)i;
		assert_non_null(vol_registry_knock(c->registry, &key, "evil",
						   "", time(NULL), NULL));
	}
	json_decref(do_it(bed, named("approve", code.code)));
	expect(bed, &desk, VOL_LINK_APPROVED, &m);
	say_hello(bed, &desk, ID_A, "desk", "desk");
	hang_up(&desk);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_code_is_approved),
		TEST(only_the_committed_number_counts),
		TEST(two_of_one_name),
		TEST(a_name_is_no_code_and_no_id),
		TEST(no_impostor_is_vouched_for),
		TEST(few_may_wait),
		TEST(few_may_wait_at_once),
		TEST(codes_are_shared),
		TEST(who_waits_stays_in_the_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
