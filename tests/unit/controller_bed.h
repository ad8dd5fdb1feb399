/* SPDX-License-Identifier: GPL-2.0-or-later */
/* controller_bed.h - the controller role on a test's own event loop
 *
 * For test_controller.c and its like: their clients and their log.
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

#include "fake_cluster.h"
#include "link.h"
#include "log.h"
#include "role.h"
#include "wire.h"

#include "vtest.h"

/* Far above what any of this takes, on a loaded machine too. */
#define DEADLINE_S 30

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct bed {
	char *folder;
	sd_event *loop;
	void *role;
	uint16_t port;
	const char *lost_after;
	char log[65536];
};

struct client {
	int fd;
	struct vol_wire_reader reader;
	bool closed;
};

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

static void write_conf(struct bed *bed, const char *enrol)
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
		enrol, bed->port, bed->folder, bed->folder, bed->lost_after);
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
	write_conf(bed, "enrol = open");
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
	free(bed);
	return vtest_folder_teardown(&folder);
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

static void dial(struct bed *bed, struct client *c)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(bed->port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	memset(c, 0, sizeof(*c));
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(fcntl(c->fd, F_SETFL, O_NONBLOCK), 0);
}

static void hang_up(struct client *c)
{
	close(c->fd);
	vol_wire_reset(&c->reader);
}

static void send_json(struct client *c, json_t *json)
{
	struct vol_error err;

	assert_non_null(json);
	if (vol_wire_send(c->fd, json, 1000, &err) < 0)
		fail_msg("%s", err.text);
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
		n = recv(c->fd, buf, sizeof(buf), 0);
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
	return 1;
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

static void fill_hello(struct vol_link_msg *m, const char *id, const char *host)
{
	memset(m, 0, sizeof(*m));
	m->type = VOL_LINK_HELLO;
	m->proto = VOL_LINK_PROTO;
	strcpy(m->id, id);
	strcpy(m->boot, "0123456789abcdef0123456789abcdef");
	snprintf(m->hostname, sizeof(m->hostname), "%s", host);
	strcpy(m->version, "0.1.0");
	m->facts.sockets = 1;
	m->facts.cores_per_socket = 4;
	m->facts.threads_per_core = 1;
	m->facts.memory_mb = 4000;
	m->harvest = VOL_HARVEST_OPEN;
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

static void join(struct bed *bed, struct client *c, const char *id,
		 const char *host, const char *node)
{
	struct vol_link_msg m;

	fill_hello(&m, id, host);
	join_as(bed, c, &m, node);
}

#endif
