/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x11_abstract.c - talk to the owner's display over its abstract socket
 *
 * Wall: network namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char name[128];

	snprintf(name, sizeof(name), "@%s", victim("x11"));
	judge_fd(connect_unix(name), "the owner's display");
}
