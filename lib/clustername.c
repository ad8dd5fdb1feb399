/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clustername.c - which of a host's clusters is meant; libc alone */
#include "config.h"

#include "clustername.h"

#include <stddef.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

bool vol_cluster_name_valid(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < VOL_CLUSTER_NAME_SIZE &&
	       strchr(LETTERS DIGITS, *name) &&
	       strspn(name, LETTERS DIGITS "-_") == len;
}

void vol_cluster_name_of(const char *slurm_conf,
			 char name[VOL_CLUSTER_NAME_SIZE])
{
	static const char before[] = VOL_CLUSTERS_DIR "/";
	static const char after[] = "/slurm.conf";
	size_t len;

	*name = '\0';
	if (!slurm_conf || strncmp(slurm_conf, before, strlen(before)) != 0)
		return;
	slurm_conf += strlen(before);
	len = strcspn(slurm_conf, "/");
	if (len >= VOL_CLUSTER_NAME_SIZE || strcmp(slurm_conf + len, after))
		return;
	memcpy(name, slurm_conf, len);
	name[len] = '\0';
	if (!vol_cluster_name_valid(name))
		*name = '\0';
}
