/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.c - the --volunteer-* options
 *
 * A new option is one row of the table and one case of the callback.  Slurm
 * carries a given option in the job's environment to slurmstepd and to every
 * srun inside the batch script, and calls us back there too.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "log.h"
#include "plugin.h"
#include "rollback.h"
#include "text.h"
#include "units.h"
#include "walls.h"

enum {
	OPTION_INFO = 1,
	OPTION_CHECKPOINT,
	OPTION_FILES,
	OPTION_NET,
	OPTION_SAVES,
	OPTION_SIGNAL
};

/* A job that says it saves its state more often than once a second, or less
 * than once a week, means something else. */
#define SAVES_MIN_MS 1000u
#define SAVES_MAX_MS (7u * 24 * 3600 * 1000)

static struct vol_spank_options options;

static int set_checkpoint(const char *arg)
{
	struct vol_error err;

	if (vol_ckoption_parse(arg ? arg : "", &options.checkpoint, &err) == 0)
		return 0;
	options.checkpoint = (struct vol_ckoption){.mode = VOL_CKMODE_OFF};
	vol_err("--volunteer-checkpoint: %s", err.text);
	return -1;
}

static int set_saves(const char *arg)
{
	struct vol_error err;
	uint64_t ms;

	if (vol_duration_parse(arg ? arg : "", &ms, &err) == -1) {
		vol_err("--volunteer-saves: %s", err.text);
		return -1;
	}
	if (ms < SAVES_MIN_MS || ms > SAVES_MAX_MS) {
		vol_err("--volunteer-saves: between a second and a week");
		return -1;
	}
	options.saves_s = (uint32_t)(ms / 1000);
	return 0;
}

static int set_signal(const char *arg)
{
	struct vol_error err;

	if (vol_cksignal_parse(arg ? arg : "", &options.signal, &err) == 0)
		return 0;
	vol_err("--volunteer-signal: %s", err.text);
	return -1;
}

static int set_files(const char *arg)
{
	struct vol_error err;

	if (vol_rollback_mode_parse(arg ? arg : "", &options.files, &err) ==
	    -1) {
		vol_err("--volunteer-files: %s", err.text);
		return -1;
	}
	return 0;
}

static int set_net(const char *arg)
{
	struct vol_error err;

	if (vol_network_parse(arg ? arg : "", &options.network, &err) == -1) {
		vol_err("--volunteer-net: %s", err.text);
		return -1;
	}
	return 0;
}

static int option_cb(int val, const char *arg, int remote)
{
	(void)remote;
	switch (val) {
	case OPTION_INFO:
		options.info = true;
		return 0;
	case OPTION_CHECKPOINT:
		return set_checkpoint(arg);
	case OPTION_FILES:
		return set_files(arg);
	case OPTION_NET:
		return set_net(arg);
	case OPTION_SAVES:
		return set_saves(arg);
	case OPTION_SIGNAL:
		return set_signal(arg);
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
	{
		.name = "volunteer-checkpoint",
		.arginfo = "off|on-evict|auto|time|app[,auto|,time]",
		.usage = "save a batch job when it has to leave a volunteer "
			 "device, and with auto or a time also while it runs, "
			 "and let it go on from there on another one; app: of "
			 "a program that saves itself, the files that it has "
			 "on the device alone",
		.has_arg = 1,
		.val = OPTION_CHECKPOINT,
		.cb = option_cb,
	},
	{
		.name = "volunteer-files",
		.arginfo = "shared|opened|own",
		.usage = "whose the files of the working folder are that a job "
			 "finds as they were when it goes on from where it was "
			 "saved",
		.has_arg = 1,
		.val = OPTION_FILES,
		.cb = option_cb,
	},
	{
		.name = "volunteer-net",
		.arginfo = "none|internet|lan",
		.usage = "the network that a job needs on a volunteer device; "
			 "it gets no more than the device's owner grants",
		.has_arg = 1,
		.val = OPTION_NET,
		.cb = option_cb,
	},
	{
		.name = "volunteer-saves",
		.arginfo = "time",
		.usage = "the program saves its state this often by itself "
			 "and goes on from there when it is started again",
		.has_arg = 1,
		.val = OPTION_SAVES,
		.cb = option_cb,
	},
	{
		.name = "volunteer-signal",
		.arginfo = "signal",
		.usage = "what a program that saves itself "
			 "(--volunteer-checkpoint=app) is told by to do so "
			 "when it has to leave a volunteer device; default: "
			 "TERM",
		.has_arg = 1,
		.val = OPTION_SIGNAL,
		.cb = option_cb,
	},
};

int vol_spank_options_register(spank_t spank, struct vol_error *err)
{
	spank_err_t rc;

	options = (struct vol_spank_options){.signal = SIGTERM};
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
