/* SPDX-License-Identifier: GPL-2.0-or-later */
/* saver_bed.h - what jobs are saved by, and whom they belong to, as they are
 * for tests
 */
#ifndef VOL_SAVER_BED_H
#define VOL_SAVER_BED_H

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vtest.h"

/* In place of slurm-volunteer-image, in that folder; body is what it does to
 * save. */
static inline void write_saver(const char *program, const char *folder,
			       const char *body)
{
	char new[PATH_MAX];
	FILE *f;

	/* One that is being started can not be written to. */
	snprintf(new, sizeof(new), "%s.new", program);
	f = fopen(new, "we");
	assert_non_null(f);
	fprintf(f,
		"#!/bin/sh\ncd %s || exit 9\n"
		"[ \"$2\" = tidy ] && { echo \"$*\" >>tidied; exit; }\n"
		"%s\n",
		folder, body);
	fclose(f);
	assert_int_equal(chmod(new, 0700), 0);
	assert_int_equal(rename(new, program), 0);
}

/* A process that goes by the name of slurmstepd. */
static inline pid_t start_stepd(void)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "slurmstepd");
		(void)!write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

#endif
