/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netwall.c - where a job with a network may send to */
#include "config.h"

#include "netwall.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* IANA's registries of special-purpose addresses (RFC 6890), but for the
 * ranges of documentation, which lead nowhere.  The benchmarking range is used
 * within labs. */
static const struct {
	const char *address;
	uint8_t length;
	bool lan; /* may be the owner's LAN */
} special[] = {
	{"0.0.0.0", 8, false},      /* "this host" */
	{"10.0.0.0", 8, true},      /* RFC 1918 */
	{"100.64.0.0", 10, false},  /* RFC 6598: carriers, Tailscale */
	{"127.0.0.0", 8, false},    /* loopback */
	{"169.254.0.0", 16, false}, /* link-local, clouds' metadata */
	{"172.16.0.0", 12, true},   /* RFC 1918 */
	{"192.0.0.0", 24, false},   /* our own link is there, too */
	{"192.168.0.0", 16, true},  /* RFC 1918 */
	{"198.18.0.0", 15, false},  /* RFC 2544 */
	{"224.0.0.0", 4, false},    /* multicast */
	{"240.0.0.0", 4, false},    /* reserved, broadcast */
	{"::", 96, false},          /* unspecified, loopback, compatible */
	{"::ffff:0:0", 96, false},  /* mapped */
	{"64:ff9b:1::", 48, false}, /* RFC 8215: a site's own NAT64 */
	{"100::", 64, false},       /* RFC 6666: discarded */
	{"2001::", 32, false},      /* Teredo holds an IPv4 address */
	{"2002::", 16, false},      /* so does 6to4 */
	{"fc00::", 7, true},        /* RFC 4193 */
	{"fe80::", 10, false},      /* link-local */
	{"fec0::", 10, true},       /* site-local, of old */
	{"ff00::", 8, false},       /* multicast */
};

#define N_SPECIAL (sizeof(special) / sizeof(special[0]))

/* RFC 6052: 64:ff9b::a.b.c.d is a.b.c.d behind the LAN's NAT64. */
static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};

/* Nobody has a network of more: a route as short is a way to everywhere, such
 * as the two halves by which VPNs take the place of a default route. */
#define SHORTEST4 8
#define SHORTEST6 16
/* Where the internet is not (2000::/3, RFC 4291): VPNs may have all of 200::/7
 * (Yggdrasil) or of fc00::/7 (RFC 4193). */
#define SHORTEST6_ELSEWHERE 7

static const struct vol_net_prefix global6 = {6, 3, {0x20}};

/* What an IPv6 site is given at most (RFC 6177), and with it the other networks
 * of the owner's that this host has no route to. */
#define SITE6 48

/* --- reading ------------------------------------------------------------- */

static void mask(struct vol_net_prefix *p)
{
	for (unsigned int bit = p->length; bit < 128; bit++)
		p->address[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

/* Of what kind is it?  -1: it leads nowhere, or is one of many copies. */
static int kind_of(const struct rtmsg *r)
{
	if (r->rtm_flags & RTM_F_CLONED)
		return -1;
	switch (r->rtm_type) {
	case RTN_LOCAL:
	case RTN_BROADCAST:
	case RTN_ANYCAST:
		return true;
	case RTN_UNICAST:
		return false;
	default:
		return -1;
	}
}

static int take_route(struct vol_net_routes *routes, const struct nlmsghdr *h,
		      struct vol_error *err)
{
	const struct rtmsg *r = NLMSG_DATA(h);
	/* Signed: behind the last one the macros count below 0. */
	int left = (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*r)));
	const struct rtattr *a = RTM_RTA(r);
	struct vol_net_route route = {.own = kind_of(r) == true};
	size_t bytes = r->rtm_family == AF_INET ? 4 : 16;

	if (kind_of(r) < 0 ||
	    (r->rtm_family != AF_INET && r->rtm_family != AF_INET6))
		return 0;
	if (r->rtm_dst_len > bytes * 8)
		return vol_errorf_errno(err, EIO, "routes: not understood");
	route.to.version = bytes == 4 ? 4 : 6;
	route.to.length = r->rtm_dst_len;
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == RTA_DST && RTA_PAYLOAD(a) == bytes)
			memcpy(route.to.address, RTA_DATA(a), bytes);
		if (a->rta_type == RTA_OIF &&
		    RTA_PAYLOAD(a) == sizeof(route.interface))
			memcpy(&route.interface, RTA_DATA(a),
			       sizeof(route.interface));
	}
	mask(&route.to);
	if (routes->n == VOL_NET_ROUTES_MAX)
		return vol_errorf_errno(err, ENOSPC, "more than %d routes",
					VOL_NET_ROUTES_MAX);
	routes->route[routes->n++] = route;
	return 0;
}

