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
 * the owner comes, nor does one whose sandbox can not be built.  Every other
 * hook fails open; none waits or exits, since that would cost the job (or every
 * srun of a login node) what is our problem.  Without a right spank-active file
 * discoveryd says in its log and status that jobs are not marked.
 *
 * How a step fails.  The -1 of init_post_opt is for what goes wrong before
 * slurmstepd opens the job's files: slurmctld drains the node ("batch job
 * complete failure") and queues a batch job again that may be; srun ends. Later
 * the process of the task ends itself with VOL_EXIT_REQUEUE, which RequeueExit
 * makes slurmctld take for "start it again", and the node stays open as far as
 * Slurm is concerned; an interactive step just ends with it.  Both tell
 * discoveryd (lib/wallsfail.h), which closes the device.  So nothing that a
 * submitter can ask for may lead there: such a job ends with 1.
 *
 * Order of the hooks on a device, the same in 22.05, 24.11, 25.05, 25.11 and
 * 26.05 (slurmstepd/mgr.c, task.c):
 *	init, init_post_opt	root, in slurmstepd's main thread; from 24.11
 *				on others are beside it, which open no file of
 *				the job's and stay in the machine's mounts.
 *	(input and output)	the main thread opens them as the job's user
 *	user_init		not ours
 *	task_init_privileged	a child for each task, root, in STEP/slurm yet,
 *				its input and output not yet on 0, 1, 2.
 *				It becomes the job's user by seteuid, setregid
 *				and setreuid after it; no version touches
 *				securebits or capabilities, so task_init has
 *				those that vol_sandbox_keep keeps, and so has
 *				the chdir to the working folder.
 *	task_post_fork		root, in slurmstepd, once a task, when it is in
 *				its cgroup; all tasks wait for the last.
 *	task_init		in the task, under the job's uid; TaskProlog,
 *				limits, the search of PATH and exec come after.
 *	(epilogs)		srun --task-epilog and TaskEpilog: children of
 *				slurmstepd, under the job's uid, with the job's
 *				environment, outside of all that task_init
 *				builds.  They come before task_exit, and
 *				nothing comes of them: vol_sandbox_hide leaves
 *				slurmstepd a limit of processes under which
 *				only root's programs start.
 *	task_exit		root, in slurmstepd, once a task that was
 *reaped. After the last one slurmstepd kills what is left and waits for a
 *second if that takes time.
 *	exit			root, all tasks reaped and their cgroups gone
 *
 * Any rc but 0 of a "required" plugin is a failure; up to 24.11 slurmstepd
 * heeds negative ones only.  With SlurmdParameters=contain_spank (24.11 on)
 * user_init, task_post_fork and task_exit run in a child that shares
 * slurmstepd's memory.
 */
#ifndef VOL_SPANK_PLUGIN_H
#define VOL_SPANK_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <slurm/spank.h>

#include "ckoption.h"
#include "error.h"
#include "names.h"

/* Status of a task whose sandbox could not be built; etc/slurm-volunteer.conf
 * sets RequeueExit to it.  Shells, sysexits.h and Slurm do not use
 * it, but for a shell whose program died of signal 22, SIGTTOU. */
#define VOL_EXIT_REQUEUE 150

/* slurm.h's SLURM_EXTERN_CONT: processes come as users log in; and its
 * SLURM_BATCH_SCRIPT.  The same in every version since 20.11. */
#define VOL_SPANK_EXTERN_STEP 0xfffffffc

/* Set by us for the job. */
#define VOL_SPANK_ENV_MARK "SLURM_VOLUNTEER"
#define VOL_SPANK_ENV_NODE "SLURM_VOLUNTEER_NODE"
/* The number of the image whose files a program that saves itself finds.  One
 * that starts from the beginning does not have it. */
#define VOL_SPANK_ENV_RESTORED "VOLUNTEER_RESTORED"
/* Set for slurmctld, in the environment of the job's prologs: seconds. The
 * select plugin reads it there (plugins/select/candidates.h). */
#define VOL_SPANK_ENV_SAVES "VOLUNTEER_CHECKPOINT"

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
	bool info;                      /* --volunteer-info */
	struct vol_ckoption checkpoint; /* --volunteer-checkpoint */
	int files;        /* --volunteer-files: enum vol_rollback_mode */
	int network;      /* --volunteer-net: enum vol_network */
	uint32_t saves_s; /* --volunteer-saves; 0: not given */
	uint32_t signal;  /* --volunteer-signal */
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

/* Where slurmstepd itself expects it. */
#define VOL_SPANK_CGROUPS "/sys/fs/cgroup"

