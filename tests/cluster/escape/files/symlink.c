/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symlink.c - follow a link in the working folder into the owner's home
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	static const char link[] = "link-to-owner";

	unlink(link);
	if (symlink(home_of_owner("secret"), link))
		cannot("make a link in the working folder");
	judge_file(link);
}
