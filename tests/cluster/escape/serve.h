/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serve.h - what a program has that others might reach; for owner.c and
 * neighbour.c
 *
 * All of it holds the same secret.  Whoever comes gets it, and one line of the
 * log says so.
 */
#ifndef ESCAPE_SERVE_H
#define ESCAPE_SERVE_H

#include "attempt.h"

#include <mqueue.h>
#include <linux/keyctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#define ENDPOINTS_MAX 16

struct endpoint {
	int fd;
	const char *name;
	enum { STREAM, DATAGRAM, PLAIN } kind;
};

static struct endpoint endpoints[ENDPOINTS_MAX];
static size_t n_endpoints;
static const char *secret;
static int log_fd = -1;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static void note(const char *what, const char *name)
{
	if (log_fd >= 0)
		dprintf(log_fd, "%s %s\n", what, name);
}

static void add_endpoint(int fd, const char *name, int kind)
{
	if (fd < 0 || n_endpoints == ENDPOINTS_MAX)
		fail(name);
	endpoints[n_endpoints++] = (struct endpoint){fd, name, kind};
}

/* Abstract if the name begins with '@'. */
static void serve_unix(const char *name, mode_t mode)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len = strlen(name);

	memcpy(address.sun_path, name, len);
	if (*name == '@')
		address.sun_path[0] = '\0';
	else
		unlink(name);
	if (bind(fd, (struct sockaddr *)&address,
		 offsetof(struct sockaddr_un, sun_path) + len) ||
	    listen(fd, 64))
		fail(name);
	if (*name != '@')
		chmod(name, mode);
	add_endpoint(fd, name, STREAM);
}

static void serve_inet(const char *name, unsigned port, int type)
{
	struct sockaddr_in address = inet_address("127.0.0.1", port);
	int on = 1, fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    (type == SOCK_STREAM && listen(fd, 64)))
		fail(name);
	add_endpoint(fd, name, type == SOCK_STREAM ? STREAM : DATAGRAM);
}

static void hold_sysv_memory(key_t key, int mode)
{
	int id = shmget(key, 4096, IPC_CREAT | mode);
	char *memory = id < 0 ? (void *)-1 : shmat(id, NULL, 0);

	if (memory == (void *)-1)
		fail("shared memory");
	strcpy(memory, secret);
}

/* Longer than any test; what a test that was killed left goes then, too. */
#define KEY_S (4 * 3600)

/* Its possessor and its user may do everything with it.  Possessor is whose
 * session leads to it, as after a login: not so for what root started. */
static long hold_key(const char *name)
{
	long id;

	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
	    syscall(SYS_keyctl, KEYCTL_LINK, KEY_SPEC_USER_KEYRING,
		    KEY_SPEC_SESSION_KEYRING))
		fail("session keyring");
	id = syscall(SYS_add_key, "user", name, secret, strlen(secret),
		     KEY_SPEC_USER_KEYRING);
	if (id < 0 || syscall(SYS_keyctl, KEYCTL_SETPERM, id, 0x3f3f0000) ||
	    syscall(SYS_keyctl, KEYCTL_SET_TIMEOUT, id, KEY_S))
		fail("key");
	return id;
}

static void answer(const struct endpoint *endpoint)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char data[256];
	int fd;

	switch (endpoint->kind) {
	case STREAM:
		fd = accept4(endpoint->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			return;
		/* It may be gone already, as one is that only connected. */
		if (send(fd, secret, strlen(secret), MSG_NOSIGNAL) < 0)
			note("broken", endpoint->name);
		close(fd);
		break;
	case DATAGRAM:
		if (recvfrom(endpoint->fd, data, sizeof(data), 0,
			     (struct sockaddr *)&from, &len) < 0)
			return;
		sendto(endpoint->fd, secret, strlen(secret), 0,
		       (struct sockaddr *)&from, len);
		break;
	default:
		if (read(endpoint->fd, data, sizeof(data)) < 0)
			return;
	}
	note("came to", endpoint->name);
}

static _Noreturn void serve(void)
{
	struct pollfd polled[ENDPOINTS_MAX];

	for (;;) {
		for (size_t i = 0; i < n_endpoints; i++)
			polled[i] = (struct pollfd){.fd = endpoints[i].fd,
						    .events = POLLIN};
		if (poll(polled, n_endpoints, -1) < 0 && errno != EINTR)
			fail("poll");
		for (size_t i = 0; i < n_endpoints; i++)
			if (polled[i].revents & POLLIN)
				answer(&endpoints[i]);
	}
}

#endif
