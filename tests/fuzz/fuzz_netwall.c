/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_netwall.c - any bytes as the kernel's routes, any text as resolv.conf
 *
 * The first byte says which.  Whatever routes were understood, the list is
 * sorted and disjoint, denies the loopback, and fits into its text.
 */
#include "config.h"

#include <arpa/inet.h>

#include "fuzz.h"
#include "netwall.h"
#include "walls.h"

static void check_deny(const struct vol_net_routes *routes, int network)
{
	struct vol_net_deny *deny = malloc(sizeof(*deny));
	char *text = malloc(VOL_NET_RULES_MAX);

	fuzz_assert(deny && text);
	vol_net_deny(routes, network, NULL, deny);
	fuzz_assert(deny->n > 0 && deny->n <= VOL_NET_DENY_MAX);
	for (size_t i = 1; i < deny->n; i++)
		fuzz_assert(deny->prefix[i].version >
				    deny->prefix[i - 1].version ||
			    memcmp(deny->prefix[i].address,
				   deny->prefix[i - 1].address, 16) > 0);
	fuzz_assert(vol_net_denies(deny, "127.0.0.1") == 1);
	fuzz_assert(vol_net_denies(deny, "::1") == 1);
	fuzz_assert(vol_net_denies(deny, "169.254.169.254") == 1);
	fuzz_assert(vol_net_rules(deny, VOL_NET_DNS6, VOL_WALLS_RATE_MAX, text,
				  VOL_NET_RULES_MAX) > 0);
	free(text);
	free(deny);
}

static void try_routes(const uint8_t *data, size_t size)
{
	struct vol_net_routes *routes = calloc(1, sizeof(*routes));
	struct vol_error err = {""};
	void *aligned = malloc(size + 1);
	int rc;

	fuzz_assert(routes && aligned);
	memcpy(aligned, data, size);
	rc = vol_net_routes_take(routes, aligned, size, &err);
	fuzz_assert(rc >= -1 && rc <= 1 && (rc != -1 || err.text[0]));
	fuzz_assert(routes->n <= VOL_NET_ROUTES_MAX);
	check_deny(routes, VOL_NETWORK_INTERNET);
	check_deny(routes, VOL_NETWORK_LAN);
	free(aligned);
	free(routes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char address[VOL_NET_ADDRESS_SIZE];
	uint8_t binary[16];

	if (size == 0)
		return 0;
	if (data[0] != 'r')
		try_routes(data + 1, size - 1);
	else if (vol_net_resolver((const char *)data + 1, size - 1, address) ==
		 0)
		fuzz_assert(inet_pton(strchr(address, ':') ? AF_INET6 : AF_INET,
				      address, binary) == 1);
	return 0;
}
