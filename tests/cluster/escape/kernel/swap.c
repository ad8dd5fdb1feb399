/* SPDX-License-Identifier: GPL-2.0-or-later */
/* swap.c - give the machine a swap file
 *
 * Wall: no capabilities, seccomp
 * Bare: capable
 * Needs: CONFIG_SWAP
 */
#include "../attempt.h"

#include <sys/swap.h>

int main(void)
{
	/* There is no such file: who may, hears that. */
	if (swapon("/nowhere", 0) && errno != ENOENT)
		blocked("swapon");
	reached("we may");
}
