/* SPDX-License-Identifier: GPL-2.0-or-later */
/* request_key.c - have the kernel look for a key of the owner
 *
 * Wall: user namespace, seccomp
 * Bare: user
 */
#include "../attempt.h"

#include <linux/keyctl.h>

int main(void)
{
	/* User keyrings are looked at when they hang at the session's. */
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	syscall(SYS_keyctl, KEYCTL_LINK, KEY_SPEC_USER_KEYRING,
		KEY_SPEC_SESSION_KEYRING);
	if (syscall(SYS_request_key, "user", victim("key"), NULL, 0) < 0)
		blocked("request_key");
	reached("the owner's key");
}
