/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stepfile.h - how a job step tells discoveryd where its cgroup is
 *
 * The SPANK plugin writes /run/slurm-volunteer/steps/JOB.STEP before the first
 * task exists, after it has frozen STEP/user, writes it again when the step is
 * born, and removes it when slurmstepd ends; discoveryd watches the folder.
 * Files instead of a socket: they survive a kill -9 of the daemon and cost
 * slurmstepd no wait.  Format (text, one KEY=VALUE a line, all required):
 *	version=1
 *	job=123
 *	step=4294967291
 *	uid=1000
 *	stepd=4711             pid of slurmstepd
 *	cgroup=/system.slice/... the step's cgroup below the cgroup2 root, which
 *	                       contains slurm/ and user/
 *	tasks=4                that are to run here, 0 = not known (extern step)
 *	born=0                 1: each is in the folder of user/ in which it
 *	                       stays, and none has executed an instruction yet.
 *	                       Slurm gives each a folder only if it has to limit
 *	                       or to measure them, so folders do not tell.
 *	account=physics        as the job's environment says it: a hint, which
 *	                       the user can forge; may be empty
 *	save=0                 1: its user wants it saved before its job is
 *	                       started elsewhere, to go on there
 *	every=0                and also after so many seconds each, against a
 *	                       device that is gone without a word; 0: not,
 *	                       4294967295: as often as is worth it
 *	restarts=0             how often Slurm had requeued the job when the
 *	                       step began: what is saved is of that run
 *	signal=0               0: its processes are saved; else the program
 *	                       saves itself and is told so by this signal:
 *	                       what is saved are the job's own files
 *
 * A file whose cgroup folder is gone is stale and may be removed.
 *
 * On a device the plugin also writes spank-active when slurmd loads it, so that
 * discoveryd sees whether steps will report:
 *	version=1
 *	plugin=0.1.0           version of the plugin
 *	slurm=24.11.5          version of Slurm it was built for
 *	slurmd=4711            pid of slurmd (of slurmd -D: it keeps its pid)
 *	node=NAME              the node name that discoveryd gave to slurmd
 * A file with another pid than that of the running slurmd is stale.
 */
#ifndef VOL_STEPFILE_H
#define VOL_STEPFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"

#define VOL_STEPS_DIR         "/run/slurm-volunteer/steps"
#define VOL_STEPFILE_MAX      4096 /* bytes, all lines */
#define VOL_SPANK_ACTIVE_NAME "spank-active"
#define VOL_SPANK_ACTIVE      "/run/slurm-volunteer/" VOL_SPANK_ACTIVE_NAME
/* In slurmd's own environment, set by discoveryd: the Slurm node name.  The
 * plugin marks and reports steps only below such a slurmd. */
#define VOL_ENV_DEVICE "SLURM_VOLUNTEER_DEVICE"
/* SLURM_BATCH_SCRIPT of slurm/slurm.h */
#define VOL_STEP_BATCH   0xfffffffbu
#define VOL_CGROUP_SIZE  1024
#define VOL_ACCOUNT_SIZE 128

struct vol_step {
	uint32_t job, step;
	uid_t uid;
	pid_t stepd;
	char cgroup[VOL_CGROUP_SIZE]; /* absolute below the cgroup2 root */
	uint32_t tasks;               /* 0 = not known */
	bool born;
	char account[VOL_ACCOUNT_SIZE]; /* printable, no spaces; may be "" */
	bool save;
	uint32_t every_s; /* or VOL_STEP_EVERY_AUTO */
	uint32_t restarts;
	uint32_t signal;
};

#define VOL_STEP_EVERY_AUTO UINT32_MAX

/* Strict: unknown, missing or repeated keys, "..", control characters and a
 * relative path are errors.  name stands for the file in messages. */
int vol_step_parse(const char *name, const char *text, size_t len,
		   struct vol_step *step, struct vol_error *err);

/* Text form into buf; length or -1 with ENOSPC, or EINVAL for a path or an
 * account that the parser would refuse. */
int vol_step_format(const struct vol_step *step, char *buf, size_t size);

/* From the text of /proc/self/cgroup, the step's cgroup: the unified ("0::")
 * line without its last component, e.g.
 * "0::/system.slice/x.scope/job_7/step_0/slurm" -> ".../job_7/step_0".
 * -1 with ENOENT when there is no unified line, EINVAL when too shallow or not
 * a path below the root, ENOSPC. */
int vol_step_cgroup(const char *proc_cgroup, char *buf, size_t size,
		    struct vol_error *err);

#endif
