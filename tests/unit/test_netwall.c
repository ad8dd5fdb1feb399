/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_netwall.c - from a host's routes to what its jobs may not reach */
#include "config.h"

#include "netwall.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vtest.h"
#include "walls.h"

#define ETH   2
#define VPN   3
#define GUEST 4 /* a bridge of virtual machines */

/* One host's tables. */
struct line {
	const char *to; /* address/length */
	uint8_t type;
	uint32_t interface;
	uint32_t flags;
};

/* A desktop as NetworkManager leaves it: a LAN with public IPv6 addresses, a
 * campus that is reached by way of a router, a VPN with public addresses of
 * somebody's, virtual machines. */
static const struct line desktop[] = {
	{"0.0.0.0/0", RTN_UNICAST, ETH, 0},
	{"192.168.7.0/24", RTN_UNICAST, ETH, 0},
	{"131.234.0.0/16", RTN_UNICAST, ETH, 0},
	{"192.168.7.20/32", RTN_LOCAL, ETH, 0},
	{"192.168.7.255/32", RTN_BROADCAST, ETH, 0},
	{"198.51.100.0/25", RTN_UNICAST, VPN, 0},
	{"198.51.100.9/32", RTN_LOCAL, VPN, 0},
	{"192.168.122.0/24", RTN_UNICAST, GUEST, 0},
	{"192.168.122.1/32", RTN_LOCAL, GUEST, 0},
	{"127.0.0.0/8", RTN_LOCAL, 1, 0},
	{"::/0", RTN_UNICAST, ETH, 0},
	{"2a02:6d40:3ca5:2001::/64", RTN_UNICAST, ETH, 0},
	{"2a02:6d40:3ca5:2001::20/128", RTN_LOCAL, ETH, 0},
	{"fe80::/64", RTN_UNICAST, ETH, 0},
	{"ff00::/8", RTN_MULTICAST, ETH, 0},
	/* Not routes of the host's to anywhere of its own. */
	{"2a00:1450:4001:829::200e/128", RTN_UNICAST, ETH, RTM_F_CLONED},
	{"203.0.113.0/24", RTN_BLACKHOLE, 0, 0},
	/* How a VPN takes the place of the default route. */
	{"0.0.0.0/1", RTN_UNICAST, VPN, 0},
	{"128.0.0.0/1", RTN_UNICAST, VPN, 0},
	{"2000::/3", RTN_UNICAST, VPN, 0},
	{"8000::/1", RTN_UNICAST, VPN, 0},
	/* Yggdrasil, and a VPN with all that it may give to its hosts. */
	{"200::/7", RTN_UNICAST, VPN, 0},
	{"fd00::/8", RTN_UNICAST, VPN, 0},
	{"fc00:7::/64", RTN_UNICAST, ETH, 0},
};

struct message {
	_Alignas(struct nlmsghdr) char bytes[64 * 1024];
	size_t len;
};

static void add_attribute(struct message *m, struct nlmsghdr *h,
			  unsigned short type, const void *data, size_t len)
{
	struct rtattr *a = (void *)(m->bytes + m->len);

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	m->len += RTA_ALIGN(RTA_LENGTH(len));
	h->nlmsg_len += RTA_ALIGN(RTA_LENGTH(len));
}

static void add_line(struct message *m, const struct line *line)
{
	struct nlmsghdr *h = (void *)(m->bytes + m->len);
	struct rtmsg *r = NLMSG_DATA(h);
	char text[64];
	uint8_t address[16];
	uint32_t table = RT_TABLE_MAIN;

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(line->to, "/"),
		 line->to);
	memset(h, 0, NLMSG_LENGTH(sizeof(*r)));
	h->nlmsg_len = NLMSG_LENGTH(sizeof(*r));
	h->nlmsg_type = RTM_NEWROUTE;
	r->rtm_family = strchr(text, ':') ? AF_INET6 : AF_INET;
	r->rtm_dst_len = (uint8_t)atoi(strchr(line->to, '/') + 1);
	r->rtm_type = line->type;
	r->rtm_flags = line->flags;
	m->len += NLMSG_LENGTH(sizeof(*r));
	add_attribute(m, h, RTA_TABLE, &table, sizeof(table));
	assert_int_equal(inet_pton(r->rtm_family, text, address), 1);
	/* The kernel leaves that of a default route out. */
	if (r->rtm_dst_len)
		add_attribute(m, h, RTA_DST, address,
			      r->rtm_family == AF_INET ? 4 : 16);
	if (line->interface)
		add_attribute(m, h, RTA_OIF, &line->interface,
			      sizeof(line->interface));
}

