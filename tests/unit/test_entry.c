/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_entry.c - a device's end of the door, against the controller role
 *
 * Both on one loop, over a real link.  The device has nothing but its link: who
 * it is, whom it trusts, and what its owner says.
 */
#include "config.h"

#include "controller.h"

#include "atomicfile.h"
#include "controller_bed.h"
#include "device/entry.h"
#include "device/identity.h"
#include "device/keys.h"

static const struct vol_uplink_ops ops;

/* In place of device.c's. */
int vol_device_relink(struct vol_device_role *d, struct vol_error *err)
{
	vol_entry_lost(d);
	vol_uplink_destroy(d->uplink);
	vol_find_destroy(d->find);
	d->uplink = NULL;
	d->find = vol_find_create(d->loop, &d->conf, d->id, NULL, d, err);
	if (d->find)
		d->uplink = vol_uplink_create(d->loop, d->find, d->tls, &ops, d,
					      err);
	if (!d->uplink)
		return -1;
	vol_keys_insist(d);
	vol_uplink_target(d->uplink);
	return 0;
}

int vol_device_reload(struct vol_device_role *d, struct vol_error *err)
{
	(void)d;
	return vol_errorf(err, "not in this test");
}

static void fill(struct vol_link_msg *msg, void *arg)
{
	struct vol_device_role *d = arg;
	struct vol_link_msg hello;

	memset(&hello, 0, sizeof(hello));
	hello.type = VOL_LINK_HELLO;
	hello.proto = VOL_LINK_PROTO;
	memcpy(hello.id, d->id, sizeof(hello.id));
	strcpy(hello.boot, "0123456789abcdef0123456789abcdef");
	strcpy(hello.hostname, "desk");
	hello.stream = 1;
	hello.facts.sockets = hello.facts.cores_per_socket = 1;
	hello.facts.threads_per_core = 1;
	hello.facts.memory_mb = 1000;
	hello.stream = 1;
	*msg = hello;
	vol_entry_hello(d, msg);
}

static void welcomed(const struct vol_link_msg *msg, const char *peer,
		     const char *local, const struct vol_fingerprint *key,
		     void *arg)
{
	struct vol_device_role *d = arg;

	(void)peer;
	(void)local;
	d->welcome = *msg;
	vol_entry_welcomed(d);
	vol_keys_welcomed(d, key, msg->cluster);
}

static void lost(const char *reason, void *arg)
{
	(void)reason;
	(void)arg;
}

static void message(const struct vol_link_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
}

static const struct vol_uplink_ops ops = {
	.hello = fill,
	.welcomed = welcomed,
	.lost = lost,
	.message = message,
	.stranger = vol_keys_stranger,
	.knocks = vol_entry_knocks,
	.nonce = vol_entry_nonce,
	.pending = vol_entry_pending,
	.approved = vol_entry_approved,
	.refused = vol_entry_refused,
	.unlinked = vol_entry_lost,
};

static struct vol_device_role *start_device(struct bed *bed, const char *name)
{
	struct vol_device_role *d = calloc(1, sizeof(*d));
	char text[PATH_MAX];
	struct vol_error err = {""};

	assert_non_null(d);
	d->loop = sd_event_ref(bed->loop);
	d->conf_path = strdup("device.conf");
	assert_int_equal(vol_device_conf_defaults(&d->conf, &err), 0);
	snprintf(text, sizeof(text), "%s/%s", bed->folder, name);
	assert_int_equal(vol_mkdir_p(text, 0755, &err), 0);
	free(d->conf.state_dir);
	d->conf.state_dir = strdup(text);
	snprintf(text, sizeof(text), "127.0.0.1:%u", bed->port);
	d->conf.controller = strdup(text);
	d->conf.publish = false;
	if (vol_keys_load(d, &err) < 0 || vol_entry_load(d, &err) < 0 ||
	    vol_device_relink(d, &err) < 0)
		fail_msg("%s", err.text);
	return d;
}

