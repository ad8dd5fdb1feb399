/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view.h - the mount namespace of slurmd or slurmstepd while it is built
 * (hide.c)
 */
#ifndef VOL_SANDBOX_VIEW_H
#define VOL_SANDBOX_VIEW_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "error.h"
#include "private.h"
#include "walls.h"

#define VOL_KEEPS_MAX 64

/* Descriptors of detached mounts: as few at a time as can be, since the kernel
 * makes a process of several threads wait for 10 ms when its table of them has
 * to grow past 64. */
struct vol_view {
	bool for_slurmd;
	size_t backs, keeps, nodes;
	struct vol_place back[VOL_PLACES_MAX]; /* of the policy */
	struct vol_place keep[VOL_KEEPS_MAX];  /* written by Slurm */
	struct vol_place node[VOL_PLACES_MAX]; /* of /dev */
	char cover[PATH_MAX]; /* with nothing in it; "": none yet */
};

/* --- keep.c: what Slurm writes -------------------------------------------- */

/* Whether hiding a folder (an absolute path without links) would take it away.
 */
bool vol_view_keeps(const char *path);
/* Clone it as it is now; attach it again, and seal what in it is not Slurm's.
 */
int vol_view_open_kept(struct vol_view *v, struct vol_error *err);
int vol_view_attach_kept(struct vol_view *v, struct vol_error *err);

/* --- view_dev.c ----------------------------------------------------------- */

/* Clone device nodes; a /dev of them alone. */
int vol_view_open_dev(struct vol_view *v, const struct vol_walls *walls,
		      struct vol_error *err);
int vol_view_build_dev(const struct vol_view *v, struct vol_error *err);

/* --- view_proc.c ---------------------------------------------------------- */

/* Mount empty (a folder) over those of the user's processes that there are. */
int vol_view_cover_processes(uid_t uid, const char *empty,
			     struct vol_error *err);
/* A whole /proc at path, for root's eyes. */
int vol_view_show_proc(const char *path, struct vol_error *err);
/* Apart from all processes but those that come of this one: *apart, where the
 * kernel can. */
int vol_view_apart(bool for_slurmd, bool *apart, struct vol_error *err);
/* No link of /proc is followed. */
int vol_view_cut_links(struct vol_error *err);

#endif
