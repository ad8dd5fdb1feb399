/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings.c - slurm.conf as slurmctld has it, for the welcome and the doctor
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <slurm/slurm_errno.h>

#include "internal.h"

/* Kept so that the strings of vol_slurm_settings stay valid. */
static slurm_conf_t *settings;
static char cgroup_slice[64];

static void free_settings(slurm_conf_t *conf)
{
#if HAVE_DECL_SLURM_FREE_CONF
	slurm_free_conf(conf);
#else /* its name in older releases */
	slurm_free_ctl_conf(conf);
#endif
}

/* Clients without a slurm.conf look for slurmctld in DNS; a controller host
 * has the file. */
int vol_slurm_init(struct vol_error *err)
{
	const char *path = getenv("SLURM_CONF");

	if (!path)
		path = "/etc/slurm/slurm.conf";
	if (access(path, R_OK) != 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	slurm_init(NULL);
	return 0;
}

void vol_slurm_fini(void)
{
	if (settings)
		free_settings(settings);
	settings = NULL;
	slurm_fini();
}

static int load_settings(struct vol_error *err)
{
	slurm_conf_t *fresh = NULL;

	errno = 0;
	if (slurm_load_ctl_conf(0, &fresh) != SLURM_SUCCESS)
		return vol_slurm_fail(err, "load settings", NULL);
	if (settings)
		free_settings(settings);
	settings = fresh;
	return 0;
}

static const char *text(const char *s)
{
	return s ? s : "";
}

static bool is_ip(const char *s)
{
	struct in6_addr a6;
	struct in_addr a4;

	return inet_pton(AF_INET, s, &a4) == 1 ||
	       inet_pton(AF_INET6, s, &a6) == 1;
}

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word), n;

	for (; list && *list; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (n == len && strncmp(list, word, n) == 0)
			return true;
	}
	return false;
}

static int fill_partition(struct vol_cluster *c, const char *partition,
			  struct vol_error *err)
{
	partition_info_msg_t *msg = NULL;
	uint32_t i;

	errno = 0;
	if (slurm_load_partitions(0, &msg, SHOW_ALL) != SLURM_SUCCESS)
		return vol_slurm_fail(err, "load partitions", NULL);
	for (i = 0; i < msg->record_count; i++) {
		const partition_info_t *p = &msg->partition_array[i];

		if (!p->name || strcmp(p->name, partition) != 0)
			continue;
		c->has_partition = true;
		/* Nodes=ALL is not kept as a word by all versions, but as a
		 * NodeSet of that name. */
		c->partition_uses_nodeset =
			has_word(p->nodesets, "volunteer") ||
			has_word(p->nodesets, "ALL") ||
			has_word(p->nodes, "ALL");
	}
	slurm_free_partition_info_msg(msg);
	return 0;
}

static int count_nodes(struct vol_cluster *c, struct vol_error *err)
{
	node_info_msg_t *msg = NULL;
	uint32_t i;

	errno = 0;
	if (slurm_load_node(0, &msg, SHOW_ALL | SHOW_FUTURE) != SLURM_SUCCESS)
		return vol_slurm_fail(err, "load nodes", NULL);
	for (i = 0; i < msg->record_count; i++)
		if (msg->node_array[i].name)
			c->node_count++;
	slurm_free_node_info_msg(msg);
	return 0;
}

/* A word of cgroup.conf as slurmctld has read it; "" when it is not there.  The
 * list's type is Slurm's own, so it is taken as text. */
static void cgroup_setting(const char *name, char *value, size_t size)
{
	char *text = NULL, *line, *save = NULL, key[64], word[64];
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	*value = '\0';
	if (!f)
		return;
	slurm_print_key_pairs(f, settings->cgroup_conf, (char *)"");
	if (fclose(f) != 0)
		goto out;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "%63s = %63s", key, word) == 2 &&
		    strcmp(key, name) == 0 && strcmp(word, "(null)") != 0)
			snprintf(value, size, "%s", word);
out:
	free(text);
}

int vol_slurm_settings(struct vol_cluster *cluster, const char *partition,
		       struct vol_error *err)
{
	struct vol_cluster c = {0};

	if (load_settings(err) < 0)
		return -1;
	c.slurm_version = text(settings->version);
	c.cluster_name = text(settings->cluster_name);
	c.select_type = text(settings->select_type);
	c.proctrack_type = text(settings->proctrack_type);
	cgroup_setting("CgroupSlice", cgroup_slice, sizeof(cgroup_slice));
	c.cgroup_slice = cgroup_slice;
	c.slurmctld_params = text(settings->slurmctld_params);
	c.sched_params = text(settings->sched_params);
	c.requeue_exit = text(settings->requeue_exit);
	c.topology_param = text(settings->topology_param);
	c.control_host = c.control_addr = "";
	if (settings->control_cnt > 0) {
		c.control_host = text(settings->control_machine[0]);
		c.control_addr = text(settings->control_addr[0]);
	}
	c.control_addr_is_ip = is_ip(c.control_addr);
	if (settings->max_node_cnt != NO_VAL)
		c.max_node_count = settings->max_node_cnt;
	c.max_array_size = settings->max_array_sz;
	c.max_job_count = settings->max_job_cnt;
	c.tree_width = settings->tree_width;
	c.return_to_service = settings->ret2service;
	c.slurmd_timeout_s = settings->slurmd_timeout;
	c.min_job_age_s = settings->min_job_age;
	if (fill_partition(&c, partition, err) < 0 || count_nodes(&c, err) < 0)
		return -1;
	*cluster = c;
	return 0;
}

int vol_slurm_identity(struct vol_slurm_identity *identity,
		       struct vol_error *err)
{
	if (load_settings(err) < 0)
		return -1;
	snprintf(identity->cluster, sizeof(identity->cluster), "%s",
		 text(settings->cluster_name));
	identity->ctld_port = (uint16_t)settings->slurmctld_port;
	identity->booted = settings->boot_time;
	return 0;
}

const char *vol_slurm_version(void)
{
	static char version[16];

	snprintf(version, sizeof(version), "%02d.%02d.%d",
		 SLURM_VERSION_NUMBER >> 16, (SLURM_VERSION_NUMBER >> 8) & 255,
		 SLURM_VERSION_NUMBER & 255);
	return version;
}
