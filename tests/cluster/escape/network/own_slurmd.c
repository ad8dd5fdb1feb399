/* SPDX-License-Identifier: GPL-2.0-or-later */
/* own_slurmd.c - connect to the slurmd of this device over localhost
 *
 * Wall: network namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	connect_inet("127.0.0.1", 6818, SOCK_STREAM);
	reached("slurmd answers");
}
