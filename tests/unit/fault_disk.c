/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fault_disk.c - kill a machine at any write, fsync or rename, or cut its power
 */
#include "config.h"

#include "fault_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512

ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t at);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);

static struct fault_disk *machine;
static unsigned points, plan;
static uint64_t state = 1;

void fault_seed(uint64_t seed)
{
	state = seed * 2 + 1;
}

/* xorshift64* (Vigna, ACM TOMS 42(4), 2016). */
unsigned fault_random(unsigned n)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (unsigned)((state * UINT64_C(2685821657736338717)) >> 33) % n;
}

void fault_machine(struct fault_disk *d)
{
	machine = d;
}

void fault_plan(unsigned nth)
{
	plan = nth ? points + nth : 0;
}

unsigned fault_points(void)
{
	return points;
}

bool fault_strikes(void)
{
	if (!machine)
		return false;
	if (!machine->dead && ++points == plan)
		machine->dead = true;
	return machine->dead;
}

/* Is the machine dead, or does it die here?  *half: the call may still have an
 * effect that nobody hears of. */
static bool fails(bool *half)
{
	bool dead = machine && machine->dead;

	*half = false;
	if (!fault_strikes())
		return false;
	*half = !dead && fault_random(2);
	errno = EIO;
	return true;
}

static uint8_t *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	uint8_t *buf;
	long size;

	*len = 0;
	if (!f)
		return NULL;
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	buf = malloc((size_t)size + 1);
	if (buf)
		*len = fread(buf, 1, (size_t)size, f);
	fclose(f);
	return buf;
}

static void keep(uint8_t **buf, size_t *n, const char *path)
{
	free(*buf);
	*buf = read_file(path, n);
}

ssize_t __wrap_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	bool half;

	if (!fails(&half))
		return __real_write(fd, buf, len);
	if (half && __real_write(fd, buf, fault_random((unsigned)len)) < 0)
		abort();
	return -1;
}

ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t at)
{
	bool half;

	if (!fails(&half))
		return __real_pwrite(fd, buf, len, at);
	if (half && __real_pwrite(fd, buf, fault_random((unsigned)len), at) < 0)
		abort();
	return -1;
}

/* The file that is written in place. */
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
	bool half;
	int rc = fails(&half) ? -1 : 0;

	(void)fd;
	if (machine && (rc == 0 || half)) {
		keep(&machine->sure, &machine->n_sure, machine->path);
		machine->has_sure = true;
	}
	return rc;
}

/* A temporary file, or the folder after it was renamed. */
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	struct stat st;
	bool half;
	int rc = fails(&half) ? -1 : 0;

	if (!machine || (rc < 0 && !half) || fstat(fd, &st) < 0)
		return rc;
	if (!S_ISDIR(st.st_mode)) {
		machine->tmp_synced = true;
	} else if (machine->has_maybe) {
		free(machine->sure);
		machine->sure = machine->maybe;
		machine->n_sure = machine->n_maybe;
		machine->has_sure = true;
		machine->maybe = NULL;
		machine->has_maybe = false;
	}
	return rc;
}

int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
	bool half;
	int rc = fails(&half) ? -1 : 0;

	if (rc < 0 && !half)
		return -1;
	if (machine) {
		keep(&machine->maybe, &machine->n_maybe, from);
		/* A name without its contents. */
		if (!machine->tmp_synced)
			machine->n_maybe = 0;
		machine->has_maybe = true;
		machine->tmp_synced = false;
	}
	return __real_rename(from, to) < 0 ? -1 : rc;
}

/* Of what was written in place since the last fdatasync any sectors are there.
 */
static void lose_some(struct fault_disk *d, FILE *out)
{
	size_t n, i, end, k;
	uint8_t *now = read_file(d->path, &n);

	end = n > d->n_sure
		      ? d->n_sure + fault_random((unsigned)(n - d->n_sure) + 1)
		      : d->n_sure;
	for (i = 0; i < end; i += SECTOR) {
		bool fresh = i + SECTOR > d->n_sure && fault_random(2);

		for (k = i; k < i + SECTOR && k < end; k++)
			fputc(k < d->n_sure && !fresh ? d->sure[k]
			      : fresh && k < n        ? now[k]
						      : 0,
			      out);
	}
	free(now);
}

static void cut_power(struct fault_disk *d)
{
	char tmp[160];
	FILE *out;

	/* A rename that no fsync of the folder made sure of. */
	if (d->has_maybe && fault_random(2)) {
		free(d->sure);
		d->sure = d->maybe;
		d->n_sure = d->n_maybe;
		d->has_sure = true;
	} else if (d->has_maybe) {
		free(d->maybe);
	}
	if (!d->has_sure) {
		(void)unlink(d->path);
		return;
	}
	snprintf(tmp, sizeof(tmp), "%s.cut", d->path);
	out = fopen(tmp, "w");
	if (!out)
		abort();
	if (d->has_maybe)
		fwrite(d->sure, 1, d->n_sure, out);
	else
		lose_some(d, out);
	fclose(out);
	__real_rename(tmp, d->path);
	keep(&d->sure, &d->n_sure, d->path);
}

void fault_restart(struct fault_disk *d, bool power_cut)
{
	if (power_cut) {
		cut_power(d);
		d->maybe = NULL;
		d->has_maybe = false;
	}
	d->dead = d->tmp_synced = false;
}

void fault_disk_clear(struct fault_disk *d)
{
	free(d->sure);
	free(d->maybe);
}
