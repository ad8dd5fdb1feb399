/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spank_volunteer.c - the SPANK ABI: which process runs which part
 *
 * Nothing but dispatch and the failure policy of plugin.h (every hook fails
 * open, but for the guard and the sandbox of a step).  Hooks that are not here
 * have nothing to do.
 */
#include "config.h"

#include <stdint.h>

/* The loader finds these by name; everything else stays hidden. */
#pragma GCC visibility push(default)
#include <slurm/spank.h>
SPANK_PLUGIN(volunteer, 1)
#pragma GCC visibility pop

#include "log.h"
#include "plugin.h"

static int fail_open(int rc, const struct vol_error *err)
{
	if (rc == -1)
		vol_err("%s", err->text);
	return ESPANK_SUCCESS;
}

/* Fails open: without options the user's --volunteer-* is unknown to srun,
 * without arguments the defaults hold, without spank-active discoveryd
 * complains. */
int slurm_spank_init(spank_t spank, int ac, char *av[])
{
	struct vol_error err = {""};

	vol_spank_log_open();
	switch (spank_context()) {
	case S_CTX_LOCAL:
	case S_CTX_ALLOCATOR:
		return fail_open(vol_login_init(spank, ac, av, &err), &err);
	case S_CTX_SLURMD:
		return fail_open(vol_slurmd_init(ac, av, &err), &err);
	case S_CTX_REMOTE:
		return fail_open(vol_stepd_init(spank, ac, av, &err), &err);
	case S_CTX_JOB_SCRIPT:
	case S_CTX_ERROR:
		break;
	}
	return ESPANK_SUCCESS;
}

/* Fails open in srun, sbatch and salloc: a job that slurmctld knows less of is
 * placed worse.  Fails closed on a device: a step that nobody can stop, or that
 * has no walls around it, must not run beside the owner.  Slurm wants a
 * negative number.  Without its marks, or with variables that kept the names
 * they travelled under, a job runs. */
int slurm_spank_init_post_opt(spank_t spank, int ac, char *av[])
{
	struct vol_error err = {""};

	(void)ac;
	(void)av;
	if (spank_context() == S_CTX_LOCAL ||
	    spank_context() == S_CTX_ALLOCATOR)
		return fail_open(vol_login_submit(spank, &err), &err);
	if (spank_context() != S_CTX_REMOTE)
		return ESPANK_SUCCESS;
	fail_open(vol_stepd_unpack(spank, &err), &err);
	if (vol_stepd_guard(spank, &err) == -1) {
		vol_err("%s", err.text);
		return -1;
	}
	return fail_open(vol_stepd_mark(spank, &err), &err);
}

/* What fails is told by task_init. */
int slurm_spank_task_init_privileged(spank_t spank, int ac, char *av[])
{
	(void)spank;
	(void)ac;
	(void)av;
	vol_wall_keep();
	return ESPANK_SUCCESS;
}

/* Fails open: all of the step follows the owner, as if it were not born yet. */
int slurm_spank_task_post_fork(spank_t spank, int ac, char *av[])
{
	struct vol_error err = {""};

	(void)ac;
	(void)av;
	if (spank_context() != S_CTX_REMOTE)
		return ESPANK_SUCCESS;
	return fail_open(vol_stepd_task_forked(spank, &err), &err);
}

/* Without a sandbox the task ends here; without its line of information it
 * starts. */
int slurm_spank_task_init(spank_t spank, int ac, char *av[])
{
	struct vol_error err = {""};

	(void)ac;
	(void)av;
	return fail_open(vol_stepd_task_init(spank, &err), &err);
}

/* Fails open: Slurm waits for what is left, too, a second at a time. */
int slurm_spank_task_exit(spank_t spank, int ac, char *av[])
{
	struct vol_error err = {""};

	(void)spank;
	(void)ac;
	(void)av;
	if (spank_context() != S_CTX_REMOTE)
		return ESPANK_SUCCESS;
	return fail_open(vol_stepd_task_exited(&err), &err);
}

/* Fails open: a left-over step file is stale by its contract. */
int slurm_spank_exit(spank_t spank, int ac, char *av[])
{
	struct vol_error err = {""};

	(void)spank;
	(void)ac;
	(void)av;
	if (spank_context() != S_CTX_REMOTE)
		return ESPANK_SUCCESS;
	return fail_open(vol_stepd_exit(&err), &err);
}

/* Fails open: discoveryd compares the pid in a left-over spank-active. */
int slurm_spank_slurmd_exit(spank_t spank, int ac, char *av[])
{
	struct vol_error err = {""};

	(void)spank;
	(void)ac;
	(void)av;
	return fail_open(vol_slurmd_exit(&err), &err);
}
