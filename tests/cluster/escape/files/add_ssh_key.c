/* SPDX-License-Identifier: GPL-2.0-or-later */
/* add_ssh_key.c - let a stranger log in with a key
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_append(home_of_owner(".ssh/authorized_keys"), O_CREAT);
}
