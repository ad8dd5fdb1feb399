/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.c - the --volunteer-* options
 *
 * A new option is one row of the table and one case of the callback.  Slurm
 * carries a given option in the job's environment to slurmstepd and to every
 * srun inside the batch script, and calls us back there too.
 */
#include "config.h"

#include <errno.h>

#include "plugin.h"

enum { OPTION_INFO = 1 };

static struct vol_spank_options options;

static int option_cb(int val, const char *arg, int remote)
{
	(void)arg;
	(void)remote;
	switch (val) {
	case OPTION_INFO:
		options.info = true;
		return 0;
	}
	return -1;
}

static struct spank_option table[] = {
	{
		.name = "volunteer-info",
		.usage = "print which volunteer device a step runs on, and "
			 "what it was granted there",
		.val = OPTION_INFO,
		.cb = option_cb,
	},
};

int vol_spank_options_register(spank_t spank, struct vol_error *err)
{
	spank_err_t rc;

	options = (struct vol_spank_options){false};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		rc = spank_option_register(spank, &table[i]);
		if (rc != ESPANK_SUCCESS)
			return vol_errorf_errno(err, EINVAL,
						"--%s: cannot register (%d)",
						table[i].name, (int)rc);
	}
	return 0;
}

const struct vol_spank_options *vol_spank_options(void)
{
	return &options;
}
