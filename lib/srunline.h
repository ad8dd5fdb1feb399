/* SPDX-License-Identifier: GPL-2.0-or-later */
/* srunline.h - which command lines of srun a sandboxed job may have run for it;
 * pure
 *
 * The srun that starts a job's steps runs outside of the job's sandbox, on the
 * device's network and with a socket to the cluster's keys, so it must do
 * nothing for the job but start steps of it.  Only options that are known to do
 * no more are taken, by their whole name; each value may have only the letters
 * that its kind needs.  What runs or opens something where srun runs (--prolog,
 * --bcast, --multi-prog, --x11, a node list in a file, --uid, ...) is not among
 * them, nor are unknown and shortened names, which a newer srun may understand
 * differently, nor ":" among the program's arguments, behind which srun looks
 * for options again (heterogeneous steps).  The command line for the real srun
 * is written anew from what was understood, in one form that can not be read in
 * two ways: --name=value, --, program.
 *
 * Files of --input, --output and --error that are one for all tasks are opened
 * inside, by the program that stands for srun there; those with %t, %n, %N or
 * %u in the name are opened by slurmstepd, as ever.
 */
#ifndef VOL_SRUNLINE_H
#define VOL_SRUNLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum vol_srunfile {
	VOL_SRUNFILE_NONE,  /* not given */
	VOL_SRUNFILE_SLURM, /* srun knows what to do: "none", "0", "out-%t" */
	VOL_SRUNFILE_OURS,  /* one file, opened inside */
};

/* 0, 1, 2, as the descriptors. */
#define VOL_SRUNFILES 3

struct vol_srunline {
	struct vol_srungiven *given; /* owned */
	size_t n_given;
	int file[VOL_SRUNFILES];              /* enum vol_srunfile */
	const char *file_name[VOL_SRUNFILES]; /* as given; NULL: not given */
	bool append;                          /* --open-mode=append */
	const char *export; /* value of --export; NULL: not given */
	const char *chdir;  /* value of --chdir; NULL: not given */
	char **program;     /* into argv, ends in NULL; may be empty */
};

/* argv ends in NULL, [0] is the program's name; it must outlive line.  job: the
 * only one that --jobid may name.  -1 with EINVAL or ENOMEM and one line that
 * says which option and why; nothing to release then. */
int vol_srunline_parse(char *const argv[], uint32_t job,
		       struct vol_srunline *line, struct vol_error *err);

/* argv for the real srun: an array that ends in NULL, in one malloc'ed piece
 * with its texts.  cwd is absolute; export is the real --export (see
 * stepenv.h), NULL: none.  NULL with ENOMEM. */
char **vol_srunline_build(const struct vol_srunline *line, uint32_t job,
			  const char *cwd, const char *export,
			  struct vol_error *err);

/* Name of a file that is ours (file_name[n]), its % replaced as srun does:
 * %j, %A, %a, %b, %x from env (an array of NAME=value that ends in NULL).
 * EINVAL for %J and %s: the step has no number yet; ENAMETOOLONG. */
int vol_srunline_file(const char *name, char *const env[], char *buf,
		      size_t size, struct vol_error *err);

void vol_srunline_release(struct vol_srunline *line);

#endif
