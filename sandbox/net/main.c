/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - slurm-volunteer-net, which makes and guards a step's network (net.h)
 *
 * Where it is not told what has changed, or cannot make the filter say so, it
 * ends, and pasta with it.
 */
#include "config.h"

#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../private.h"
#include "cleanup.h"
#include "netwall.h"
#include "text.h"

/* The name server may change some time after the routes, or without them. */
#define LOOK_MS 5000

struct guard {
	int network;
	uint64_t rate;
	const char *resolver;
	int tree;  /* of mounts, as they were before some were covered */
	bool asks; /* the filter lets questions of names through */
	struct vol_walls_list also; /* denied */
	int asking, watching;       /* sockets of the host's namespace */
	struct vol_pasta pasta;
	struct vol_net_routes routes;
	struct vol_net_deny deny;
	char rules[VOL_NET_RULES_MAX];
};

/* As large as the tables of a router. */
static struct guard guard;

static int take_arguments(struct guard *g, int argc, char *argv[],
			  struct vol_error *err)
{
	if (argc < 4 || vol_network_parse(argv[1], &g->network, err) != 0 ||
	    g->network == VOL_NETWORK_NONE ||
	    vol_text_number(argv[2], strlen(argv[2]), VOL_WALLS_RATE_MIN,
			    VOL_WALLS_RATE_MAX, &g->rate) != 0)
		return vol_errorf_errno(err, EINVAL,
					"is started by slurmstepd only");
	g->resolver = argv[3];
	for (int i = 4; i < argc; i++)
		if (vol_walls_add_deny(&g->also, argv[i], err) != 0)
			return -1;
	return 0;
}

/* Does the machine still ask the name server that pasta leads to?  In another
 * LAN that address is somebody else's. */
static bool is_resolver(const struct guard *g)
{
	/* Where there are symbolic links, to what is covered here. */
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
			       .resolve = RESOLVE_IN_ROOT};
	cleanup_fd int fd = (int)syscall(
		SYS_openat2, g->tree, VOL_NET_RESOLV_CONF, &how, sizeof(how));
	static char text[VOL_NET_RESOLV_CONF_MAX];
	char address[VOL_NET_ADDRESS_SIZE];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	return n > 0 && vol_net_resolver(text, (size_t)n, address) == 0 &&
	       strcmp(address, g->resolver) == 0;
}

static int renew_filter(struct guard *g, struct vol_error *err)
{
	const char *dns;

	g->asks = *g->resolver && is_resolver(g);
	dns = !g->asks                   ? NULL
	      : strchr(g->resolver, ':') ? VOL_NET_DNS6
					 : VOL_NET_DNS4;
	if (vol_routes_read(g->asking, &g->routes, err) != 0)
		return -1;
	vol_net_deny(&g->routes, g->network, &g->also, &g->deny);
	if (vol_net_rules(&g->deny, dns, g->rate, g->rules, sizeof(g->rules)) <
	    0)
		return vol_errorf(err, "filter: %s", strerror(errno));
	return vol_rules_apply(g->rules, err);
}

/* A new one, in which this process is then. */
static int make_namespace(struct vol_error *err)
{
	cleanup_fd int fd = -1;
	int netns;

	if (unshare(CLONE_NEWNET) != 0)
		return vol_errorf(err, "new network namespace: %s",
				  strerror(errno));
	if (vol_raise_loopback(err) != 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	netns = fd < 0 ? -1 : ioctl(fd, SIOCGSKNS);
	if (netns < 0)
		return vol_errorf(err, "network namespace: %s",
				  strerror(errno));
	return netns;
}

static int build(struct guard *g, struct vol_error *err)
{
	int netns;

	g->asking = vol_routes_open(false, err);
	if (g->asking < 0)
		return -1;
	/* Before the first look, so that nothing is missed. */
	g->watching = vol_routes_open(true, err);
	if (g->watching < 0 || vol_routes_read(g->asking, &g->routes, err) != 0)
		return -1;
	if (!vol_net_has_default(&g->routes))
		return vol_errorf_errno(err, ENETUNREACH,
					"this machine has no default route");
	g->tree = open_tree(AT_FDCWD, "/",
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (g->tree < 0)
		return vol_errorf(err, "mounts: %s", strerror(errno));
	if (vol_pasta_prepare(VOL_NET_TUN_FD, g->resolver, err) != 0 ||
	    vol_pasta_fork(&g->pasta, g->resolver, err) != 0)
		return -1;
	netns = make_namespace(err);
	if (netns < 0 || renew_filter(g, err) != 0 ||
	    vol_pasta_connect(&g->pasta, netns, err) != 0)
		return -1;
	return netns;
}

/* The filter is all that is left to do. */
static int drop_privileges(struct vol_error *err)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct only[2] = {{0}};

	only[0].effective = only[0].permitted = 1u << CAP_NET_ADMIN;
	if (syscall(SYS_capset, &head, only) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return vol_errorf(err, "capabilities: %s", strerror(errno));
	return 0;
}

/* -1: nobody can tell any more. */
static int has_changed(const struct guard *g, bool routes)
{
	int changed = routes ? vol_routes_changed(g->watching) : 0;

	if (changed == 0 && *g->resolver)
		changed = is_resolver(g) != g->asks;
	return changed;
}

/* Until pid 1 ends, nobody wants the network, or it can not be held. */
static int keep(struct guard *g, int pid1)
{
	struct pollfd fds[] = {{.fd = pid1, .events = POLLIN},
			       {.fd = g->pasta.pid_fd, .events = POLLIN},
			       {.fd = g->watching, .events = POLLIN}};
	struct vol_error err;
	int changed;

	for (;;) {
		if (poll(fds, 3, *g->resolver ? LOOK_MS : -1) < 0 &&
		    errno != EINTR)
			return 1;
		if (fds[0].revents)
			return 0;
		if (fds[1].revents)
			return 1;
		changed = has_changed(g, fds[2].revents);
		if (changed < 0 || (changed && renew_filter(g, &err) != 0))
			return 1;
	}
}

int main(int argc, char *argv[])
{
	struct guard *g = &guard;
	struct vol_error err = {""};
	int netns = -1, pid1;

	prctl(PR_SET_NAME, "vol-net");
	if (fcntl(VOL_NET_CHANNEL_FD, F_SETFD, FD_CLOEXEC) != 0)
		return 1;
	if (take_arguments(g, argc, argv, &err) == 0)
		netns = build(g, &err);
	if (netns < 0 || drop_privileges(&err) != 0 ||
	    vol_report_hand(VOL_NET_CHANNEL_FD, netns, &err) != 0) {
		vol_error_prefix(&err, "network");
		vol_report_failed(VOL_NET_CHANNEL_FD, &err);
		return 1;
	}
	close(netns);
	/* Whoever wanted it may have failed meanwhile. */
	if (vol_report_wait(VOL_NET_CHANNEL_FD, &pid1, &err) != 0)
		return 1;
	close(VOL_NET_CHANNEL_FD);
	return keep(g, pid1);
}
