/* SPDX-License-Identifier: GPL-2.0-or-later */
/* args.c - arguments of the plugstack line
 *
 * A loop of its own instead of lib/conf.h: that reader needs libinih, and
 * nothing but libc may come with us into slurmstepd.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "plugin.h"

void vol_spank_args_defaults(struct vol_spank_args *args)
{
	*args = (struct vol_spank_args){.run_dir = VOL_RUN_DIR};
}

static int set_run_dir(const char *value, struct vol_spank_args *args,
		       struct vol_error *err)
{
	if (value[0] != '/')
		return vol_errorf_errno(
			err, EINVAL, "run_dir=%s: not an absolute path", value);
	if (strlen(value) >= sizeof(args->run_dir))
		return vol_errorf_errno(err, ENAMETOOLONG,
					"run_dir: longer than %zu bytes",
					sizeof(args->run_dir) - 1);
	snprintf(args->run_dir, sizeof(args->run_dir), "%s", value);
	return 0;
}

static int set_info(const char *value, struct vol_spank_args *args,
		    struct vol_error *err)
{
	if (!strcmp(value, "yes"))
		args->info = true;
	else if (!strcmp(value, "no"))
		args->info = false;
	else
		return vol_errorf_errno(err, EINVAL,
					"info=%s: neither yes nor no", value);
	return 0;
}

static const struct {
	const char *key;
	int (*set)(const char *value, struct vol_spank_args *args,
		   struct vol_error *err);
} arguments[] = {
	{"run_dir", set_run_dir},
	{"info", set_info},
};

#define N_ARGUMENTS (sizeof(arguments) / sizeof(arguments[0]))

static int set_word(const char *word, unsigned *seen,
		    struct vol_spank_args *args, struct vol_error *err)
{
	const char *equals = strchr(word, '=');
	size_t i, len = equals ? (size_t)(equals - word) : 0;

	if (!equals)
		return vol_errorf_errno(err, EINVAL, "%s: not key=value", word);
	for (i = 0; i < N_ARGUMENTS; i++)
		if (strlen(arguments[i].key) == len &&
		    !strncmp(arguments[i].key, word, len))
			break;
	if (i == N_ARGUMENTS)
		return vol_errorf_errno(err, EINVAL, "%.*s: unknown argument",
					(int)len, word);
	if (*seen & 1u << i)
		return vol_errorf_errno(err, EINVAL, "%s: given twice",
					arguments[i].key);
	*seen |= 1u << i;
	return arguments[i].set(equals + 1, args, err);
}

int vol_spank_args_parse(int ac, char *av[], struct vol_spank_args *args,
			 struct vol_error *err)
{
	struct vol_spank_args fresh = *args;
	unsigned seen = 0;

	for (int i = 0; i < ac; i++)
		if (set_word(av[i], &seen, &fresh, err) == -1)
			return vol_error_prefix(err, "plugstack argument");
	*args = fresh;
	return 0;
}
