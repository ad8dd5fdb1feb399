/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctx_login.c - srun, sbatch and salloc: make the options known
 *
 * Runs as the user in the user's own process.  The arguments are read only so
 * that a wrong plugstack line is told where an admin tries it first.
 */
#include "config.h"

#include "plugin.h"

int vol_login_init(spank_t spank, int ac, char *av[], struct vol_error *err)
{
	struct vol_spank_args args;

	if (vol_spank_options_register(spank, err) == -1)
		return -1;
	vol_spank_args_defaults(&args);
	return vol_spank_args_parse(ac, av, &args, err);
}
