/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_cluster.h - slurm/cluster.h without a Slurm: a node table in memory
 *
 * Functions below may be called from any thread.
 */
#ifndef VOL_FAKE_CLUSTER_H
#define VOL_FAKE_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster.h"

/* As new: no nodes, room for 100, slurmctld there. */
void fake_cluster_reset(void);
void fake_cluster_set_away(bool away);
void fake_cluster_set_max(size_t max);
/* A node that is not made by us; returns a copy through get. */
void fake_cluster_put(const struct vol_slurm_node *node);
bool fake_cluster_get(const char *name, struct vol_slurm_node *node);
/* Its slurmd registers. */
void fake_cluster_register(const char *name);
/* Jobs.  The texts of job are copied; get's copy is freed with
 * vol_slurm_job_clear and must be zeroed or an earlier one. */
void fake_cluster_put_job(const struct vol_slurm_job *job);
bool fake_cluster_get_job(uint32_t id, struct vol_slurm_job *job);
/* Its last process is gone: pending, to wait for two minutes, its age lost. */
#define FAKE_AGE 500
void fake_cluster_job_left(uint32_t id);
/* Answers about one job are under way for so long: what they tell may be old by
 * then.  And how many were begun. */
void fake_cluster_set_slow(unsigned ms);
unsigned fake_cluster_answers(void);
/* What jobs were told last. */
const char *fake_cluster_notice(void);

/* Those that are up, "a,b"; in the order in which they were opened. */
void fake_cluster_set_partitions(const char *list);
const char *fake_cluster_partitions(void);
/* Calls that close one wait until this is over. */
void fake_cluster_stall_closing(bool stall);

/* Nodes can not be drained. */
void fake_cluster_refuse_drains(bool refuse);
/* So many requeues fail as of a job that slurmctld is busy with. */
void fake_cluster_trouble(unsigned n);
/* Requeues of jobs whose nodes were not drained then. */
unsigned fake_cluster_hasty_requeues(void);

/* Calls that changed something, since reset. */
unsigned fake_cluster_updates(void);
/* Calls of any kind, since reset; one that reads two tables counts twice. */
unsigned fake_cluster_rpcs(void);

#endif