/* Path below the root seam into buf; ENAMETOOLONG when it does not fit. */
int vol_spank_path(char *buf, size_t size, struct vol_error *err,
		   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* --- ids.c: root for a while ------------------------------------------------
 */

struct vol_spank_ids {
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;
};

/* In the process of a task, with the capabilities that vol_wall_keep kept. */
int vol_spank_become_root(struct vol_spank_ids *ids, struct vol_error *err);
int vol_spank_step_back(const struct vol_spank_ids *ids, struct vol_error *err);

/* --- wall.c: the sandbox (sandbox/sandbox.h) in the hooks of slurmstepd ----
 */

struct vol_wall_step {
	uint32_t job, step, tasks;
	struct vol_ckoption checkpoint; /* when it is saved; OFF: never */
	uid_t uid;
	char device[VOL_NODE_NAME_SIZE];
	char run_dir[VOL_SPANK_DIR_SIZE]; /* walls is read there */
};

/* In init_post_opt: all that can be done before there is a task, and no file of
 * the owner's is left where slurmstepd opens the job's.  0 also for steps that
 * run bare: the extern step, and all where the owner took the walls down.  -1:
 * the step must not start, and the device was told why. */
int vol_wall_build(spank_t spank, const struct vol_wall_step *step,
		   struct vol_error *err);

/* In task_init_privileged.  A failure is told by vol_wall_enter: here the task
 * has no stderr yet. */
void vol_wall_keep(void);

/* In task_init: returns in the task, inside, whose environment says no more
 * where this machine's slurm.conf is.  Does not return in a job that was saved
 * and goes on instead (resume.c).  Nor for a job of root
 * or its group, nor for one that asked for what it can not have: tells it and
 * ends with 1.  Nor if it fails: tells the job and the device
 * (lib/wallsfail.h), and ends with VOL_EXIT_REQUEUE.  restarts: how often the
 * job was queued again. */
void vol_wall_enter(spank_t spank, int task, uint32_t restarts);

/* In task_exit of the last task: nothing is left in the cgroup, the folder of
 * the step's tasks. */
void vol_wall_end(const char *cgroup);

/* In exit, and after a failure of build. */
void vol_wall_destroy(void);

/* Has this step walls around it? */
bool vol_wall_stands(void);

/* A line on the task's own stderr, which srun shows and sbatch's file holds,
 * outside of the walls: only where a job could have written itself. */
void vol_wall_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Would it say anything? */
bool vol_wall_is_heard(void);

/* --- waits.c: nothing of the job has run yet ------------------------------ */

/* In slurmstepd, before discoveryd is told of the step with this cgroup: no
 * mark of an earlier one is left. */
int vol_waits_clear(const char *cgroup, struct vol_error *err);
/* Later, before there are tasks: its own.  Without it nobody believes it. */
void vol_waits_begin(void);
/* In the task, as root.  The folder with the mark, for who puts an image back
 * there; NULL: there was none. */
const char *vol_waits_folder(void);
/* May something have run?  */
bool vol_waits_ended(void);
/* Before anything does; once more is no error.  When somebody else has the mark
 * the process ends with VOL_EXIT_REQUEUE. */
void vol_waits_end(void);
/* Only that: does somebody else have it? */
void vol_waits_check(void);

/* --- resume.c: a job that was saved goes on ------------------------------- */

struct vol_resume {
	struct vol_sandbox *sandbox;
	const char *device;
	uint32_t job, restarts; /* of this run: 1 for the second */
	uid_t uid;
	gid_t gid;
	bool app; /* it saves itself: its files only */
};

/* In task_init of a batch script, before it enters the walls: the newest image
 * of the job is fetched and put back, or else the one before, and the process
 * is its supervisor then.  Returns for a job that has to start from the
 * beginning, which was told that and why: there is none, or none that can be
 * put back.  When nobody says so for a quarter of an hour in which it ran, the
 * process ends with VOL_EXIT_REQUEUE.  Where the job has run after its image
 * was made, its output is cut to what it was then: what came later comes again.
 * Nothing ran after the newest image of the last run if that was made to leave.
 *
 * One that saves itself starts in any case: the number of the image whose files
 * it finds (vol_sandbox_bring()), 0: none. */
uint64_t vol_resume(const struct vol_resume *resume);

/* In slurmstepd, afterwards: what was left of images on this machine's disk. */
void vol_resume_tidy(void);

/* --- session.c: what is left of the submitter's login session ------------ */

/* Is this the name (len bytes) of such a variable? */
bool vol_spank_of_session(const char *name, size_t len);

/* In slurmstepd, before there are tasks: none of them is in the job's
 * environment any more. */
int vol_spank_leave_session(spank_t spank, struct vol_error *err);

/* --- unpack.c: variables that came past an srun outside of the sandbox ---- */

/* In slurmstepd, before anybody, we included, looks for a variable: those that
 * lib/stepenv.h packed have their own names again. */
int vol_stepd_unpack(spank_t spank, struct vol_error *err);

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
 * options, guard freezes the folder of the tasks to be, writes the step file
 * and builds the sandbox, mark sets the job's environment, exit removes both.
 * guard's -1 says that the step must not start; nothing is left of it then.
 * task_forked, as root and once a task, writes the file again when the last one
 * is in its folder; all wait until it returns.  task_init runs in the task's
 * process as the user, with the task's stderr, and returns inside the sandbox;
 * of a step that is to be saved it writes the file once more.
 * task_exited, as root and once a task, ends with the last one what is left of
 * a step with a sandbox. */
int vol_stepd_init(spank_t spank, int ac, char *av[], struct vol_error *err);
int vol_stepd_guard(spank_t spank, struct vol_error *err);
int vol_stepd_mark(spank_t spank, struct vol_error *err);
int vol_stepd_task_forked(spank_t spank, struct vol_error *err);
int vol_stepd_task_init(spank_t spank, struct vol_error *err);
int vol_stepd_task_exited(struct vol_error *err);
int vol_stepd_exit(struct vol_error *err);

#endif
