/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_controller.c - the whole controller role over real sockets
 *
 * The role runs on this thread's event loop against a Slurm in memory; clients
 * are sockets that this file reads and writes between turns of the loop.
 */
#include "config.h"

#include "controller.h"

#include "controller_bed.h"

static bool is_down(const char *node, const char *reason)
{
	struct vol_slurm_node n;

	return fake_cluster_get(node, &n) && n.down &&
	       strstr(n.reason, reason) != NULL;
}

static void a_device_joins(void **state)
{
	struct bed *bed = *state;
	struct vol_slurm_node n;
	struct vol_link_msg m = {.type = VOL_LINK_PING, .seq = 7};
	struct client c;

	join(bed, &c, ID_A, "Desk.example.org", "desk");
	run_until(bed, fake_cluster_get("desk", &n) && *n.comment);
	assert_string_equal(n.address, "127.0.0.1");
	assert_int_equal(n.memory_mb, 4000);
	assert_contains(n.comment, "Desk.example.org");
	send_msg(&c, &m);
	expect(bed, &c, VOL_LINK_PONG, &m);
	assert_int_equal(m.seq, 7);
	hang_up(&c);
}

static void names_are_unique(void **state)
{
	struct vol_slurm_node fixed = {.name = "fixed"};
	struct bed *bed = *state;
	struct client a, b, c, d;

	fake_cluster_put(&fixed);
	vol_role_controller.stop(bed->role);
	bed->role = start_role(bed, false, NULL);
	join(bed, &a, ID_A, "desk", "desk");
	join(bed, &b, ID_B, "desk", "desk-2");
	join(bed, &c, "cccccccccccccccccccccccccccccccc", "fixed", "fixed-2");
	join(bed, &d, "dddddddddddddddddddddddddddddddd", "lab", "lab-2");
	hang_up(&a);
	hang_up(&b);
	hang_up(&c);
	hang_up(&d);
}

/* Somebody makes a node of that name after we looked at the table. */
static void a_name_taken_meanwhile(void **state)
{
	struct vol_slurm_node theirs = {.name = "desk", .dynamic = true};
	struct bed *bed = *state;
	struct vol_slurm_node n;
	struct client c;

	run_until(bed, strstr(bed->log, "of cluster fake answers"));
	fake_cluster_put(&theirs);
	join(bed, &c, ID_A, "desk", "desk-2");
	assert_true(fake_cluster_get("desk", &n));
	assert_string_equal(n.comment, "");
	hang_up(&c);
}

static void the_registry_survives(void **state)
{
	struct bed *bed = *state;
	struct client a, b;

	join(bed, &a, ID_A, "desk", "desk");
	join(bed, &b, ID_B, "desk", "desk-2");
	hang_up(&a);
	hang_up(&b);
	vol_role_controller.stop(bed->role);
	bed->role = start_role(bed, false, NULL);
	assert_non_null(bed->role);
	join(bed, &b, ID_B, "desk", "desk-2");
	hang_up(&b);
}

static void a_full_table_is_said(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client c;

	fake_cluster_set_max(0);
	dial(bed, &c);
	fill_hello(bed, &m, ID_A, "desk");
	send_msg(&c, &m);
	expect(bed, &c, VOL_LINK_REFUSE, &m);
	assert_string_equal(m.code, "table_full");
	assert_contains(m.reason, "MaxNodeCount");
	assert_true(m.retry_ms >= 1000);
	assert_contains(bed->log, "MaxNodeCount");
	run_until(bed, try_recv(&c, &m) || c.closed);
	hang_up(&c);
}

static void goodbye_sets_down(void **state)
{
	struct vol_link_msg m = {.type = VOL_LINK_BYE};
	struct bed *bed = *state;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	strcpy(m.reason, "going home");
	send_msg(&c, &m);
	run_until(bed, is_down("desk", "volunteer: device left (going home)"));
	hang_up(&c);
}

static void silence_sets_down_and_return_resumes(void **state)
{
	struct bed *bed = *state;
	struct vol_slurm_node n;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	run_until(bed, is_down("desk", "volunteer: lost contact"));
	hang_up(&c);
	join(bed, &c, ID_A, "desk", "desk");
	run_until(bed, fake_cluster_get("desk", &n) && !n.down);
	hang_up(&c);
}

