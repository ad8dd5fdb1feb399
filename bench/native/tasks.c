/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tasks.c - what the jobs of the benchmarks do: never rest
 *
 *	tasks [compute]
 *
 * The first task of a step forks without end, the others compute; with
 * "compute" all of them do.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *rank = getenv("SLURM_PROCID");
	volatile unsigned long n = 0;
	pid_t pid;

	(void)argv;
	if (argc > 1 || (rank && strcmp(rank, "0") != 0))
		for (;;)
			n++;
	for (;;) {
		pid = fork();
		if (pid == 0)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
}
