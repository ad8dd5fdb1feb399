/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mail.c - read the owner's mail
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_file(victim("mail_file"));
}
