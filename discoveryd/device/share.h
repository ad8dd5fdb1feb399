/* SPDX-License-Identifier: GPL-2.0-or-later */
/* share.h - from what is built in to what the owner shares; pure */
#ifndef VOL_SHARE_H
#define VOL_SHARE_H

#include <stdint.h>

#include "device/device_conf.h"
#include "error.h"
#include "facts.h"

/* What the machine has, as slurmd would see it. */
struct vol_hardware {
	uint32_t sockets, cores_per_socket, threads_per_core;
	uint64_t memory_bytes, scratch_bytes;
	uint32_t gpus;
	/* CPUs that a container's quota leaves; 0 = no quota. */
	uint32_t quota_cpus;
};

/* Fill the numbers of *facts (features stay).  Slurm wants CPUs to be sockets x
 * cores x threads, so whole cores are taken away, never threads, and never more
 * is promised than the owner shares.  EINVAL when nothing is left to share. */
int vol_share_facts(const struct vol_hardware *hw,
		    const struct vol_device_conf *conf, struct vol_facts *facts,
		    struct vol_error *err);

#endif
