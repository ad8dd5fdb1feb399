/* SPDX-License-Identifier: GPL-2.0-or-later */
/* srunline_options.h - the options of srun that srunline.c takes */
#ifndef VOL_SRUNLINE_OPTIONS_H
#define VOL_SRUNLINE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* What an option's value may be. */
enum vol_srunkind {
	VOL_SRUN_FLAG,   /* no value */
	VOL_SRUN_WORD,   /* letters, digits, .,:;=+-_*%@~! */
	VOL_SRUN_NUMBER, /* digits */
	VOL_SRUN_NODES,  /* letters, digits, .,-_[] (a "/" would be a file) */
	VOL_SRUN_MPI,    /* lower case letters, digits, _ (part of a file's
			    name in Slurm's plugin folder) */
	VOL_SRUN_TEXT,   /* anything but control characters */
	VOL_SRUN_INPUT,  /* the rest have a meaning to us */
	VOL_SRUN_OUTPUT,
	VOL_SRUN_ERROR,
	VOL_SRUN_OPENMODE,
	VOL_SRUN_EXPORT,
	VOL_SRUN_CHDIR,
	VOL_SRUN_JOBID,
};

struct vol_srunoption {
	const char *name; /* without "--" */
	char letter;      /* 0: none */
	unsigned char kind;
	bool optional; /* a value only behind "=" or the letter */
};

/* Sorted by nothing; NULL: not among them. */
const struct vol_srunoption *vol_srunoption_find(const char *name, size_t len);
const struct vol_srunoption *vol_srunoption_letter(char letter);

/* Why an option of srun is not among them, or NULL when it is not known. */
const char *vol_srunoption_refusal(const char *name, size_t len);

/* May this text be the value of an option of this kind? */
bool vol_srunoption_value(int kind, const char *value);

#endif
