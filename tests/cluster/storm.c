/* SPDX-License-Identifier: GPL-2.0-or-later */
/* storm.c - write over a node table, without a pause
 *
 * usage: storm FILE SECONDS PER_SECOND
 *
 * Each time one record of the table that is there gets garbage in a part of it,
 * and its word another edition; the next time it is put right again.  The state
 * in the word, which is what a scheduler may not get wrong, stays as it is.
 * Prints how often it wrote.  The layout is that of lib/nodetable_format.h.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define HEADER   128
#define CAPACITY 12
#define USED     20
#define RECORD   512
#define EDITION  0xffffff00u /* of the word's low half */

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + now.tv_nsec / 1e9;
}

static void write_all(int fd, const void *buf, size_t size, off_t at)
{
	if (pwrite(fd, buf, size, at) != (ssize_t)size)
		err(1, "write");
}

static void hit(int fd, uint32_t capacity, uint32_t slot)
{
	off_t word_at = HEADER + (off_t)slot * 8;
	off_t record_at = HEADER + (off_t)capacity * 8 + (off_t)slot * RECORD;
	unsigned char good[RECORD], bad[RECORD];
	size_t from = (size_t)rand() % RECORD;
	uint32_t word, other;

	if (pread(fd, &word, sizeof(word), word_at) != sizeof(word) ||
	    pread(fd, good, sizeof(good), record_at) != sizeof(good))
		err(1, "read");
	for (size_t i = 0; i < RECORD; i++)
		bad[i] = (unsigned char)rand();
	other = (word & ~EDITION) | ((unsigned int)rand() & EDITION);
	write_all(fd, bad, RECORD - from, record_at + (off_t)from);
	write_all(fd, &other, sizeof(other), word_at);
	write_all(fd, good, RECORD, record_at);
	write_all(fd, &word, sizeof(word), word_at);
}

int main(int argc, char **argv)
{
	uint32_t capacity, used;
	double begin, rate;
	unsigned long n;
	int fd;

	if (argc != 4)
		errx(2, "usage: storm FILE SECONDS PER_SECOND");
	fd = open(argv[1], O_RDWR);
	if (fd < 0 || pread(fd, &capacity, 4, CAPACITY) != 4 ||
	    pread(fd, &used, 4, USED) != 4 || used == 0)
		err(1, "%s", argv[1]);
	rate = atof(argv[3]);
	begin = now_s();
	for (n = 0; now_s() - begin < atof(argv[2]); n++) {
		hit(fd, capacity, (uint32_t)rand() % used);
		/* Late, it catches up. */
		while ((double)n / rate > now_s() - begin)
			usleep(50);
	}
	printf("%lu\n", n);
	return 0;
}