static int take_message(struct vol_net_routes *routes, const struct nlmsghdr *h,
			struct vol_error *err)
{
	int error = EIO;

	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		return vol_errorf_errno(err, EINTR, "routes: they changed");
	switch (h->nlmsg_type) {
	case NLMSG_DONE:
		return 1;
	case NLMSG_NOOP:
		return 0;
	case RTM_NEWROUTE:
		if (h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct rtmsg)))
			return take_route(routes, h, err);
		break;
	case NLMSG_ERROR:
		if (h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nlmsgerr)))
			error = -((const struct nlmsgerr *)NLMSG_DATA(h))
					 ->error;
		return vol_errorf_errno(err, EIO, "routes: %s",
					strerror(error));
	}
	return vol_errorf_errno(err, EIO, "routes: not understood");
}

int vol_net_routes_take(struct vol_net_routes *routes, const void *data,
			size_t len, struct vol_error *err)
{
	const struct nlmsghdr *h = data;
	/* Signed, as above; more than the kernel ever sends is cut off. */
	int left = len < INT_MAX / 2 ? (int)len : INT_MAX / 2, rc;

	for (; left > 0 && NLMSG_OK(h, (unsigned int)left);
	     h = NLMSG_NEXT(h, left)) {
		rc = take_message(routes, h, err);
		if (rc != 0)
			return rc;
	}
	if (left > 0)
		return vol_errorf_errno(err, EIO, "routes: cut off");
	return 0;
}

/* --- deciding ------------------------------------------------------------ */

static bool is_default(const struct vol_net_route *r)
{
	return !r->own && r->to.length == 0;
}

bool vol_net_has_default(const struct vol_net_routes *routes)
{
	for (size_t i = 0; i < routes->n; i++)
		if (is_default(&routes->route[i]))
			return true;
	return false;
}

static bool is_uplink(const struct vol_net_routes *routes, uint32_t interface)
{
	for (size_t i = 0; i < routes->n; i++)
		if (interface && is_default(&routes->route[i]) &&
		    routes->route[i].interface == interface)
			return true;
	return false;
}

static void add(struct vol_net_deny *deny, const struct vol_net_prefix *p)
{
	struct vol_net_prefix behind = {.version = 6};

	/* Their number is bounded by that of routes. */
	deny->prefix[deny->n++] = *p;
	if (p->version == 6)
		return;
	behind.length = (uint8_t)(p->length + 96);
	memcpy(behind.address, nat64, sizeof(nat64));
	memcpy(behind.address + sizeof(nat64), p->address, 4);
	deny->prefix[deny->n++] = behind;
}

static void add_special(struct vol_net_deny *deny, int network)
{
	for (size_t i = 0; i < N_SPECIAL; i++) {
		struct vol_net_prefix p = {.length = special[i].length};

		if (network == VOL_NETWORK_LAN && special[i].lan)
			continue;
		p.version = strchr(special[i].address, ':') ? 6 : 4;
		inet_pton(p.version == 4 ? AF_INET : AF_INET6,
			  special[i].address, p.address);
		add(deny, &p);
	}
}

static int compare(const void *left, const void *right)
{
	const struct vol_net_prefix *a = left, *b = right;
	int order = memcmp(a->address, b->address, sizeof(a->address));

	if (a->version != b->version)
		return a->version - b->version;
	return order ? order : a->length - b->length;
}

static bool is_within(const struct vol_net_prefix *inner,
		      const struct vol_net_prefix *outer)
{
	struct vol_net_prefix p = *inner;

	if (inner->version != outer->version || inner->length < outer->length)
		return false;
	p.length = outer->length;
	mask(&p);
	return memcmp(p.address, outer->address, sizeof(p.address)) == 0;
}

/* Sets of the kernel's hold no range twice. */
static void normalise(struct vol_net_deny *deny)
{
	size_t n = 0;

	qsort(deny->prefix, deny->n, sizeof(deny->prefix[0]), compare);
	for (size_t i = 0; i < deny->n; i++)
		if (n == 0 ||
		    !is_within(&deny->prefix[i], &deny->prefix[n - 1]))
			deny->prefix[n++] = deny->prefix[i];
	deny->n = n;
}

