/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hashsearch.c - search one part of a nonce range, or collect all parts
 *
 * Result of one part, DIR/part.K: a line "part K of P text T bits B range
 * L..H", a line "NONCE DIGEST" for each hit, and a line "end".
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "search.h"

static const char usage[] =
	"usage: hashsearch part    --dir DIR --text T --bits B --range N --parts P --part K\n"
	"       hashsearch collect --dir DIR --text T --bits B --range N --parts P\n"
	"\n"
	"part     searches the K-th of P parts of the nonces 0 .. N-1\n"
	"collect  checks that the parts cover the range once and that every hit\n"
	"         is one; prints the hits in order; status 1 otherwise\n";

struct options {
	const char *dir, *text;
	uint64_t bits, range, parts, part;
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
	fprintf(stderr,
		"hashsearch: --%s: \"%s\" is not a number up to %" PRIu64 "\n",
		name, text, max);
	return -1;
}

static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"dir", required_argument, NULL, 'd'},
		{"text", required_argument, NULL, 't'},
		{"bits", required_argument, NULL, 'b'},
		{"range", required_argument, NULL, 'n'},
		{"parts", required_argument, NULL, 'p'},
		{"part", required_argument, NULL, 'k'},
		{NULL, 0, NULL, 0},
	};
	int c, rc = 0;

	while (rc == 0 && (c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		switch (c) {
		case 'd':
			o->dir = optarg;
			break;
		case 't':
			o->text = optarg;
			break;
		case 'b':
			rc = parse_number("bits", optarg, 64, &o->bits);
			break;
		case 'n':
			rc = parse_number("range", optarg, UINT64_MAX / 2,
					  &o->range);
			break;
		case 'p':
			rc = parse_number("parts", optarg, 1000000, &o->parts);
			break;
		case 'k':
			rc = parse_number("part", optarg, 999999, &o->part);
			break;
		default:
			rc = -1;
		}
	if (rc < 0 || optind != argc || !o->dir || !o->text || !o->bits ||
	    !o->range || !o->parts || o->part >= o->parts)
		return -1;
	return strchr(o->text, '\n') ? -1 : 0;
}

/* First nonce of part k; k = parts gives the end of the range. */
static uint64_t part_begin(const struct options *o, uint64_t k)
{
	return (uint64_t)((unsigned __int128)o->range * k / o->parts);
}

static void first_line(const struct options *o, uint64_t k, char *line,
		       size_t size)
{
	snprintf(line, size,
		 "part %" PRIu64 " of %" PRIu64 " text %s bits %" PRIu64
		 " range %" PRIu64 "..%" PRIu64 "\n",
		 k, o->parts, o->text, o->bits, part_begin(o, k),
		 part_begin(o, k + 1));
}

static int print_hit(uint64_t nonce, const char *hex, void *arg)
{
	return fprintf(arg, "%" PRIu64 " %s\n", nonce, hex) < 0 ? -1 : 0;
}

/* Search into an open temporary file; 0 when all is on disk. */
static int search_into(FILE *fp, const struct options *o)
{
	struct search s = {o->text, (unsigned)o->bits, part_begin(o, o->part),
			   part_begin(o, o->part + 1)};
	char line[4096];
	int rc;

	first_line(o, o->part, line, sizeof(line));
	if (fputs(line, fp) == EOF)
		return -1;
	rc = search_run(&s, print_hit, fp);
	if (rc == 0 && (fputs("end\n", fp) == EOF || fflush(fp) == EOF))
		rc = -1;
	return rc == 0 ? fsync(fileno(fp)) : rc;
}

static int run_part(const struct options *o)
{
	char path[4096], temp[4200];
	FILE *fp;
	int fd, rc;

	snprintf(path, sizeof(path), "%s/part.%" PRIu64, o->dir, o->part);
	snprintf(temp, sizeof(temp), "%s/tmp.part.%" PRIu64 ".XXXXXX", o->dir,
		 o->part);
	fd = mkstemp(temp);
	fp = fd < 0 ? NULL : fdopen(fd, "w");
	if (!fp) {
		fprintf(stderr, "hashsearch: %s: %s\n", temp, strerror(errno));
		return 1;
	}
	rc = search_into(fp, o);
	if (fclose(fp) == EOF)
		rc = -1;
	if (rc == 0)
		rc = rename(temp, path);
	if (rc < 0) {
		fprintf(stderr, "hashsearch: %s: %s\n", path, strerror(errno));
		unlink(temp);
	}
	return rc < 0;
}

/* Check the lines after the first; NULL or what is wrong. */
static const char *check_hits(FILE *fp, const struct options *o, uint64_t k)
{
	struct search s = {o->text, (unsigned)o->bits, 0, 0};
	char line[256], hex[65];
	uint64_t nonce, next = part_begin(o, k);

	while (fgets(line, sizeof(line), fp)) {
		if (strcmp(line, "end\n") == 0)
			return fgetc(fp) == EOF ? NULL
						: "has lines after its end";
		if (sscanf(line, "%" SCNu64 " %64[0-9a-f]", &nonce, hex) != 2)
			return "has a line that is no hit";
		if (nonce < next || nonce >= part_begin(o, k + 1))
			return "has a hit outside its range";
		if (search_check(&s, nonce) != 1)
			return "has a hit that is none";
		next = nonce + 1;
		fputs(line, stdout);
	}
	return "is cut short";
}

static const char *check_part(const struct options *o, uint64_t k)
{
	char path[4096], want[4096], have[4096];
	const char *problem;
	FILE *fp;

	snprintf(path, sizeof(path), "%s/part.%" PRIu64, o->dir, k);
	fp = fopen(path, "re");
	if (!fp)
		return errno == ENOENT ? "is missing" : strerror(errno);
	first_line(o, k, want, sizeof(want));
	if (!fgets(have, sizeof(have), fp) || strcmp(have, want) != 0)
		problem = "is of another search";
	else
		problem = check_hits(fp, o, k);
	fclose(fp);
	return problem;
}

static int run_collect(const struct options *o)
{
	uint64_t bad = 0;

	for (uint64_t k = 0; k < o->parts; k++) {
		const char *problem = check_part(o, k);

		if (!problem)
			continue;
		fprintf(stderr, "hashsearch: part %" PRIu64 " %s\n", k,
			problem);
		bad++;
	}
	fprintf(stderr, "hashsearch: %" PRIu64 " of %" PRIu64 " parts right\n",
		o->parts - bad, o->parts);
	return bad != 0;
}

int main(int argc, char **argv)
{
	struct options o = {0};

	if (argc > 1 && parse_options(argc - 1, argv + 1, &o) == 0) {
		if (strcmp(argv[1], "part") == 0)
			return run_part(&o);
		if (strcmp(argv[1], "collect") == 0)
			return run_collect(&o);
	}
	fputs(usage, stderr);
	return 2;
}
