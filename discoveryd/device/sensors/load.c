/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load.c - sensor: CPU of everything that is not a job
 *
 * All CPU time of this machine (or this container) minus that of the jobs and
 * of this daemon.
 */
#include "config.h"

#include "device/sensors/load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "device/sensors/polling.h"
#include "device/sensors/sensor.h"
#include "device/sensors/sysfile.h"

#define S_US          UINT64_C(1000000)
#define WINDOW_MIN_US (3 * S_US)
#define WINDOW_MAX_US (60 * S_US)

struct load {
	struct vol_sensor_host *host;
	struct vol_polling polling;
	struct vol_load state;
};

bool vol_load_look(struct vol_load *l, uint64_t at_us, int64_t used_us,
		   unsigned cpus, unsigned max_pct)
{
	uint64_t elapsed_us = at_us - l->at_us;
	int64_t used = used_us - l->used_us;
	bool first = l->at_us == 0 || elapsed_us > WINDOW_MAX_US;
	double pct;

	if (!first && elapsed_us < WINDOW_MIN_US)
		return l->claims;
	l->at_us = at_us;
	l->used_us = used_us;
	if (first) {
		l->above = l->below = 0;
		return l->claims;
	}
	pct = used > 0 ? 100.0 * (double)used / ((double)elapsed_us * cpus) : 0;
	l->above = pct > max_pct ? l->above + 1 : 0;
	l->below = pct * 3 < max_pct * 2.0 ? l->below + 1 : 0;
	if (l->above >= 2)
		l->claims = true;
	if (l->below >= 2)
		l->claims = false;
	return l->claims;
}

static int cgroup_usage(const char *root, const char *folder, uint64_t *us)
{
	char text[256];

	if (vol_sysfile_read(root, text, sizeof(text), "%s/cpu.stat", folder) <
	    0)
		return -1;
	return vol_sysfile_key(text, "usage_usec", us);
}

/* The first line of /proc/stat: all but idle and waiting.  Guests are counted
 * in user and nice already. */
static int proc_usage(const char *root, uint64_t *us)
{
	uint64_t user, nice, sys, idle, iowait, irq, softirq;
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);
	char text[256];

	if (vol_sysfile_read(root, text, sizeof(text), "/proc/stat") < 0)
		return -1;
	if (sscanf(text,
		   "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		   " %" SCNu64 " %" SCNu64 " %" SCNu64,
		   &user, &nice, &sys, &idle, &iowait, &irq, &softirq) != 7) {
		errno = EINVAL;
		return -1;
	}
	*us = (user + nice + sys + irq + softirq) * S_US / hz;
	return 0;
}

/* In a container /proc/stat tells of its host, the cgroup of itself. */
static int machine_usage(const char *root, uint64_t *us)
{
	if (cgroup_usage(root, "/sys/fs/cgroup", us) == 0 ||
	    cgroup_usage(root, "/sys/fs/cgroup/unified", us) == 0)
		return 0;
	return proc_usage(root, us);
}

int vol_load_used(const char *root, const char *jobs_cgroup, int64_t *used_us)
{
	uint64_t all, jobs = 0;

	if (machine_usage(root, &all) < 0)
		return -1;
	/* Jobs that can not be told apart count as the owner's. */
	if (jobs_cgroup[0])
		(void)cgroup_usage(root, jobs_cgroup, &jobs);
	*used_us = (int64_t)(all - jobs);
	return 0;
}

static uint64_t clock_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * S_US + (uint64_t)ts.tv_nsec / 1000;
}

static void look(void *self)
{
	struct load *l = self;
	struct vol_sensor_host *host = l->host;
	int64_t used_us;
	bool claims;

	if (vol_load_used(host->root, host->jobs_cgroup, &used_us) < 0) {
		vol_sensor_report(host->sensors, VOL_SENSOR_LOAD,
				  VOL_SAYS_UNKNOWN, 0,
				  "neither cpu.stat nor /proc/stat tells the "
				  "CPU time: %s",
				  strerror(errno));
		vol_polling_next(&l->polling, host->watching, false);
		return;
	}
	used_us -= (int64_t)clock_us(CLOCK_PROCESS_CPUTIME_ID);
	claims = vol_load_look(&l->state, clock_us(CLOCK_MONOTONIC), used_us,
			       (unsigned)sysconf(_SC_NPROCESSORS_ONLN),
			       host->policy->max_load_pct);
	if (claims)
		vol_sensor_report(host->sensors, VOL_SENSOR_LOAD,
				  VOL_SAYS_PRESENT, 0,
				  "other programs use more than %u %% of the "
				  "CPU",
				  host->policy->max_load_pct);
	else
		vol_sensor_report(host->sensors, VOL_SENSOR_LOAD, VOL_SAYS_AWAY,
				  0, "other programs need little CPU");
	vol_polling_next(&l->polling, host->watching, claims);
}

static void load_destroy(void *self)
{
	struct load *l = self;

	if (!l)
		return;
	vol_polling_fini(&l->polling);
	free(l);
}

static void *load_create(struct vol_sensor_host *host, struct vol_error *err)
{
	struct load *l = calloc(1, sizeof(*l));

	if (!l) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	l->host = host;
	if (vol_polling_init(&l->polling, host->loop, VOL_POLL_S, look, l,
			     err) < 0) {
		load_destroy(l);
		return NULL;
	}
	look(l);
	return l;
}

const struct vol_sensor_ops vol_sensor_load = {
	.id = VOL_SENSOR_LOAD,
	.create = load_create,
	.destroy = load_destroy,
	.reload = look,
};
