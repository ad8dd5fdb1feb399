/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_uplink.c - a device's link to controllers that are the right one, or not
 *
 * The other end is a connection of the test's that answers each hello, and each
 * knock, with a welcome.
 */
#include "config.h"

#include "device/uplink.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "conn.h"
#include "log.h"

#include "vtest.h"

#define PATIENCE_US (10 * 1000 * 1000ULL)

struct fixture {
	sd_event *loop;
	char *folder;
	struct vol_device_conf conf;
	char address[32];
	struct vol_keypair *device_key, *controller_key;
	struct vol_tls_context *device_ctx, *controller_ctx;
	struct vol_find *find;
	struct vol_uplink *uplink;
	int listener;
	sd_event_source *io;
	struct vol_conn *controller;
	unsigned dials, hellos, knocks, welcomes, strangers, losses;
	bool does_knock;
	struct vol_fingerprint key; /* as welcomed or stranger told */
	char log[8192];
};

/* ---- the controller ---- */

static void on_message(struct vol_conn *c, const json_t *json, void *arg)
{
	struct vol_link_msg welcome = {.type = VOL_LINK_WELCOME,
				       .node = "desk",
				       .cluster = "lab",
				       .conf_port = 6817,
				       .heartbeat_ms = 1000,
				       .lease_ms = 60000};
	struct fixture *f = arg;
	struct vol_link_msg msg;
	json_t *answer;

	assert_int_equal(vol_link_decode(json, &msg, NULL), 0);
	if (msg.type != VOL_LINK_HELLO && msg.type != VOL_LINK_KNOCK)
		return;
	f->hellos += msg.type == VOL_LINK_HELLO;
	f->knocks += msg.type == VOL_LINK_KNOCK;
	answer = vol_link_encode(&welcome);
	assert_int_equal(vol_conn_send(c, answer), 0);
	json_decref(answer);
}

static void on_closed(struct vol_conn *c, const char *reason, bool protocol,
		      void *arg)
{
	struct fixture *f = arg;

	(void)reason;
	(void)protocol;
	vol_conn_destroy(c);
	f->controller = NULL;
}

static const struct vol_conn_ops controller_ops = {
	.message = on_message,
	.closed = on_closed,
};

static int on_accept(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct fixture *f = arg;
	int link = accept(fd, NULL, NULL);

	(void)s;
	(void)events;
	f->dials++;
	vol_conn_destroy(f->controller);
	f->controller =
		vol_conn_attach_tls(f->loop, link, 65536, f->controller_ctx,
				    &controller_ops, f, NULL);
	assert_non_null(f->controller);
	return 0;
}

static int listen_anywhere(struct fixture *f)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);

	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(f->listener, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    listen(f->listener, 5) < 0 ||
	    getsockname(f->listener, (struct sockaddr *)&sa, &len) < 0)
		return -1;
	snprintf(f->address, sizeof(f->address), "127.0.0.1:%u",
		 ntohs(sa.sin_port));
	return sd_event_add_io(f->loop, &f->io, f->listener, EPOLLIN, on_accept,
			       f);
}

/* ---- the device ---- */

static void fill_hello(struct vol_link_msg *msg, void *arg)
{
	struct fixture *f = arg;

	vol_fingerprint_id(vol_keypair_fingerprint(f->device_key), msg->id);
	strcpy(msg->boot, "0123456789abcdef0123456789abcdef");
	strcpy(msg->hostname, "desk");
	strcpy(msg->version, "0.1.0");
	msg->facts.sockets = msg->facts.cores_per_socket = 1;
	msg->facts.threads_per_core = 1;
	msg->facts.memory_mb = 1000;
	msg->stream = 1;
	msg->harvest = VOL_HARVEST_OPEN;
	msg->stream = 1;
}

static void on_welcomed(const struct vol_link_msg *msg, const char *peer,
			const char *local, const struct vol_fingerprint *key,
			void *arg)
{
	struct fixture *f = arg;

	assert_string_equal(msg->node, "desk");
	assert_string_equal(peer, "127.0.0.1");
	assert_string_equal(local, "127.0.0.1");
	f->welcomes++;
	f->key = *key;
}

static void on_lost(const char *reason, void *arg)
{
	struct fixture *f = arg;

	assert_printable(reason);
	f->losses++;
}

static void on_link_message(const struct vol_link_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
}

static void on_stranger(const struct vol_fingerprint *key, void *arg)
{
	struct fixture *f = arg;

	f->strangers++;
	f->key = *key;
}

/* When it should be a knock is not looked at here, see test_entry.c. */
static bool may_knock(const struct vol_fingerprint *key,
		      struct vol_link_msg *knock, void *arg)
{
	struct fixture *f = arg;

	(void)key;
	memset(knock, 0, sizeof(*knock));
	knock->type = VOL_LINK_KNOCK;
	knock->proto = VOL_LINK_PROTO;
	vol_fingerprint_id(vol_keypair_fingerprint(f->device_key), knock->id);
	strcpy(knock->hostname, "desk");
	memset(knock->commit, '7', sizeof(knock->commit) - 1);
	return f->does_knock;
}

static void on_unlinked(void *arg)
{
	(void)arg;
}

static const struct vol_uplink_ops uplink_ops = {
	.knocks = may_knock,
	.refused = on_link_message,
	.unlinked = on_unlinked,
	.hello = fill_hello,
	.welcomed = on_welcomed,
	.lost = on_lost,
	.message = on_link_message,
	.stranger = on_stranger,
};

static void on_found(void *arg)
{
	(void)arg;
}

