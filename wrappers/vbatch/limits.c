/* SPDX-License-Identifier: GPL-2.0-or-later */
/* limits.c - what the cluster says about job arrays
 *
 * slurmctld counts every task of an array against MaxJobCount when the array
 * arrives, and keeps one below it.  An array above that would never be taken,
 * so no array gets that large.
 */
#include "config.h"

#include "limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "cleanup.h"

#define SCRIPT_SIZE (4u << 20) /* slurmctld's own default */

static void lower(uint64_t *limit, const char *text)
{
	uint64_t value = strtoull(text, NULL, 10);

	if (value < *limit)
		*limit = value;
}

/* key=value within SchedulerParameters. */
static const char *parameter(const char *line, size_t size, const char *key)
{
	size_t n = strlen(key);
	const char *p = memmem(line, size, key, n);

	return p && (size_t)(line + size - p) > n ? p + n : NULL;
}

static void read_line(const char *line, size_t size, struct vb_limits *l,
		      uint64_t *script_size)
{
	size_t name = strcspn(line, " =\n");
	const char *value = memchr(line, '=', size);
	const char *p;

	if (!value)
		return;
	value++;
	if (name == strlen("MaxArraySize") &&
	    !memcmp(line, "MaxArraySize", name)) {
		lower(&l->array_size, value);
	} else if (name == strlen("MaxJobCount") &&
		   !memcmp(line, "MaxJobCount", name)) {
		lower(&l->jobs, value);
	} else if (name == strlen("SchedulerParameters") &&
		   !memcmp(line, "SchedulerParameters", name)) {
		p = parameter(line, size, "max_array_tasks=");
		if (p)
			lower(&l->array_tasks, p);
		p = parameter(line, size, "max_script_size=");
		if (p)
			lower(script_size, p);
	}
}

int vb_limits_parse(const char *config, struct vb_limits *limits,
		    struct vol_error *err)
{
	uint64_t script_size = UINT64_MAX;

	*limits = (struct vb_limits){UINT64_MAX, UINT64_MAX, UINT64_MAX, 0};
	while (*config) {
		size_t n = strcspn(config, "\n");

		read_line(config, n, limits, &script_size);
		config += n + (config[n] == '\n');
	}
	if (limits->array_size == UINT64_MAX)
		return vol_errorf_errno(err, EPROTO,
					"scontrol show config does not tell "
					"MaxArraySize");
	if (limits->array_size == 0)
		return vol_errorf_errno(err, ENOTSUP,
					"this cluster takes no job arrays "
					"(MaxArraySize=0)");
	if (limits->array_tasks > limits->array_size)
		limits->array_tasks = limits->array_size;
	if (limits->jobs != UINT64_MAX && limits->array_tasks >= limits->jobs)
		limits->array_tasks = limits->jobs ? limits->jobs - 1 : 0;
	if (limits->array_tasks == 0)
		return vol_errorf_errno(err, ENOTSUP,
					"this cluster takes no job array of "
					"any size (max_array_tasks or "
					"MaxJobCount)");
	limits->script_size =
		script_size == UINT64_MAX ? SCRIPT_SIZE : script_size;
	return 0;
}

int vb_limits_ask(const char *clusters, struct vb_limits *limits,
		  struct vol_error *err)
{
	const char *plain[] = {"scontrol", "show", "config", NULL};
	const char *elsewhere[] = {"scontrol", "-M",     clusters,
				   "show",     "config", NULL};
	cleanup_free char *answer = NULL;
	int status;

	answer = vb_capture(clusters ? elsewhere : plain, &status, err);
	if (!answer)
		return vol_error_prefix(err, "scontrol");
	if (status != 0)
		return vol_errorf_errno(err, EIO,
					"'scontrol show config' failed: the "
					"limits of the cluster are unknown");
	return vb_limits_parse(answer, limits, err);
}
