/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hard_link.c - make a second name for a file of the owner
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	const char *from = victim("tmp_file");
	const char *to = victim("tmp_link");

	unlink(to);
	if (link(from, to))
		blocked("link %s", from);
	reached("%s is %s", to, from);
}
