/* SPDX-License-Identifier: GPL-2.0-or-later */
/* matrix_names.c - which names an axis may have
 *
 * An axis becomes an environment variable of a job.  Refused are names that a
 * shell will not let us assign, and names by which a value would change how
 * the job's shell, loader or Slurm's own commands work.
 */
#include "config.h"

#include "matrix_names.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

static const char *const reserved[] = {
	"BASH",
	"BASHOPTS",
	"CDPATH",
	"DIRSTACK",
	"ENV",
	"EUID",
	"FUNCNAME",
	"GROUPS",
	"HOME",
	"HOSTNAME",
	"IFS",
	"LANG",
	"LANGUAGE",
	"LINENO",
	"LOGNAME",
	"NLSPATH",
	"OLDPWD",
	"OPTARG",
	"OPTERR",
	"OPTIND",
	"PATH",
	"PPID",
	"PS1",
	"PS2",
	"PS4",
	"PWD",
	"RANDOM",
	"SECONDS",
	"SHELL",
	"SHELLOPTS",
	"SHLVL",
	"TERM",
	"TMPDIR",
	"UID",
	"USER",
	"EPOCHREALTIME",
	"EPOCHSECONDS",
	"GLIBC_TUNABLES",
	"POSIXLY_CORRECT",
	"PIPESTATUS",
	"REPLY",
	"SRANDOM",
	"_",
};

static const char *const reserved_prefixes[] = {
	"BASH_", "COMP_",  "LC_",   "LD_",    "MUNGE_", "PMI_",
	"PMIX_", "SBATCH", "SLURM", "SPANK_", "SRUN",   "VBATCH",
};

static bool is_reserved(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++) {
		if (strlen(reserved[i]) == size &&
		    !memcmp(reserved[i], name, size))
			return true;
	}
	for (size_t i = 0;
	     i < sizeof(reserved_prefixes) / sizeof(*reserved_prefixes); i++) {
		size_t n = strlen(reserved_prefixes[i]);

		if (n <= size && !memcmp(reserved_prefixes[i], name, n))
			return true;
	}
	return false;
}

int vol_matrix_name_check(const char *name, size_t size, struct vol_error *err)
{
	bool good = size > 0 && !isdigit((unsigned char)name[0]);

	for (size_t i = 0; i < size && good; i++)
		good = (isalnum((unsigned char)name[i]) || name[i] == '_') &&
		       (unsigned char)name[i] < 0x80;
	if (!good)
		return vol_errorf_errno(err, EINVAL,
					"'%.*s' is no name for an axis: use "
					"letters, digits and _",
					(int)size, name);
	if (size >= VOL_MATRIX_NAME_SIZE)
		return vol_errorf_errno(err, EINVAL,
					"the name of an axis is longer than %d "
					"bytes",
					VOL_MATRIX_NAME_SIZE - 1);
	if (is_reserved(name, size))
		return vol_errorf_errno(err, EINVAL,
					"an axis named %.*s would change how "
					"the job runs: choose another name",
					(int)size, name);
	return 0;
}
