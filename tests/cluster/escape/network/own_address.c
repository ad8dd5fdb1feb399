/* SPDX-License-Identifier: GPL-2.0-or-later */
/* own_address.c - connect to this device by its address in the LAN
 *
 * Wall: network namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	connect_inet(victim("address"), 6818, SOCK_STREAM);
	reached("%s answers", victim("address"));
}
