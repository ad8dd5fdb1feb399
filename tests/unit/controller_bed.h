/* SPDX-License-Identifier: GPL-2.0-or-later */
/* controller_bed.h - the controller role on a test's own event loop
 *
 * For test_controller.c and its like: their clients and their log.  A client
 * shakes hands when it says its first word, with the key of the device that it
 * names there.
 */
#ifndef VOL_CONTROLLER_BED_H
#define VOL_CONTROLLER_BED_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "controller.h"
#include "fake_cluster.h"
#include "keypair.h"
#include "link.h"
#include "log.h"
#include "role.h"
#include "tls.h"
#include "wire.h"

#include "vtest.h"

/* Far above what any of this takes, on a loaded machine too. */
#define DEADLINE_S 30

static uint64_t streams;

/* Names of keys; as identities they are those of nobody. */
#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct device_key {
	struct device_key *next;
	char name[VOL_DEVICE_ID_SIZE], id[VOL_DEVICE_ID_SIZE];
	struct vol_keypair *pair;
	struct vol_tls_context *ctx;
};

struct bed {
	char *folder;
	sd_event *loop;
	void *role;
	uint16_t port;
	const char *lost_after;
	struct device_key *keys; /* owned */
	char log[65536];
};

struct client {
	struct bed *bed;
	int fd;
	struct vol_tls *tls; /* NULL before its first word */
	struct vol_wire_reader reader;
	bool closed;
	uint64_t stream, seq;    /* of its reports; the last */
	struct vol_link_msg ack; /* the last that came */
	unsigned agains;
};

/* The key of that name, made when it is first asked for. */
static struct device_key *device_key(struct bed *bed, const char *name)
{
	struct device_key *k;

	for (k = bed->keys; k; k = k->next)
		if (strcmp(k->name, name) == 0)
			return k;
	k = calloc(1, sizeof(*k));
	snprintf(k->name, sizeof(k->name), "%s", name);
	k->pair = vol_keypair_make(NULL);
	assert_non_null(k->pair);
	vol_fingerprint_id(vol_keypair_fingerprint(k->pair), k->id);
	k->ctx = vol_tls_context_create(k->pair, NULL);
	assert_non_null(k->ctx);
	k->next = bed->keys;
	bed->keys = k;
	return k;
}

/* The key behind an identity, or one that is not known. */
static struct device_key *key_of(struct bed *bed, const char *id)
{
	struct device_key *k;

	for (k = bed->keys; k; k = k->next)
		if (id && strcmp(k->id, id) == 0)
			return k;
	return device_key(bed, "nobody");
}

static void forget_keys(struct bed *bed)
{
	struct device_key *k;

	while ((k = bed->keys)) {
		bed->keys = k->next;
		vol_tls_context_destroy(k->ctx);
		vol_keypair_destroy(k->pair);
		free(k);
	}
}

static void keep_log(enum vol_log_level level, const char *msg, void *arg)
{
	struct bed *bed = arg;
	size_t len = strlen(bed->log);

	(void)level;
	assert_printable(msg);
	snprintf(bed->log + len, sizeof(bed->log) - len, "%s\n", msg);
}

static uint16_t free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	close(fd);
	return ntohs(a.sin_port);
}

static void write_conf(struct bed *bed, const char *approve)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/conf", bed->folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
		"[controller]\n%s\nlisten = 127.0.0.1:%u\nstate_dir = "
		"%s\ncontrol_socket = %s/sock\nheartbeat = 200ms\nlost_after = "
		"%s\npublish = no\ndrain_after = 300ms\n",
		approve, bed->port, bed->folder, bed->folder, bed->lost_after);
	fclose(f);
}

static void *start_role(struct bed *bed, bool check, struct vol_error *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/conf", bed->folder);
	return vol_role_controller.start(bed->loop, path, check, err);
}

