/* SPDX-License-Identifier: GPL-2.0-or-later */
/* key.c - leave a key in the owner's keyring
 *
 * Wall: seccomp, user namespace
 * Bare: user
 * Look: device
 */
#include "../attempt.h"

#include <linux/keyctl.h>

int main(int argc, char *argv[])
{
	const char *name = victim("key_left");

	if (is_look(argc, argv)) {
		if (syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING,
			    "user", name, 0) < 0)
			blocked("search the user keyring");
		reached("it is there");
	}
	if (syscall(SYS_add_key, "user", name, "x", 1, KEY_SPEC_USER_KEYRING) <
	    0)
		blocked("add_key");
	planted("a key");
}
