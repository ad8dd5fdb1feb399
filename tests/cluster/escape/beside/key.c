/* SPDX-License-Identifier: GPL-2.0-or-later */
/* key.c - read a key of the other job
 *
 * Wall: seccomp, user namespace
 * Bare: user
 * Where: beside
 * Note: a uid's own keys only
 */
#include "../attempt.h"

#include <linux/keyctl.h>

int main(void)
{
	char text[256];
	long id = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING,
			  "user", victim("neighbour_key"), 0);
	long len;

	if (id < 0)
		blocked("search the user keyring");
	len = syscall(SYS_keyctl, KEYCTL_READ, id, text, sizeof(text));
	if (len < 0)
		blocked("read the key");
	errno = 0;
	if (!has_secret(text, len))
		blocked("the secret is not there");
	reached("the other's key");
}
