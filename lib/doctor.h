/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor.h - judge a cluster's settings; pure, no Slurm header
 *
 * Each rule says what is wrong, why it matters and what to write where.  The
 * reasons are facts of Slurm 22.05 - 26.05.
 */
#ifndef VOL_DOCTOR_H
#define VOL_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vol_severity { VOL_OK, VOL_ADVICE, VOL_PROBLEM };

/* The settings that matter, as slurmctld reports them (see slurm/ctlconf.h).
 * Strings are borrowed and never NULL ("" when unset). */
struct vol_cluster {
	const char *slurm_version;
	const char *cluster_name;
	const char *select_type;
	const char *proctrack_type;
	const char *cgroup_slice; /* of cgroup.conf, since 25.11 */
	const char *slurmctld_params;
	const char *sched_params;
	const char *requeue_exit; /* statuses, "150" or "42,150-152" */
	const char *topology_param;
	const char *control_host; /* SlurmctldHost[0] name */
	const char *control_addr; /* its address */
	bool control_addr_is_ip;
	uint32_t max_node_count; /* 0 = not set */
	uint32_t node_count;
	uint32_t max_array_size;
	uint32_t max_job_count;
	uint16_t tree_width;
	uint16_t return_to_service;
	uint16_t slurmd_timeout_s;
	uint32_t min_job_age_s;
	uint64_t lost_after_ms;      /* of controller.conf; 0 = not known */
	bool has_partition;          /* our partition exists */
	bool partition_uses_nodeset; /* and takes nodes by our NodeSet or ALL */
	bool select_active; /* our select plugin is in place on this host */
	const char *table_trouble; /* why the node table can not be read; NULL
				    * when it can */
	size_t table_devices;      /* else how many it has */
	bool spank_present;        /* plugin and plugstack entry on this host */
};

struct vol_finding {
	enum vol_severity verdict;
	const char *key;  /* "TreeWidth" */
	char now[128];    /* "TreeWidth=16" */
	const char *want; /* "TreeWidth=65533" */
	const char *why;  /* one sentence */
};

/* Fill at most max findings, one per rule (also the good ones), in a fixed
 * order; returns how many. */
size_t vol_doctor(const struct vol_cluster *c, struct vol_finding *findings,
		  size_t max);

#endif
