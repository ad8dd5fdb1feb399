/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.h - what sbatch's options look like
 *
 * vbatch must find the script among sbatch's options without knowing what they
 * mean.  For that it needs to know which of them take the next word.
 */
#ifndef VB_OPTIONS_H
#define VB_OPTIONS_H

#include <stddef.h>

#include "error.h"

enum vb_arg {
	VB_ARG_NONE,     /* --hold */
	VB_ARG_ATTACHED, /* --nice or --nice=5, never the next word */
	VB_ARG_WORD,     /* --time=5 or --time 5 */
};

/* The options whose meaning vbatch does need. */
enum vb_opt {
	VB_OPT_OTHER,
	VB_OPT_ARRAY,
	VB_OPT_CLUSTERS,
	VB_OPT_DEPENDENCY,
	VB_OPT_HELP,
	VB_OPT_QUIET,
	VB_OPT_TEST_ONLY,
	VB_OPT_VERSION,
	VB_OPT_WAIT,
	VB_OPT_WRAP,
};

struct vb_option {
	const char *name;
	char letter; /* 0: none */
	enum vb_arg arg;
	enum vb_opt id;
};

/* Does an option that vbatch does not know, from a SPANK plugin or a later
 * sbatch, take a word? */
typedef enum vb_arg (*vb_unknown_f)(const char *name, size_t size, void *arg);

/* Find a long option by its name or by a beginning of it that could be no
 * other kind of option, as getopt_long does.  *found is filled in.  -1 and
 * EINVAL if the beginning is ambiguous.  unknown may be NULL: then it is taken
 * to have a word. */
int vb_option_long(const char *name, size_t size, vb_unknown_f unknown,
		   void *arg, struct vb_option *found, struct vol_error *err);

/* Find an option by its letter; an unknown one has no argument. */
struct vb_option vb_option_short(char letter);

/* What "sbatch --help" says about a long option; VB_ARG_WORD if nothing. */
enum vb_arg vb_option_in_help(const char *help, const char *name, size_t size);

#endif