static void add_done(struct message *m)
{
	struct nlmsghdr *h = (void *)(m->bytes + m->len);

	memset(h, 0, NLMSG_HDRLEN);
	h->nlmsg_len = NLMSG_HDRLEN;
	h->nlmsg_type = NLMSG_DONE;
	m->len += NLMSG_HDRLEN;
}

static struct message *answer_of(const struct line *line, size_t n)
{
	struct message *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	for (size_t i = 0; i < n; i++)
		add_line(m, &line[i]);
	return m;
}

static struct vol_net_routes *routes_of(const struct line *line, size_t n)
{
	struct vol_net_routes *routes = calloc(1, sizeof(*routes));
	struct message *m = answer_of(line, n);
	struct vol_error err = {""};

	assert_non_null(routes);
	if (n && vol_net_routes_take(routes, m->bytes, m->len, &err) != 0)
		fail_msg("%s", err.text);
	m->len = 0;
	add_done(m);
	assert_int_equal(vol_net_routes_take(routes, m->bytes, m->len, &err),
			 1);
	free(m);
	return routes;
}

static struct vol_net_deny *deny_of(const struct line *line, size_t n,
				    int network)
{
	struct vol_net_routes *routes = routes_of(line, n);
	struct vol_net_deny *deny = malloc(sizeof(*deny));

	assert_non_null(deny);
	vol_net_deny(routes, network, NULL, deny);
	free(routes);
	return deny;
}

static void reading(void **state)
{
	struct vol_net_routes *r = routes_of(desktop, N_ELEMENTS(desktop));

	(void)state;
	/* Not the multicast, cloned and black ones. */
	assert_int_equal(r->n, N_ELEMENTS(desktop) - 3);
	assert_true(vol_net_has_default(r));
	assert_int_equal(r->route[1].to.version, 4);
	assert_int_equal(r->route[1].to.length, 24);
	assert_memory_equal(r->route[1].to.address, "\xc0\xa8\x07\0\0", 5);
	assert_int_equal(r->route[1].interface, ETH);
	assert_false(r->route[1].own);
	assert_true(r->route[3].own);
	free(r);
	r = routes_of(desktop + 1, 9);
	assert_false(vol_net_has_default(r));
	free(r);
}

static void reading_what_is_wrong(void **state)
{
	struct vol_net_routes *routes = calloc(1, sizeof(*routes));
	struct message *m = answer_of(desktop, 2);
	struct nlmsghdr *h = (void *)m->bytes;
	struct rtmsg *r = NLMSG_DATA(h);
	struct vol_error err = {""};

	(void)state;
	assert_non_null(routes);
#define TAKES(len) vol_net_routes_take(routes, m->bytes, len, &err)
	assert_int_equal(TAKES(0), 0);
	/* Whatever is missing at the end. */
	for (size_t len = 1; len < m->len; len++)
		if (len != h->nlmsg_len)
			assert_int_equal(TAKES(len), -1);
	assert_int_equal(errno, EIO);
	assert_contains(err.text, "routes: ");
	routes->n = 0;
	h->nlmsg_flags = NLM_F_DUMP_INTR;
	assert_int_equal(TAKES(m->len), -1);
	assert_int_equal(errno, EINTR);
	h->nlmsg_flags = 0;
	r->rtm_dst_len = 33;
	assert_int_equal(TAKES(m->len), -1);
	assert_int_equal(errno, EIO);
	r->rtm_dst_len = 0;
	h->nlmsg_type = RTM_NEWADDR;
	assert_int_equal(TAKES(m->len), -1);
	assert_int_equal(errno, EIO);
	h->nlmsg_type = NLMSG_ERROR;
	((struct nlmsgerr *)NLMSG_DATA(h))->error = -EPERM;
	assert_int_equal(TAKES(m->len), -1);
	assert_contains(err.text, "not permitted");
	h->nlmsg_type = NLMSG_NOOP;
	assert_int_equal(TAKES(m->len), 0);
	assert_int_equal(routes->n, 1);
	h->nlmsg_type = RTM_NEWROUTE;
	routes->n = VOL_NET_ROUTES_MAX;
	assert_int_equal(TAKES(m->len), -1);
	assert_int_equal(errno, ENOSPC);
	/* A family that is not ours. */
	r->rtm_family = AF_BRIDGE;
	assert_int_equal(TAKES(h->nlmsg_len), 0);
#undef TAKES
	free(m);
	free(routes);
}

