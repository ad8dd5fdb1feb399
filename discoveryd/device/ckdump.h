/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckdump.h - run slurm-volunteer-checkpoint dump or probe, or ask one that
 * serves (sandbox/checkpoint.h) */
#ifndef VOL_CKDUMP_H
#define VOL_CKDUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct vol_ckdump {
	const char *program, *criu;
	const char *cgroup, *dir; /* cgroup NULL: probe */
	bool before; /* write memory down before dir is dumped to */
	unsigned int seconds;
	bool goes_on; /* the job, after it: keep what its files are, too */
	bool streams; /* to who listens in dir/images (ckcapture.h) */
	bool files;   /* it saves itself: its own files, without processes, */
	int signal;   /* when it was told so by this, 0: by none, */
	uint64_t grace_ms; /* and ran for so long */
	int server;        /* socket of one that serves; -1: run the program */
	int stop; /* readable: end it (ECANCELED); one that serves is done
		   * after so many seconds */
};

/* errno: EPERM, the job can not be saved, whoever tries; ECANCELED; EIO. err is
 * what it said. */
int vol_ckdump(const struct vol_ckdump *dump, struct vol_error *err);

/* A connection to the one that slurm-volunteer-launch has started.  -1: there
 * is none; where slurmd is in no domain, that is as good. */
int vol_ckdump_server(void);

#endif
