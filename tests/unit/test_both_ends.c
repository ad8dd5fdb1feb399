/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_both_ends.c - the device's link and the controller's role, as they meet
 *
 * Both are real, on one event loop; only Slurm is in memory.
 */
#include "config.h"

#include "controller.h"
#include "device/pin.h"
#include "device/uplink.h"

#include "controller_bed.h"

struct end {
	struct bed *bed;
	struct vol_device_conf conf;
	struct vol_keypair *key;
	struct vol_tls_context *tls;
	struct vol_pin pin;
	struct vol_find *find;
	struct vol_uplink *uplink;
	char id[VOL_DEVICE_ID_SIZE];
	unsigned welcomes, losses, strangers;
	char node[VOL_NODE_NAME_SIZE];
};

static void say_hello(struct vol_link_msg *msg, void *arg)
{
	struct end *e = arg;

	fill_hello(e->bed, msg, ID_A, "desk");
	memcpy(msg->id, e->id, sizeof(msg->id));
}

/* As device/keys.c does. */
static void on_welcomed(const struct vol_link_msg *msg, const char *peer,
			const char *local, const struct vol_fingerprint *key,
			void *arg)
{
	struct end *e = arg;
	struct vol_tls_pin pin;

	(void)peer;
	(void)local;
	e->welcomes++;
	memcpy(e->node, msg->node, sizeof(e->node));
	assert_int_equal(vol_pin_keep(e->bed->folder, &e->pin, key,
				      msg->cluster, NULL),
			 0);
	vol_pin_choose(&e->pin, &e->conf, &pin);
	vol_uplink_pin(e->uplink, &pin);
}

static void on_lost(const char *reason, void *arg)
{
	struct end *e = arg;

	assert_printable(reason);
	e->losses++;
}

static void on_message(const struct vol_link_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
}

static void on_stranger(const struct vol_fingerprint *key, void *arg)
{
	struct end *e = arg;

	assert_false(vol_fingerprint_equal(key, &e->pin.key));
	e->strangers++;
}

/* Whether it should be a knock is not looked at here, see test_entry.c. */
static bool never_knocks(const struct vol_fingerprint *key,
			 struct vol_link_msg *knock, void *arg)
{
	(void)key;
	(void)knock;
	(void)arg;
	return false;
}

static void on_unlinked(void *arg)
{
	(void)arg;
}

static const struct vol_uplink_ops ops = {
	.knocks = never_knocks,
	.refused = on_message,
	.unlinked = on_unlinked,
	.hello = say_hello,
	.welcomed = on_welcomed,
	.lost = on_lost,
	.message = on_message,
	.stranger = on_stranger,
};

static void on_found(void *arg)
{
	(void)arg;
}

static void begin(struct end *e, struct bed *bed)
{
	char text[32];

	memset(e, 0, sizeof(*e));
	e->bed = bed;
	assert_int_equal(vol_device_conf_defaults(&e->conf, NULL), 0);
	snprintf(text, sizeof(text), "127.0.0.1:%u", bed->port);
	e->conf.controller = strdup(text);
	e->conf.publish = false;
	e->key = vol_keypair_make(NULL);
	vol_fingerprint_id(vol_keypair_fingerprint(e->key), e->id);
	e->tls = vol_tls_context_create(e->key, NULL);
	e->find =
		vol_find_create(bed->loop, &e->conf, e->id, on_found, e, NULL);
	assert_non_null(e->find);
	e->uplink =
		vol_uplink_create(bed->loop, e->find, e->tls, &ops, e, NULL);
	assert_non_null(e->uplink);
	vol_uplink_target(e->uplink);
}

static void end(struct end *e)
{
	vol_uplink_destroy(e->uplink);
	vol_find_destroy(e->find);
	vol_tls_context_destroy(e->tls);
	vol_keypair_destroy(e->key);
	vol_device_conf_clear(&e->conf);
}

static void a_link_for_life(void **state)
{
	struct bed *bed = *state;
	struct end e;

	begin(&e, bed);
	run_until(bed, e.welcomes == 1);
	assert_string_equal(e.node, "desk");
	assert_true(e.pin.known);
	assert_string_equal(e.pin.cluster, "fake");
	restart(bed);
	run_until(bed, e.welcomes == 2);
	assert_int_equal(e.losses, 1);
	assert_int_equal(e.strangers, 0);
	end(&e);
}

/* The controller's disk was lost, or it is somebody else's machine. */
static void another_controller(void **state)
{
	struct bed *bed = *state;
	char path[PATH_MAX];
	struct end e;

	begin(&e, bed);
	run_until(bed, e.welcomes == 1);
	vol_role_controller.stop(bed->role);
	snprintf(path, sizeof(path), "%s/controller.key", bed->folder);
	assert_int_equal(unlink(path), 0);
	bed->log[0] = '\0';
	bed->role = start_role(bed, false, NULL);
	run_until(bed, e.strangers == 1);
	run_until(bed, strstr(bed->log, "does not accept our key"));
	assert_int_equal(e.welcomes, 1);
	/* Its owner says that it is the right one. */
	memset(&e.pin, 0, sizeof(e.pin));
	vol_uplink_pin(e.uplink, &(struct vol_tls_pin){.bytes = 0});
	run_until(bed, e.welcomes == 2);
	end(&e);
}

/* It waits as it is told, and is not let in. */
static void a_wrong_identity(void **state)
{
	struct bed *bed = *state;
	struct vol_uplink_status status;
	struct end e;

	begin(&e, bed);
	memcpy(e.id, device_key(bed, ID_B)->id, sizeof(e.id));
	run_until(bed, strstr(bed->log, "whose key it does not hold"));
	run_until(bed, (vol_uplink_status(e.uplink, &status),
			status.state == VOL_UPLINK_WAITING));
	assert_contains(status.trouble.text, "refused (bad_id)");
	assert_int_equal(e.welcomes, 0);
	assert_false(e.pin.known);
	end(&e);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(a_link_for_life),
		WITH(another_controller),
		WITH(a_wrong_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
