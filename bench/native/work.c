/* SPDX-License-Identifier: GPL-2.0-or-later */
/* work.c - programs that walls around them could slow down
 *
 *	work now          the time of day at its first instruction
 *	work cpu          computes
 *	work files        opens, reads, looks at, makes and removes small files
 *	work null         getppid(2): nothing but the way into the kernel
 *	work io           writes 64 MiB, syncs, reads them back, three times
 *
 * Seconds on stdout.  Files are made in the working folder, and removed.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BLOCK (1 << 20)

static double now_s(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + now.tv_nsec / 1e9;
}

static void cpu(void)
{
	volatile double sum = 0;
	unsigned long x = 1;

	for (long i = 0; i < 200000000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		if ((x & 1023) == 0)
			sum += (double)x;
	}
}

static void files(void)
{
	char name[32], block[4096];
	struct stat st;

	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "work.%d.%d", getpid(), i & 63);
		int fd = open(name, O_RDWR | O_CREAT, 0600);

		if (fd < 0 || write(fd, block, sizeof(block)) < 0 ||
		    pread(fd, block, sizeof(block), 0) < 0 ||
		    fstat(fd, &st) != 0 || close(fd) != 0 ||
		    stat(name, &st) != 0 || unlink(name) != 0)
			err(1, "%s", name);
	}
}

static void null(void)
{
	for (int i = 0; i < 3000000; i++)
		syscall(SYS_getppid);
}

static void io(void)
{
	static char block[BLOCK];
	char name[32];

	memset(block, 'x', sizeof(block));
	snprintf(name, sizeof(name), "work.%d", getpid());
	for (int i = 0; i < 3; i++) {
		int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

		if (fd < 0)
			err(1, "%s", name);
		for (int n = 0; n < 64; n++)
			if (write(fd, block, BLOCK) != BLOCK)
				err(1, "write");
		if (fdatasync(fd) != 0 || lseek(fd, 0, SEEK_SET) != 0)
			err(1, "sync");
		while (read(fd, block, BLOCK) > 0)
			;
		close(fd);
	}
	unlink(name);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} kinds[] = {
		{"cpu", cpu}, {"files", files}, {"null", null}, {"io", io}};
	double start = now_s(CLOCK_MONOTONIC);

	if (argc == 2 && strcmp(argv[1], "now") == 0) {
		printf("%.6f\n", now_s(CLOCK_REALTIME));
		return 0;
	}
	for (size_t i = 0; argc == 2 && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(argv[1], kinds[i].name) == 0) {
			kinds[i].run();
			printf("%.6f\n", now_s(CLOCK_MONOTONIC) - start);
			return 0;
		}
	errx(2, "see the head of work.c");
}
