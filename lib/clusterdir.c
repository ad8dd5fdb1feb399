/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clusterdir.c - other clusters that this host can talk to */
#include "config.h"

#include "clusterdir.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"

const char *vol_clusterdir_root(void)
{
	const char *root = getenv("VOLUNTEER_CLUSTERS");

	return root && *root ? root : VOL_CLUSTERS_DIR;
}

int vol_clusterdir_conf(const char *root, const char *name, char path[PATH_MAX],
			struct vol_error *err)
{
	int n;

	/* Not shown: it may be anything. */
	if (!vol_cluster_name_valid(name))
		return vol_errorf_errno(err, EINVAL,
					"the name of a cluster has 1 to %d "
					"letters, digits, '-' and '_', and "
					"begins with one of the first two",
					VOL_CLUSTER_NAME_SIZE - 1);
	n = snprintf(path, PATH_MAX, "%s/%s/slurm.conf", root, name);
	if (n < 0 || n >= PATH_MAX)
		return vol_errorf_errno(err, ENAMETOOLONG,
					"cluster %s: path is too long", name);
	if (access(path, R_OK) == 0)
		return 0;
	if (errno == ENOENT)
		return vol_errorf_errno(err, ENOENT,
					"cluster %s is not known here: there "
					"is no %s",
					name, path);
	return vol_errorf_errno(err, errno, "cluster %s: %s: %s", name, path,
				strerror(errno));
}

/* sbatch and srun take options from SBATCH_, SLURM_ and SRUN_, salloc from
 * SALLOC_; a job's own environment is in SLURM and SPANK, what its submitter
 * asked of SPANK plugins in _SLURM_. */
bool vol_clusterdir_is_foreign(const char *variable)
{
	static const char *const prefixes[] = {
		"SLURM", "SBATCH_", "SALLOC_", "SRUN_", "SPANK_", "_SLURM_",
	};
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(variable, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

/* unsetenv moves what is behind the variable to its place. */
static int drop_foreign(void)
{
	char **at = environ;

	while (at && *at) {
		cleanup_free char *name = NULL;

		if (!vol_clusterdir_is_foreign(*at)) {
			at++;
			continue;
		}
		name = strndup(*at, strcspn(*at, "="));
		if (!name || unsetenv(name) < 0)
			return -1;
	}
	return 0;
}

int vol_clusterdir_enter(const char *root, const char *name,
			 struct vol_error *err)
{
	char path[PATH_MAX];

	if (vol_clusterdir_conf(root, name, path, err) < 0)
		return -1;
	if (drop_foreign() < 0 || setenv("SLURM_CONF", path, 1) < 0)
		return vol_errorf(err, "environment: %s", strerror(errno));
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add(char ***names, size_t *n, const char *name)
{
	char **grown = reallocarray(*names, *n + 1, sizeof(*grown));

	if (!grown)
		return -1;
	*names = grown;
	grown[*n] = strdup(name);
	if (!grown[*n])
		return -1;
	++*n;
	return 0;
}

int vol_clusterdir_list(const char *root, char ***names, size_t *n,
			struct vol_error *err)
{
	DIR *dir = opendir(root);
	struct dirent *entry;
	char path[PATH_MAX];

	*names = NULL;
	*n = 0;
	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return vol_errorf(err, "%s: %s", root, strerror(errno));
	while ((entry = readdir(dir))) {
		if (vol_clusterdir_conf(root, entry->d_name, path, NULL) < 0)
			continue;
		if (add(names, n, entry->d_name) < 0) {
			while (*n)
				free((*names)[--*n]);
			free(*names);
			closedir(dir);
			return vol_errorf_errno(err, ENOMEM, "out of memory");
		}
	}
	closedir(dir);
	if (*n)
		qsort(*names, *n, sizeof(**names), compare);
	return 0;
}
