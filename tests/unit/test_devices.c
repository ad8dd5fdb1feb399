/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_devices.c - what `volunteer` is told of devices and their owners
 *
 * The controller role over real sockets, as in test_controller.c.
 */
#include "config.h"

#include "controller.h"

#include "controller_bed.h"
#include "forecasts.h"

#define WHY "owner present since 10:31"

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

static json_t *ask(struct bed *bed, json_t *request, struct vol_error *err)
{
	const struct vol_ctl_command *command = vol_controller_commands;
	const char *type = json_string_value(json_object_get(request, "type"));
	json_t *data;

	while (strcmp(command->type, type) != 0)
		command++;
	data = command->run(request, 0, bed->role, err);
	json_decref(request);
	return data;
}

static double number(const json_t *row, const char *name)
{
	json_t *value = json_object_get(row, name);

	assert_true(json_is_number(value));
	return json_number_value(value);
}

static void rows(void **state)
{
	struct bed *bed = *state;
	time_t now = time(NULL);
	json_t *data, *row, *f;
	struct vol_link_msg m;
	struct client c;

	fill_hello(bed, &m, ID_A, "desk");
	m.away_s = 600;
	m.battery = true;
	m.closes_s = 7200;
	join_as(bed, &c, &m, "desk");
	vol_forecasts_evicted(member(bed, "desk"), 3);
	data = ask(bed, json_pack("{s:s}", "type", "devices"), NULL);
	row = json_array_get(json_object_get(data, "devices"), 0);
	assert_in_range(number(row, "away_since"), now - 600, now - 500);
	assert_in_range(number(row, "closes_at"), now + 7200, now + 7300);
	assert_true(json_is_true(json_object_get(row, "battery")));
	assert_int_equal(number(row, "speed"), 1000);
	assert_int_equal(number(row, "evictions_week"), 3);
	f = json_object_get(row, "forecast");
	assert_true(number(f, "1h") > 0.1 && number(f, "1h") <= 1);
	assert_true(number(f, "4h") < 0.01);
	assert_true(number(f, "8h") <= number(f, "4h"));
	assert_true(number(f, "24h") <= number(f, "8h"));
	assert_in_range(number(f, "median_s"), 60, 7200);
	json_decref(data);
	harvest(&m, VOL_HARVEST_PARKED);
	vol_member_message(member(bed, "desk"), &m);
	data = ask(bed, json_pack("{s:s}", "type", "devices"), NULL);
	row = json_array_get(json_object_get(data, "devices"), 0);
	assert_true(json_is_null(json_object_get(row, "forecast")));
	json_decref(data);
	hang_up(&c);
}

static void days(void **state)
{
	struct bed *bed = *state;
	struct vol_error err = {""};
	struct client c;
	json_t *data;

	join(bed, &c, ID_A, "desk", "desk");
	data = ask(bed,
		   json_pack("{s:s, s:s}", "type", "history", "node", "desk"),
		   &err);
	assert_int_equal(number(data, "horizon_s"), 8 * 3600);
	assert_int_equal(number(data, "weekdays"), 0);
	assert_int_equal(number(data, "alike_back"), 0);
	json_decref(data);
	assert_null(ask(bed,
			json_pack("{s:s, s:s}", "type", "history", "node", "x"),
			&err));
	assert_string_equal(err.text, "no such device");
	assert_null(ask(bed, json_pack("{s:s}", "type", "history"), &err));
	assert_null(ask(bed,
			json_pack("{s:s, s:s, s:i}", "type", "history", "node",
				  "desk", "horizon_s", 86401),
			&err));
	assert_contains(err.text, "horizon_s");
	hang_up(&c);
}

/* Quotes need two bytes each. */
static void fill_text(char *text, size_t size)
{
	memset(text, '"', size - 1);
	text[size - 1] = '\0';
}

/* A page of devices with all that a device can say fits into a frame. */
static void long_rows(void **state)
{
	struct bed *bed = *state;
	struct vol_fingerprint key = {{0}};
	char host[16], why[VOL_WHY_SIZE];
	struct vol_controller *c = bed->role;
	const char *after = "";
	size_t total = 0, len, i, k;
	json_t *data, *list;
	struct vol_slurm_node node = {0};
	struct vol_member *s;
	char *frame;

	run_until(bed, c->slurm_known);
	for (i = 0; i < 70; i++) {
		key.byte[0] = (uint8_t)i;
		snprintf(host, sizeof(host), "pc%02zu", i);
		s = vol_controller_approve(c, &key, host, "all", NULL);
		assert_non_null(s);
		s->pending = true;
		s->peer = (struct vol_peer *)s;
		s->slurm_known = s->exists = true;
		memset(s->device->hostname, 'h', VOL_HOSTNAME_SIZE - 1);
		fill_text(why, sizeof(why));
		vol_member_keep(&s->why, why);
		fill_text(s->decision.reason, sizeof(s->decision.reason));
		fill_text(node.state, sizeof(node.state));
		fill_text(node.reason, sizeof(node.reason));
		assert_int_equal(vol_note_set(&s->node, &node), 0);
		fill_text(s->version, sizeof(s->version));
		fill_text(s->slurm, sizeof(s->slurm));
		s->device->facts.n_features = VOL_FACTS_FEATURES;
		for (k = 0; k < VOL_FACTS_FEATURES; k++)
			memset(s->device->facts.feature[k], 'a' + (int)k,
			       VOL_FACTS_FEATURE_SIZE - 1);
	}
	do {
		data = ask(bed,
			   json_pack("{s:s, s:s, s:b}", "type", "devices",
				     "after", after, "seen", 1),
			   NULL);
		json_object_set_new(data, "type", json_string("ok"));
		frame = vol_wire_encode(data, &len, NULL);
		assert_non_null(frame);
		free(frame);
		list = json_object_get(data, "devices");
		assert_in_range(json_array_size(list), 1, 32);
		total += json_array_size(list);
		snprintf(
			host, sizeof(host), "%s",
			json_string_value(json_object_get(
				json_array_get(list, json_array_size(list) - 1),
				"node")));
		after = host;
		i = json_is_true(json_object_get(data, "more"));
		json_decref(data);
	} while (i);
	assert_int_equal(total, 70);
	for (i = 0; i < c->n_members; i++)
		c->members[i]->peer = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows),
		TEST(days),
		TEST(long_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
