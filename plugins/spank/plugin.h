/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plugin.h - what the parts of the SPANK plugin promise each other
 *
 * When is a step a volunteer step?  Iff the slurmd that launched it was started
 * by discoveryd, which puts VOL_ENV_DEVICE=<node name> into slurmd's own
 * environment.  slurmstepd inherits that environment unchanged: slurmd execs it
 * with plain execvp(3) in 22.05, 24.11 and 26.05, and a reconfigure (24.11 on)
 * re-execs slurmd with a copy of its environment.  It is read with getenv(3),
 * never with spank_getenv(): the latter shows the job's environment, which the
 * user writes.  So no marker file is needed, and a slurmd that discoveryd did
 * not start can never be mistaken for one that it did.  Only read in
 * slurmd and slurmstepd; in srun, sbatch and salloc getenv(3) is the user's.
 *
 * Failure policy: a failure is one slurm_error() line.  On a device a step that
 * can not be frozen or reported does not start, since nobody could stop it when
 * the owner comes.  Every other hook fails open; none waits or exits, since
 * that would cost the job (or every srun of a login node) what is our problem.
 * Without a right spank-active file discoveryd says in its log and status that
 * jobs are not marked.
 */
#ifndef VOL_SPANK_PLUGIN_H
#define VOL_SPANK_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <slurm/spank.h>

#include "error.h"
#include "names.h"

/* Set by us for the job. */
#define VOL_SPANK_ENV_MARK "SLURM_VOLUNTEER"
#define VOL_SPANK_ENV_NODE "SLURM_VOLUNTEER_NODE"
/* Set for slurmctld, in the environment of the job's prologs: seconds. The
 * select plugin reads it there (plugins/select/candidates.h). */
#define VOL_SPANK_ENV_CHECKPOINT "VOLUNTEER_CHECKPOINT"

/* --- args.c: "key=value" words of the plugstack line ------------------- */

#define VOL_SPANK_DIR_SIZE 256

struct vol_spank_args {
	char run_dir[VOL_SPANK_DIR_SIZE]; /* run_dir=: absolute folder */
	bool info; /* info=yes: every step tells, as if asked to */
};

void vol_spank_args_defaults(struct vol_spank_args *args);

/* All words or nothing: on error args is unchanged and err names the word. */
int vol_spank_args_parse(int ac, char *av[], struct vol_spank_args *args,
			 struct vol_error *err);

/* --- options.c: options of srun, sbatch and salloc ---------------------- */

struct vol_spank_options {
	bool info;             /* --volunteer-info */
	uint32_t checkpoint_s; /* --volunteer-checkpoint; 0: not given */
};

/* Register every option; to be called from slurm_spank_init in the login
 * contexts and in slurmstepd alike, else the option does not travel. */
int vol_spank_options_register(spank_t spank, struct vol_error *err);

/* What the user asked for so far; valid from init_post_opt on. */
const struct vol_spank_options *vol_spank_options(void);

/* --- device.c: who we are ------------------------------------------------ */

/* Test seam: put in front of every /proc and /run path.  "" in production. */
extern const char *vol_spank_root;

/* Node name of this device, "" when slurmd was not started by discoveryd.
 * -1 when the variable is set to something that is no node name. */
int vol_spank_device(char name[VOL_NODE_NAME_SIZE], struct vol_error *err);

/* Path below the root seam into buf; ENAMETOOLONG when it does not fit. */
int vol_spank_path(char *buf, size_t size, struct vol_error *err,
		   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* --- info.c: the line that --volunteer-info prints ----------------------- */

struct vol_spank_info {
	uint32_t job, step;
	uint32_t array_job, array_task; /* array_job 0: not an array */
	uint32_t restarts;
	uint32_t cpus;
	uint64_t memory_mb; /* 0: no limit */
	const char *cores;  /* "0-1", NULL or "" when unknown */
	const char *device; /* "" when not a volunteer device */
	const char *cgroup; /* "" when unknown */
};

/* One line with newline; cut at the end of buf, always complete with '\n'. */
size_t vol_spank_info_format(const struct vol_spank_info *info, char *buf,
			     size_t size);

/* --- log_slurm.c: sink of lib/log.h into Slurm's own log ----------------- */

void vol_spank_log_open(void);

/* --- ctx_*.c: one file per process that loads the plugin ----------------- */

/* srun, sbatch, salloc: init makes the options known, submit tells slurmctld
 * what they say. */
int vol_login_init(spank_t spank, int ac, char *av[], struct vol_error *err);
int vol_login_submit(spank_t spank, struct vol_error *err);

/* slurmd: on a device, VOL_RUN_DIR/spank-active (see lib/stepfile.h) appears
 * in init and vanishes in exit. */
int vol_slurmd_init(int ac, char *av[], struct vol_error *err);
int vol_slurmd_exit(struct vol_error *err);

/* slurmstepd, as root and before any task exists: init reads arguments and
 * options, guard freezes the folder of the tasks to be and writes the step
 * file, mark sets the job's environment, exit removes the file.  guard's -1
 * says that the step must not start.  task_forked, as root and once a task,
 * writes the file again when the last one is in its folder; all wait until it
 * returns.  task_init runs in the task's process as the user, with the task's
 * stderr. */
int vol_stepd_init(spank_t spank, int ac, char *av[], struct vol_error *err);
int vol_stepd_guard(spank_t spank, struct vol_error *err);
int vol_stepd_mark(spank_t spank, struct vol_error *err);
int vol_stepd_task_forked(spank_t spank, struct vol_error *err);
int vol_stepd_task_init(spank_t spank, struct vol_error *err);
int vol_stepd_exit(struct vol_error *err);

#endif
