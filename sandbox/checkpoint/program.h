/* SPDX-License-Identifier: GPL-2.0-or-later */
/* program.h - the parts of slurm-volunteer-checkpoint (checkpoint.h) */
#ifndef VOL_CHECKPOINT_PROGRAM_H
#define VOL_CHECKPOINT_PROGRAM_H

#include "parts.h"

/* --- find.c ----------------------------------------------------------------
 */

/* The cgroup (v2) of process pid: its folder; "" if it can not be frozen by
 * itself, as the one that we are in.  *frozen: it is.  -1 if one above it is.
 */
int vol_find_cgroup(pid_t pid, char *path, size_t size, bool *frozen,
		    struct vol_error *err);
int vol_cgroup_freeze(const char *path, bool freeze, struct vol_error *err);

/* --- dump.c ----------------------------------------------------------------
 */

/* errno EPERM: the job's own doing. */
int vol_dump(const char *criu, unsigned int seconds, const char *task,
	     const char *dir, struct vol_error *err);

/* --- hook.c: called by CRIU ------------------------------------------------
 */

/* After a dump, nothing runs: how long are the output files? */
int vol_hook_dumped(const char *dir, struct vol_error *err);

/* After a restore, nothing has run: is all as for a fresh task?  If it is not,
 * none of it ever does.  what: VOL_ENV_HOOK. */
int vol_hook_restored(pid_t pid1, const char *what, struct vol_error *err);

/* --- serve.c ---------------------------------------------------------------
 */

typedef int (*vol_command_f)(int argc, char *argv[]);

/* Until the other end of the socket is closed; an exit status. */
int vol_serve(int socket, vol_command_f command);

/* --- timers.c --------------------------------------------------------------
 */

/* Of a restored process that does not run yet. */
int vol_timers_wind_up(pid_t pid, struct vol_error *err);

#endif
