/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock.c - set the clock of the machine
 *
 * Wall: no capabilities, seccomp
 * Bare: capable
 */
#include "../attempt.h"

#include <sys/timex.h>

int main(void)
{
	/* By nothing, but only root may. */
	struct timex change = {.modes = ADJ_SETOFFSET};

	if (adjtimex(&change) < 0)
		blocked("adjtimex");
	reached("the clock is set");
}
