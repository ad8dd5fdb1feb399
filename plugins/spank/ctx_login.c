/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctx_login.c - srun, sbatch and salloc: the options, and what slurmctld has to
 * know of them
 *
 * Runs as the user in the user's own process.  The arguments are read only so
 * that a wrong plugstack line is told where an admin tries it first.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "plugin.h"

int vol_login_init(spank_t spank, int ac, char *av[], struct vol_error *err)
{
	struct vol_spank_args args;

	if (vol_spank_options_register(spank, err) == -1)
		return -1;
	vol_spank_args_defaults(&args);
	return vol_spank_args_parse(ac, av, &args, err);
}

int vol_login_submit(spank_t spank, struct vol_error *err)
{
	const struct vol_spank_options *options = vol_spank_options();
	/* However it is done: no more than that is lost. */
	uint32_t saves_s = options->saves_s ? options->saves_s
					    : options->checkpoint.every_s;
	char seconds[16];
	spank_err_t rc;

	if (!saves_s)
		return 0;
	snprintf(seconds, sizeof(seconds), "%" PRIu32, saves_s);
	rc = spank_job_control_setenv(spank, VOL_SPANK_ENV_SAVES, seconds, 1);
	if (rc != ESPANK_SUCCESS)
		return vol_errorf_errno(err, EINVAL,
					"--%s: slurmctld is not told (%d)",
					options->saves_s
						? "volunteer-saves"
						: "volunteer-checkpoint",
					(int)rc);
	return 0;
}
