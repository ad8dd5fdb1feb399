/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox.h - walls around the tasks of a job step; no Slurm header
 *
 *	slurmstepd (root)
 *	 └ slurm-volunteer-supervise  what slurmstepd takes for the task
 *	    └ slurm-volunteer-init    pid 1 of the namespaces
 *	       └ the task             goes on in slurmstepd's exec
 *
 * Five calls, in the order in which slurmstepd makes them; each may be made by
 * another program in the same way (tests/sandbox does).
 *
 * Namespaces are a step's: tasks of one step on one machine share theirs, as
 * MPI over shared memory needs.  The first task makes them.
 *
 * A wall that can not be built is an error, never a gap; only ids of the job's
 * own may be missing, if the policy says so (VOL_USERS_AUTO).
 */
#ifndef VOL_SANDBOX_H
#define VOL_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"
#include "rollback.h"
#include "walls.h"

struct vol_sandbox_job {
	uint32_t job, step;
	uid_t uid;
	gid_t gid;
	char user[64]; /* login name, for a passwd of its own */
	/* For the same, if they are there inside, the home in a working folder;
	 * any text, the job may have written it; "" */
	char home[VOL_WALLS_PATH_SIZE], shell[64];
	char host[64];       /* that hostname(1) says; "": jobN */
	uint32_t tasks;      /* of the step on this machine */
	bool batch;          /* one script, no srun behind it */
	const char *script;  /* file that slurmd spooled, NULL: none */
	int network;         /* enum vol_network, already within the policy */
	char checkpoint[64]; /* what the user asked for: for whoever saves it */
	int files;           /* enum vol_rollback_mode: whose its files are */
};

struct vol_sandbox;

/* In slurmstepd, root, before any task exists: take a range of ids, share
 * memory with the tasks to be.  state_dir is root's own folder on a tmpfs
 * (VOL_RUN_DIR "/sandbox"), made if it is not there.  walls is copied. */
struct vol_sandbox *vol_sandbox_create(const struct vol_walls *walls,
				       const struct vol_sandbox_job *job,
				       const char *state_dir,
				       struct vol_error *err);

/* In slurmstepd, root, single-threaded, before it opens the job's input and
 * output under the job's uid: a mount namespace of its own, in which the places
 * where people keep files (/home, /root, /tmp, /var/tmp, /run/user, /media,
 * /mnt, and every folder of the root folder that is not the system's) are empty
 * and not writable, but for the working folders; in which nothing else can be
 * written but what slurmstepd itself must write (see hide.c); and in which
 * terminals are slurmstepd's own.  Closes "sbatch -o /home/owner/.bashrc".
 * From then on the kernel also refuses every program that slurmstepd would run
 * as the job's user (--task-epilog). */
int vol_sandbox_hide(struct vol_sandbox *sandbox, struct vol_error *err);

/* The same for slurmd, which opens files as the job's user (sbcast) and runs
 * programs so (sbatch --get-user-env): in the process that is about to become
 * it, root, single-threaded.  Makes the mount namespace itself.  Folders of the
 * policy (read, image, devices besides work) are there, read-only; those of the
 * other users' are as large as what they hide, so that slurmd reports the
 * TmpDisk that it did.  slurmstepd's calls work in that view.  What can be
 * written besides the working folders: /run, /var/log, /sys, /dev, and below
 * /var/lib, /var/spool and /var/cache folders with "slurm" in their name.
 * Where the kernel has it (6.12), slurmd also can not look into processes that
 * it did not start (Landlock), /proc/PID/root above all. */
int vol_sandbox_hide_for(const struct vol_walls *walls, struct vol_error *err);

/* In the process of a task, root, before slurmstepd becomes the job's user:
 * keep the capabilities over that. */
int vol_sandbox_keep(struct vol_error *err);

/* In the process of a task, before enter: the task has descriptor fd, too,
 * which slurmstepd opened for it (PMI_FD).  The job may have written that
 * number: EINVAL for all but one of a pair of unix sockets that the process of
 * vol_sandbox_create() made, and that was not to be closed on exec. */
int vol_sandbox_pass(struct vol_sandbox *sandbox, int fd,
		     struct vol_error *err);

/* In the process of a task, under the job's uid, its cgroup and affinity set,
 * its input and output on 0, 1 and 2: 0 in the task to be, inside, with nothing
 * but what a job has.  The process that called becomes the supervisor and does
 * not return.  -1 in the process that called: nothing was started.  After 0
 * where is the folder the task is in: the working folder, or "" when that is
 * not below a working folder of the policy and the task is in /tmp.
 *
 * errno after -1 says whose fault it is.  EACCES, and only that: the job's own,
 * which asked for what it may not have (input or output in no working folder, a
 * folder that its user can not enter), used up the step's memory or processes,
 * or was killed meanwhile; nothing is wrong with the device.  Any other: a wall
 * could not be built here.  vol_sandbox_create() and vol_sandbox_hide() never
 * blame the job. */
int vol_sandbox_enter(struct vol_sandbox *sandbox, uint32_t task, char *where,
		      size_t size, struct vol_error *err);

/* In slurmstepd, or a child that shares its memory, root, all tasks reaped:
 * what is left of the step ends, and after 1 s at most this returns.  cgroup is
 * the folder that holds the tasks' cgroups, or NULL.  To be called before Slurm
 * looks whether something is left: it would wait for a second. */
void vol_sandbox_end(struct vol_sandbox *sandbox, const char *cgroup);

/* In slurmstepd, root, all tasks reaped: what is left of the step goes.
 * Frees. */
void vol_sandbox_destroy(struct vol_sandbox *sandbox);

/* What this machine can do, by trying it in a child: for status and for a
 * device that must not open.  text is one line per wall that does not stand.
 * 0: all stand; 1: all but ids of the job's own; -1: a wall can not be built,
 * err says which. */
int vol_sandbox_probe(const struct vol_walls *walls, const char *state_dir,
		      char *text, size_t size, struct vol_error *err);

#endif
