/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_base.h - stands for Slurm's select_cons_tres.so, renamed to .base
 *
 * Records how its job_test was called.  No Slurm header: to the base, too, the
 * records are the caller's.
 */
#ifndef VOL_FAKE_BASE_H
#define VOL_FAKE_BASE_H

#include <stdint.h>

struct fake_base {
	unsigned int calls;
	void *job, *nodes, *tail[4];
	uint32_t min, max, req;
	uint16_t mode;
	int rc;             /* what job_test shall return */
	void (*hook)(void); /* called from within job_test, may be NULL */
};

extern struct fake_base fake_base;

#endif