static void an_admins_reason_is_kept(void **state)
{
	struct vol_link_msg m = {.type = VOL_LINK_BYE, .reason = "x"};
	struct bed *bed = *state;
	struct vol_slurm_node n;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	/* So late that no periodic look can have seen it. */
	assert_true(fake_cluster_get("desk", &n));
	n.drained = true;
	strcpy(n.reason, "new disk");
	fake_cluster_put(&n);
	send_msg(&c, &m);
	run_until(bed, is_down("desk", "new disk"));
	hang_up(&c);
}

static void other_hardware_makes_a_new_node(void **state)
{
	struct bed *bed = *state;
	struct vol_slurm_node n;
	struct vol_link_msg m;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	hang_up(&c);
	dial(bed, &c);
	fill_hello(bed, &m, ID_A, "desk");
	m.facts.memory_mb = 2000;
	send_msg(&c, &m);
	expect(bed, &c, VOL_LINK_WELCOME, &m);
	assert_true(fake_cluster_get("desk", &n));
	assert_int_equal(n.memory_mb, 2000);
	assert_true(n.future);
	hang_up(&c);
}

static void one_machine_takes_its_own_name(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client older, newer;

	join(bed, &older, ID_A, "desk", "desk");
	dial(bed, &newer);
	fill_hello(bed, &m, ID_A, "desk");
	send_msg(&newer, &m);
	expect(bed, &newer, VOL_LINK_WELCOME, &m);
	run_until(bed, try_recv(&older, &m) || older.closed);
	hang_up(&older);
	hang_up(&newer);
}

static void a_twin_is_refused(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client first, twin;

	join(bed, &first, ID_A, "desk", "desk");
	dial(bed, &twin);
	fill_hello(bed, &m, ID_A, "desk");
	strcpy(m.boot, "ffffffffffffffffffffffffffffffff");
	send_msg(&twin, &m);
	/* Keeps the first one alive meanwhile. */
	say_state(&first, VOL_SLURMD_UP);
	expect(bed, &twin, VOL_LINK_REFUSE, &m);
	assert_string_equal(m.code, "duplicate_id");
	assert_contains(m.reason, "127.0.0.1");
	say_state(&first, VOL_SLURMD_UP);
	turn(bed);
	assert_false(first.closed);
	hang_up(&first);
	hang_up(&twin);
}

static void slurmctld_away_is_said(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client c;

	fake_cluster_set_away(true);
	vol_role_controller.stop(bed->role);
	bed->role = start_role(bed, false, NULL);
	run_until(bed, strstr(bed->log, "slurmctld does not answer"));
	dial(bed, &c);
	fill_hello(bed, &m, ID_A, "desk");
	send_msg(&c, &m);
	expect(bed, &c, VOL_LINK_REFUSE, &m);
	assert_string_equal(m.code, "slurm_away");
	hang_up(&c);
	fake_cluster_set_away(false);
	run_until(bed, strstr(bed->log, "of cluster fake answers"));
	join(bed, &c, ID_A, "desk", "desk");
	hang_up(&c);
}

static const char *const bad_json[] = {
	"{}",
	"[]",
	"1",
	"{\"type\": \"ping\", \"seq\": 1}",
	"{\"type\": \"welcome\"}",
	"{\"type\": \"hello\"}",
	"{\"type\": 5}",
	"{\"type\": \"\\u001b[2J\"}",
	"{\"type\": \"hello\", \"proto\": 99}",
	"{\"type\": \"hello\", \"proto\": 2, \"id\": \"../../x\"}",
	"{\"type\": \"state\", \"slurmd\": \"up\", \"busy\": false}",
	"nonsense",
	"{\"type\": \"bye\", \"reason\": \"$(reboot)\"}",
	"{\"type\": \"hello\", \"type\": \"hello\"}",
};

/* Sends the bytes and waits for the end of the link. */
static void send_and_be_closed(struct bed *bed, const void *data, size_t len)
{
	struct vol_link_msg m;
	struct client c;

	dial(bed, &c);
	send_bytes(&c, data, len);
	while (!c.closed)
		run_until(bed, try_recv(&c, &m) || c.closed);
	hang_up(&c);
}

