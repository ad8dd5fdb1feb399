/* SPDX-License-Identifier: GPL-2.0-or-later */
/* routes.c - what the kernel says of its routes (rtnetlink(7)) */
#include "config.h"

#include "net.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "netwall.h"

/* The kernel's answers come in pieces of at most 32 KiB (netlink_dump()). */
#define ANSWER_SIZE (64 * 1024)

/* Tables that change each time that they are read are no desktop's. */
#define TRIES 20

int vol_routes_open(bool watch, struct vol_error *err)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = watch ? RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE : 0,
	};
	cleanup_fd int fd =
		socket(AF_NETLINK,
		       SOCK_RAW | SOCK_CLOEXEC | (watch ? SOCK_NONBLOCK : 0),
		       NETLINK_ROUTE);

	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return vol_errorf(err, "routes: %s", strerror(errno));
	return steal_fd(&fd);
}

static int ask(int fd, struct vol_error *err)
{
	struct {
		struct nlmsghdr head;
		struct rtmsg body;
	} question = {
		.head = {.nlmsg_len = sizeof(question),
			 .nlmsg_type = RTM_GETROUTE,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		/* One family after the other, all tables. */
		.body = {.rtm_family = AF_UNSPEC},
	};

	if (send(fd, &question, sizeof(question), 0) !=
	    (ssize_t)sizeof(question))
		return vol_errorf(err, "routes: %s", strerror(errno));
	return 0;
}

static int hear(int fd, struct vol_net_routes *routes, struct vol_error *err)
{
	static _Alignas(struct nlmsghdr) char answer[ANSWER_SIZE];
	ssize_t n;
	int rc = 0;

	do {
		n = recv(fd, answer, sizeof(answer), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return vol_errorf(err, "routes: %s", strerror(errno));
		rc = vol_net_routes_take(routes, answer, (size_t)n, err);
	} while (rc == 0);
	return rc == 1 ? 0 : -1;
}

/* Of an answer that was not heard to its end.  The kernel gives one piece for
 * each that was taken, so this ends it. */
static void forget_rest(int fd)
{
	static char rest[ANSWER_SIZE];

	while (recv(fd, rest, sizeof(rest), MSG_DONTWAIT) > 0)
		;
}

int vol_routes_read(int fd, struct vol_net_routes *routes,
		    struct vol_error *err)
{
	int rc = -1;

	errno = EINTR;
	for (int i = 0; i < TRIES && rc != 0 && errno == EINTR; i++) {
		forget_rest(fd);
		routes->n = 0;
		if (ask(fd, err) != 0)
			return -1;
		rc = hear(fd, routes, err);
	}
	return rc;
}

int vol_routes_changed(int fd)
{
	static char news[ANSWER_SIZE];
	int changed = 0;

	/* What it says is not looked at.  ENOBUFS: more than it could keep. */
	while (recv(fd, news, sizeof(news), 0) > 0 || errno == ENOBUFS)
		changed = 1;
	return errno == EAGAIN || errno == EINTR ? changed : -1;
}
