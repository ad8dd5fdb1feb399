/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_keyring.c - the controller hands out the Slurm key, and replaces it
 *
 * The controller role over real links, as in test_controller.c; what puts a
 * key in its place is played by the test.
 */
#include "config.h"

#include "hex.h"
#include "keyring_bed.h"

#include "atomicfile.h"

/* ---- handing out ---- */

static void who_has_none_gets_it(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client c;

	link_with(bed, &c, ID_A, "pc", "", &m);
	assert_string_equal(m.auth, old.id);
	expect_key(bed, &c, old.id, VOL_KEY_NOW, &m);
	keyed(&c, old.id, VOL_KEY_NOW, "");
	expect_quiet(bed, &c);
	hang_up(&c);
	assert_false(key_in_log(bed, &old));
}

static void who_has_it_does_not(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client c;

	link_with(bed, &c, ID_A, "pc", old.id, &m);
	assert_string_equal(m.auth, "");
	expect_quiet(bed, &c);
	hang_up(&c);
}

/* Once a link, or a device that can not write would be sent it for ever. */
static void who_can_not_take_it_is_left_alone(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client c;

	link_with(bed, &c, ID_A, "pc", "", &m);
	expect_key(bed, &c, old.id, VOL_KEY_NOW, &m);
	keyed(&c, old.id, VOL_KEY_NOW, "disk full");
	expect_quiet(bed, &c);
	assert_contains(bed->log, "disk full");
	hang_up(&c);
}

static void not_to_those_whom_nobody_approved(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client c;

	use_conf(bed, "approve = all");
	link_with(bed, &c, ID_A, "pc", "", &m);
	assert_string_equal(m.auth, "");
	expect_quiet(bed, &c);
	hang_up(&c);
}

static json_t *command(struct bed *bed, const char *type, const char *node)
{
	struct vol_error err = {""};
	const struct vol_ctl_command *c = vol_controller_commands;
	json_t *request = json_pack("{s:s, s:s}", "type", type, "name", node);
	json_t *data;

	while (strcmp(c->type, type) != 0)
		c++;
	data = c->run(request, 0, bed->role, &err);
	json_decref(request);
	if (!data)
		fail_msg("%s", err.text);
	return data;
}

/* Until somebody does. */
static void approved_after_all(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client c;

	use_conf(bed, "approve = all");
	link_with(bed, &c, ID_A, "pc", "", &m);
	expect_quiet(bed, &c);
	json_decref(command(bed, "approve", "pc"));
	expect_key(bed, &c, old.id, VOL_KEY_NOW, &m);
	hang_up(&c);
	/* And that is kept. */
	restart_to_know(bed);
	link_with(bed, &c, ID_A, "pc", "", &m);
	expect_key(bed, &c, old.id, VOL_KEY_NOW, &m);
	hang_up(&c);
}

/* A token does the same, and a bad one nothing. */
static void a_token_after_all(void **state)
{
	struct bed *bed = *state;
	struct vol_jointoken token;
	struct vol_link_msg m;
	struct client c;
	json_t *data;

	use_conf(bed, "approve = all");
	link_with(bed, &c, ID_A, "pc", "", &m);
	expect_quiet(bed, &c);
	hang_up(&c);
	data = command(bed, "token", "");
	assert_int_equal(vol_jointoken_parse(json_string_value(json_object_get(
						     data, "token")),
					     &token, NULL),
			 0);
	json_decref(data);
	for (int good = 0; good <= 1; good++) {
		fill_hello(bed, &m, ID_A, "pc");
		token.secret[0] ^= 1; /* and back */
		vol_hex_encode(token.id, sizeof(token.id), m.token);
		vol_hex_encode(token.secret, sizeof(token.secret),
			       m.token + 2 * sizeof(token.id));
		dial(bed, &c);
		send_msg(&c, &m);
		expect(bed, &c, VOL_LINK_WELCOME, &m);
		assert_string_equal(m.node, "pc");
		if (good)
			expect_key(bed, &c, old.id, VOL_KEY_NOW, &m);
		else
			expect_quiet(bed, &c);
		hang_up(&c);
	}
	/* It is used up, and that is kept. */
	restart_to_know(bed);
	link_with(bed, &c, ID_A, "pc", "", &m);
	expect_key(bed, &c, old.id, VOL_KEY_NOW, &m);
	hang_up(&c);
	data = command(bed, "tokens", "");
	assert_int_equal(
		json_integer_value(json_object_get(
			json_array_get(json_object_get(data, "tokens"), 0),
			"used")),
		1);
	json_decref(data);
}

