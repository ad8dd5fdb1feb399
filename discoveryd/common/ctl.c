/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl.c - local control socket: one request frame, one reply frame
 *
 * The socket is made under a temporary name and renamed, so that a client
 * never meets one that does not listen yet.
 */
#include "config.h"

#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "conn.h"
#include "log.h"
#include "wire.h"

#define CLIENTS_MAX 64
/* Of these, for root and the daemon's own user only. */
#define CLIENTS_KEPT 8
/* Of the others, by one user: a job must not keep the owner out. */
#define CLIENTS_OF_USER 16
#define CLIENT_US       (10 * 1000 * 1000ULL)
/* accept fails while the table of descriptors is full: try again then. */
#define REST_US (1000 * 1000ULL)

/* A client counts until its descriptor is closed: also while its answer is on
 * the way, when conn is NULL. */
struct client {
	struct client *next;
	struct vol_ctl *ctl; /* NULL: gone before this answer was out */
	struct vol_conn *conn;
	sd_event_source *deadline;
	uid_t uid;
};

struct vol_ctl {
	sd_event *loop;
	sd_event_source *listener, *rest;
	int fd;
	char *path;
	const struct vol_ctl_command *commands;
	void *arg;
	struct client *clients;
	size_t n_clients;
};

/* The connection is not touched: it is finished or destroyed by the caller. */
static void remove_client(struct client *client)
{
	struct client **link;

	if (client->ctl) {
		link = &client->ctl->clients;
		while (*link != client)
			link = &(*link)->next;
		*link = client->next;
		client->ctl->n_clients--;
	}
	sd_event_source_disable_unref(client->deadline);
	free(client);
}

static bool is_daemon(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

static json_t *run(struct client *client, const json_t *msg,
		   struct vol_error *err)
{
	const struct vol_ctl_command *cmd = client->ctl->commands;
	const char *type = json_string_value(json_object_get(msg, "type"));

	for (; cmd->type; cmd++)
		if (type && !strcmp(cmd->type, type))
			break;
	if (!cmd->type) {
		vol_errorf(err, "unknown request '%s'", type ? type : "");
		return NULL;
	}
	if (cmd->privileged && !is_daemon(client->uid)) {
		vol_errorf_errno(err, EPERM, "'%s' is for root", type);
		return NULL;
	}
	return cmd->run(msg, client->uid, client->ctl->arg, err);
}

static void on_finished(void *arg)
{
	remove_client(arg);
}

static void on_message(struct vol_conn *conn, const json_t *msg, void *arg)
{
	struct client *client = arg;
	struct vol_error err = {"no reason given"};
	json_t *data = run(client, msg, &err);
	json_t *reply;

	if (data)
		reply = json_pack("{s:s, s:o}", "type", "ok", "data", data);
	else
		reply = json_pack("{s:s, s:s}", "type", "error", "reason",
				  err.text);
	client->deadline = sd_event_source_disable_unref(client->deadline);
	client->conn = NULL;
	if (reply)
		vol_conn_send(conn, reply);
	json_decref(reply);
	vol_conn_finish_then(conn, on_finished, client);
}

static void on_closed(struct vol_conn *conn, const char *reason, bool protocol,
		      void *arg)
{
	struct client *client = arg;

	if (protocol)
		vol_warn("control client of uid %u: %s", (unsigned)client->uid,
			 reason);
	remove_client(client);
	vol_conn_destroy(conn);
}

static const struct vol_conn_ops client_ops = {.message = on_message,
					       .closed = on_closed};

static int on_deadline(sd_event_source *s, uint64_t usec, void *arg)
{
	struct client *client = arg;
	struct vol_conn *conn = client->conn;

	(void)s;
	(void)usec;
	remove_client(client);
	vol_conn_destroy(conn);
	return 0;
}

static int check_room(const struct vol_ctl *c, uid_t uid, struct vol_error *err)
{
	const struct client *client;
	size_t same = 0;

	for (client = c->clients; client; client = client->next)
		same += client->uid == uid;
	if (c->n_clients < CLIENTS_MAX - CLIENTS_KEPT && same < CLIENTS_OF_USER)
		return 0;
	if (c->n_clients < CLIENTS_MAX && is_daemon(uid))
		return 0;
	return vol_errorf_errno(err, EBUSY,
				"%zu control clients, %zu of uid %u",
				c->n_clients, same, (unsigned)uid);
}

static int add_client(struct vol_ctl *c, int fd, struct vol_error *err)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	struct client *client;
	int r;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return vol_errorf(err, "SO_PEERCRED: %s", strerror(errno));
	if (check_room(c, cred.uid, err) < 0)
		return -1;
	client = calloc(1, sizeof(*client));
	if (!client)
		return vol_errorf(err, "out of memory");
	client->ctl = c;
	client->uid = cred.uid;
	client->conn = vol_conn_attach(c->loop, fd, 2 * VOL_WIRE_MAX,
				       &client_ops, client, err);
	if (!client->conn) {
		free(client);
		return -1;
	}
	client->next = c->clients;
	c->clients = client;
	c->n_clients++;
	r = sd_event_add_time_relative(c->loop, &client->deadline,
				       CLOCK_MONOTONIC, CLIENT_US, 0,
				       on_deadline, client);
	/* The descriptor belongs to the connection by now. */
	if (r < 0)
		on_deadline(NULL, 0, client);
	return 0;
}

