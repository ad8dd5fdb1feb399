/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.h - command line of discoveryd */
#ifndef VOL_OPTIONS_H
#define VOL_OPTIONS_H

#include <stdbool.h>

#include "role.h"

enum vol_options_result {
	VOL_OPTIONS_RUN,
	VOL_OPTIONS_DONE,  /* --help or --version was printed: exit 0 */
	VOL_OPTIONS_WRONG, /* the reason was printed: exit 2 */
};

struct vol_options {
	const struct vol_role *role;
	const char *conf_path; /* borrowed from argv or the role */
	bool check, verbose;
};

/* roles: NULL-terminated. */
enum vol_options_result vol_options_parse(int argc, char **argv,
					  const struct vol_role *const *roles,
					  struct vol_options *options);

#endif
