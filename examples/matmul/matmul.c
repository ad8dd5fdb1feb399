/* SPDX-License-Identifier: GPL-2.0-or-later */
/* matmul.c - a matrix product cut into independent tasks, and its check */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "matrix.h"
#include "tile.h"

static const char usage[] =
	"usage: matmul gen   --dir DIR --size N [--seed S]\n"
	"       matmul tile  --dir DIR --tiles T --row I --col J\n"
	"       matmul check --dir DIR --tiles T\n"
	"\n"
	"gen    writes DIR/A and DIR/B: N x N, random, modulo 2^31 - 1\n"
	"tile   computes one of T x T tiles of C = A * B as DIR/C.I.J\n"
	"check  tests every tile against A and B (Freivalds); prints\n"
	"       \"tile I J HOST\" for each; status 1 if any is not right\n";

struct options {
	const char *dir;
	uint64_t size, seed, tiles, row, col;
	char a_path[4096], b_path[4096];
};

static int parse_number(const char *name, const char *text, uint64_t max,
			uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 &&
	    *value <= max)
		return 0;
	fprintf(stderr, "matmul: --%s: \"%s\" is not a number up to %llu\n",
		name, text, (unsigned long long)max);
	return -1;
}

static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"dir", required_argument, NULL, 'd'},
		{"size", required_argument, NULL, 'n'},
		{"seed", required_argument, NULL, 's'},
		{"tiles", required_argument, NULL, 't'},
		{"row", required_argument, NULL, 'i'},
		{"col", required_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	int c, rc = 0;

	while (rc == 0 && (c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		switch (c) {
		case 'd':
			o->dir = optarg;
			break;
		case 'n':
			rc = parse_number("size", optarg, SIZE_MAX_N, &o->size);
			break;
		case 's':
			rc = parse_number("seed", optarg, UINT64_MAX, &o->seed);
			break;
		case 't':
			rc = parse_number("tiles", optarg, 1024, &o->tiles);
			break;
		case 'i':
			rc = parse_number("row", optarg, 1023, &o->row);
			break;
		case 'j':
			rc = parse_number("col", optarg, 1023, &o->col);
			break;
		default:
			rc = -1;
		}
	if (rc == 0 && (!o->dir || optind != argc))
		rc = -1;
	if (rc == 0) {
		snprintf(o->a_path, sizeof(o->a_path), "%s/A", o->dir);
		snprintf(o->b_path, sizeof(o->b_path), "%s/B", o->dir);
	}
	return rc;
}

static int run_gen(const struct options *o)
{
	if (o->size == 0) {
		fprintf(stderr, "matmul: gen needs --size\n");
		return 2;
	}
	if (mkdir(o->dir, 0755) < 0 && errno != EEXIST) {
		fprintf(stderr, "matmul: %s: %s\n", o->dir, strerror(errno));
		return 1;
	}
	if (matrix_generate(o->a_path, (uint32_t)o->size, 2 * o->seed) < 0 ||
	    matrix_generate(o->b_path, (uint32_t)o->size, 2 * o->seed + 1) < 0)
		return 1;
	return 0;
}

/* Map both inputs and see that they and the tiling fit together. */
static int map_inputs(const struct options *o, struct matrix *a,
		      struct matrix *b)
{
	if (matrix_map(o->a_path, a) < 0)
		return -1;
	if (matrix_map(o->b_path, b) < 0) {
		matrix_unmap(a);
		return -1;
	}
	if (a->n == b->n && o->tiles >= 1 && o->tiles <= a->n)
		return 0;
	fprintf(stderr,
		"matmul: %s: sizes %u and %u, cut into %llu tiles a side\n",
		o->dir, a->n, b->n, (unsigned long long)o->tiles);
	matrix_unmap(a);
	matrix_unmap(b);
	return -1;
}

static int run_tile(const struct options *o)
{
	struct tile t = {0};
	struct matrix a = {0}, b = {0};
	int rc = -1;

	if (o->row >= o->tiles || o->col >= o->tiles) {
		fprintf(stderr, "matmul: tile %llu,%llu of %llu x %llu\n",
			(unsigned long long)o->row, (unsigned long long)o->col,
			(unsigned long long)o->tiles,
			(unsigned long long)o->tiles);
		return 2;
	}
	if (map_inputs(o, &a, &b) < 0)
		return 1;
	t.h.n = a.n;
	t.h.tiles = (uint32_t)o->tiles;
	t.h.row = (uint32_t)o->row;
	t.h.col = (uint32_t)o->col;
	if (tile_compute(&a, &b, &t) == 0)
		rc = tile_write(o->dir, &t);
	tile_free(&t);
	matrix_unmap(&a);
	matrix_unmap(&b);
	return rc < 0;
}

/* Freivalds' vectors must not be known to whoever made the tiles. */
static int secret_seed(uint64_t *seed)
{
	if (getrandom(seed, sizeof(*seed), 0) == sizeof(*seed))
		return 0;
	fprintf(stderr, "matmul: getrandom: %s\n", strerror(errno));
	return -1;
}

static int run_check(const struct options *o)
{
	struct matrix a = {0}, b = {0};
	uint64_t random, bad = 0;

	if (secret_seed(&random) < 0 || map_inputs(o, &a, &b) < 0)
		return 1;
	for (uint32_t i = 0; i < o->tiles; i++)
		for (uint32_t j = 0; j < o->tiles; j++) {
			struct tile t;
			const char *problem = tile_read(
				o->dir, &a, &b, (uint32_t)o->tiles, i, j, &t);

			if (!problem && !tile_freivalds(&a, &b, &t, &random))
				problem = "is not the product";
			if (problem) {
				fprintf(stderr, "matmul: tile %u,%u %s\n", i, j,
					problem);
				bad++;
			} else {
				printf("tile %u %u %s\n", i, j, t.h.host);
			}
			tile_free(&t);
		}
	matrix_unmap(&a);
	matrix_unmap(&b);
	fprintf(stderr, "matmul: %llu of %llu tiles right\n",
		(unsigned long long)(o->tiles * o->tiles - bad),
		(unsigned long long)(o->tiles * o->tiles));
	return bad != 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct options *o);
	} commands[] = {
		{"gen", run_gen},
		{"tile", run_tile},
		{"check", run_check},
	};
	struct options o = {.seed = 1};

	for (size_t i = 0; argc > 1 && i < 3; i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (parse_options(argc - 1, argv + 1, &o) < 0)
			break;
		return commands[i].run(&o);
	}
	fputs(usage, stderr);
	return 2;
}