static const struct {
	const char *address;
	int internet, lan; /* denied? */
} places[] = {
	/* The internet. */
	{"1.1.1.1", 0, 0},
	{"93.184.216.34", 0, 0},
	{"131.233.255.255", 0, 0},
	{"172.32.0.1", 0, 0},
	{"198.51.100.128", 0, 0},
	{"203.0.113.7", 0, 0},
	{"223.255.255.255", 0, 0},
	{"2a00:1450:4001:829::200e", 0, 0},
	{"2606:4700::1111", 0, 0},
	{"2a02:6d40:3ca4:ffff::1", 0, 0},
	{"2a02:6d40:3ca6::1", 0, 0},
	{"64:ff9b::1.1.1.1", 0, 0},
	/* The owner's LAN, and what is reached through it. */
	{"192.168.7.1", 1, 0},
	{"192.168.1.1", 1, 0},
	{"10.1.2.3", 1, 0},
	{"172.16.0.1", 1, 0},
	{"131.234.12.34", 1, 0},
	{"2a02:6d40:3ca5:2001::1", 1, 0},
	{"2a02:6d40:3ca5:2002::1", 1, 0}, /* of which no route tells */
	{"2a02:6d40:3ca5:ffff::1", 1, 0},
	{"fc00:7::1", 1, 0},
	{"64:ff9b::192.168.7.1", 1, 0},
	{"64:ff9b::131.234.12.34", 1, 0},
	/* The host, by all of its addresses. */
	{"127.0.0.1", 1, 1},
	{"127.0.0.53", 1, 1},
	{"192.168.7.20", 1, 1},
	{"198.51.100.9", 1, 1},
	{"192.168.122.1", 1, 1},
	{"2a02:6d40:3ca5:2001::20", 1, 1},
	{"64:ff9b::192.168.7.20", 1, 1},
	{"64:ff9b::127.0.0.1", 1, 1},
	{"::1", 1, 1},
	{"::", 1, 1},
	{"0.0.0.0", 1, 1},
	{"::ffff:192.168.7.20", 1, 1},
	{"::127.0.0.1", 1, 1},
	/* Networks of the host's that are no LAN. */
	{"198.51.100.1", 1, 1},
	{"192.168.122.77", 1, 1},
	{"100.100.100.100", 1, 1},
	{"200::1", 1, 1},
	{"3ff:ffff::1", 1, 1},
	{"fd12::1", 1, 1},
	{"64:ff9b::198.51.100.1", 1, 1},
	/* Nobody's, or everybody's. */
	{"169.254.169.254", 1, 1},
	{"fe80::1", 1, 1},
	{"224.0.0.251", 1, 1},
	{"ff02::fb", 1, 1},
	{"255.255.255.255", 1, 1},
	{"192.168.7.255", 1, 1},
	{"192.0.0.1", 1, 1},
	{"198.18.0.1", 1, 1},
	{"2002:c0a8:701::1", 1, 1},
	{"2001::1", 1, 1},
	{"64:ff9b:1::c0a8:701", 1, 1},
};

