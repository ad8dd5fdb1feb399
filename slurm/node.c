/* SPDX-License-Identifier: GPL-2.0-or-later */
/* node.c - look up, create, delete and change dynamic nodes
 *
 * libslurm only packs the strings of a request, so casting away const is safe.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <slurm/slurm_errno.h>

#include "internal.h"

/* Partitions may be hidden, and a node that waits for its slurmd is FUTURE. */
#define SHOW (SHOW_ALL | SHOW_FUTURE)

int vol_slurm_node_get(const char *name, struct vol_slurm_node *node,
		       struct vol_error *err)
{
	node_info_msg_t *msg = NULL;
	int found = 0;
	uint32_t i;

	errno = 0;
	if (slurm_load_node_single(&msg, (char *)name, SHOW) != SLURM_SUCCESS)
		return vol_slurm_fail(err, "load node", name);
	for (i = 0; i < msg->record_count && !found; i++) {
		const node_info_t *info = &msg->node_array[i];

		if (!info->name || strcmp(info->name, name) != 0)
			continue;
		vol_slurm_node_convert(info, node);
		found = 1;
	}
	slurm_free_node_info_msg(msg);
	if (!found)
		return vol_errorf_errno(err, ENOENT,
					"slurmctld knows no node %s", name);
	return 0;
}

/* Nothing that a device said may reach Slurm's parser unchecked: a space would
 * start another key and a bracket would make many nodes. */
static int is_plain(const char *s)
{
	if (!*s)
		return 0;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '.' && *s != '-')
			return 0;
	return 1;
}

static int is_address(const char *s)
{
	return *s && strspn(s, "0123456789abcdefABCDEF.:") == strlen(s);
}

/* The full table has one cause that a person can do something about. */
static int table_full(struct vol_error *err, const char *name)
{
	return vol_errorf_errno(err, ENOSPC,
				"create node %s: Slurm's node table is full: "
				"raise MaxNodeCount in slurm.conf and "
				"restart slurmctld",
				name);
}

static int check_name_free(const char *name, struct vol_error *err)
{
	struct vol_slurm_node node;
	struct vol_error why;

	if (vol_slurm_node_get(name, &node, &why) == 0)
		return vol_errorf_errno(err, EEXIST,
					"create node %s: the name is in use",
					name);
	return errno == ENOENT ? 0 : vol_errorf(err, "%s", why.text);
}

int vol_slurm_node_create(const char *name, const char *address,
			  const char *hostname, const struct vol_facts *facts,
			  struct vol_error *err)
{
	char conf[VOL_FACTS_CONF_SIZE], line[VOL_FACTS_CONF_SIZE + 512];
	struct vol_slurm_node node;
	update_node_msg_t req;

	if (!vol_node_name_valid(name) || !is_address(address))
		return vol_errorf_errno(err, EINVAL,
					"create node %s: bad name or address",
					name);
	if (vol_facts_conf(facts, conf, sizeof(conf)) < 0)
		return vol_errorf(err, "create node %s: facts too long", name);
	if (check_name_free(name, err) < 0)
		return -1;
	snprintf(line, sizeof(line),
		 "NodeName=%s NodeAddr=%s NodeHostName=%s State=FUTURE %s",
		 name, address, is_plain(hostname) ? hostname : name, conf);

	slurm_init_update_node_msg(&req);
	req.node_names = (char *)name;
	req.extra = line;
	errno = 0;
	if (slurm_create_node(&req) != SLURM_SUCCESS) {
		vol_slurm_fail(err, "create node", name);
		return errno == ENOSPC ? table_full(err, name) : -1;
	}
	if (vol_slurm_node_get(name, &node, err) == 0)
		return 0;
	return errno == ENOENT ? table_full(err, name) : -1;
}

/* slurmctld ends itself when these counts differ; it counts with this code. */
static bool counts(const char *list, size_t n)
{
	__typeof__(slurm_hostlist_create("")) hosts =
		slurm_hostlist_create(list);
	bool right;

	if (!hosts)
		return false;
	right = slurm_hostlist_count(hosts) == (int)n;
	slurm_hostlist_destroy(hosts);
	return right;
}

enum { NAMES, ADDRESSES, HOSTNAMES, N_LISTS };

/* "a,b,c" of each of the three. */
static int make_lists(const struct vol_slurm_new *nodes, size_t n,
		      char *list[N_LISTS], struct vol_error *err)
{
	char *end[N_LISTS];
	size_t i;

	for (i = 0; i < N_LISTS; i++) {
		end[i] = list[i] = malloc(n * VOL_HOSTNAME_SIZE);
		if (!list[i])
			return vol_errorf_errno(err, ENOMEM, "out of memory");
	}
	for (i = 0; i < n; i++) {
		const struct vol_slurm_new *node = &nodes[i];

		if (!vol_node_name_valid(node->name) ||
		    !is_address(node->address) ||
		    strlen(node->address) >= VOL_HOSTNAME_SIZE)
			return vol_errorf_errno(err, EINVAL,
						"create node %s: bad name or "
						"address",
						node->name);
		for (size_t l = 0; l < N_LISTS && i > 0; l++)
			*end[l]++ = ',';
		end[NAMES] = stpcpy(end[NAMES], node->name);
		end[ADDRESSES] = stpcpy(end[ADDRESSES], node->address);
		end[HOSTNAMES] = stpcpy(
			end[HOSTNAMES],
			is_plain(node->hostname) && strlen(node->hostname) <
							    VOL_HOSTNAME_SIZE
				? node->hostname
				: node->name);
	}
	for (i = 0; i < N_LISTS; i++)
		if (!counts(list[i], n))
			return vol_errorf_errno(err, EINVAL,
						"create nodes: a list that "
						"Slurm reads otherwise");
	return 0;
}