static int setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	struct vol_error err = {""};
	void *folder;

	if (!bed || vtest_folder_setup(&folder) < 0 ||
	    sd_event_new(&bed->loop) < 0)
		return -1;
	bed->folder = folder;
	bed->lost_after = "2500ms";
	*state = bed;
	fake_cluster_reset();
	vol_log_set(keep_log, bed, VOL_LOG_INFO);
	bed->port = free_port();
	write_conf(bed, "approve = all");
	bed->role = start_role(bed, false, &err);
	if (!bed->role)
		print_error("%s\n", err.text);
	return bed->role ? 0 : -1;
}

static int teardown(void **state)
{
	struct bed *bed = *state;
	void *folder = bed->folder;

	vol_role_controller.stop(bed->role);
	/* As main() does: links that are being closed go with the loop. */
	sd_event_exit(bed->loop, 0);
	sd_event_loop(bed->loop);
	vol_log_set(NULL, NULL, VOL_LOG_ERR);
	sd_event_unref(bed->loop);
	forget_keys(bed);
	free(bed);
	return vtest_folder_teardown(&folder);
}

/* Stop and start again. */
static inline void restart(struct bed *bed)
{
	struct vol_error err = {""};

	vol_role_controller.stop(bed->role);
	bed->role = start_role(bed, false, &err);
	if (!bed->role)
		fail_msg("%s", err.text);
}

static void turn(struct bed *bed)
{
	assert_true(sd_event_run(bed->loop, 20000) >= 0);
}

/* Turn the loop until condition holds. */
#define run_until(bed, condition)                                       \
	do {                                                            \
		time_t end_ = time(NULL) + DEADLINE_S;                  \
		while (!(condition)) {                                  \
			turn(bed);                                      \
			if (time(NULL) > end_)                          \
				fail_msg("in vain: %s\n%s", #condition, \
					 (bed)->log);                   \
		}                                                       \
	} while (0)

/* Stop and start again, until the controller knows Slurm's nodes. */
static inline void restart_to_know(struct bed *bed)
{
	const struct vol_controller *c;

	restart(bed);
	c = bed->role;
	run_until(bed, c->slurm_known);
}

static void dial(struct bed *bed, struct client *c)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(bed->port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	memset(c, 0, sizeof(*c));
	c->bed = bed;
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(fcntl(c->fd, F_SETFL, O_NONBLOCK), 0);
}

static inline void hang_up(struct client *c)
{
	vol_tls_destroy(c->tls);
	close(c->fd);
	vol_wire_reset(&c->reader);
}

static void shake_hands(struct client *c, struct device_key *key)
{
	enum vol_tls_step step = VOL_TLS_WANT_READ;
	struct vol_error err;

	c->tls = vol_tls_create(key->ctx, VOL_TLS_DEVICE, c->fd, NULL, NULL);
	assert_non_null(c->tls);
	run_until(c->bed,
		  (step = vol_tls_handshake(c->tls, &err)) <= VOL_TLS_DONE);
	if (step != VOL_TLS_DONE)
		fail_msg("handshake: %s\n%s", err.text, c->bed->log);
}

static void send_bytes(struct client *c, const void *data, size_t len)
{
	const char *at = data;
	struct vol_error err;

	if (!c->tls)
		shake_hands(c, key_of(c->bed, NULL));
	while (len > 0) {
		ssize_t n = vol_tls_send(c->tls, at, len, &err);

		if (n < 0)
			fail_msg("%s", err.text);
		at += n;
		len -= (size_t)n;
	}
}

static void send_json(struct client *c, json_t *json)
{
	size_t len;
	char *frame;

	assert_non_null(json);
	if (!c->tls)
		shake_hands(c, key_of(c->bed, json_string_value(json_object_get(
						      json, "id"))));
	frame = vol_wire_encode(json, &len, NULL);
	assert_non_null(frame);
	send_bytes(c, frame, len);
	free(frame);
	json_decref(json);
}

static void send_msg(struct client *c, const struct vol_link_msg *msg)
{
	send_json(c, vol_link_encode(msg));
}

