/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - bench/sim: which policy wastes least of what owners lend? */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "generator.h"
#include "report.h"
#include "speed.h"

#define WEEK_S (7 * 86400)
/* Weeks in which the models only look on, and after the last job's week. */
#define LEARN_WEEKS 6
#define DRAIN_WEEKS 2
#define MAX_LOADS   8

static const char usage_text[] =
	"usage: bench/sim [OPTION...]\n"
	"\n"
	"Simulate a week of jobs on desktops whose owners come and go, under\n"
	"seven policies (bench/simulator/policies.h says what each does).\n"
	"\n"
	"  --patterns LIST    of office, lab, home, nightowl, mixed; default all\n"
	"  --loads LIST       work as a share of what devices offer; default\n"
	"                     0.1,0.25,0.5\n"
	"  --seed N           the first seed, default 1\n"
	"  --seeds N          how many, default 5\n"
	"  --devices N        default 60\n"
	"  --week N           of the jobs, after 6 of learning; default 8, which\n"
	"                     was never used for tuning\n"
	"  --tune             seeds from 101 and week 6: those used for it\n"
	"  --trace FILE       owners from a file (bench/simulator/trace.h)\n"
	"  --write-trace FILE write the first pattern's owners, and no more\n"
	"  --idle-after S     how long nothing is touched before a device opens;\n"
	"                     default 300\n"
	"  --calibration      how often what the model says comes true, instead\n"
	"  --speed            what an outlook and a score cost, instead\n"
	"  --json             one JSON object a line\n";

struct options {
	const char *patterns[16];
	unsigned int n_patterns;
	double loads[MAX_LOADS];
	unsigned int n_loads;
	unsigned long seed, seeds, devices, week, idle_after;
	const char *trace, *write_trace;
	bool calibration, speed, json;
};

enum {
	OPT_PATTERNS = 256,
	OPT_LOADS,
	OPT_SEED,
	OPT_SEEDS,
	OPT_DEVICES,
	OPT_WEEK,
	OPT_TUNE,
	OPT_TRACE,
	OPT_WRITE,
	OPT_IDLE,
	OPT_CALIBRATION,
	OPT_SPEED,
	OPT_JSON,
	OPT_HELP
};

static const struct option long_options[] = {
	{"patterns", required_argument, NULL, OPT_PATTERNS},
	{"loads", required_argument, NULL, OPT_LOADS},
	{"seed", required_argument, NULL, OPT_SEED},
	{"seeds", required_argument, NULL, OPT_SEEDS},
	{"devices", required_argument, NULL, OPT_DEVICES},
	{"week", required_argument, NULL, OPT_WEEK},
	{"tune", no_argument, NULL, OPT_TUNE},
	{"trace", required_argument, NULL, OPT_TRACE},
	{"write-trace", required_argument, NULL, OPT_WRITE},
	{"idle-after", required_argument, NULL, OPT_IDLE},
	{"calibration", no_argument, NULL, OPT_CALIBRATION},
	{"speed", no_argument, NULL, OPT_SPEED},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "bench/sim: %s: %s\n", what, why);
	exit(2);
}

static unsigned long number(const char *text, unsigned long min,
			    unsigned long max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n < min || n > max)
		fail(text, "not a number that makes sense here");
	return n;
}

static void read_loads(struct options *o, char *list)
{
	o->n_loads = 0;
	for (char *word = strtok(list, ","); word; word = strtok(NULL, ",")) {
		char *end;
		double load = strtod(word, &end);

		if (*end || !(load > 0 && load <= 10) ||
		    o->n_loads == MAX_LOADS)
			fail(word, "not a load from 0 to 10, or too many");
		o->loads[o->n_loads++] = load;
	}
}

static void read_patterns(struct options *o, char *list)
{
	o->n_patterns = 0;
	for (char *word = strtok(list, ","); word; word = strtok(NULL, ","))
		if (o->n_patterns < 16)
			o->patterns[o->n_patterns++] = word;
}

static void read_option(struct options *o, int option, char *value)
{
	switch (option) {
	case OPT_PATTERNS:
		read_patterns(o, value);
		break;
	case OPT_LOADS:
		read_loads(o, value);
		break;
	case OPT_SEED:
		o->seed = number(value, 0, UINT32_MAX);
		break;
	case OPT_SEEDS:
		o->seeds = number(value, 1, 1000);
		break;
	case OPT_DEVICES:
		o->devices = number(value, 1, 100000);
		break;
	case OPT_WEEK:
		o->week = number(value, 1, 1000);
		break;
	case OPT_TUNE:
		o->seed = 101;
		o->week = LEARN_WEEKS;
		break;
	case OPT_TRACE:
		o->trace = value;
		break;
	case OPT_WRITE:
		o->write_trace = value;
		break;
	case OPT_IDLE:
		o->idle_after = number(value, 0, 86400);
		break;
	case OPT_CALIBRATION:
		o->calibration = true;
		break;
	case OPT_SPEED:
		o->speed = true;
		break;
	case OPT_JSON:
		o->json = true;
		break;
	case OPT_HELP:
		fputs(usage_text, stdout);
		exit(0);
	default:
		fputs(usage_text, stderr);
		exit(2);
	}
}

