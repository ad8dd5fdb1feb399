/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unix_abstract.c - talk to a program of the owner over an abstract socket
 *
 * Wall: network namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char name[128];

	snprintf(name, sizeof(name), "@%s", victim("abstract"));
	judge_fd(connect_unix(name), "the owner's abstract socket");
}