static void deciding(void **state)
{
	static const int networks[] = {VOL_NETWORK_INTERNET, VOL_NETWORK_LAN};

	(void)state;
	for (size_t k = 0; k < N_ELEMENTS(networks); k++) {
		struct vol_net_deny *deny =
			deny_of(desktop, N_ELEMENTS(desktop), networks[k]);

		for (size_t i = 0; i < N_ELEMENTS(places); i++) {
			int want = k == 0 ? places[i].internet : places[i].lan;

			if (vol_net_denies(deny, places[i].address) != want)
				fail_msg("%s: %s",
					 vol_network_name(networks[k]),
					 places[i].address);
		}
		free(deny);
	}
}

static void deciding_as_the_owner_says(void **state)
{
	struct vol_net_routes *routes = routes_of(NULL, 0);
	struct vol_net_deny *deny = malloc(sizeof(*deny));
	struct vol_walls_list *also = calloc(1, sizeof(*also));

	(void)state;
	assert_true(deny && also);
	assert_int_equal(vol_walls_add_deny(also, "93.184.216.34", NULL), 0);
	assert_int_equal(vol_walls_add_deny(also, "2606::/16", NULL), 0);
	vol_net_deny(routes, VOL_NETWORK_LAN, also, deny);
	assert_int_equal(vol_net_denies(deny, "93.184.216.34"), 1);
	assert_int_equal(vol_net_denies(deny, "64:ff9b::93.184.216.34"), 1);
	assert_int_equal(vol_net_denies(deny, "93.184.216.35"), 0);
	assert_int_equal(vol_net_denies(deny, "2606:4700::1111"), 1);
	free(also);
	free(deny);
	free(routes);
}

static void prefixes(void **state)
{
	static const struct {
		const char *text;
		int version, length; /* 0: none */
	} rows[] = {
		{"192.0.2.1", 4, 32},
		{"192.0.2.1/24", 4, 24},
		{"0.0.0.0/0", 4, 0},
		{"2001:db8::1", 6, 128},
		{"2001:db8::/32", 6, 32},
		{"::/128", 6, 128},
		{"", 0, 0},
		{"/", 0, 0},
		{"192.0.2.1/", 0, 0},
		{"192.0.2.1/33", 0, 0},
		{"192.0.2.1/-1", 0, 0},
		{"192.0.2.1/ 8", 0, 0},
		{"192.0.2/24", 0, 0},
		{"2001:db8::/129", 0, 0},
		{"router.lan", 0, 0},
		{"192.0.2.1/24/8", 0, 0},
		{"fe80::1%eth0", 0, 0},
		{"0000000000000000000000000000000000000000000000::1", 0, 0},
	};
	struct vol_net_prefix p;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		int rc = vol_net_prefix_parse(rows[i].text, &p);

		if (rc != (rows[i].version ? 0 : -1))
			fail_msg("%s", rows[i].text);
		if (rc == 0) {
			assert_int_equal(p.version, rows[i].version);
			assert_int_equal(p.length, rows[i].length);
		} else {
			assert_int_equal(errno, EINVAL);
		}
	}
	assert_int_equal(vol_net_prefix_parse("192.0.2.255/25", &p), 0);
	assert_memory_equal(p.address, "\xc0\0\x02\x80", 4);
}

/* A host that knows nothing but its loopback denies what always is. */
static void deciding_without_routes(void **state)
{
	struct vol_net_deny *deny = deny_of(NULL, 0, VOL_NETWORK_INTERNET);

	(void)state;
	assert_int_equal(vol_net_denies(deny, "192.168.1.1"), 1);
	assert_int_equal(vol_net_denies(deny, "fd00::1"), 1);
	assert_int_equal(vol_net_denies(deny, "1.1.1.1"), 0);
	assert_int_equal(vol_net_denies(deny, "one.one.one.one"), -1);
	assert_int_equal(errno, EINVAL);
	free(deny);
}

/* The uplink's network is denied when another interface claims what is around
 * it, and no prefix is there twice: sets of nft would refuse that. */
