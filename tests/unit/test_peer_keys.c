/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_peer_keys.c - a device speaks for its own key, and the controller has
 * one that lasts
 */
#include "config.h"

#include "atomicfile.h"
#include "controller.h"

#include "controller_bed.h"

static void the_id_of_another(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client owner, thief;

	join(bed, &owner, ID_A, "desk", "desk");
	hang_up(&owner);
	/* It knows the other one's id, which mDNS tells everybody. */
	dial(bed, &thief);
	shake_hands(&thief, device_key(bed, ID_B));
	fill_hello(bed, &m, ID_A, "desk");
	send_msg(&thief, &m);
	expect(bed, &thief, VOL_LINK_REFUSE, &m);
	assert_string_equal(m.code, "bad_id");
	assert_contains(bed->log, "refused 127.0.0.1: ");
	assert_contains(bed->log, "key it does not hold");
	run_until(bed, try_recv(&thief, &m) || thief.closed);
	hang_up(&thief);
	/* Its own is welcome, as somebody else. */
	join(bed, &thief, ID_B, "desk", "desk-2");
	join(bed, &owner, ID_A, "desk", "desk");
	hang_up(&owner);
	hang_up(&thief);
}

static void no_tls(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client c;
	json_t *hello;

	fill_hello(bed, &m, ID_A, "desk");
	hello = vol_link_encode(&m);
	dial(bed, &c);
	assert_int_equal(vol_wire_send(c.fd, hello, 1000, NULL), 0);
	run_until(bed, try_recv(&c, &m) || c.closed);
	assert_true(c.closed);
	assert_contains(bed->log,
			"refused 127.0.0.1: the peer does not speak TLS");
	assert_int_equal(fake_cluster_updates(), 0);
	json_decref(hello);
	hang_up(&c);
}

/* Somebody looks at whom he speaks to, does not like it, and says so. */
static void not_its_controller(void **state)
{
	struct bed *bed = *state;
	struct device_key *key = device_key(bed, ID_A);
	enum vol_tls_step step = VOL_TLS_WANT_READ;
	struct vol_tls_pin pin = {*vol_keypair_fingerprint(key->pair),
				  VOL_FINGERPRINT_BYTES};
	struct client c;

	dial(bed, &c);
	c.tls = vol_tls_create(key->ctx, VOL_TLS_DEVICE, c.fd, &pin, NULL);
	run_until(bed, (step = vol_tls_handshake(c.tls, NULL)) <= VOL_TLS_DONE);
	assert_int_equal(step, VOL_TLS_FAILED);
	hang_up(&c);
	run_until(bed, strstr(bed->log, "refused 127.0.0.1: the peer does not "
					"accept our key"));
}

static json_t *status(struct bed *bed)
{
	json_t *data = vol_controller_commands[0].run(NULL, 0, bed->role, NULL);

	assert_non_null(data);
	return data;
}

static void the_key_lasts(void **state)
{
	struct bed *bed = *state;
	struct vol_fingerprint before;
	char text[VOL_FINGERPRINT_SIZE], id[VOL_DEVICE_ID_SIZE];
	struct client c;
	json_t *data;

	join(bed, &c, ID_A, "desk", "desk");
	before = *vol_tls_peer(c.tls);
	hang_up(&c);
	vol_role_controller.stop(bed->role);
	bed->role = start_role(bed, false, NULL);
	assert_non_null(bed->role);
	join(bed, &c, ID_A, "desk", "desk");
	assert_true(vol_fingerprint_equal(vol_tls_peer(c.tls), &before));
	hang_up(&c);
	/* Said where people look. */
	vol_fingerprint_text(&before, text);
	vol_fingerprint_id(&before, id);
	data = status(bed);
	assert_string_equal(json_string_value(json_object_get(data, "key")),
			    text);
	assert_string_equal(json_string_value(json_object_get(data, "id")), id);
	assert_contains(bed->log, text);
	json_decref(data);
}

/* Devices would take it for somebody else: it must not start with a new one. */
static void a_damaged_key(void **state)
{
	struct bed *bed = *state;
	char path[PATH_MAX], *after;
	struct vol_error err;

	vol_role_controller.stop(bed->role);
	snprintf(path, sizeof(path), "%s/controller.key", bed->folder);
	assert_int_equal(vol_file_replace(path, "junk\n", 5, 0600, 0, NULL), 0);
	assert_null(start_role(bed, false, &err));
	assert_contains(err.text, path);
	after = vol_file_read(path, 100, NULL, NULL);
	assert_string_equal(after, "junk\n");
	free(after);
	assert_int_equal(chmod(path, 0644), 0);
	assert_null(start_role(bed, false, &err));
	assert_contains(err.text, path);
	unlink(path);
	bed->role = start_role(bed, false, &err);
	assert_non_null(bed->role);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(the_id_of_another),  WITH(no_tls),
		WITH(not_its_controller), WITH(the_key_lasts),
		WITH(a_damaged_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
