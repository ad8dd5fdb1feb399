/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netwall.h - where a job with a network may send to; pure
 *
 * A job that was given "internet" must reach the internet and nothing of its
 * host's surroundings.  What those are is written in the host's routing tables:
 * its own addresses, and every network that it knows a way to other than the
 * default one.  An IPv6 LAN has public addresses, a VPN may have; so what is
 * said there is denied, not only what RFC 1918 calls private.
 * For IPv6 that is not all of a site, which may have more networks than the one
 * that this host is in; so the /48 around each public address of its own is
 * denied, too.
 *
 *	reading		vol_net_routes_take (what the kernel answers)
 *	deciding	vol_net_deny
 *	writing		vol_net_rules (text for nft(8))
 *
 * "lan" lifts what the host's LAN is: the private ranges, and the networks on
 * the interfaces that lead to a default route.  Others (VPNs, bridges of
 * containers and virtual machines) and the host itself stay denied.
 */
#ifndef VOL_NETWALL_H
#define VOL_NETWALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "walls.h"

/* Inside, the link to the host has addresses that are on no network: those that
 * RFC 7335 sets apart for a host's own translators, and a unique local prefix
 * that nothing outside hears of.  What is asked of the one for DNS (UDP, port
 * 53) reaches the host's own resolver. */
#define VOL_NET_ADDRESS4 "192.0.0.2"
#define VOL_NET_GATEWAY4 "192.0.0.1"
#define VOL_NET_LENGTH4  "29"
#define VOL_NET_DNS4     "192.0.0.3"
#define VOL_NET_ADDRESS6 "fd76:6f6c:756e:7465::2"
#define VOL_NET_GATEWAY6 "fe80::1"
#define VOL_NET_DNS6     "fd76:6f6c:756e:7465::3"

/* Text of an address and its NUL: INET6_ADDRSTRLEN. */
#define VOL_NET_ADDRESS_SIZE 46

/* A desktop has some dozen; a table of more is no desktop's, and is an error.
 */
#define VOL_NET_ROUTES_MAX 2048
/* One for each of those and of the owner's own, those that always are, and for
 * each of IPv4 what it is behind a NAT64. */
#define VOL_NET_DENY_MAX (2 * (VOL_NET_ROUTES_MAX + VOL_WALLS_LIST_MAX) + 64)
/* Text of a prefix and its NUL. */
#define VOL_NET_PREFIX_SIZE (VOL_NET_ADDRESS_SIZE + 4)
/* Of the text; a prefix takes 46 bytes at most. */
#define VOL_NET_RULES_MAX (VOL_NET_DENY_MAX * 48 + 4096)

struct vol_net_prefix {
	uint8_t version; /* 4 or 6 */
	uint8_t length;  /* bits */
	uint8_t address[16];
};

struct vol_net_route {
	struct vol_net_prefix to;
	bool own;           /* to this host itself, or a broadcast */
	uint32_t interface; /* number of the one that leads there; 0: several */
};

struct vol_net_routes {
	size_t n;
	struct vol_net_route route[VOL_NET_ROUTES_MAX];
};

/* Sorted, none within another: IPv4 first. */
struct vol_net_deny {
	size_t n;
	struct vol_net_prefix prefix[VOL_NET_DENY_MAX];
};

/* Add what is in one answer to RTM_GETROUTE (all tables, both families), len
 * bytes of messages.  1: it was the last one; 0: more come.  -1: EIO for what
 * the kernel calls an error or is no message, EINTR when the tables changed
 * meanwhile (begin anew), ENOSPC for too many. */
int vol_net_routes_take(struct vol_net_routes *routes, const void *data,
			size_t len, struct vol_error *err);

/* Is there a way to the internet at all? */
bool vol_net_has_default(const struct vol_net_routes *routes);

/* "192.0.2.1", "2001:db8::/32"; bits behind the length are cleared.  -1 with
 * EINVAL. */
int vol_net_prefix_parse(const char *text, struct vol_net_prefix *prefix);

/* network: enum vol_network (walls.h), and none of VOL_NETWORK_NONE.  also:
 * what the owner denies besides, from vol_walls_add_deny(), NULL: nothing. */
void vol_net_deny(const struct vol_net_routes *routes, int network,
		  const struct vol_walls_list *also, struct vol_net_deny *deny);

/* Is address (text) in the list?  EINVAL (-1) for what is no address. */
int vol_net_denies(const struct vol_net_deny *deny, const char *address);

/* A table for nft(8) that takes the place of an earlier one in one step.  What
 * is not TCP or UDP to elsewhere is refused, what comes in and is no answer is
 * dropped; each direction is held to rate_bytes a second, and what begins to
 * 100 a second.  dns: VOL_NET_DNS4, VOL_NET_DNS6 or NULL.  Length, or -1 with
 * ENOSPC. */
int vol_net_rules(const struct vol_net_deny *deny, const char *dns,
		  uint64_t rate_bytes, char *buf, size_t size);

/* The first name server of a resolv.conf(5) that can be asked from elsewhere on
 * this host: IPv4 before IPv6, none with an interface (fe80::1%eth0).  0, or -1
 * with ENOENT. */
int vol_net_resolver(const char *text, size_t len,
		     char address[VOL_NET_ADDRESS_SIZE]);

#endif