/* Is it a way to the internet, rather than to a network? */
static bool is_way_out(const struct vol_net_prefix *to)
{
	if (to->version == 4)
		return to->length < SHORTEST4;
	if (is_within(to, &global6) || is_within(&global6, to))
		return to->length < SHORTEST6;
	return to->length < SHORTEST6_ELSEWHERE;
}

static void add_own(struct vol_net_deny *deny, const struct vol_net_prefix *p,
		    int network)
{
	struct vol_net_prefix site = *p;

	if (network != VOL_NETWORK_LAN && is_within(p, &global6) &&
	    p->length > SITE6) {
		site.length = SITE6;
		mask(&site);
	}
	add(deny, &site);
}

int vol_net_prefix_parse(const char *text, struct vol_net_prefix *prefix)
{
	struct vol_net_prefix p = {.version = strchr(text, ':') ? 6 : 4};
	size_t len = strcspn(text, "/");
	uint64_t bits = p.version == 4 ? 32 : 128;
	char address[VOL_NET_ADDRESS_SIZE];

	if (len < sizeof(address)) {
		memcpy(address, text, len);
		address[len] = '\0';
		if (inet_pton(p.version == 4 ? AF_INET : AF_INET6, address,
			      p.address) == 1 &&
		    (!text[len] ||
		     vol_text_number(text + len + 1, strlen(text + len + 1), 0,
				     bits, &bits) == 0)) {
			p.length = (uint8_t)bits;
			mask(&p);
			*prefix = p;
			return 0;
		}
	}
	errno = EINVAL;
	return -1;
}

static void add_also(struct vol_net_deny *deny,
		     const struct vol_walls_list *also)
{
	struct vol_net_prefix p;

	for (size_t i = 0; also && i < also->n; i++)
		if (vol_net_prefix_parse(also->path[i], &p) == 0)
			add(deny, &p);
}

void vol_net_deny(const struct vol_net_routes *routes, int network,
		  const struct vol_walls_list *also, struct vol_net_deny *deny)
{
	deny->n = 0;
	add_special(deny, network);
	add_also(deny, also);
	for (size_t i = 0; i < routes->n; i++) {
		const struct vol_net_route *r = &routes->route[i];

		if (r->own)
			add_own(deny, &r->to, network);
		else if (!is_way_out(&r->to) &&
			 (network != VOL_NETWORK_LAN ||
			  !is_uplink(routes, r->interface)))
			add(deny, &r->to);
	}
	normalise(deny);
}

int vol_net_denies(const struct vol_net_deny *deny, const char *address)
{
	struct vol_net_prefix p = {.version = 4, .length = 32};

	if (inet_pton(AF_INET, address, p.address) != 1) {
		p.version = 6;
		p.length = 128;
		if (inet_pton(AF_INET6, address, p.address) != 1) {
			errno = EINVAL;
			return -1;
		}
	}
	for (size_t i = 0; i < deny->n; i++)
		if (is_within(&p, &deny->prefix[i]))
			return 1;
	return 0;
}

/* --- writing ------------------------------------------------------------- */

/* Who has the gateway's address?  Only the kernel can ask. */
#define NEIGHBOURS \
	"icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept\n"

/* pasta sends from the port that the job did, and older ones take it from
 * programs of the owner's that share theirs, such as an mDNS responder.  Nobody
 * shares those that the kernel gives away (ip_local_port_range). */
#define FIRST_PORT 32768

struct writer {
	char *buf;
	size_t size, len;
};