static void stop_device(struct vol_device_role *d)
{
	vol_uplink_destroy(d->uplink);
	vol_find_destroy(d->find);
	vol_keys_free(d);
	vol_device_conf_clear(&d->conf);
	sd_event_unref(d->loop);
	free(d->conf_path);
	free(d);
}

static enum vol_uplink_state state_of(const struct vol_device_role *d)
{
	struct vol_uplink_status s;

	vol_uplink_status(d->uplink, &s);
	return s.state;
}

static const char *trouble(const struct vol_device_role *d)
{
	static struct vol_uplink_status s;

	vol_uplink_status(d->uplink, &s);
	return s.trouble.text;
}

static json_t *ask(const struct vol_ctl_command *command, const char *type,
		   json_t *request, void *role, struct vol_error *err)
{
	json_t *data;

	while (strcmp(command->type, type) != 0)
		command++;
	data = command->run(request, 0, role, err);
	json_decref(request);
	return data;
}

static json_t *admin(struct bed *bed, const char *type, json_t *request)
{
	struct vol_error err = {""};
	json_t *data =
		ask(vol_controller_commands, type, request, bed->role, &err);

	if (!data)
		fail_msg("%s", err.text);
	return data;
}

static int owner(struct vol_device_role *d, const char *with,
		 struct vol_error *err)
{
	json_t *request = json_pack("{s:s}", "with", with);
	json_t *data = vol_ctl_join(request, 0, d, err);

	json_decref(request);
	json_decref(data);
	return data ? 0 : -1;
}

static void set_mode(struct bed *bed, const char *mode)
{
	struct vol_controller *c = bed->role;
	char line[64];

	snprintf(line, sizeof(line), "approve = %s", mode);
	write_conf(bed, line);
	assert_int_equal(vol_role_controller.reload(bed->role, NULL), 0);
	run_until(bed, c->slurm_known);
}

static void make_token(struct bed *bed, char text[VOL_JOINTOKEN_SIZE])
{
	json_t *data = admin(bed, "token", json_object());

	snprintf(text, VOL_JOINTOKEN_SIZE, "%s",
		 json_string_value(json_object_get(data, "token")));
	json_decref(data);
}

/* No file is touched by hand. */
static void by_token(void **state)
{
	struct bed *bed = *state;
	struct vol_remembered old = {"192.0.2.9", 6830, "other"};
	struct vol_device_role *d, *e;
	char token[VOL_JOINTOKEN_SIZE];
	struct vol_error err;

	set_mode(bed, "token");
	d = start_device(bed, "a");
	run_until(bed, strstr(trouble(d), "wants a token"));
	make_token(bed, token);
	token[30] = token[30] == 'a' ? 'b' : 'a';
	assert_int_equal(owner(d, token, &err), -1);
	assert_contains(err.text, "mistyped");
	make_token(bed, token);
	/* What it remembers of another cluster must not keep it away. */
	assert_int_equal(vol_remembered_save(d->conf.state_dir, &old, &err), 0);
	assert_int_equal(owner(d, token, &err), 0);
	assert_int_equal(vol_remembered_load(d->conf.state_dir, &old, &err), 0);
	assert_string_equal(old.address, "");
	run_until(bed, state_of(d) == VOL_UPLINK_UP);
	assert_string_equal(d->welcome.node, "desk");
	assert_false(d->join.has_token);
	assert_true(d->pin.known);
	/* It is used up; the next is told so, and not to try for ever. */
	e = start_device(bed, "b");
	assert_int_equal(owner(e, token, &err), 0);
	run_until(bed, strstr(trouble(e), "not valid"));
	assert_false(e->join.has_token);
	assert_true(e->trust.bad_token);
	stop_device(e);
	/* Known from now on, without any token. */
	stop_device(d);
	d = start_device(bed, "a");
	run_until(bed, state_of(d) == VOL_UPLINK_UP);
	stop_device(d);
}

