/* SPDX-License-Identifier: GPL-2.0-or-later */
/* controller_link.c - connect to the controller's discoveryd
 *
 * Wall: network namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	connect_inet(victim("controller"), 6830, SOCK_STREAM);
	reached("discoveryd answers");
}
