/* SPDX-License-Identifier: GPL-2.0-or-later */
/* turns.c - the select plugin and the original in turns, within one slurmctld
 *
 * Stands where the plugin stood, which is beside it now, and hands every second
 * job's questions to the plugin, the others' to the original: by the parity of
 * the job's id, plus $BENCH_TURN.  What both have taken is in COUNTERS, a
 * struct turns, CPU time of the calling thread in ns.  Two slurmctlds that run
 * one after the other differ by more than what is looked for; two neighbours in
 * one queue do not.
 */
#define _GNU_SOURCE

#include "config.h"

#include "src/common/bitstring.h"
#include "src/interfaces/select.h"
#include "src/slurmctld/slurmctld.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define OURS     "select_cons_tres.so.ours"
#define NAME     "select_p_job_test"
#define COUNTERS "/run/bench-turns"
/* SELECT_MODE_RUN_NOW, _TEST_ONLY, _WILL_RUN */
#define MODES 3

struct turns {
	uint64_t ns[MODES][2]; /* the original's, the plugin's */
	uint64_t calls[MODES][2];
};

/* Its last arguments differ from version to version; all are pointers. */
typedef int job_test_f(job_record_t *, bitstr_t *, uint32_t, uint32_t, uint32_t,
		       uint16_t, void *, void *, void *, void *);

job_test_f select_p_job_test;

static job_test_f *job_test[2];
static struct turns *turns;
static uint32_t turn;

static void *must(void *found)
{
	if (!found)
		abort();
	return found;
}

__attribute__((constructor)) static void load(void)
{
	int fd = open(COUNTERS, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	Dl_info self;
	char *path;

	if (fd < 0 || ftruncate(fd, sizeof(*turns)) != 0 ||
	    !dladdr(must(&turns), &self) ||
	    asprintf(&path, "%.*s" OURS,
		     (int)(strrchr(self.dli_fname, '/') + 1 - self.dli_fname),
		     self.dli_fname) < 0)
		abort();
	turns = mmap(NULL, sizeof(*turns), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	if (turns == MAP_FAILED)
		abort();
	close(fd);
	job_test[0] = must(dlsym(RTLD_NEXT, NAME));
	job_test[1] = must(dlsym(must(dlopen(path, RTLD_NOW)), NAME));
	free(path);
	turn = getenv("BENCH_TURN") ? (uint32_t)atoi(getenv("BENCH_TURN")) : 0;
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int select_p_job_test(job_record_t *job, bitstr_t *nodes, uint32_t min,
		      uint32_t max, uint32_t req, uint16_t mode, void *a,
		      void *b, void *c, void *d)
{
	unsigned int which = (job->job_id + turn) & 1,
		     kind = mode & SELECT_MODE_BASE;
	uint64_t begin = cpu_ns();
	int rc = job_test[which](job, nodes, min, max, req, mode, a, b, c, d);

	/* slurmctld holds its node write lock around each call. */
	if (kind < MODES) {
		turns->ns[kind][which] += cpu_ns() - begin;
		turns->calls[kind][which]++;
	}
	return rc;
}
