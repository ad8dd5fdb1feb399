/* SPDX-License-Identifier: GPL-2.0-or-later */
/* freezer_bed.h - a freezer over the steps of a bed */
#ifndef VOL_FREEZER_BED_H
#define VOL_FREEZER_BED_H

#include "device/freezer.h"

#include <poll.h>
#include <stdio.h>

#include "cgroup_bed.h"
#include "vtest.h"

static inline struct vol_freezer *freezer(const struct bed *b)
{
	struct vol_error err = {""};
	struct vol_freezer *f = vol_freezer_create(b->root, &err);

	if (!f)
		fail_msg("%s", err.text);
	return f;
}

/* The slurmstepd of job 7 step 0 is 70. */
static inline int add(struct vol_freezer *f, const struct bed *b, uint32_t job,
		      uint32_t step, bool born)
{
	const struct vol_step info = {.job = job,
				      .step = step,
				      .uid = 1000,
				      .stepd = (pid_t)(job * 10 + step),
				      .tasks = 2,
				      .born = born};
	struct vol_error err = {""};
	char name[32];

	snprintf(name, sizeof(name), "%u.%u", job, step);
	return vol_freezer_add(f, &info, false, bed_cgroup(b, name), &err);
}

static inline void dispatch(struct vol_freezer *f)
{
	struct pollfd p = {.fd = vol_freezer_fd(f), .events = POLLIN};

	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(vol_freezer_dispatch(f, NULL), 0);
}

#endif