static void lists_are_disjoint(void **state)
{
	static const struct line lines[] = {
		{"0.0.0.0/0", RTN_UNICAST, ETH, 0},
		{"10.1.2.0/24", RTN_UNICAST, ETH, 0},
		{"10.0.0.0/8", RTN_UNICAST, VPN, 0},
		{"8.8.8.0/24", RTN_UNICAST, VPN, 0},
		{"8.8.8.0/24", RTN_UNICAST, GUEST, 0},
		{"8.8.8.8/32", RTN_LOCAL, VPN, 0},
		{"8.8.9.0/24", RTN_UNICAST, VPN, 0},
		/* Host bits, as no kernel would have them. */
		{"9.9.9.9/24", RTN_UNICAST, VPN, 0},
	};
	struct vol_net_deny *deny =
		deny_of(lines, N_ELEMENTS(lines), VOL_NETWORK_LAN);
	size_t eights = 0;

	(void)state;
	assert_int_equal(vol_net_denies(deny, "10.1.2.3"), 1);
	assert_int_equal(vol_net_denies(deny, "9.9.9.1"), 1);
	assert_int_equal(vol_net_denies(deny, "8.8.10.1"), 0);
	for (size_t i = 0; i < deny->n; i++) {
		const struct vol_net_prefix *p = &deny->prefix[i];

		eights += p->version == 4 && p->address[0] == 8;
		for (size_t bit = p->length; bit < 128; bit++)
			assert_int_equal(
				p->address[bit / 8] & (0x80 >> bit % 8), 0);
	}
	assert_int_equal(eights, 2);
	free(deny);
}

static char *rules_of(const struct vol_net_deny *deny, const char *dns)
{
	char *text = malloc(VOL_NET_RULES_MAX);
	int len = vol_net_rules(deny, dns, 4 << 20, text, VOL_NET_RULES_MAX);

	assert_true(len > 0);
	assert_int_equal(strlen(text), len);
	return text;
}

static void writing(void **state)
{
	struct vol_net_deny *deny =
		deny_of(desktop, N_ELEMENTS(desktop), VOL_NETWORK_INTERNET);
	char *text = rules_of(deny, VOL_NET_DNS4);

	(void)state;
	assert_contains(text, "delete table inet volunteer\n");
	assert_contains(text, "hook output priority 0; policy drop;");
	assert_contains(text, "hook input priority 0; policy drop;");
	assert_contains(text, "ip daddr 192.0.0.3 udp dport 53 accept\n");
	assert_contains(text, " 131.234.0.0/16, ");
	assert_contains(text, " 2a02:6d40:3ca5::/48, ");
	assert_contains(text, "over 4194304 bytes/second burst 1048576 bytes");
	assert_contains(text, "ct state new limit rate over 100/second burst "
			      "500 packets drop\n");
	free(text);
	text = rules_of(deny, NULL);
	assert_null(strstr(text, "dport 53"));
	free(text);
	text = rules_of(deny, VOL_NET_DNS6);
	assert_contains(text, "ip6 daddr " VOL_NET_DNS6 " udp dport 53");
	for (size_t size = 0; size <= strlen(text); size += 97)
		assert_int_equal(vol_net_rules(deny, VOL_NET_DNS6, 4 << 20,
					       text, size),
				 -1);
	assert_int_equal(errno, ENOSPC);
	free(text);
	free(deny);
}

/* Each is looked at by all that stand before: nothing but what the kernel needs
 * comes before the rates, nothing but the resolver before the refusals. */
static void writing_in_order(void **state)
{
	static const char *const lines[] = {
		"\tchain out {\n",
		"\t\toifname \"lo\" accept\n",
		"\t\ticmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } "
		"accept\n",
		"\t\tmeta l4proto != { tcp, udp } reject ",
		"\t\tudp sport 0-32767 reject ",
		"\t\tct state new limit rate over 100/second ",
		"\t\tlimit rate over 4194304 bytes/second ",
		"\t\tip daddr 192.0.0.3 udp dport 53 accept\n",
		"\t\tip daddr { ",
		"\t\tip6 daddr { ",
		"\t\taccept\n",
		"\tchain in {\n",
		"\t\tlimit rate over 4194304 bytes/second ",
		"\t\tct state established,related accept\n",
	};
	struct vol_net_deny *deny =
		deny_of(desktop, N_ELEMENTS(desktop), VOL_NETWORK_INTERNET);
	char *text = rules_of(deny, VOL_NET_DNS4);
	const char *at = text;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		at = strstr(at, lines[i]);
		if (!at)
			fail_msg("not there, or too early: %s", lines[i]);
		at += strlen(lines[i]);
	}
	free(text);
	free(deny);
}