static void not_at_all(void **state)
{
	struct bed *bed = *state;
	struct vol_error err = {""};
	struct vol_link_msg m;
	struct client c;

	use_conf(bed, "approve = all\nhand_out_key = no");
	link_with(bed, &c, ID_A, "pc", "", &m);
	expect_quiet(bed, &c);
	hang_up(&c);
	assert_int_equal(vol_keyring_rotate(ring(bed), true, 0, &err), -1);
	assert_contains(err.text, "hand_out_key");
}

/* ---- rotation ---- */

static void a_rotation(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client a, b;
	char id[32];
	json_t *data;

	fake_cluster_set_partitions("fixed,volunteer");
	link_with(bed, &a, ID_A, "pc", old.id, &m);
	link_with(bed, &b, ID_B, "lab", old.id, &m);
	begin(bed, &m, id);
	expect_key(bed, &a, id, VOL_KEY_NEXT, &m);
	keyed(&a, id, VOL_KEY_NEXT, "");
	/* All must have it. */
	expect_quiet(bed, &a);
	assert_true(is_phase(bed, "prepare"));
	assert_string_equal(fake_cluster_partitions(), "fixed,volunteer");
	expect_key(bed, &b, id, VOL_KEY_NEXT, &m);
	keyed(&b, id, VOL_KEY_NEXT, "");
	expect(bed, &a, VOL_LINK_TURN, &m);
	assert_string_equal(m.auth, id);
	/* Nothing starts by then. */
	assert_string_equal(fake_cluster_partitions(), "");
	expect(bed, &b, VOL_LINK_TURN, &m);
	keyed(&a, id, VOL_KEY_NOW, "");
	keyed(&b, id, VOL_KEY_NOW, "");
	play_placer(bed, id);
	expect(bed, &a, VOL_LINK_TURNED, &m);
	expect(bed, &b, VOL_LINK_TURNED, &m);
	run_until(bed, is_phase(bed, "none"));
	assert_string_equal(fake_cluster_partitions(), "fixed,volunteer");
	data = state_of(bed);
	assert_string_equal(json_string_value(json_object_get(data, "id")), id);
	assert_int_equal(json_integer_value(json_object_get(data, "have")), 2);
	assert_int_equal(json_integer_value(json_object_get(data, "of")), 2);
	assert_true(json_integer_value(json_object_get(data, "closed_ms")) > 0);
	json_decref(data);
	assert_int_equal(keys_left(bed), 0);
	hang_up(&a);
	hang_up(&b);
}

/* Who was away gets it by the door. */
static void stragglers(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client a, b;
	char id[32];

	link_with(bed, &a, ID_A, "pc", old.id, &m);
	link_with(bed, &b, ID_B, "lab", old.id, &m);
	hang_up(&b);
	begin(bed, &m, id);
	expect_key(bed, &a, id, VOL_KEY_NEXT, &m);
	keyed(&a, id, VOL_KEY_NEXT, "");
	expect(bed, &a, VOL_LINK_TURN, &m);
	/* In the midst of it. */
	link_with(bed, &b, ID_B, "lab", old.id, &m);
	assert_string_equal(m.auth, id);
	expect_key(bed, &b, id, VOL_KEY_NOW, &m);
	hang_up(&b);
	keyed(&a, id, VOL_KEY_NOW, "");
	play_placer(bed, id);
	run_until(bed, has_result(bed, "done"));
	link_with(bed, &b, ID_B, "lab", old.id, &m);
	expect_key(bed, &b, id, VOL_KEY_NOW, &m);
	keyed(&b, id, VOL_KEY_NOW, "");
	expect_quiet(bed, &b);
	hang_up(&a);
	hang_up(&b);
}

/* A device that does not answer costs time, no more. */
static void a_silent_device(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client a;
	char id[32];

	link_with(bed, &a, ID_A, "pc", old.id, &m);
	begin(bed, &m, id);
	expect_key(bed, &a, id, VOL_KEY_NEXT, &m);
	keyed(&a, id, VOL_KEY_NEXT, "");
	expect(bed, &a, VOL_LINK_TURN, &m);
	play_placer(bed, id);
	run_until(bed, has_result(bed, "done"));
	hang_up(&a);
}

static void shut_out(struct bed *bed, const char *node)
{
	json_decref(command(bed, "forget", node));
}

