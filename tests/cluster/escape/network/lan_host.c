/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lan_host.c - connect to another machine of the LAN
 *
 * Wall: network namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	connect_inet(victim("lan_host"), victim_number("lan_port"),
		     SOCK_STREAM);
	reached("%s answers", victim("lan_host"));
}