static struct options read_options(int argc, char **argv)
{
	struct options o = {.loads = {0.1, 0.25, 0.5},
			    .n_loads = 3,
			    .seed = 1,
			    .seeds = 5,
			    .devices = 60,
			    .week = 8,
			    .idle_after = 300};
	int option;

	while (generator_patterns[o.n_patterns]) {
		o.patterns[o.n_patterns] = generator_patterns[o.n_patterns];
		o.n_patterns++;
	}
	while ((option = getopt_long(argc, argv, "+", long_options, NULL)) >= 0)
		read_option(&o, option, optarg);
	if (optind < argc)
		fail(argv[optind], "not an option");
	if (o.trace) {
		o.patterns[0] = o.trace;
		o.n_patterns = 1;
		o.seeds = 1;
	}
	return o;
}

static struct trace get_trace(const struct options *o, const char *pattern,
			      uint64_t seed)
{
	struct vol_error err;
	struct trace t;
	FILE *f;

	if (!o->trace) {
		if (generate(&t, pattern, seed, (unsigned int)o->devices,
			     (unsigned int)o->week + 1 + DRAIN_WEEKS, &err) < 0)
			fail("generator", err.text);
		return t;
	}
	f = fopen(o->trace, "re");
	if (!f)
		fail(o->trace, strerror(errno));
	if (trace_read(&t, f, o->trace, &err) < 0)
		fail("trace", err.text);
	fclose(f);
	if (t.end < (int64_t)(o->week + 1) * WEEK_S)
		fail(o->trace, "shorter than --week");
	return t;
}

static void simulate_all(const struct options *o, const struct world *base,
			 uint64_t seed, unsigned int load, struct cell *cell)
{
	int64_t start = (int64_t)o->week * WEEK_S, end = start + WEEK_S;
	double work = o->loads[load] * world_open_s(base, start, end);
	struct jobs jobs = {0};

	if (jobs_generate(&jobs, rng_make(seed, 1 + load), start, end, work) <
	    0)
		fail("jobs", "no memory");
	for (enum policy p = 0; p < POLICIES; p++) {
		struct outcome outcome;
		struct world w;

		if (world_copy(&w, base) < 0 ||
		    simulate(&w, &jobs, p, rng_make(seed, 100 + load),
			     &outcome) < 0)
			fail("simulation", "no memory");
		cell_add(cell, p, &outcome);
		world_destroy_copy(&w);
	}
	cell->n++;
	jobs_clear(&jobs);
}

/* Of one pattern, all seeds. */
static void run(const struct options *o, const char *pattern,
		struct calibration *all)
{
	struct cell cells[MAX_LOADS] = {{.n = 0}};
	struct calibration calibration = {.n = 0};

	for (uint64_t seed = o->seed; seed < o->seed + o->seeds; seed++) {
		int64_t start = (int64_t)o->week * WEEK_S;
		struct trace t = get_trace(o, pattern, seed);
		struct world w;

		if (world_create(&w, &t, (int64_t)o->idle_after) < 0)
			fail("world", "no memory");
		world_advance(&w, start);
		if (o->calibration) {
			calibrate(&calibration, &w, start + WEEK_S,
				  rng_make(seed, 200));
		} else {
			for (unsigned int i = 0; i < o->n_loads; i++)
				simulate_all(o, &w, seed, i, &cells[i]);
		}
		world_destroy(&w);
		trace_clear(&t);
	}
	if (o->calibration)
		report_calibration(&calibration, pattern, o->json);
	else
		for (unsigned int i = 0; i < o->n_loads; i++)
			report_cell(&cells[i], pattern, o->loads[i], o->json);
	fflush(stdout);
	for (unsigned int i = 0; i < CALIBRATION_BINS; i++) {
		all->bin[i].n += calibration.bin[i].n;
		all->bin[i].said += calibration.bin[i].said;
		all->bin[i].seen += calibration.bin[i].seen;
	}
	all->n += calibration.n;
	all->brier += calibration.brier;
	all->log_loss += calibration.log_loss;
}

int main(int argc, char **argv)
{
	struct options o = read_options(argc, argv);
	struct calibration all = {.n = 0};

	if (o.speed)
		return measure_speed(o.json) < 0;
	if (o.write_trace) {
		struct trace t = get_trace(&o, o.patterns[0], o.seed);
		FILE *f = fopen(o.write_trace, "we");

		if (!f)
			fail(o.write_trace, strerror(errno));
		trace_write(&t, f);
		trace_clear(&t);
		if (fclose(f) != 0)
			fail(o.write_trace, strerror(errno));
		return 0;
	}
	for (unsigned int i = 0; i < o.n_patterns; i++)
		run(&o, o.patterns[i], &all);
	if (o.calibration && o.n_patterns > 1)
		report_calibration(&all, "all", o.json);
	return 0;
}
