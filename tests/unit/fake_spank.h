/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_spank.h - Slurm's side of SPANK out of one structure
 *
 * Implements spank_*() and slurm_*() so that the hook files link unchanged.
 * A test fills fake_spank, calls a hook and looks at what became of it.
 */
#ifndef VOL_FAKE_SPANK_H
#define VOL_FAKE_SPANK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <slurm/spank.h>

#define FAKE_ENV_MAX     16
#define FAKE_OPTIONS_MAX 8

struct fake_spank {
	enum spank_context context;
	bool refuse_items, refuse_env, refuse_options;

	uint32_t job, step, array_job, array_task;
	uid_t uid;
	gid_t gid;
	char *argv[4];  /* the program, or the file of the batch script */
	uint32_t tasks; /* on this node */
	uint16_t cpus;
	uint64_t step_memory_mb;
	const char *step_cores;
	int task; /* local id, or -1 outside a task */

	/* the job's environment */
	struct {
		char name[64], value[256];
	} env[FAKE_ENV_MAX];
	size_t n_env;

	struct spank_option *options[FAKE_OPTIONS_MAX];
	size_t n_options;

	/* what went to Slurm's log */
	char last_error[1024];
	unsigned errors, messages;
};

extern struct fake_spank fake_spank;

/* The handle that hooks get; opaque as Slurm's. */
spank_t fake_spank_handle(void);

/* A job step as slurmstepd sees it; everything else zero. */
void fake_spank_reset(enum spank_context context);

/* Value in the job's environment, or NULL. */
const char *fake_spank_env(const char *name);

/* Give a registered option as a user would; the callback's result, or -1 when
 * there is no such option. */
int fake_spank_give_option(const char *name, const char *arg, int remote);

#endif