static void bad_messages_end_the_link(void **state)
{
	struct bed *bed = *state;
	char frame[512];
	size_t i, len;

	for (i = 0; i < N_ELEMENTS(bad_json); i++) {
		len = strlen(bad_json[i]);
		memset(frame, 0, 4);
		frame[2] = (char)(len >> 8);
		frame[3] = (char)(len & 255);
		memcpy(frame + 4, bad_json[i], len);
		*bed->log = '\0';
		send_and_be_closed(bed, frame, len + 4);
		if (i == 0)
			assert_contains(bed->log, "refused 127.0.0.1: ");
	}
	send_and_be_closed(bed, "GET / HTTP/1.0\r\n\r\n", 18);
	send_and_be_closed(bed, "\0\0\0\0", 4);
	send_and_be_closed(bed, "\377\377\377\377", 4);
	assert_int_equal(fake_cluster_updates(), 0);
}

/* Told in a word that it knows, so that it waits for its update. */
static void another_protocol_is_refused(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client c;
	json_t *json;
	int proto;

	for (proto = VOL_LINK_PROTO - 1; proto <= VOL_LINK_PROTO + 1;
	     proto += 2) {
		fill_hello(bed, &m, ID_A, "desk");
		json = vol_link_encode(&m);
		json_object_set_new(json, "proto", json_integer(proto));
		json_object_del(json, "harvest");
		json_object_del(json, "why");
		dial(bed, &c);
		send_json(&c, json);
		expect(bed, &c, VOL_LINK_REFUSE, &m);
		assert_string_equal(m.code, "version");
		hang_up(&c);
	}
}

static void hostile_names_become_harmless(void **state)
{
	static const char *const hosts[] = {
		"a;reboot", "$(id)", "n[0-9]", "a b", "x\n", "../x",
	};
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client c;
	json_t *json;
	size_t i;

	for (i = 0; i < N_ELEMENTS(hosts); i++) {
		fill_hello(bed, &m, ID_A, "desk");
		json = vol_link_encode(&m);
		json_object_set_new(json, "hostname", json_string(hosts[i]));
		dial(bed, &c);
		send_json(&c, json);
		expect(bed, &c, VOL_LINK_REFUSE, &m);
		assert_string_equal(m.code, "bad_message");
		hang_up(&c);
	}
	assert_int_equal(fake_cluster_updates(), 0);
}

static void a_second_hello_ends_the_link(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	fill_hello(bed, &m, ID_B, "other");
	send_msg(&c, &m);
	expect(bed, &c, VOL_LINK_REFUSE, &m);
	assert_string_equal(m.code, "bad_message");
	hang_up(&c);
}

/* A reply of the control socket is one frame, however many devices there are.
 */
static void devices_come_in_pages(void **state)
{
	struct bed *bed = *state;
	char path[PATH_MAX], host[32], id[VOL_DEVICE_ID_SIZE];
	struct vol_registry *r;
	json_t *request, *data = NULL, *list;
	const char *after = "";
	size_t total = 0, pages = 0, len, i;
	char *frame;

	vol_role_controller.stop(bed->role);
	snprintf(path, sizeof(path), "%s/registry.json", bed->folder);
	r = vol_registry_load(path, NULL);
	for (i = 0; i < 100; i++) {
		assert_int_equal(vol_device_id_make(id, NULL), 0);
		snprintf(host, sizeof(host), "desk%03zu", i);
		assert_non_null(vol_registry_add(r, id, host, NULL, NULL,
						 time(NULL), NULL));
	}
	assert_int_equal(vol_registry_save(r, NULL), 0);
	vol_registry_destroy(r);
	bed->role = start_role(bed, false, NULL);
	do {
		request = json_pack("{s:s, s:s}", "type", "devices", "after",
				    after);
		json_decref(data);
		data = vol_controller_commands[1].run(request, 0, bed->role,
						      NULL);
		json_decref(request);
		json_object_set_new(data, "type", json_string("ok"));
		frame = vol_wire_encode(data, &len, NULL);
		assert_non_null(frame);
		free(frame);
		list = json_object_get(data, "devices");
		total += json_array_size(list);
		after = json_string_value(json_object_get(
			json_array_get(list, json_array_size(list) - 1),
			"node"));
		pages++;
	} while (json_is_true(json_object_get(data, "more")));
	assert_string_equal(after, "desk099");
	assert_int_equal(total, 100);
	assert_int_equal(pages, 4);
	json_decref(data);
}

