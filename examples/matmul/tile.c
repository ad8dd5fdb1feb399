/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tile.c - tiles of the product */
#include "tile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Without a NUL at the end. */
static const char magic[8] = {'V', 'O', 'L', 'T', 'I', 'L', 'E', '\n'};

/* Rows of B taken at once: 128 rows of a 512-wide tile are 256 KiB, which
 * stays in a desktop's L2 cache while a row of A is applied to them. */
#define BLOCK 128

uint32_t tile_begin(uint32_t n, uint32_t tiles, uint32_t i)
{
	return (uint32_t)((uint64_t)n * i / tiles);
}

static uint32_t rows_of(const struct tile_header *h)
{
	return tile_begin(h->n, h->tiles, h->row + 1) -
	       tile_begin(h->n, h->tiles, h->row);
}

static uint32_t cols_of(const struct tile_header *h)
{
	return tile_begin(h->n, h->tiles, h->col + 1) -
	       tile_begin(h->n, h->tiles, h->col);
}

static size_t bytes_of(const struct tile_header *h)
{
	return (size_t)rows_of(h) * cols_of(h) * sizeof(uint32_t);
}

static uint64_t inputs_of(const struct matrix *a, const struct matrix *b)
{
	uint64_t sum = fingerprint(FINGERPRINT_INIT, &a->fingerprint, 8);

	return fingerprint(sum, &b->fingerprint, 8);
}

/* Add the products of rows k..k+depth-1 of B to one row of accumulators. */
static void add_row(const uint32_t *a_row, const uint32_t *b, uint32_t n,
		    uint32_t depth, uint32_t cols, uint64_t *acc)
{
	for (uint32_t k = 0; k < depth; k++) {
		const uint32_t *b_row = b + (size_t)k * n;
		uint32_t factor = a_row[k];

		for (uint32_t j = 0; j < cols; j++)
			acc[j] = mod_fma(acc[j], factor, b_row[j]);
	}
}

int tile_compute(const struct matrix *a, const struct matrix *b, struct tile *t)
{
	uint32_t n = t->h.n, rows = rows_of(&t->h), cols = cols_of(&t->h);
	uint32_t row0 = tile_begin(n, t->h.tiles, t->h.row);
	uint32_t col0 = tile_begin(n, t->h.tiles, t->h.col);
	uint64_t *acc = calloc((size_t)rows * cols, sizeof(*acc));

	t->at = malloc(bytes_of(&t->h));
	if (!acc || !t->at) {
		fprintf(stderr, "matmul: no memory for a %u x %u tile\n", rows,
			cols);
		free(acc);
		tile_free(t);
		return -1;
	}
	for (uint32_t k = 0; k < n; k += BLOCK) {
		uint32_t depth = n - k < BLOCK ? n - k : BLOCK;

		for (uint32_t i = 0; i < rows; i++)
			add_row(a->at + (size_t)(row0 + i) * n + k,
				b->at + (size_t)k * n + col0, n, depth, cols,
				acc + (size_t)i * cols);
	}
	for (size_t i = 0; i < (size_t)rows * cols; i++)
		t->at[i] = mod_reduce(acc[i]);
	free(acc);
	t->h.inputs = inputs_of(a, b);
	return 0;
}

static void tile_path(char *path, size_t size, const char *dir, uint32_t row,
		      uint32_t col)
{
	snprintf(path, size, "%s/C.%u.%u", dir, row, col);
}

int tile_write(const char *dir, struct tile *t)
{
	char path[4096];
	struct part parts[] = {{&t->h, sizeof(t->h)}, {t->at, bytes_of(&t->h)}};

	memcpy(t->h.magic, magic, sizeof(magic));
	t->h.elements = fingerprint(FINGERPRINT_INIT, t->at, bytes_of(&t->h));
	/* On a cluster the node's own name says more than the kernel's. */
	const char *node = getenv("SLURMD_NODENAME");

	if (node)
		snprintf(t->h.host, sizeof(t->h.host), "%s", node);
	else if (gethostname(t->h.host, sizeof(t->h.host) - 1) < 0)
		strcpy(t->h.host, "?");
	tile_path(path, sizeof(path), dir, t->h.row, t->h.col);
	return write_whole(path, parts, 2);
}

static const char *header_problem(const struct tile_header *h,
				  const struct matrix *a,
				  const struct matrix *b, uint32_t tiles,
				  uint32_t row, uint32_t col)
{
	if (memcmp(h->magic, magic, sizeof(magic)) != 0)
		return "not a tile file";
	if (h->n != a->n || h->tiles != tiles)
		return "belongs to a product of another size";
	if (h->row != row || h->col != col)
		return "is another tile under this name";
	if (h->inputs != inputs_of(a, b))
		return "was made from other inputs";
	if (memchr(h->host, '\0', sizeof(h->host)) == NULL)
		return "header is damaged";
	return NULL;
}

static const char *read_elements(FILE *fp, struct tile *t)
{
	size_t bytes = bytes_of(&t->h);
	char beyond;

	t->at = malloc(bytes);
	if (!t->at)
		return "no memory to read it";
	if (fread(t->at, 1, bytes, fp) != bytes)
		return "is cut short";
	if (fread(&beyond, 1, 1, fp) != 0)
		return "is too long";
	if (fingerprint(FINGERPRINT_INIT, t->at, bytes) != t->h.elements)
		return "is damaged (fingerprint differs)";
	return NULL;
}

const char *tile_read(const char *dir, const struct matrix *a,
		      const struct matrix *b, uint32_t tiles, uint32_t row,
		      uint32_t col, struct tile *t)
{
	char path[4096];
	const char *problem;
	FILE *fp;

	t->at = NULL;
	tile_path(path, sizeof(path), dir, row, col);
	fp = fopen(path, "re");
	if (!fp)
		return errno == ENOENT ? "is missing" : strerror(errno);
	if (fread(&t->h, sizeof(t->h), 1, fp) != 1)
		problem = "is cut short";
	else
		problem = header_problem(&t->h, a, b, tiles, row, col);
	if (!problem)
		problem = read_elements(fp, t);
	fclose(fp);
	if (problem)
		tile_free(t);
	return problem;
}

/* Dot product of a matrix row with a vector. */
static uint32_t dot(const uint32_t *row, const uint32_t *x, uint32_t len)
{
	uint64_t acc = 0;

	for (uint32_t i = 0; i < len; i++)
		acc = mod_fma(acc, row[i], x[i]);
	return mod_reduce(acc);
}

int tile_freivalds(const struct matrix *a, const struct matrix *b,
		   const struct tile *t, uint64_t *random)
{
	uint32_t n = t->h.n, rows = rows_of(&t->h), cols = cols_of(&t->h);
	uint32_t row0 = tile_begin(n, t->h.tiles, t->h.row);
	uint32_t col0 = tile_begin(n, t->h.tiles, t->h.col);
	uint32_t *x = malloc(cols * sizeof(*x));
	uint32_t *bx = malloc(n * sizeof(*bx));
	int right = x && bx;

	for (uint32_t j = 0; right && j < cols; j++)
		x[j] = (uint32_t)(next_random(random) % MODULUS);
	for (uint32_t k = 0; right && k < n; k++)
		bx[k] = dot(b->at + (size_t)k * n + col0, x, cols);
	for (uint32_t i = 0; right && i < rows; i++)
		right = dot(a->at + (size_t)(row0 + i) * n, bx, n) ==
			dot(t->at + (size_t)i * cols, x, cols);
	free(x);
	free(bx);
	return right;
}

void tile_free(struct tile *t)
{
	free(t->at);
	t->at = NULL;
}
