/* SPDX-License-Identifier: GPL-2.0-or-later */
/* controller_slurm.c - connect to slurmctld
 *
 * Wall: network namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	connect_inet(victim("controller"), 6817, SOCK_STREAM);
	reached("slurmctld answers");
}
