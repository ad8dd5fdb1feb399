/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crypto.c - use the kernel's ciphers by a socket
 *
 * Wall: seccomp
 * Bare: user
 * Needs: CONFIG_CRYPTO_USER_API
 */
#include "../attempt.h"

int main(void)
{
	if (socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0) < 0)
		blocked("make a socket");
	reached("an AF_ALG socket");
}
