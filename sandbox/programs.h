/* SPDX-License-Identifier: GPL-2.0-or-later */
/* programs.h - what the library and its two programs agree on
 *
 * slurm-volunteer-init [TASK]
 *	pid 1 inside, the job's user.  TASK is its child, and it ends with it;
 *	without one it waits for processes that join, and ends with slurmstepd,
 *	a pidfd of which is VOL_INIT_STEPD_FD.  A byte into VOL_INIT_READY_FD
 *	when it is ready.  An image may hold one of another version, so what is
 *	agreed on here with it stays as it is.
 *
 * slurm-volunteer-supervise init|batch|task STEPD PID1 TASK CHILD
 *	root, outside, all signals blocked.  The task begins when the program
 *	does.  STEPD, PID1, TASK: pidfds of those; CHILD: our child, pid 1
 *	("init", "batch") or the task ("task"), with the end of which we end.
 *	"batch": a signal to our process group is one to the task's.  Further
 *	descriptors are kept open.
 */
#ifndef VOL_SANDBOX_PROGRAMS_H
#define VOL_SANDBOX_PROGRAMS_H

#define VOL_INIT_READY_FD 3
#define VOL_INIT_STEPD_FD 4

/* A pid 1 can not die of a signal, and an exit status is too small for a wait
 * status: it leaves the latter in its name (comm in proc(5)), which is there as
 * long as the zombie. */
#define VOL_STATUS_NAME "task-%04x"

/* An attribute of the step's record (checkpoint.h), while CRIU has hold of its
 * processes.  One that was killed meanwhile may have left them in the middle of
 * what it had them do, and they die of a trap: that is not their doing.  Only
 * root can set it; one of trusted.* only root could read. */
#define VOL_SEIZED_ATTRIBUTE "security.volunteer.seized"
/* Its value when it has left one so, or one may have died of it: whatever comes
 * of the step is no result. */
#define VOL_SEIZED_HURT "hurt"
/* Another one, while a program that was told to save itself may end of it: a
 * decimal number, the milliseconds of CLOCK_BOOTTIME until which an end is not
 * the end of the job, and waits; UINT64_MAX: nor is any later one. */
#define VOL_TOLD_ATTRIBUTE "security.volunteer.told"
/* Where the descriptor of those leads. */
#define VOL_RECORD_LINK "/memfd:volunteer-record (deleted)"

#endif