static void put(struct writer *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void put(struct writer *w, const char *fmt, ...)
{
	size_t room = w->len < w->size ? w->size - w->len : 0;
	va_list ap;

	va_start(ap, fmt);
	w->len +=
		(size_t)vsnprintf(room ? w->buf + w->len : NULL, room, fmt, ap);
	va_end(ap);
}

/* As an answer of a router's, so that programs need not wait. */
static void put_refusal(struct writer *w, const struct vol_net_deny *deny,
			uint8_t version)
{
	char text[VOL_NET_ADDRESS_SIZE];
	const char *before =
		version == 4 ? "\t\tip daddr {" : "\t\tip6 daddr {";

	for (size_t i = 0; i < deny->n; i++) {
		const struct vol_net_prefix *p = &deny->prefix[i];

		if (p->version != version)
			continue;
		inet_ntop(version == 4 ? AF_INET : AF_INET6, p->address, text,
			  sizeof(text));
		put(w, "%s %s/%u", before, text, p->length);
		before = ",";
	}
	/* There are always some. */
	put(w, " } reject with icmpx type admin-prohibited\n");
}

/* The machine's own ports and the places in its router's table are few, and
 * each new connection, or port that a datagram comes from, takes one of each
 * for minutes.  A datagram that nobody has answered counts as new. */
#define NEW_RATE  100 /* a second */
#define NEW_BURST 500 /* a browser opens some dozen for a page */

static void put_new_limit(struct writer *w)
{
	put(w,
	    "\t\tct state new limit rate over %d/second burst %d packets "
	    "drop\n",
	    NEW_RATE, NEW_BURST);
}

static void put_limit(struct writer *w, uint64_t rate)
{
	put(w,
	    "\t\tlimit rate over %" PRIu64 " bytes/second burst %" PRIu64
	    " bytes drop\n",
	    rate, rate / 4);
}

/* Rates come before all that lets anything through, so that the host's resolver
 * is not flooded either. */
static void put_out(struct writer *w, const struct vol_net_deny *deny,
		    const char *dns, uint64_t rate_bytes)
{
	put(w,
	    "\tchain out {\n"
	    "\t\ttype filter hook output priority 0; policy drop;\n"
	    "\t\toifname \"lo\" accept\n"
	    "\t\t" NEIGHBOURS
	    "\t\tmeta l4proto != { tcp, udp } reject with icmpx type "
	    "admin-prohibited\n\t\tudp sport 0-%d reject with icmpx type "
	    "admin-prohibited\n",
	    FIRST_PORT - 1);
	put_new_limit(w);
	put_limit(w, rate_bytes);
	if (dns)
		put(w, "\t\t%s daddr %s udp dport 53 accept\n",
		    strchr(dns, ':') ? "ip6" : "ip", dns);
	put_refusal(w, deny, 4);
	put_refusal(w, deny, 6);
	put(w, "\t\taccept\n\t}\n");
}

int vol_net_rules(const struct vol_net_deny *deny, const char *dns,
		  uint64_t rate_bytes, char *buf, size_t size)
{
	struct writer w = {buf, size, 0};

	put(&w, "table inet volunteer\ndelete table inet volunteer\n"
		"table inet volunteer {\n");
	put_out(&w, deny, dns, rate_bytes);
	put(&w, "\tchain in {\n"
		"\t\ttype filter hook input priority 0; policy drop;\n"
		"\t\tiifname \"lo\" accept\n\t\t" NEIGHBOURS);
	put_limit(&w, rate_bytes);
	put(&w, "\t\tct state established,related accept\n\t}\n}\n");
	if (w.len >= size) {
		errno = ENOSPC;
		return -1;
	}
	return (int)w.len;
}

/* --- the resolver --------------------------------------------------------- */

/* The next word of a line, "" at its end. */
static void next_word(const char **at, const char *end, char *word, size_t size)
{
	size_t n = 0;

	while (*at < end && (**at == ' ' || **at == '\t'))
		++*at;
	for (; *at < end && **at != ' ' && **at != '\t'; ++*at)
		if (n < size)
			word[n++] = **at;
	/* One that is too long is none of those that we look for. */
	word[n < size ? n : 0] = '\0';
}

int vol_net_resolver(const char *text, size_t len,
		     char address[VOL_NET_ADDRESS_SIZE])
{
	const char *end = text + len, *line_end;
	char word[VOL_NET_ADDRESS_SIZE], six[VOL_NET_ADDRESS_SIZE] = "";
	uint8_t binary[16];

	for (; text < end; text = line_end + 1) {
		line_end = memchr(text, '\n', (size_t)(end - text));
		if (!line_end)
			line_end = end;
		next_word(&text, line_end, word, sizeof(word));
		if (strcmp(word, "nameserver") != 0)
			continue;
		next_word(&text, line_end, word, sizeof(word));
		if (inet_pton(AF_INET, word, binary) == 1) {
			strcpy(address, word);
			return 0;
		}
		if (!*six && inet_pton(AF_INET6, word, binary) == 1)
			strcpy(six, word);
	}
	if (!*six) {
		errno = ENOENT;
		return -1;
	}
	strcpy(address, six);
	return 0;
}