static void keep_log(enum vol_log_level level, const char *msg, void *arg)
{
	struct fixture *f = arg;
	size_t len = strlen(f->log);

	(void)level;
	assert_printable(msg);
	snprintf(f->log + len, sizeof(f->log) - len, "%s\n", msg);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	void *folder;

	if (!f || vtest_folder_setup(&folder) < 0 ||
	    sd_event_new(&f->loop) < 0 ||
	    vol_device_conf_defaults(&f->conf, NULL) < 0 ||
	    listen_anywhere(f) < 0)
		return -1;
	f->folder = folder;
	vol_log_set(keep_log, f, VOL_LOG_INFO);
	f->conf.controller = strdup(f->address);
	f->conf.publish = false;
	free(f->conf.state_dir);
	f->conf.state_dir = strdup(folder);
	f->device_key = vol_keypair_make(NULL);
	f->controller_key = vol_keypair_make(NULL);
	f->device_ctx = vol_tls_context_create(f->device_key, NULL);
	f->controller_ctx = vol_tls_context_create(f->controller_key, NULL);
	f->find = vol_find_create(f->loop, &f->conf, "", on_found, f, NULL);
	if (!f->find)
		return -1;
	f->uplink = vol_uplink_create(f->loop, f->find, f->device_ctx,
				      &uplink_ops, f, NULL);
	*state = f;
	return f->uplink && f->controller_ctx ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	void *folder = f->folder;

	vol_uplink_destroy(f->uplink);
	vol_find_destroy(f->find);
	vol_conn_destroy(f->controller);
	sd_event_source_unref(f->io);
	sd_event_exit(f->loop, 0);
	sd_event_loop(f->loop);
	vol_tls_context_destroy(f->device_ctx);
	vol_tls_context_destroy(f->controller_ctx);
	vol_keypair_destroy(f->device_key);
	vol_keypair_destroy(f->controller_key);
	vol_device_conf_clear(&f->conf);
	vol_log_set(NULL, NULL, VOL_LOG_ERR);
	close(f->listener);
	sd_event_unref(f->loop);
	free(f);
	return vtest_folder_teardown(&folder);
}

static void wait_for(struct fixture *f, const unsigned *n, unsigned want)
{
	while (*n < want)
		assert_true(sd_event_run(f->loop, PATIENCE_US) > 0);
}

static struct vol_tls_pin pin_of(const struct vol_keypair *key)
{
	return (struct vol_tls_pin){*vol_keypair_fingerprint(key),
				    VOL_FINGERPRINT_BYTES};
}

static void anybody_at_first(void **state)
{
	struct fixture *f = *state;

	vol_uplink_target(f->uplink);
	wait_for(f, &f->welcomes, 1);
	assert_int_equal(f->hellos, 1);
	assert_true(vol_fingerprint_equal(
		&f->key, vol_keypair_fingerprint(f->controller_key)));
	assert_int_equal(f->strangers, 0);
}

/* To a knock nothing is an answer that makes us somebody's. */
static void a_welcome_at_the_door(void **state)
{
	struct fixture *f = *state;
	struct vol_uplink_status status;

	f->does_knock = true;
	vol_uplink_target(f->uplink);
	wait_for(f, &f->knocks, 2);
	assert_int_equal(f->hellos, 0);
	assert_int_equal(f->welcomes, 0);
	assert_int_equal(f->losses, 0);
	assert_contains(f->log, "message out of place");
	vol_uplink_status(f->uplink, &status);
	assert_string_equal(status.cluster, "");
}

static void the_right_one(void **state)
{
	struct fixture *f = *state;
	struct vol_tls_pin pin = pin_of(f->controller_key);

	vol_uplink_pin(f->uplink, &pin);
	vol_uplink_target(f->uplink);
	wait_for(f, &f->welcomes, 1);
}

/* He hears not a word, however often he is met, and the owner reads of him
 * once. */
static void somebody_else(void **state)
{
	struct fixture *f = *state;
	struct vol_tls_pin pin = pin_of(f->device_key);
	struct vol_uplink_status status;
	char text[VOL_FINGERPRINT_SIZE];

	vol_uplink_pin(f->uplink, &pin);
	vol_uplink_target(f->uplink);
	wait_for(f, &f->dials, 3);
	assert_int_equal(f->strangers, 1);
	assert_true(vol_fingerprint_equal(
		&f->key, vol_keypair_fingerprint(f->controller_key)));
	assert_int_equal(f->hellos, 0);
	assert_int_equal(f->welcomes, 0);
	vol_fingerprint_text(&f->key, text);
	vol_uplink_status(f->uplink, &status);
	assert_contains(status.trouble.text, "another key than the one known");
	assert_contains(status.trouble.text, text);
	assert_contains(f->log, status.trouble.text);
	/* The owner says that it is the right one after all. */
	pin = pin_of(f->controller_key);
	vol_uplink_pin(f->uplink, &pin);
	wait_for(f, &f->welcomes, 1);
}

/* A controller that comes back with another key under the same address. */
static void replaced_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct vol_tls_pin pin = pin_of(f->controller_key);

	vol_uplink_pin(f->uplink, &pin);
	vol_uplink_target(f->uplink);
	wait_for(f, &f->welcomes, 1);
	vol_conn_destroy(f->controller);
	f->controller = NULL;
	vol_tls_context_destroy(f->controller_ctx);
	vol_keypair_destroy(f->controller_key);
	f->controller_key = vol_keypair_make(NULL);
	f->controller_ctx = vol_tls_context_create(f->controller_key, NULL);
	wait_for(f, &f->losses, 1);
	wait_for(f, &f->strangers, 1);
	assert_int_equal(f->hellos, 1);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(anybody_at_first),   WITH(a_welcome_at_the_door),
		WITH(the_right_one),      WITH(somebody_else),
		WITH(replaced_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