int vol_slurm_nodes_create(const struct vol_slurm_new *nodes, size_t n,
			   const struct vol_facts *facts, struct vol_error *err)
{
	char conf[VOL_FACTS_CONF_SIZE], *list[N_LISTS] = {NULL}, *line = NULL;
	update_node_msg_t req;
	int rc = -1, saved;

	if (vol_facts_conf(facts, conf, sizeof(conf)) < 0)
		vol_errorf(err, "create nodes: facts too long");
	else if (make_lists(nodes, n, list, err) == 0 &&
		 asprintf(&line,
			  "NodeName=%s NodeAddr=%s NodeHostName=%s "
			  "State=FUTURE %s",
			  list[NAMES], list[ADDRESSES], list[HOSTNAMES],
			  conf) < 0)
		vol_errorf_errno(err, ENOMEM, "out of memory");
	if (line) {
		slurm_init_update_node_msg(&req);
		req.node_names = list[NAMES];
		req.extra = line;
		errno = 0;
		rc = slurm_create_node(&req) == SLURM_SUCCESS
			     ? 0
			     : vol_slurm_fail(err, "create nodes", NULL);
	}
	saved = errno;
	for (size_t i = 0; i < N_LISTS; i++)
		free(list[i]);
	free(line);
	errno = saved;
	return rc;
}

int vol_slurm_node_delete(const char *name, struct vol_error *err)
{
	update_node_msg_t req;

	slurm_init_update_node_msg(&req);
	req.node_names = (char *)name;
	errno = 0;
	if (slurm_delete_node(&req) != SLURM_SUCCESS)
		return vol_slurm_fail(err, "delete node", name);
	return 0;
}

int vol_slurm_node_update(const char *names, const struct vol_slurm_update *u,
			  struct vol_error *err)
{
	update_node_msg_t req;

	slurm_init_update_node_msg(&req);
	req.node_names = (char *)names;
	req.node_addr = (char *)u->address;
	req.features = (char *)u->features;
	req.features_act = (char *)u->features;
	req.comment = (char *)u->comment;
	req.reason = (char *)u->reason;
	if (u->down)
		req.node_state = NODE_STATE_DOWN;
	else if (u->drain)
		req.node_state = NODE_STATE_DRAIN;
	else if (u->resume)
		req.node_state = NODE_RESUME;
#ifdef HAVE_UPDATE_NODE_MSG_T_REASON_UID
	if (u->reason)
		req.reason_uid = getuid();
#endif
	errno = 0;
	if (slurm_update_node(&req) != SLURM_SUCCESS)
		return vol_slurm_fail(err, "update node", names);
	return 0;
}

static int load_nodesets(struct vol_slurm_snapshot *s, struct vol_error *err)
{
	partition_info_msg_t *msg = NULL;
	char *save, *word;
	void *grown;
	uint32_t i;

	errno = 0;
	if (slurm_load_partitions(0, &msg, SHOW_ALL) != SLURM_SUCCESS)
		return vol_slurm_fail(err, "load partitions", NULL);
	for (i = 0; i < msg->record_count; i++) {
		word = msg->partition_array[i].nodesets;
		for (word = word ? strtok_r(word, ",", &save) : NULL; word;
		     word = strtok_r(NULL, ",", &save)) {
			grown = realloc(s->nodesets,
					(s->n_nodesets + 1) *
						sizeof(*s->nodesets));
			if (!grown) {
				slurm_free_partition_info_msg(msg);
				return vol_errorf(err, "out of memory");
			}
			s->nodesets = grown;
			snprintf(s->nodesets[s->n_nodesets++],
				 VOL_NODE_NAME_SIZE, "%s", word);
		}
	}
	slurm_free_partition_info_msg(msg);
	return 0;
}

static int load_nodes(struct vol_slurm_snapshot *s, struct vol_error *err)
{
	node_info_msg_t *msg = NULL;
	uint32_t i;

	errno = 0;
	if (slurm_load_node(0, &msg, SHOW) != SLURM_SUCCESS)
		return vol_slurm_fail(err, "load nodes", NULL);
	s->nodes = calloc(msg->record_count + 1, sizeof(*s->nodes));
	if (!s->nodes) {
		slurm_free_node_info_msg(msg);
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	}
	for (i = 0; i < msg->record_count; i++)
		if (msg->node_array[i].name) /* holes in the table are NULL */
			vol_slurm_node_convert(&msg->node_array[i],
					       &s->nodes[s->n_nodes++]);
	slurm_free_node_info_msg(msg);
	return 0;
}

int vol_slurm_snapshot_load(struct vol_slurm_snapshot *s, struct vol_error *err)
{
	struct vol_slurm_snapshot fresh = VOL_SLURM_SNAPSHOT_INIT;

	if (load_nodes(&fresh, err) < 0 || load_nodesets(&fresh, err) < 0) {
		vol_slurm_snapshot_clear(&fresh);
		return -1;
	}
	*s = fresh;
	return 0;
}

int vol_slurm_nodes_load(struct vol_slurm_snapshot *s, struct vol_error *err)
{
	struct vol_slurm_snapshot fresh = VOL_SLURM_SNAPSHOT_INIT;

	if (load_nodes(&fresh, err) < 0)
		return -1;
	*s = fresh;
	return 0;
}

void vol_slurm_snapshot_clear(struct vol_slurm_snapshot *s)
{
	int saved = errno;

	free(s->nodes);
	free(s->nodesets);
	memset(s, 0, sizeof(*s));
	errno = saved;
}
