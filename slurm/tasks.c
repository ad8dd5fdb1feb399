/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tasks.c - lists of array tasks as slurmctld writes them; no libslurm */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "request.h"

bool vol_slurm_tasks_have(const char *list, uint32_t task)
{
	unsigned long first, last, step;
	char *end;

	if (strstr(list, "..."))
		return true;
	while (*list && *list != '%') {
		first = last = strtoul(list, &end, 10);
		step = 1;
		if (end == list)
			return false;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (*end == ':')
			step = strtoul(end + 1, &end, 10);
		if (task >= first && task <= last && step &&
		    (task - first) % step == 0)
			return true;
		list = end + (*end == ',');
		if (*end && *end != ',' && *end != '%')
			return false;
	}
	return false;
}