static void only_known_modes(void **state)
{
	struct bed *bed = *state;
	struct vol_error err;

	write_conf(bed, "approve = some");
	assert_null(start_role(bed, true, &err));
	assert_contains(err.text, "\"some\" is not one of ask, token and all");
	assert_contains(err.text, bed->folder);
	/* A running one keeps what it has. */
	assert_int_equal(vol_role_controller.reload(bed->role, &err), -1);
	write_conf(bed, "approve = all");
	assert_int_equal(vol_role_controller.reload(bed->role, &err), 0);
}

static void only_known_clusters(void **state)
{
	struct bed *bed = *state;
	struct vol_error err;

	write_conf(bed, "approve = all\ncluster = ../x");
	assert_null(start_role(bed, true, &err));
	assert_contains(err.text, "cluster: want letters");
	write_conf(bed, "approve = all\ncluster = nosuch");
	assert_null(start_role(bed, false, &err));
	assert_contains(err.text, "cluster nosuch is not known here");
	assert_int_equal(vol_role_controller.reload(bed->role, &err), -1);
	assert_contains(err.text, "cluster can only change with a restart");
	write_conf(bed, "approve = all");
	assert_int_equal(vol_role_controller.reload(bed->role, &err), 0);
}

static unsigned lease_on_disk(struct bed *bed)
{
	char path[PATH_MAX];
	unsigned lease = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/lease", bed->folder);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%u", &lease), 1);
	fclose(f);
	return lease;
}

static void reload(struct bed *bed, const char *lost_after)
{
	bed->lost_after = lost_after;
	write_conf(bed, "approve = all");
	assert_int_equal(vol_role_controller.reload(bed->role, NULL), 0);
}

/* A device runs its jobs for as long as it was told, whatever the file says
 * now; only then they may start elsewhere. */
static void a_lease_is_kept(void **state)
{
	struct bed *bed = *state;
	struct vol_slurm_node n;
	struct client c;
	uint64_t begin;

	assert_int_equal(lease_on_disk(bed), 2500);
	join(bed, &c, ID_A, "desk", "desk");
	reload(bed, "400ms");
	begin = vol_controller_now_ms();
	assert_int_equal(lease_on_disk(bed), 2500);
	run_until(bed, is_down("desk", "volunteer: lost contact"));
	/* It said its last word a moment before begin. */
	assert_true(vol_controller_now_ms() - begin >= 2000);
	hang_up(&c);
	/* Nobody goes by the long one now. */
	run_until(bed, lease_on_disk(bed) == 400);
	join(bed, &c, ID_A, "desk", "desk");
	reload(bed, "1h");
	assert_int_equal(lease_on_disk(bed), 3600000);
	run_until(bed, fake_cluster_get("desk", &n) && !n.down);
	hang_up(&c);
}

/* What a device may have been told by the one before is not forgotten. */
static void a_lease_survives_a_restart(void **state)
{
	struct bed *bed = *state;
	struct vol_controller *c;
	struct client desk;

	join(bed, &desk, ID_A, "desk", "desk");
	vol_role_controller.stop(bed->role);
	hang_up(&desk);
	bed->lost_after = "400ms";
	write_conf(bed, "approve = all");
	bed->role = start_role(bed, false, NULL);
	c = bed->role;
	assert_int_equal(c->n_members, 1);
	assert_int_equal(vol_member_lease_ms(c->members[0]), 2500);
	assert_int_equal(lease_on_disk(bed), 2500);
	join(bed, &desk, ID_A, "desk", "desk");
	assert_int_equal(vol_member_lease_ms(c->members[0]), 400);
	hang_up(&desk);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_device_joins),
		TEST(names_are_unique),
		TEST(a_name_taken_meanwhile),
		TEST(the_registry_survives),
		TEST(a_full_table_is_said),
		TEST(devices_come_in_pages),
		TEST(goodbye_sets_down),
		TEST(silence_sets_down_and_return_resumes),
		TEST(an_admins_reason_is_kept),
		TEST(a_lease_is_kept),
		TEST(a_lease_survives_a_restart),
		TEST(other_hardware_makes_a_new_node),
		TEST(one_machine_takes_its_own_name),
		TEST(a_twin_is_refused),
		TEST(slurmctld_away_is_said),
		TEST(bad_messages_end_the_link),
		TEST(another_protocol_is_refused),
		TEST(hostile_names_become_harmless),
		TEST(a_second_hello_ends_the_link),
		TEST(only_known_modes),
		TEST(only_known_clusters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
