/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stepenv.h - how a job's environment gets into its steps past an srun that
 * must not see it; pure
 *
 * srun obeys its environment (LD_PRELOAD, SLURM_CONF, SLURM_PROLOG, ...), and a
 * sandboxed job's srun runs outside of the sandbox (srunline.h).  So each
 * variable travels under another name, VOLENV_NAME, which nothing reads, and
 * gets its own name back on the devices, before the step's tasks exist.  Beside
 * those srun has only: variables of Slurm's that are known to do no more than
 * the options srunline.h takes, PATH, SLURM_CONF, and the job's number.
 *
 * Of Slurm's names (SLURM_, SLURMD_, SRUN_) those that srun and slurmstepd have
 * set for the step win, of all others the job's, as without us.
 */
#ifndef VOL_STEPENV_H
#define VOL_STEPENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define VOL_STEPENV_PREFIX "VOLENV_"

/* May srun itself see this "NAME=value"?  Not SLURM_JOB_ID, SLURM_CONF, PATH,
 * which are made by us. */
bool vol_stepenv_passes(const char *variable);

/* Environment for srun: env is the job's, an array that ends in NULL, export
 * the value of --export or NULL, conf what SLURM_CONF becomes, NULL: unset.
 * Without a value of --export SRUN_EXPORT_ENV and SLURM_EXPORT_ENV in env say
 * it, as with srun.  An array that ends in NULL, in one malloc'ed piece with
 * its texts; NULL with ENOMEM. */
char **vol_stepenv_pack(char *const env[], const char *export, uint32_t job,
			const char *conf, struct vol_error *err);

/* With this env and export, do all variables go to the step's tasks, those
 * included that srun makes up for itself? */
bool vol_stepenv_all(char *const env[], const char *export);

/* If not: the value of --export with which srun sends on what is packed in
 * list, an environment of vol_stepenv_pack's, and Slurm's own.  malloc'ed; NULL
 * with ENOMEM. */
char *vol_stepenv_export(char *const list[], struct vol_error *err);

/* What becomes of a variable of a step on its device?  NULL: stays as it is.
 * Else the text behind the prefix, "NAME=value": to be set instead if NAME is
 * none of Slurm's names or not there. */
const char *vol_stepenv_packed(const char *variable);
bool vol_stepenv_is_slurms(const char *name);

#endif