/* 1: *msg is filled; 0: nothing yet. */
static int try_recv(struct client *c, struct vol_link_msg *msg)
{
	struct vol_error err = {""};
	json_t *json;
	char buf[4096];
	ssize_t n;
	int rc = vol_wire_next(&c->reader, &json, &err);

	if (rc == 0) {
		n = c->tls ? vol_tls_recv(c->tls, buf, sizeof(buf), NULL)
			   : recv(c->fd, buf, sizeof(buf), 0);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			c->closed = true;
		if (n <= 0)
			return 0;
		assert_int_equal(
			vol_wire_feed(&c->reader, buf, (size_t)n, &err), 0);
		rc = vol_wire_next(&c->reader, &json, &err);
	}
	if (rc <= 0)
		return 0;
	if (vol_link_decode(json, msg, &err) < 0)
		fail_msg("the controller said nonsense: %s", err.text);
	json_decref(json);
	if (msg->type != VOL_LINK_ACK)
		return 1;
	c->ack = *msg;
	c->agains += msg->again;
	return 0;
}

static void expect(struct bed *bed, struct client *c, enum vol_link_type type,
		   struct vol_link_msg *msg)
{
	run_until(bed, try_recv(c, msg) || c->closed);
	if (c->closed)
		fail_msg("closed instead of %s\n%s", vol_link_type_name(type),
			 bed->log);
	if (msg->type != type)
		fail_msg("%s (%s) instead of %s", vol_link_type_name(msg->type),
			 msg->reason, vol_link_type_name(type));
}

/* name: of the device's key. */
static void fill_hello(struct bed *bed, struct vol_link_msg *m,
		       const char *name, const char *host)
{
	memset(m, 0, sizeof(*m));
	m->type = VOL_LINK_HELLO;
	m->proto = VOL_LINK_PROTO;
	strcpy(m->id, device_key(bed, name)->id);
	strcpy(m->boot, "0123456789abcdef0123456789abcdef");
	snprintf(m->hostname, sizeof(m->hostname), "%s", host);
	strcpy(m->version, "0.1.0");
	m->facts.sockets = 1;
	m->facts.cores_per_socket = 4;
	m->facts.threads_per_core = 1;
	m->facts.memory_mb = 4000;
	m->harvest = VOL_HARVEST_OPEN;
	/* A device that has forgotten everything. */
	m->stream = ++streams;
}

/* The next report of a client that has joined. */
static inline void report(struct client *c, struct vol_link_msg *m)
{
	m->stream = c->stream;
	m->after = c->seq;
	m->report = ++c->seq;
	send_msg(c, m);
}

static void say_state(struct client *c, enum vol_slurmd_state slurmd)
{
	struct vol_link_msg m = {.type = VOL_LINK_STATE, .slurmd = slurmd};

	send_msg(c, &m);
}

/* A device up to the point where its node is in use.  m: its hello. */
static void join_as(struct bed *bed, struct client *c,
		    const struct vol_link_msg *hello, const char *node)
{
	struct vol_link_msg m;

	dial(bed, c);
	c->stream = hello->stream;
	send_msg(c, hello);
	expect(bed, c, VOL_LINK_WELCOME, &m);
	assert_string_equal(m.node, node);
	assert_string_equal(m.cluster, "fake");
	assert_int_equal(m.conf_port, 6817);
	assert_int_equal(m.heartbeat_ms, 200);
	say_state(c, VOL_SLURMD_STARTING);
	fake_cluster_register(node);
	say_state(c, VOL_SLURMD_UP);
	expect(bed, c, VOL_LINK_NODE, &m);
	assert_int_equal(m.node_state, VOL_NODE_UP);
}

static inline void join(struct bed *bed, struct client *c, const char *name,
			const char *host, const char *node)
{
	struct vol_link_msg m;

	fill_hello(bed, &m, name, host);
	join_as(bed, c, &m, node);
}

#endif
