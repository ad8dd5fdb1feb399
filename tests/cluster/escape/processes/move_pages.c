/* SPDX-License-Identifier: GPL-2.0-or-later */
/* move_pages.c - ask where in the machine the memory of a program of the owner
 * is, as one does to move it away
 *
 * Wall: pid namespace, seccomp
 * Bare: user
 * Needs: CONFIG_NUMA, CONFIG_MIGRATION
 */
#include "../attempt.h"

int main(void)
{
	void *page = (void *)victim_number("memory");
	int node = -1;

	if (syscall(SYS_move_pages, victim_pid(), 1UL, &page, NULL, &node, 0))
		blocked("move_pages");
	reached("a page of it is on node %d", node);
}
