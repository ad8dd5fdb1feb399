/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cluster.h - the one folder that includes slurm.h: nodes, jobs and settings
 *
 * Thin, synchronous wrappers over libslurm that speak plain C.  Calls block
 * for as long as libslurm does (up to MessageTimeout and its retries when
 * slurmctld is away), so discoveryd makes them on the registrar's thread only.
 * Errors carry slurm_strerror's words; errno is EAGAIN when slurmctld could
 * not be reached, ENOENT for an unknown node, EBUSY when jobs hold the node,
 * ENOSPC when the node table is full (MaxNodeCount), EEXIST when the name is
 * in use, EACCES when Slurm does not accept us as its user, EINVAL for a state
 * that does not allow the change, else EIO.  For jobs ENOENT is a job that is
 * not in the table (any more), EALREADY one that is pending already, ENOTSUP
 * one that may not be requeued, ESRCH one that has ended and EBUSY one that is
 * about to end.
 */
#ifndef VOL_SLURM_CLUSTER_H
#define VOL_SLURM_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "doctor.h"
#include "error.h"
#include "facts.h"
#include "names.h"
#include "registry.h"

/* Load slurm.conf.  Call once, first; checks that the file is there, because
 * libslurm itself ends the program when it is not. */
int vol_slurm_init(struct vol_error *err);
void vol_slurm_fini(void);

/* Longer than all that a device may have (VOL_FACTS_FEATURES), so that what is
 * cut off is never taken for it.  There are thousands of these structures. */
#define VOL_SLURM_FEATURES_SIZE 576

/* What slurmctld says about one node. */
struct vol_slurm_node {
	char name[VOL_NODE_NAME_SIZE];
	char address[VOL_HOSTNAME_SIZE];
	char state[96]; /* "IDLE+DRAIN" as sinfo would say */
	char reason[256];
	char comment[256];
	char features[VOL_SLURM_FEATURES_SIZE];
	uint32_t sockets, cores, threads, cpus;
	uint32_t gpus;
	uint64_t memory_mb;
	bool dynamic;    /* made at run time, not in slurm.conf */
	bool future;     /* waiting for its slurmd */
	bool registered; /* a slurmd has answered since */
	bool down, drained, not_responding, invalid_reg, allocated;
};

int vol_slurm_node_get(const char *name, struct vol_slurm_node *node,
		       struct vol_error *err);

/* Everything that has a name, in one or two RPCs. */
struct vol_slurm_snapshot {
	struct vol_slurm_node *nodes; /* owned */
	size_t n_nodes;
	char (*nodesets)[VOL_NODE_NAME_SIZE]; /* owned; used by a partition */
	size_t n_nodesets;
};
#define VOL_SLURM_SNAPSHOT_INIT  \
	{                        \
		NULL, 0, NULL, 0 \
	}

/* *s is untouched on error; free it with vol_slurm_snapshot_clear. */
int vol_slurm_snapshot_load(struct vol_slurm_snapshot *s,
			    struct vol_error *err);
/* The nodes alone, in one RPC. */
int vol_slurm_nodes_load(struct vol_slurm_snapshot *s, struct vol_error *err);
void vol_slurm_snapshot_clear(struct vol_slurm_snapshot *s);

/* Create a node that becomes IDLE when its slurmd -Z -N name registers.  Until
 * then its state is FUTURE: it is in the table and in the partition, but hidden
 * from sinfo, not pinged and not scheduled.  Tried on 22.05.8, 24.11.5 and
 * 26.05.5: features, memory and address given here survive the registration
 * and a restart of slurmctld.  22.05 answers "success" to a full table and to
 * a name in use, so the node is looked up before and after.  hostname is only
 * passed on when it is [A-Za-z0-9.-]. */
int vol_slurm_node_create(const char *name, const char *address,
			  const char *hostname, const struct vol_facts *facts,
			  struct vol_error *err);

/* Many of them with the same facts in one call, which slurmctld answers in
 * little more time than one.  All or none, except where the table fills up;
 * what came of it is to be looked up, and so is that the names are free. EINVAL
 * when one of them can not be passed on: then nothing was asked for. */
struct vol_slurm_new {
	const char *name, *address, *hostname;
};
int vol_slurm_nodes_create(const struct vol_slurm_new *nodes, size_t n,
			   const struct vol_facts *facts,
			   struct vol_error *err);

int vol_slurm_node_delete(const char *name, struct vol_error *err);

