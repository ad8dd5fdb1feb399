/* SPDX-License-Identifier: GPL-2.0-or-later */
/* facts.h - what a device offers to the cluster, and its wire and Slurm forms
 *
 * Numbers are what the owner shares, not what is built in: the sharing
 * arithmetic of share.c has been applied before facts leave the device.
 */
#ifndef VOL_FACTS_H
#define VOL_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "error.h"

#define VOL_FACTS_FEATURES     16 /* at most; more are a protocol error */
#define VOL_FACTS_FEATURE_SIZE 32
#define VOL_FACTS_CONF_SIZE    1024
/* Slurm counts CPUs in 16 bits and keeps the last two values for itself. */
#define VOL_FACTS_CPUS 65533

struct vol_facts {
	uint32_t sockets;          /* 1..64 */
	uint32_t cores_per_socket; /* 1..1024 */
	uint32_t threads_per_core; /* 1..16 */
	uint64_t memory_mb;        /* 1..2^30, RealMemory */
	uint64_t scratch_mb;       /* 0 = unknown, TmpDisk */
	uint32_t gpus;             /* 0..64, Gres=gpu:N when > 0 and granted */
	/* Slurm features, [a-z0-9_.-]+ each; "volunteer" is added by
	 * vol_facts_features, never stored. */
	char feature[VOL_FACTS_FEATURES][VOL_FACTS_FEATURE_SIZE];
	size_t n_features;
};

uint32_t vol_facts_cpus(const struct vol_facts *f);

/* Add a feature once; characters outside the whitelist become '_', what is
 * longer than 31 characters is cut.  ENOSPC when the table is full, EINVAL for
 * an empty one. */
int vol_facts_add_feature(struct vol_facts *f, const char *feature);

/* JSON form of the link: new reference, or NULL on ENOMEM. */
json_t *vol_facts_to_json(const struct vol_facts *f);

/* Checks every type and range, and that there are at most VOL_FACTS_CPUS; *f is
 * untouched on error. */
int vol_facts_from_json(const json_t *json, struct vol_facts *f,
			struct vol_error *err);

/* "volunteer,x86_64,..." into buf; -1 with ENOSPC, buf is then undefined. */
int vol_facts_features(const struct vol_facts *f, char *buf, size_t size);

/* "Sockets=1 CoresPerSocket=4 ThreadsPerCore=2 RealMemory=7900
 * Feature=volunteer,..." as slurmd --conf and node creation take it, with
 * TmpDisk and Gres before Feature when they are not 0; errors as above. */
int vol_facts_conf(const struct vol_facts *f, char *buf, size_t size);

/* Do both describe the same Slurm node?  The order of features is free. */
bool vol_facts_equal(const struct vol_facts *a, const struct vol_facts *b);

#endif