static void the_revoked_are_left_out(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client a, b;
	char id[32];

	link_with(bed, &a, ID_A, "pc", old.id, &m);
	link_with(bed, &b, ID_B, "lab", old.id, &m);
	shut_out(bed, m.node);
	begin(bed, &m, id);
	expect_key(bed, &a, id, VOL_KEY_NEXT, &m);
	keyed(&a, id, VOL_KEY_NEXT, "");
	expect(bed, &a, VOL_LINK_TURN, &m);
	keyed(&a, id, VOL_KEY_NOW, "");
	play_placer(bed, id);
	run_until(bed, has_result(bed, "done"));
	/* All that it heard. */
	while (!b.closed) {
		turn(bed);
		if (try_recv(&b, &m))
			assert_int_not_equal(m.type, VOL_LINK_KEY);
	}
	hang_up(&a);
	hang_up(&b);
}

/* It has the new key already: that one is worth nothing. */
static void revoked_while_it_is_prepared(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client a, b;
	char id[32];

	link_with(bed, &a, ID_A, "pc", old.id, &m);
	link_with(bed, &b, ID_B, "lab", old.id, &m);
	begin(bed, &m, id);
	expect_key(bed, &a, id, VOL_KEY_NEXT, &m);
	keyed(&a, id, VOL_KEY_NEXT, "");
	expect_quiet(bed, &a);
	shut_out(bed, "pc");
	run_until(bed, has_result(bed, "undone"));
	assert_contains(bed->log, "rotate again");
	hang_up(&a);
	hang_up(&b);
}

static void stopped_in_time(void **state)
{
	struct bed *bed = *state;
	struct vol_error err = {""};
	struct vol_link_msg m;
	struct client a;
	char id[32];
	json_t *data;

	assert_int_equal(vol_keyring_stop(ring(bed), &err), -1);
	link_with(bed, &a, ID_A, "pc", old.id, &m);
	begin(bed, &m, id);
	assert_int_equal(vol_keyring_rotate(ring(bed), false, 0, &err), -1);
	expect_key(bed, &a, id, VOL_KEY_NEXT, &m);
	assert_int_equal(vol_keyring_stop(ring(bed), &err), 0);
	run_until(bed, has_result(bed, "undone"));
	data = state_of(bed);
	assert_string_equal(json_string_value(json_object_get(data, "id")),
			    old.id);
	json_decref(data);
	/* A late answer does no harm. */
	keyed(&a, id, VOL_KEY_NEXT, "");
	expect_quiet(bed, &a);
	assert_true(is_phase(bed, "none"));
	hang_up(&a);
}

/* The disk is full, for files of that name: the linker puts this in front. */
static const char *refused = "";
static unsigned refusals;

int __real_vol_file_replace(const char *path, const void *data, size_t len,
			    mode_t mode, int durable, struct vol_error *err);
int __wrap_vol_file_replace(const char *path, const void *data, size_t len,
			    mode_t mode, int durable, struct vol_error *err);
int __wrap_vol_file_replace(const char *path, const void *data, size_t len,
			    mode_t mode, int durable, struct vol_error *err)
{
	const char *slash = strrchr(path, '/');
	char tmp[PATH_MAX];

	if (refusals == 0 || !slash || strcmp(slash + 1, refused) != 0)
		return __real_vol_file_replace(path, data, len, mode, durable,
					       err);
	refusals--;
	/* As in the true one, a temporary file comes and goes. */
	snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	close(open(tmp, O_CREAT | O_WRONLY, 0600));
	unlink(tmp);
	return vol_errorf_errno(err, ENOSPC, "%s: no room", path);
}

static bool names_are_written(const struct bed *bed)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/keys/rotation.json", bed->folder);
	return access(path, F_OK) == 0;
}

static void stop(struct bed *bed)
{
	struct vol_error err = {""};

	if (vol_keyring_stop(ring(bed), &err) < 0)
		fail_msg("%s", err.text);
}

static void shut_out_pc(struct bed *bed)
{
	shut_out(bed, "pc");
}

/* VOL_KEYRING_CLOSE_MS go by. */
static void stall(struct bed *bed)
{
	run_until(bed, is_phase(bed, "undo"));
}

/* Up to where the first partition is being closed. */
static void begin_to_close(struct bed *bed, struct client *a)
{
	struct vol_link_msg m;
	char id[32];

	fake_cluster_set_partitions("fixed,volunteer");
	fake_cluster_stall_closing(true);
	link_with(bed, a, ID_A, "pc", old.id, &m);
	begin(bed, &m, id);
	expect_key(bed, a, id, VOL_KEY_NEXT, &m);
	keyed(a, id, VOL_KEY_NEXT, "");
	run_until(bed, names_are_written(bed));
	assert_true(is_phase(bed, "close"));
}