/* The token is of another controller: this one is told nothing. */
static void by_token_elsewhere(void **state)
{
	struct bed *bed = *state;
	struct vol_controller *c = bed->role;
	struct vol_device_role *d;
	struct vol_jointoken token;
	char text[VOL_JOINTOKEN_SIZE];
	struct vol_error err;

	set_mode(bed, "all");
	make_token(bed, text);
	vol_jointoken_parse(text, &token, NULL);
	token.controller[3] ^= 1;
	vol_jointoken_text(&token, text);
	d = start_device(bed, "a");
	assert_int_equal(owner(d, text, &err), 0);
	run_until(bed, strstr(trouble(d), "another key"));
	assert_true(d->join.has_token);
	assert_int_equal(vol_registry_count(c->registry), 0);
	stop_device(d);
}

static const char *wait_for_code(struct bed *bed,
				 const struct vol_device_role *d)
{
	json_t *data;
	static char code[16];

	run_until(bed, d->trust.waits);
	data = admin(bed, "pending", json_object());
	snprintf(code, sizeof(code), "%s",
		 json_string_value(json_object_get(
			 json_array_get(json_object_get(data, "pending"), 0),
			 "code")));
	json_decref(data);
	assert_string_equal(code, d->trust.last);
	return code;
}

static void approve(struct bed *bed, const char *code)
{
	json_decref(admin(bed, "approve", json_pack("{s:s}", "name", code)));
}

static void by_code(void **state)
{
	struct bed *bed = *state;
	struct vol_device_role *d;
	struct vol_error err;
	char code[16];

	set_mode(bed, "ask");
	/* The owner first, then the administrator ... */
	d = start_device(bed, "a");
	strcpy(code, wait_for_code(bed, d));
	assert_int_equal(owner(d, "999999", &err),
			 strcmp(code, "999999") ? -1 : 0);
	assert_int_equal(owner(d, code, &err), 0);
	assert_true(d->pin.known);
	assert_true(d->trust.waits);
	approve(bed, code);
	run_until(bed, state_of(d) == VOL_UPLINK_UP);
	stop_device(d);
	/* ... or the other way round. */
	d = start_device(bed, "b");
	strcpy(code, wait_for_code(bed, d));
	approve(bed, code);
	run_until(bed, d->trust.unbelieved);
	assert_int_not_equal(state_of(d), VOL_UPLINK_UP);
	assert_false(d->pin.known);
	assert_int_equal(owner(d, code, &err), 0);
	run_until(bed, state_of(d) == VOL_UPLINK_UP);
	assert_true(d->pin.known);
	stop_device(d);
}

/* trust = first needs nobody at the device. */
static void by_the_first(void **state)
{
	struct bed *bed = *state;
	struct vol_device_role *d;

	set_mode(bed, "ask");
	d = start_device(bed, "a");
	d->conf.trust = VOL_TRUST_FIRST;
	approve(bed, wait_for_code(bed, d));
	run_until(bed, state_of(d) == VOL_UPLINK_UP);
	stop_device(d);
	set_mode(bed, "all");
	d = start_device(bed, "b");
	d->conf.trust = VOL_TRUST_FIRST;
	run_until(bed, state_of(d) == VOL_UPLINK_UP);
	/* By the name of this very host, which is what a knock tells. */
	assert_contains(d->welcome.node, "-2");
	stop_device(d);
}

/* A controller that has lost its memory is its controller all the same. */
static void known_but_unknown(void **state)
{
	struct bed *bed = *state;
	struct vol_controller *c = bed->role;
	struct vol_device_role *d;

	set_mode(bed, "ask");
	d = start_device(bed, "a");
	assert_int_equal(vol_pin_keep(d->conf.state_dir, &d->pin,
				      vol_controller_key(c), "fake", NULL),
			 0);
	stop_device(d);
	d = start_device(bed, "a");
	approve(bed, wait_for_code(bed, d));
	run_until(bed, state_of(d) == VOL_UPLINK_UP);
	stop_device(d);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(by_token),     TEST(by_token_elsewhere), TEST(by_code),
		TEST(by_the_first), TEST(known_but_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
