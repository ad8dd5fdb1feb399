/* SPDX-License-Identifier: GPL-2.0-or-later */
/* key_by_number.c - read a key of the owner by its number
 *
 * Wall: user namespace, seccomp
 * Bare: user
 */
#include "../attempt.h"

#include <linux/keyctl.h>

int main(void)
{
	char text[256];
	long len = syscall(SYS_keyctl, KEYCTL_READ, victim_number("key_id"),
			   text, sizeof(text));

	if (len < 0)
		blocked("read the key");
	errno = 0;
	if (!has_secret(text, len))
		blocked("the secret is not there");
	reached("the owner's key");
}
