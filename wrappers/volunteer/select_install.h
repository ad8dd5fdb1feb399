/* SPDX-License-Identifier: GPL-2.0-or-later */
/* select_install.h - put our select plugin in front of Slurm's, and back
 *
 * In Slurm's plugin folder, DIR:
 *
 *	DIR/select_cons_tres.so		the one slurmctld loads ("active")
 *	DIR/select_cons_tres.so.base	Slurm's own, while ours is active
 *
 * slurmctld cannot start without the first, nor ours without the second.  So
 * the first is only ever replaced by rename(2), the second exists before ours
 * becomes active and as long as it is, and whatever step a crash leaves us at,
 * slurmctld starts and both operations go on from there.
 */
#ifndef VOL_SELECT_INSTALL_H
#define VOL_SELECT_INSTALL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct vol_select {
	char root[PATH_MAX];   /* "" or a folder that stands for / */
	char dir[PATH_MAX];    /* Slurm's plugin folder, as seen inside root */
	char active[PATH_MAX]; /* these three with root in front */
	char base[PATH_MAX];
	char ours[PATH_MAX]; /* the plugin to install */
};

enum vol_select_file {
	VOL_SELECT_FILE_NONE,
	VOL_SELECT_FILE_SLURM, /* exports Slurm's plugin_version */
	VOL_SELECT_FILE_OURS,  /* exports vol_select_slurm_version */
	VOL_SELECT_FILE_ALIEN, /* anything else */
};

enum vol_select_state {
	VOL_SELECT_UNKNOWN,
	VOL_SELECT_DISABLED,
	VOL_SELECT_ENABLED,
	VOL_SELECT_HALF_DONE, /* interrupted; either operation repairs it */
	VOL_SELECT_BROKEN,    /* Slurm's own plugin is gone or unknown */
};

struct vol_select_status {
	enum vol_select_state state;
	enum vol_select_file active, base;
	bool dpkg, diverted;
	bool current;       /* active is the very plugin we would install */
	uint32_t built_for; /* SLURM_VERSION_NUMBER of ours, active or not;
			     * 0: there is none */
	uint32_t slurm;     /* of Slurm's own; 0: there is none */
};

/* NULLs mean the running system, the configured plugin folder and the plugin
 * that was installed with this program.  -1 when a path is too long. */
int vol_select_init(struct vol_select *sel, const char *root, const char *dir,
		    const char *ours, struct vol_error *err);

int vol_select_look(const struct vol_select *sel, struct vol_select_status *st,
		    struct vol_error *err);

/* Both are idempotent and say in *changed whether anything was done, so
 * whether slurmctld must be restarted.  enable changes nothing when ours was
 * built for another version of Slurm than the original. */
int vol_select_enable(const struct vol_select *sel, bool *changed,
		      struct vol_error *err);
int vol_select_disable(const struct vol_select *sel, bool *changed,
		       struct vol_error *err);

/* Will the slurmctld of this host, once it is restarted, use ours? */
bool vol_select_active(void);

const char *vol_select_state_name(enum vol_select_state state);

/* "24.11.5" of a SLURM_VERSION_NUMBER, "none" of 0. */
#define VOL_SELECT_VERSION_SIZE 16
const char *vol_select_version(uint32_t number,
			       char buf[VOL_SELECT_VERSION_SIZE]);

#endif
