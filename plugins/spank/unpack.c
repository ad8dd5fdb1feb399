/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unpack.c - a step's variables get their names back
 *
 * Those of a job whose srun ran outside of its sandbox came here packed, see
 * lib/stepenv.h.  Before anybody, we included, looks for a variable.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "plugin.h"
#include "stepenv.h"

/* Slurm itself cuts names off there (env_array_merge()). */
#define NAME_SIZE 256

static bool is_set(spank_t spank, const char *name)
{
	char value[2];

	return spank_getenv(spank, name, value, sizeof(value)) !=
	       ESPANK_ENV_NOEXIST;
}

/* packed is a copy of ours: VOLENV_NAME=value. */
static int unpack(spank_t spank, char *packed)
{
	char *name = packed + strlen(VOL_STEPENV_PREFIX);
	char *equals = strchr(name, '=');
	int rc = ESPANK_SUCCESS;

	*equals = '\0';
	if (equals - packed < NAME_SIZE &&
	    (!vol_stepenv_is_slurms(name) || !is_set(spank, name)))
		rc = spank_setenv(spank, name, equals + 1, 1);
	if (rc == ESPANK_SUCCESS)
		rc = spank_unsetenv(spank, packed);
	return rc == ESPANK_SUCCESS ? 0 : -1;
}

static size_t count(char **env)
{
	size_t n = 0;

	for (; env && *env; env++)
		n += vol_stepenv_packed(*env) != NULL;
	return n;
}

/* Copies of the packed ones: setting moves the array. */
static char **copy(char **env, size_t n)
{
	char **list = calloc(n, sizeof(*list));

	for (size_t i = 0; list && i < n; env++) {
		if (!vol_stepenv_packed(*env))
			continue;
		list[i] = strdup(*env);
		if (!list[i++])
			break;
	}
	return list;
}

int vol_stepd_unpack(spank_t spank, struct vol_error *err)
{
	cleanup_free char **list = NULL;
	char **env = NULL;
	int failed = 0;
	size_t n;

	if (spank_get_item(spank, S_JOB_ENV, &env) != ESPANK_SUCCESS)
		return vol_errorf_errno(err, EINVAL,
					"Slurm does not tell the step's "
					"environment");
	n = count(env);
	if (n == 0)
		return 0;
	list = copy(env, n);
	for (size_t i = 0; i < n; i++) {
		failed += !list || !list[i] || unpack(spank, list[i]) < 0;
		if (list)
			free(list[i]);
	}
	if (failed)
		return vol_errorf_errno(err, EINVAL,
					"%d variables of the step's "
					"environment keep their packed names",
					failed);
	return 0;
}
