/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ballast.c - a program with much memory, little of which it changes
 *
 *	ballast MEGABYTES STEPS FOLDER
 *
 * A step each 20 ms: it changes a hundred pages of a MiB that moves on by a
 *page each time (a kernel with huge pages tells changes by 2 MiB), says its
 *number in the file ticks, and how long it has not run in the file gaps, a line
 *"STEP MILLISECONDS" where that were more than 50.  In the end the file result
 *has what it has come to, of all of its memory.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PAGE    4096
#define CHANGES 100
#define WINDOW  256 /* pages */
#define STEP_MS 20
#define GAP_MS  50

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void write_file(const char *name, int flags, const char *text, int n)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);

	if (fd < 0 || write(fd, text, (size_t)n) != n || close(fd) != 0)
		_exit(3);
}

/* As Knuth's MMIX. */
static uint64_t next(uint64_t x)
{
	return x * UINT64_C(6364136223846793005) +
	       UINT64_C(1442695040888963407);
}

int main(int argc, char *argv[])
{
	size_t pages = argc == 4 ? (size_t)atoi(argv[1]) * 256 : 0, i;
	int steps = argc == 4 ? atoi(argv[2]) : 0, step;
	uint64_t *memory = pages ? malloc(pages * PAGE) : NULL, state = 1;
	double last, now;
	char text[64];

	if (!memory || chdir(argv[3]) != 0)
		return 2;
	for (i = 0; i < pages * PAGE / sizeof(*memory); i++)
		memory[i] = state = next(state);
	last = now_ms();
	for (step = 1; step <= steps; step++) {
		for (i = 0; i < CHANGES; i++) {
			size_t page =
				((size_t)step + (state >> 20) % WINDOW) % pages;
			uint64_t *word =
				&memory[page * (PAGE / sizeof(*memory))];

			*word = state = next(state ^ *word);
		}
		write_file("ticks", O_TRUNC, text,
			   snprintf(text, sizeof(text), "%d\n", step));
		usleep(STEP_MS * 1000);
		now = now_ms();
		if (now - last > GAP_MS)
			write_file("gaps", O_APPEND, text,
				   snprintf(text, sizeof(text), "%d %.0f\n",
					    step, now - last));
		last = now;
	}
	for (i = 0; i < pages * PAGE / sizeof(*memory); i++)
		state = next(state ^ memory[i]);
	write_file("result", O_TRUNC, text,
		   snprintf(text, sizeof(text), "%016llx\n",
			    (unsigned long long)state));
	return 0;
}
