/* SPDX-License-Identifier: GPL-2.0-or-later */
/* partition.c - close partitions to new starts, and open them again */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <slurm/slurm_errno.h>

#include "internal.h"
#include "text.h"

/* What slurm.conf allows in a name, and more would not fit into a list. */
static int is_plain(const char *name)
{
	if (!*name)
		return 0;
	for (; *name; name++)
		if (!vol_char_in((unsigned char)*name, "_.-"))
			return 0;
	return 1;
}

static int add(char *list, size_t size, const char *name)
{
	size_t used = strlen(list), len = strlen(name);

	if (used + 1 + len >= size)
		return -1;
	if (used)
		list[used++] = ',';
	memcpy(list + used, name, len + 1);
	return 0;
}

int vol_slurm_partitions_up(char *list, size_t size, struct vol_error *err)
{
	partition_info_msg_t *msg = NULL;
	int rc = 0;

	errno = 0;
	if (slurm_load_partitions(0, &msg, SHOW_ALL) != SLURM_SUCCESS)
		return vol_slurm_fail(err, "load partitions", NULL);
	*list = '\0';
	for (uint32_t i = 0; i < msg->record_count && rc == 0; i++) {
		const partition_info_t *p = &msg->partition_array[i];

		if (!p->name || p->state_up != PARTITION_UP)
			continue;
		if (!is_plain(p->name) || add(list, size, p->name) < 0)
			rc = vol_errorf_errno(err, EOVERFLOW,
					      "too many partitions, or names "
					      "that are too odd");
	}
	slurm_free_partition_info_msg(msg);
	return rc;
}

int vol_slurm_partition_set(const char *name, bool up, struct vol_error *err)
{
	update_part_msg_t req;

	slurm_init_part_desc_msg(&req);
	req.name = (char *)name;
	req.state_up = up ? PARTITION_UP : PARTITION_DOWN;
	errno = 0;
	if (slurm_update_partition(&req) != SLURM_SUCCESS)
		return vol_slurm_fail(err, "partition", name);
	return 0;
}
