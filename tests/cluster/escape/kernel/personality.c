/* SPDX-License-Identifier: GPL-2.0-or-later */
/* personality.c - have all that can be read be run
 *
 * Wall: seccomp
 * Bare: user
 */
#include "../attempt.h"

#include <sys/personality.h>

int main(void)
{
	if (personality(READ_IMPLIES_EXEC) < 0)
		blocked("personality");
	errno = 0;
	if (!(personality(0xffffffff) & READ_IMPLIES_EXEC))
		blocked("it stays as it is");
	reached("data is code");
}