/* Change what is not NULL.  names: a Slurm hostlist for all but address. */
struct vol_slurm_update {
	const char *address;
	const char *features;
	const char *comment;
	const char *reason; /* with down or drain */
	bool down, drain, resume;
};
int vol_slurm_node_update(const char *names, const struct vol_slurm_update *u,
			  struct vol_error *err);

enum vol_job_state {
	VOL_JOB_PENDING,
	VOL_JOB_RUNNING,
	VOL_JOB_SUSPENDED, /* by slurmctld, not by us */
	VOL_JOB_FAILED,
	VOL_JOB_ENDED, /* in any other way */
};

#define VOL_JOB_NO_TASK   UINT32_MAX /* array_task of no array */
#define VOL_JOB_UNLIMITED UINT32_MAX /* limit_min */

/* What slurmctld says about one job or task of an array. */
struct vol_slurm_job {
	uint32_t id;
	uint32_t array_id, array_task;
	uint32_t het_id; /* of the first part, 0 when there is but one */
	enum vol_job_state state;
	bool completing; /* its processes or its nodes are not free yet */
	bool batch, requeue;
	bool held;   /* pending until a person releases it */
	bool killed; /* the script ended by SIGKILL, or said so */
	uint32_t priority;
	int32_t nice;
	uint32_t limit_min;
	uint32_t restarts;
	uid_t user;
	char account[64];
	/* Of a pending job start is when it may begin, or is expected to. */
	time_t start, end, eligible, submit;
	char *nodes;    /* owned, Slurm hostlist, never NULL */
	char *excluded; /* likewise */
};

struct vol_slurm_jobs {
	struct vol_slurm_job *jobs; /* owned, by id */
	size_t n;
};

/* *job is zeroed or an earlier result, and untouched on error. */
int vol_slurm_job_get(uint32_t id, struct vol_slurm_job *job,
		      struct vol_error *err);
void vol_slurm_job_clear(struct vol_slurm_job *job);

/* All jobs of the cluster in one RPC. */
int vol_slurm_jobs_load(struct vol_slurm_jobs *jobs, struct vol_error *err);
void vol_slurm_jobs_clear(struct vol_slurm_jobs *jobs);
/* NULL if there is none; borrowed. */
struct vol_slurm_job *vol_slurm_jobs_find(const struct vol_slurm_jobs *jobs,
					  uint32_t id);

/* Is name in a Slurm hostlist ("desk-[1-3,7],lab")?  Asks nobody, so it may be
 * called on any thread. */
bool vol_slurm_nodes_have(const char *hostlist, const char *name);

/* The calls below name a job as Slurm wants it, from id, array_ and het_id;
 * nothing else of *job is used.  Of a job of several parts all are meant. */

int vol_slurm_job_requeue(const struct vol_slurm_job *job,
			  struct vol_error *err);
int vol_slurm_job_cancel(const struct vol_slurm_job *job,
			 struct vol_error *err);
/* A line into the output of a running job. */
int vol_slurm_job_notify(const struct vol_slurm_job *job, const char *text,
			 struct vol_error *err);

/* Change what is asked for. */
struct vol_slurm_job_update {
	bool begin_now;
	bool release;         /* a held job: compute its priority anew */
	uint32_t limit_min;   /* 0: as it is */
	const int32_t *nice;  /* NULL: as it is */
	const char *excluded; /* the whole list; NULL: as it is */
	const bool *requeue;  /* NULL: as it is */
};
int vol_slurm_job_update(const struct vol_slurm_job *job,
			 const struct vol_slurm_job_update *u,
			 struct vol_error *err);

/* The partitions that start jobs, "fixed,volunteer", into list.  EOVERFLOW when
 * they do not fit, or have names that are not [A-Za-z0-9_.-]. */
int vol_slurm_partitions_up(char *list, size_t size, struct vol_error *err);
/* Up: it starts jobs.  Down: those that run go on, and more may be queued. */
int vol_slurm_partition_set(const char *name, bool up, struct vol_error *err);

/* Settings for vol_doctor; strings live until the next call.  Fills all but
 * select_active and spank_present, which are local facts. */
int vol_slurm_settings(struct vol_cluster *cluster, const char *partition,
		       struct vol_error *err);

/* Which slurmctld answers. */
struct vol_slurm_identity {
	char cluster[VOL_NODE_NAME_SIZE]; /* ClusterName */
	uint16_t ctld_port;               /* for configless slurmd */
	time_t booted;                    /* when this slurmctld started */
};
int vol_slurm_identity(struct vol_slurm_identity *identity,
		       struct vol_error *err);

/* The release that we were built with, "24.11.5". */
const char *vol_slurm_version(void);

#endif
