/* SPDX-License-Identifier: GPL-2.0-or-later */
/* munge.c - have munge say that we are the owner
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	connect_unix("/run/munge/munge.socket.2");
	reached("munged listens to us");
}
