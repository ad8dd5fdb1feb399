/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clustername.h - which of a host's clusters is meant; libc alone
 *
 * A host may run two slurmctlds, see clusterdir.h.  That of the host's own
 * cluster has no name here, the other has that of the folder of its slurm.conf:
 * whatever Slurm itself calls them.
 */
#ifndef VOL_CLUSTERNAME_H
#define VOL_CLUSTERNAME_H

#include <stdbool.h>

#define VOL_CLUSTERS_DIR VOL_CONF_DIR "/clusters"
/* 40 characters, as Slurm's ClusterName, + NUL. */
#define VOL_CLUSTER_NAME_SIZE 41

/* Letters, digits, '-' and '_', beginning with a letter or a digit: a name that
 * stays below its folder. */
bool vol_cluster_name_valid(const char *name);

/* The name of the cluster with this slurm.conf (SLURM_CONF of the environment;
 * NULL: the host's own): of VOL_CLUSTERS_DIR/NAME/slurm.conf it is NAME, of any
 * other file "". */
void vol_cluster_name_of(const char *slurm_conf,
			 char name[VOL_CLUSTER_NAME_SIZE]);

#endif
