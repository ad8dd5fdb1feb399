/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_base.c - stands for Slurm's select_cons_tres.so, renamed to .base */
#include "fake_base.h"

struct fake_base fake_base;
/* What Slurm and the plugin look up by name; no release unless a test sets it.
 */
extern uint32_t plugin_version;
extern const char plugin_type[];
uint32_t plugin_version;
const char plugin_type[] = "select/cons_tres";

int select_p_job_test(void *job, void *nodes, uint32_t min, uint32_t max,
		      uint32_t req, uint16_t mode, void *t1, void *t2, void *t3,
		      void *t4);

int select_p_job_test(void *job, void *nodes, uint32_t min, uint32_t max,
		      uint32_t req, uint16_t mode, void *t1, void *t2, void *t3,
		      void *t4)
{
	fake_base.calls++;
	fake_base.job = job;
	fake_base.nodes = nodes;
	fake_base.min = min;
	fake_base.max = max;
	fake_base.req = req;
	fake_base.mode = mode;
	fake_base.tail[0] = t1;
	fake_base.tail[1] = t2;
	fake_base.tail[2] = t3;
	fake_base.tail[3] = t4;
	if (fake_base.hook)
		fake_base.hook();
	return fake_base.rc;
}
