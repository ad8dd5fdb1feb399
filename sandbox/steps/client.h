/* SPDX-License-Identifier: GPL-2.0-or-later */
/* client.h - the parts of slurm-volunteer-srun */
#ifndef VOL_STEPS_CLIENT_H
#define VOL_STEPS_CLIENT_H

#include "error.h"

/* Opens the files of --input, --output and --error that are one for all tasks,
 * in place of descriptors 0, 1 and 2.  -1 also for a command line that does not
 * work here. */
int vol_client_files(char *argv[], char *env[], struct vol_error *err);

#endif
