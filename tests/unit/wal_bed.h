/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wal_bed.h - files of wal.h in a test's own folder, and hands that damage them
 */
#ifndef VOL_WAL_BED_H
#define VOL_WAL_BED_H

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "wal.h"

#include "vtest.h"

static inline const char *bed_path(void **state)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/reports", (char *)*state);
	return path;
}

static inline off_t bed_size(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* Turn one bit of the file. */
static inline void bed_spoil(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	char c;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &c, 1, at), 1);
	c ^= 4;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	close(fd);
}

/* Append n bytes of nothing in particular. */
static inline void bed_smear(const char *path, size_t n)
{
	FILE *f = fopen(path, "a");

	assert_non_null(f);
	while (n-- > 0)
		fputc('x', f);
	fclose(f);
}

#endif