static void the_longest_fit(void **state)
{
	struct vol_net_routes *routes = calloc(1, sizeof(*routes));
	struct vol_net_deny *deny = malloc(sizeof(*deny));
	struct vol_walls_list *also = calloc(1, sizeof(*also));
	char text[VOL_NET_PREFIX_SIZE];

	(void)state;
	assert_true(routes && deny && also);
	for (int i = 0; i < VOL_WALLS_LIST_MAX; i++) {
		snprintf(text, sizeof(text), "9.9.9.%d", i);
		assert_int_equal(vol_walls_add_deny(also, text, NULL), 0);
	}
	for (routes->n = 0; routes->n < VOL_NET_ROUTES_MAX; routes->n++) {
		struct vol_net_route *r = &routes->route[routes->n];
		bool six = routes->n % 2;

		*r = (struct vol_net_route){
			.to = {six ? 6 : 4, six ? 128 : 32, {0}}, .own = true};
		memset(r->to.address, 0xab, six ? 16 : 4);
		r->to.address[2] = (uint8_t)(routes->n >> 8);
		r->to.address[3] = (uint8_t)routes->n;
	}
	vol_net_deny(routes, VOL_NETWORK_INTERNET, also, deny);
	assert_true(deny->n > 3 * VOL_NET_ROUTES_MAX / 2);
	assert_true(deny->n <= VOL_NET_DENY_MAX);
	free(rules_of(deny, VOL_NET_DNS6));
	free(also);
	free(deny);
	free(routes);
}

static void resolvers(void **state)
{
	static const struct {
		const char *text, *address; /* NULL: none */
	} rows[] = {
		{"", NULL},
		{"nameserver", NULL},
		{"nameserver \n", NULL},
		{"#nameserver 1.1.1.1\n", NULL},
		{"nameservers 1.1.1.1\n", NULL},
		{"search nameserver 1.1.1.1\n", NULL},
		{"nameserver fe80::1%eth0\n", NULL},
		{"nameserver 1.1.1\n", NULL},
		{"nameserver 1.1.1.1", "1.1.1.1"},
		{"search lan\nnameserver 127.0.0.53\noptions edns0\n",
		 "127.0.0.53"},
		{"nameserver\t192.168.1.1 # the router\n", "192.168.1.1"},
		{"  nameserver 9.9.9.9\nnameserver 1.1.1.1\n", "9.9.9.9"},
		{"nameserver ::1\n", "::1"},
		{"nameserver ::1\nnameserver ::2\n", "::1"},
		{"nameserver ::1\nnameserver 8.8.8.8\n", "8.8.8.8"},
		{"nameserver 0000:0000:0000:0000:0000:0000:255.255.255.2550\n",
		 NULL},
		{"nameserver 00000000000000000000000000000000000000000001.1\n",
		 NULL},
	};
	char address[VOL_NET_ADDRESS_SIZE];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		int rc = vol_net_resolver(rows[i].text, strlen(rows[i].text),
					  address);

		if (rc != (rows[i].address ? 0 : -1))
			fail_msg("row %zu: %s", i, rows[i].text);
		if (rc == 0)
			assert_string_equal(address, rows[i].address);
		else
			assert_int_equal(errno, ENOENT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading),
		cmocka_unit_test(reading_what_is_wrong),
		cmocka_unit_test(deciding),
		cmocka_unit_test(deciding_without_routes),
		cmocka_unit_test(deciding_as_the_owner_says),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(lists_are_disjoint),
		cmocka_unit_test(writing),
		cmocka_unit_test(writing_in_order),
		cmocka_unit_test(the_longest_fit),
		cmocka_unit_test(resolvers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