static void end_undone(struct bed *bed, struct client *a)
{
	fake_cluster_stall_closing(false);
	run_until(bed, is_phase(bed, "turn") || has_result(bed, "undone"));
	assert_true(has_result(bed, "undone"));
	assert_string_equal(fake_cluster_partitions(), "fixed,volunteer");
	assert_int_equal(keys_left(bed), 0);
	hang_up(a);
}

/* All must be open in the end. */
static void given_up_while_closing(struct bed *bed, void give_up(struct bed *))
{
	struct client a;

	begin_to_close(bed, &a);
	give_up(bed);
	assert_true(is_phase(bed, "undo"));
	end_undone(bed, &a);
}

static void stopped_while_closing(void **state)
{
	given_up_while_closing(*state, stop);
}

static void revoked_while_closing(void **state)
{
	given_up_while_closing(*state, shut_out_pc);
}

static void stalled_while_closing(void **state)
{
	given_up_while_closing(*state, stall);
}

/* Nor does it go on when that could not be written down at once. */
static void stopped_without_room(void **state)
{
	struct bed *bed = *state;
	struct client a;

	begin_to_close(bed, &a);
	refused = "rotation.json";
	refusals = 1;
	stop(bed);
	assert_int_equal(refusals, 0);
	assert_true(is_phase(bed, "close"));
	end_undone(bed, &a);
}

/* What is not there since it could not be written was not taken. */
static void no_room_for_the_key(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client a;
	char id[32];

	link_with(bed, &a, ID_A, "pc", old.id, &m);
	begin(bed, &m, id);
	expect_key(bed, &a, id, VOL_KEY_NEXT, &m);
	refused = "install.key";
	refusals = 3;
	keyed(&a, id, VOL_KEY_NEXT, "");
	expect(bed, &a, VOL_LINK_TURN, &m);
	keyed(&a, id, VOL_KEY_NOW, "");
	run_until(bed, refusals == 0 || has_result(bed, "done"));
	assert_int_equal(refusals, 0);
	assert_true(is_phase(bed, "self"));
	assert_contains(bed->log, "install.key: no room");
	play_placer(bed, id);
	run_until(bed, has_result(bed, "done"));
	assert_int_equal(keys_left(bed), 0);
	hang_up(&a);
}

static void stopped_too_late(void **state)
{
	struct bed *bed = *state;
	struct vol_error err = {""};
	struct vol_link_msg m;
	struct client a;
	char id[32];

	link_with(bed, &a, ID_A, "pc", old.id, &m);
	begin(bed, &m, id);
	expect_key(bed, &a, id, VOL_KEY_NEXT, &m);
	keyed(&a, id, VOL_KEY_NEXT, "");
	expect(bed, &a, VOL_LINK_TURN, &m);
	assert_int_equal(vol_keyring_stop(ring(bed), &err), -1);
	assert_int_equal(errno, EALREADY);
	keyed(&a, id, VOL_KEY_NOW, "");
	play_placer(bed, id);
	run_until(bed, has_result(bed, "done"));
	hang_up(&a);
}

static void nodes_that_get_none(void **state)
{
	struct bed *bed = *state;
	struct vol_controller *c = bed->role;
	struct vol_slurm_node node = {.name = "gpu1", .address = "192.0.2.9"};
	struct vol_error err = {""};

	fake_cluster_put(&node);
	strcpy(node.name, "head");
	strcpy(node.address, "127.0.0.1");
	fake_cluster_put(&node);
	vol_registrar_refresh(c->registrar);
	run_until(bed, c->n_fixed == 2);
	assert_int_equal(vol_keyring_rotate(ring(bed), false, 0, &err), -1);
	assert_contains(err.text, "gpu1");
	assert_null(strstr(err.text, "head"));
	assert_int_equal(vol_keyring_rotate(ring(bed), true, 0, &err), 0);
	assert_int_equal(vol_keyring_stop(ring(bed), &err), 0);
}

#define TEST(_name) cmocka_unit_test_setup_teardown(_name, setup_keys, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_has_none_gets_it),
		TEST(who_has_it_does_not),
		TEST(who_can_not_take_it_is_left_alone),
		TEST(not_to_those_whom_nobody_approved),
		TEST(approved_after_all),
		TEST(a_token_after_all),
		TEST(not_at_all),
		TEST(a_rotation),
		TEST(stragglers),
		TEST(a_silent_device),
		TEST(the_revoked_are_left_out),
		TEST(revoked_while_it_is_prepared),
		TEST(stopped_in_time),
		TEST(stopped_while_closing),
		TEST(revoked_while_closing),
		TEST(stalled_while_closing),
		TEST(stopped_without_room),
		TEST(no_room_for_the_key),
		TEST(stopped_too_late),
		TEST(nodes_that_get_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
