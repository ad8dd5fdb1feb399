/* SPDX-License-Identifier: GPL-2.0-or-later */
/* steps.h - srun inside a sandbox: who is who
 *
 *	inside                            outside
 *	script
 *	 └ "srun" = slurm-volunteer-srun ──socket──▶ slurm-volunteer-steps
 *	                                              └ session (one a call)
 *	                                                 └ the real srun
 *
 * slurm-volunteer-srun lies over the programs of Slurm in the sandbox.  It
 * opens the files of -i, -o and -e, which it alone can name, and hands over
 * what lib/stepframe.h says.  slurm-volunteer-steps is a child of the
 * supervisor of the batch step's task, in the task's cgroup, so that it and all
 * below it are frozen, measured and killed with the job.  It is root; so is a
 * session until its cell stands, before it has read one byte of what the job
 * sent.  A cell is a file system with nothing in it but what srun needs to
 * read (read-only: the system, Slurm's configuration, the socket of munge), a
 * pid and an ipc namespace, the network of the machine, which srun has to
 * listen on; the session and srun are in there as the job's user, whom
 * slurmctld knows by that number, without groups, capabilities or any program
 * that they could run: after srun itself execve(2) fails.
 */
#ifndef VOL_STEPS_H
#define VOL_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"

/* The socket, inside.  The session answers after what lib/stepframe.h says. */
#define VOL_STEPS_INSIDE "/run/slurm-volunteer-steps"
/* Descriptors of slurm-volunteer-steps: where it finds that listening, and a
 * pidfd of the supervisor, with which it ends. */
enum { VOL_STEPS_FD = 3, VOL_STEPS_SUPERVISOR_FD, VOL_STEPS_FDS_END };

struct vol_cell {
	uint32_t job;
	uid_t uid, peer; /* the job's, on this machine and as its own */
	gid_t gid;
	const char *user;   /* login name */
	const char *folder; /* an empty one, to mount the cell's root on */
	const char *conf;   /* slurm.conf; NULL: where Slurm looks for it */
	char *const *read;  /* what of the machine is shown, read-only; NULL
			       at the end */
	int srun;           /* O_PATH */
	int alive;          /* a pipe: at its end the broker is gone */
};

/* --- cell.c --------------------------------------------------------------- */

/* In a process of a mount namespace of its own, root: it is in the cell then.
 */
int vol_cell_build(const struct vol_cell *cell, struct vol_error *err);

/* No program but that of the descriptor may be run, by execveat(2).  That holds
 * for a program that does not call execveat(2) itself: a filter does not see
 * what a path says. */
int vol_cell_forbid_exec(int program, struct vol_error *err);

/* --- session.c ------------------------------------------------------------ */

/* Serves one connection, in the first process of namespaces of its own, which
 * is root yet.  Never returns. */
void vol_session_run(const struct vol_cell *cell, int conn)
	__attribute__((noreturn));

/* Says why, without waiting for anybody. */
void vol_session_refuse(int conn, const char *reason);

/* --- request.c ------------------------------------------------------------ */

/* What a session got, checked. */
struct vol_request {
	char *text;
	char **argv, **env; /* for srun */
	int fd[3];
	uint32_t umask;
	uint64_t limits[8]; /* as in lib/stepframe.h */
};

/* Reads it from a connection; -1 with a reason that the client may see. */
int vol_request_read(int conn, uint32_t job, const char *conf,
		     struct vol_request *request, struct vol_error *err);

/* In the child that becomes srun: descriptors, umask and limits. */
int vol_request_enter(const struct vol_request *request);

#endif
