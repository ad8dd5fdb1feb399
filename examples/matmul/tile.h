/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tile.h - one tile of C = A * B: computed, stored, read back, checked
 *
 * C is cut into tiles x tiles rectangles; tile (row, col) holds rows
 * row*n/tiles .. (row+1)*n/tiles - 1 and the columns alike.
 *
 * File "C.ROW.COL", little-endian: struct tile_header, then its elements
 * (u32, row-major).
 */
#ifndef MATMUL_TILE_H
#define MATMUL_TILE_H

#include <stdint.h>

#include "matrix.h"

struct tile_header {
	char magic[8]; /* "VOLTILE\n" */
	uint32_t n, tiles, row, col;
	uint64_t inputs;   /* fingerprints of A and B together */
	uint64_t elements; /* fingerprint of what follows */
	char host[64];     /* where it was computed, NUL-terminated */
};

struct tile {
	struct tile_header h;
	uint32_t *at; /* owned */
};

/* First row (or column) of tile number i; i = tiles gives n. */
uint32_t tile_begin(uint32_t n, uint32_t tiles, uint32_t i);

/* Compute the tile named in t->h (n, tiles, row, col) into t->at. */
int tile_compute(const struct matrix *a, const struct matrix *b,
		 struct tile *t);

int tile_write(const char *dir, struct tile *t);

/* Read and check everything but the product itself; NULL and *t, or a
 * sentence that says what is wrong. */
const char *tile_read(const char *dir, const struct matrix *a,
		      const struct matrix *b, uint32_t tiles, uint32_t row,
		      uint32_t col, struct tile *t);

/* Freivalds' test (1977): with a random vector x, compare C x with A (B x) on
 * this tile.  A wrong tile passes with probability 1 / MODULUS. */
int tile_freivalds(const struct matrix *a, const struct matrix *b,
		   const struct tile *t, uint64_t *random);

void tile_free(struct tile *t);

#endif
