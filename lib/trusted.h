/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trusted.h - open a file that another daemon keeps for us */
#ifndef VOL_TRUSTED_H
#define VOL_TRUSTED_H

#include <sys/stat.h>

#include "error.h"

/* Open path for reading, if nobody else can have put it there: a regular file,
 * not a link, that only its owner may write, who is root, this process's user,
 * or the owner of the folder it is in (who could replace it anyway).  So
 * slurmctld, run as slurm or root, and any user's "volunteer" accept a file of
 * slurm's in slurm's folder, and nobody accepts a stranger's in /tmp.  Never
 * blocks on what is not a file.
 *
 * A descriptor with its status in st, or -1 with errno of open(2), EPERM for a
 * wrong owner or mode, EINVAL for something else than a file. */
int vol_trusted_open(const char *path, struct stat *st, struct vol_error *err);

#endif
