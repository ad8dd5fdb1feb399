/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clusterdir.h - other clusters that this host can talk to
 *
 * A slurmctld with a key of its own is not reached by "sbatch --clusters",
 * which needs slurmdbd and one key for all.  It is reached by a slurm.conf that
 * names its host, its port and the munge socket that has its key (AuthInfo):
 * VOL_CLUSTERS_DIR/NAME/slurm.conf, put there by the admin, found by
 * "vbatch --cluster", "volunteer cluster" and "cluster =" in controller.conf.
 */
#ifndef VOL_CLUSTERDIR_H
#define VOL_CLUSTERDIR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "clustername.h"
#include "error.h"

/* The folder of all clusters: VOLUNTEER_CLUSTERS of the environment, else the
 * admin's.  Borrowed. */
const char *vol_clusterdir_root(void);

/* Where the slurm.conf of a cluster is.  -1 when the name is none (EINVAL), or
 * there is no such file that we can read (what access(2) says). */
int vol_clusterdir_conf(const char *root, const char *name, char path[PATH_MAX],
			struct vol_error *err);

/* Does a variable of the environment speak to Slurm's commands, from a job that
 * surrounds us or for the host's own cluster? */
bool vol_clusterdir_is_foreign(const char *variable);

/* From now on Slurm's commands and libslurm talk to that cluster: SLURM_CONF is
 * set, and what is foreign there is gone from the environment.  Not while other
 * threads run.  Nothing is changed on error. */
int vol_clusterdir_enter(const char *root, const char *name,
			 struct vol_error *err);

/* The names of those that vol_clusterdir_conf finds, sorted.  An array and
 * strings that the caller frees; a folder that is not there has none. */
int vol_clusterdir_list(const char *root, char ***names, size_t *n,
			struct vol_error *err);

#endif
