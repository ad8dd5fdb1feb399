/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netwatch.c - hear of local addresses that come and go */
#include "config.h"

#include "device/netwatch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel's own advice for a netlink buffer (netlink(7)). */
#define BUFFER_SIZE 8192

struct vol_netwatch {
	int fd;
	sd_event_source *io;
	vol_netwatch_f changed;
	void *arg;
};

static void take(struct vol_netwatch *n, struct nlmsghdr *h)
{
	struct ifaddrmsg *ifa = NLMSG_DATA(h);
	char address[INET6_ADDRSTRLEN] = "";
	struct rtattr *a;
	int len;

	if ((h->nlmsg_type != RTM_NEWADDR && h->nlmsg_type != RTM_DELADDR) ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*ifa)))
		return;
	len = (int)IFA_PAYLOAD(h);
	for (a = IFA_RTA(ifa); RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		/* IFA_LOCAL is ours where IFA_ADDRESS is the peer's, and comes
		 * later; IPv6 has only the latter. */
		if (a->rta_type != IFA_LOCAL && a->rta_type != IFA_ADDRESS)
			continue;
		if (RTA_PAYLOAD(a) == (ifa->ifa_family == AF_INET6
					       ? sizeof(struct in6_addr)
					       : sizeof(struct in_addr)))
			inet_ntop(ifa->ifa_family, RTA_DATA(a), address,
				  sizeof(address));
	}
	if (address[0])
		n->changed(address, h->nlmsg_type == RTM_NEWADDR, n->arg);
}

static int on_event(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct vol_netwatch *n = arg;
	_Alignas(struct nlmsghdr) char buf[BUFFER_SIZE];
	struct nlmsghdr *h = (struct nlmsghdr *)buf;
	ssize_t got = recv(fd, buf, sizeof(buf), 0);
	unsigned len;

	(void)s;
	(void)events;
	if (got < 0) {
		if (errno == ENOBUFS)
			n->changed(NULL, true, n->arg);
		return 0;
	}
	for (len = (unsigned)got; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len))
		take(n, h);
	return 0;
}

struct vol_netwatch *vol_netwatch_create(sd_event *loop, vol_netwatch_f changed,
					 void *arg, struct vol_error *err)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK,
				 .nl_groups = RTMGRP_IPV4_IFADDR |
					      RTMGRP_IPV6_IFADDR};
	struct vol_netwatch *n = calloc(1, sizeof(*n));
	int r;

	if (!n) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	n->changed = changed;
	n->arg = arg;
	n->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       NETLINK_ROUTE);
	if (n->fd < 0 || bind(n->fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		vol_errorf(err, "rtnetlink: %s", strerror(errno));
		vol_netwatch_destroy(n);
		return NULL;
	}
	r = sd_event_add_io(loop, &n->io, n->fd, EPOLLIN, on_event, n);
	if (r < 0) {
		vol_errorf_errno(err, -r, "rtnetlink: %s", strerror(-r));
		vol_netwatch_destroy(n);
		return NULL;
	}
	return n;
}

void vol_netwatch_destroy(struct vol_netwatch *n)
{
	int saved = errno;

	if (!n)
		return;
	sd_event_source_disable_unref(n->io);
	if (n->fd >= 0)
		close(n->fd);
	free(n);
	errno = saved;
}
