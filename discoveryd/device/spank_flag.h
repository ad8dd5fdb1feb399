/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spank_flag.h - has slurmd loaded our SPANK plugin? (stepfile.h: spank-active)
 */
#ifndef VOL_SPANK_FLAG_H
#define VOL_SPANK_FLAG_H

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "error.h"
#include "link.h"

/* Is path's flag that of the slurmd with this pid?  slurm gets the version of
 * Slurm it names, or "". */
bool vol_spank_flag_read(const char *path, pid_t slurmd,
			 char slurm[VOL_VERSION_SIZE]);

/* Call changed from the loop when a flag appears in dir. */
int vol_spank_flag_watch(sd_event *loop, const char *dir,
			 sd_event_source **source, void (*changed)(void *arg),
			 void *arg, struct vol_error *err);

#endif
