/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user_keyring.c - read a key of the owner, whose keyring is that of his
 * uid
 *
 * Wall: user namespace, seccomp
 * Bare: user
 */
#include "../attempt.h"

#include <linux/keyctl.h>

int main(void)
{
	char text[256];
	long id = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING,
			  "user", victim("key"), 0);
	long len;

	if (id < 0)
		blocked("search the user keyring");
	len = syscall(SYS_keyctl, KEYCTL_READ, id, text, sizeof(text));
	if (len < 0)
		blocked("read the key");
	errno = 0;
	if (!has_secret(text, len))
		blocked("the secret is not there");
	reached("the owner's key");
}
