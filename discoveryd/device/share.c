/* SPDX-License-Identifier: GPL-2.0-or-later */
/* share.c - from what is built in to what the owner shares */
#include "config.h"

#include "device/share.h"

#include <errno.h>

#define MIB (1024 * 1024)

/* Limits of vol_facts, so that an odd machine is offered in part. */
#define SOCKETS_MAX 64
#define CORES_MAX   1024
#define THREADS_MAX 16
#define GPUS_MAX    64

static uint32_t at_most(uint64_t n, uint32_t max)
{
	return n < max ? (uint32_t)n : max;
}

/* Most cores that fit into n as sockets x equal cores; more sockets on a tie,
 * since that is closer to the machine. */
static void fit_cores(const struct vol_hardware *hw, uint32_t n,
		      struct vol_facts *facts)
{
	uint32_t best = 0;

	for (uint32_t s = at_most(hw->sockets, SOCKETS_MAX); s > 0; s--) {
		uint32_t per = n / s;

		if (per > hw->cores_per_socket)
			per = hw->cores_per_socket;
		per = at_most(per, CORES_MAX);
		if (s * per > best) {
			best = s * per;
			facts->sockets = s;
			facts->cores_per_socket = per;
		}
	}
}

static int share_cpus(const struct vol_hardware *hw,
		      const struct vol_device_conf *conf,
		      struct vol_facts *facts, struct vol_error *err)
{
	uint32_t threads = at_most(hw->threads_per_core, THREADS_MAX);
	uint64_t cpus = (uint64_t)hw->sockets * hw->cores_per_socket * threads;
	uint64_t shared = vol_share_apply(&conf->cpus, cpus);

	if (hw->quota_cpus > 0 && shared > hw->quota_cpus)
		shared = hw->quota_cpus;
	if (threads == 0 || shared < threads)
		return vol_errorf_errno(
			err, EINVAL,
			"[share] cpus leaves no whole core of %llu CPUs",
			(unsigned long long)cpus);
	facts->threads_per_core = threads;
	fit_cores(hw, at_most(shared / threads, UINT32_MAX), facts);
	return 0;
}

int vol_share_facts(const struct vol_hardware *hw,
		    const struct vol_device_conf *conf, struct vol_facts *facts,
		    struct vol_error *err)
{
	struct vol_facts f = *facts;

	if (share_cpus(hw, conf, &f, err) < 0)
		return -1;
	f.memory_mb = vol_share_apply(&conf->memory, hw->memory_bytes) / MIB;
	if (f.memory_mb == 0)
		return vol_errorf_errno(err, EINVAL,
					"[share] memory leaves none");
	f.scratch_mb = vol_share_apply(&conf->scratch, hw->scratch_bytes) / MIB;
	f.gpus = at_most(vol_share_apply(&conf->gpus, hw->gpus), GPUS_MAX);
	*facts = f;
	return 0;
}
