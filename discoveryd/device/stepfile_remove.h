/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stepfile_remove.h - remove the file of a step that is over (stepfile.h) */
#ifndef VOL_STEPFILE_REMOVE_H
#define VOL_STEPFILE_REMOVE_H

#include <stdbool.h>
#include <sys/types.h>

/* If it is there, and this slurmstepd's: true when it was. */
bool vol_stepfile_remove(const char *dir, const char *name, pid_t stepd);

#endif
