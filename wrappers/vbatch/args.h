/* SPDX-License-Identifier: GPL-2.0-or-later */
/* args.h - split vbatch's own options from sbatch's
 *
 * Nothing is copied but pointers: a struct vb_args borrows argv and is valid
 * as long as that is.
 */
#ifndef VB_ARGS_H
#define VB_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "options.h"

/* What vbatch must know of options that are meant for sbatch, from the command
 * line or from a script's #SBATCH lines.  Strings are NULL if not given. */
struct vb_seen {
	bool array;
	bool het; /* a heterogeneous job: ":" or "hetjob" */
	bool quiet;
	bool test_only;
	bool wait;
	const char *clusters;
	const char *dependency;
	const char *wrap;
};

struct vb_args {
	bool help;
	bool version;
	bool own; /* some --matrix option was given */

	const char **matrix; /* --matrix, in order */
	size_t matrix_count;
	const char **exclude; /* --matrix-exclude */
	size_t exclude_count;
	bool zip;
	uint64_t limit; /* --matrix-limit, 0: none */
	uint64_t first; /* --matrix-first */
	uint64_t list;  /* --matrix-list, 0: not given */

	const char *
		*sbatch; /* everything else before the script, less --wrap */
	size_t sbatch_count;
	struct vb_seen seen;

	char **script; /* the script and its arguments, NULL-terminated */
	size_t script_count;
};

/* Read the command line; argv[argc] must be NULL.  unknown: see options.h.
 * On error *args needs no freeing. */
int vb_args_parse(struct vb_args *args, int argc, char **argv,
		  vb_unknown_f unknown, void *arg, struct vol_error *err);
void vb_args_free(struct vb_args *args);

/* Is this word "--cluster" or "--cluster=..."?  Whoever calls vb_args_parse has
 * taken it off the front; elsewhere it is refused.  Shorter forms are sbatch's,
 * which has a hidden --cluster of its own (that of --clusters). */
bool vb_args_is_cluster(const char *word);

/* Read words as sbatch options, as found on #SBATCH lines, for what vbatch must
 * know of them. */
int vb_args_scan(struct vb_seen *seen, size_t count, char **words,
		 vb_unknown_f unknown, void *arg, struct vol_error *err);

#endif
