/* SPDX-License-Identifier: GPL-2.0-or-later */
/* matrix.c - matrix files */
#include "matrix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct header {
	char magic[8];
	uint32_t n, zero;
	uint64_t fingerprint;
};
/* Without a NUL at the end. */
static const char magic[8] = {'V', 'O', 'L', 'M', 'A', 'T', '1', '\n'};

uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

uint64_t fingerprint(uint64_t sum, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ p[i]) * 1099511628211ULL;
	return sum;
}

static int write_parts(int fd, const struct part *parts, size_t n_parts)
{
	for (size_t i = 0; i < n_parts; i++) {
		const char *p = parts[i].data;
		size_t left = parts[i].len;

		while (left > 0) {
			ssize_t n = write(fd, p, left);

			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				return -1;
			p += n;
			left -= (size_t)n;
		}
	}
	return fsync(fd);
}

int write_whole(const char *path, const struct part *parts, size_t n_parts)
{
	char temp[4096];
	int fd, rc;

	if (snprintf(temp, sizeof(temp), "%s.XXXXXX", path) >=
	    (int)sizeof(temp)) {
		fprintf(stderr, "matmul: %s: path too long\n", path);
		return -1;
	}
	fd = mkstemp(temp);
	if (fd < 0) {
		fprintf(stderr, "matmul: %s: %s\n", temp, strerror(errno));
		return -1;
	}
	rc = write_parts(fd, parts, n_parts);
	if (rc == 0)
		rc = fchmod(fd, 0644);
	if (close(fd) < 0)
		rc = -1;
	if (rc == 0)
		rc = rename(temp, path);
	if (rc < 0) {
		fprintf(stderr, "matmul: %s: %s\n", path, strerror(errno));
		unlink(temp);
	}
	return rc;
}

int matrix_generate(const char *path, uint32_t n, uint64_t seed)
{
	size_t count = (size_t)n * n;
	uint32_t *at = malloc(count * sizeof(*at));
	struct header h = {.n = n};
	struct part parts[] = {{&h, sizeof(h)}, {at, count * sizeof(*at)}};
	int rc;

	if (!at) {
		fprintf(stderr, "matmul: no memory for a %u x %u matrix\n", n,
			n);
		return -1;
	}
	for (size_t i = 0; i < count; i++)
		at[i] = (uint32_t)(next_random(&seed) % MODULUS);
	memcpy(h.magic, magic, sizeof(magic));
	h.fingerprint = fingerprint(FINGERPRINT_INIT, at, count * sizeof(*at));
	rc = write_whole(path, parts, 2);
	free(at);
	return rc;
}

/* Does the mapping hold a whole matrix? */
static const char *header_problem(const struct header *h, size_t size)
{
	if (size < sizeof(*h) || memcmp(h->magic, magic, sizeof(magic)) != 0)
		return "not a matrix file";
	if (h->n == 0 || h->n > SIZE_MAX_N)
		return "matrix size out of range";
	if (size != sizeof(*h) + (size_t)h->n * h->n * sizeof(uint32_t))
		return "file size does not fit the matrix size";
	return NULL;
}

int matrix_map(const char *path, struct matrix *m)
{
	struct stat st;
	const char *problem;
	const struct header *h;
	void *map = MAP_FAILED;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0)
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd,
			   0);
	if (map == MAP_FAILED) {
		fprintf(stderr, "matmul: %s: %s\n", path,
			errno ? strerror(errno) : "empty file");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	close(fd);
	h = map;
	problem = header_problem(h, (size_t)st.st_size);
	if (problem) {
		fprintf(stderr, "matmul: %s: %s\n", path, problem);
		munmap(map, (size_t)st.st_size);
		return -1;
	}
	*m = (struct matrix){.n = h->n,
			     .fingerprint = h->fingerprint,
			     .at = (const uint32_t *)(h + 1),
			     .map = map,
			     .map_size = (size_t)st.st_size};
	return 0;
}

void matrix_unmap(struct matrix *m)
{
	if (m->map)
		munmap(m->map, m->map_size);
	m->map = NULL;
}
