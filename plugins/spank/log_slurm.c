/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log_slurm.c - messages of ours in the log of the process that loaded us
 *
 * slurm_error() and friends stay undefined here: srun, sbatch, salloc, slurmd
 * and slurmstepd all bring them, and -lslurm would bring a second copy of the
 * library.  The finished message goes through "%s", since Slurm expands
 * conversions of its own (%t, %pJ).
 */
#include "config.h"

#include "log.h"
#include "plugin.h"

#define PREFIX "spank_volunteer: "

static void sink(enum vol_log_level level, const char *msg, void *arg)
{
	(void)arg;
	switch (level) {
	case VOL_LOG_ERR:
	case VOL_LOG_WARN:
		slurm_error(PREFIX "%s", msg);
		break;
	case VOL_LOG_INFO:
		slurm_info(PREFIX "%s", msg);
		break;
	case VOL_LOG_DEBUG:
		slurm_debug(PREFIX "%s", msg);
		break;
	}
}

void vol_spank_log_open(void)
{
	vol_log_set(sink, NULL, VOL_LOG_DEBUG);
}