static int on_rest(sd_event_source *s, uint64_t usec, void *arg)
{
	struct vol_ctl *c = arg;

	(void)s;
	(void)usec;
	sd_event_source_set_enabled(c->listener, SD_EVENT_ON);
	return 0;
}

static int on_accept(sd_event_source *s, int listener, uint32_t events,
		     void *arg)
{
	struct vol_ctl *c = arg;
	struct vol_error err;
	cleanup_fd int fd =
		accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
			sd_event_source_set_enabled(s, SD_EVENT_OFF);
			sd_event_source_set_time_relative(c->rest, REST_US);
			sd_event_source_set_enabled(c->rest, SD_EVENT_ONESHOT);
		}
		return 0;
	}
	if (add_client(c, fd, &err) < 0)
		vol_debug("control client turned away: %s", err.text);
	else
		(void)steal_fd(&fd);
	return 0;
}

/* Does somebody answer at this socket? */
static bool in_use(const struct sockaddr_un *sa)
{
	cleanup_fd int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	/* EAGAIN: its queue is full, so somebody listens. */
	return fd >= 0 &&
	       (connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0 ||
		errno == EAGAIN);
}

static int set_address(struct sockaddr_un *sa, const char *path,
		       const char *suffix, struct vol_error *err)
{
	int n = snprintf(sa->sun_path, sizeof(sa->sun_path), "%s%s", path,
			 suffix);

	sa->sun_family = AF_UNIX;
	if (n < 0 || (size_t)n >= sizeof(sa->sun_path))
		return vol_errorf_errno(err, ENAMETOOLONG,
					"%s: longer than %zu characters", path,
					sizeof(sa->sun_path) - 5);
	return 0;
}

static int make_folder(const char *path, struct vol_error *err)
{
	cleanup_free char *folder = strdup(path);
	char *slash = folder ? strrchr(folder, '/') : NULL;

	if (!slash || slash == folder)
		return 0;
	*slash = '\0';
	return vol_mkdir_p(folder, 0755, err);
}

static int listen_at(const char *path, struct vol_error *err)
{
	struct sockaddr_un sa = {0}, tmp = {0};
	cleanup_fd int fd = -1;

	if (set_address(&tmp, path, ".new", err) < 0 ||
	    set_address(&sa, path, "", err) < 0 || make_folder(path, err) < 0)
		return -1;
	if (in_use(&sa))
		return vol_errorf_errno(err, EADDRINUSE,
					"%s: another discoveryd answers there",
					path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	unlink(tmp.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&tmp, sizeof(tmp)) < 0 ||
	    chmod(tmp.sun_path, 0666) < 0 || listen(fd, SOMAXCONN) < 0 ||
	    rename(tmp.sun_path, path) < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	return steal_fd(&fd);
}

struct vol_ctl *vol_ctl_create(sd_event *loop, const char *path,
			       const struct vol_ctl_command *commands,
			       void *arg, struct vol_error *err)
{
	struct vol_ctl *c = calloc(1, sizeof(*c));
	int r;

	if (!c || !(c->path = strdup(path))) {
		vol_errorf(err, "out of memory");
		free(c);
		return NULL;
	}
	c->loop = sd_event_ref(loop);
	c->commands = commands;
	c->arg = arg;
	c->fd = listen_at(path, err);
	if (c->fd < 0)
		goto error;
	r = sd_event_add_io(loop, &c->listener, c->fd, EPOLLIN, on_accept, c);
	if (r >= 0)
		r = sd_event_add_time_relative(loop, &c->rest, CLOCK_MONOTONIC,
					       REST_US, 0, on_rest, c);
	if (r < 0) {
		vol_errorf_errno(err, -r, "%s: %s", path, strerror(-r));
		goto error;
	}
	return c;
error:
	vol_ctl_destroy(c);
	return NULL;
}

/* One that was answered already still gets its answer. */
static void drop_client(struct vol_ctl *c, struct client *client)
{
	if (client->conn) {
		on_deadline(NULL, 0, client);
		return;
	}
	c->clients = client->next;
	client->ctl = NULL;
}

void vol_ctl_destroy(struct vol_ctl *c)
{
	int saved = errno;

	if (!c)
		return;
	while (c->clients)
		drop_client(c, c->clients);
	sd_event_source_disable_unref(c->listener);
	sd_event_source_disable_unref(c->rest);
	if (c->fd >= 0) {
		close(c->fd);
		unlink(c->path);
	}
	free(c->path);
	sd_event_unref(c->loop);
	free(c);
	errno = saved;
}
