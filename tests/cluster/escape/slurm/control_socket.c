/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control_socket.c - command the device as its owner does
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	connect_unix(victim("control_socket"));
	reached("discoveryd listens to us");
}
