/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor.c - judge a cluster's settings; one function and one row per rule */
#include "config.h"

#include "doctor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Slurm's own limits and defaults, the same from 22.05 to 26.05. */
#define TREE_WIDTH_MAX      65533
#define MAX_ARRAY_DEFAULT   1001
#define SCHED_INTERVAL_S    60
#define BATCH_SCHED_DELAY_S 3
#define BF_INTERVAL_S       30

/* What we ask for: see the rule of SchedulerParameters. */
#define SCHED_INTERVAL_WANT_S    10
#define BATCH_SCHED_DELAY_WANT_S 1
#define BF_INTERVAL_WANT_S       10

/* Free places in the node table below which we speak up. */
#define FREE_NODES_PCT 10

#define SLURMD_TIMEOUT_MIN_S 60
#define SLURMD_TIMEOUT_MAX_S 300
#define MIN_JOB_AGE_MIN_S    60

/* VOL_EXIT_REQUEUE of plugins/spank/plugin.h. */
#define REQUEUE_EXIT 150

struct rule {
	const char *key, *want, *why;
	enum vol_severity (*judge)(const struct vol_cluster *c, char *now,
				   size_t size);
};

/* Value of token "name" or "name=value" in a comma list: what is behind '=',
 * "" without one, NULL if the token is not there.  Slurm takes names in any
 * case. */
static const char *find_token(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (*list) {
		list += strspn(list, ", ");
		if (strncasecmp(list, name, len) == 0) {
			if (list[len] == '=')
				return list + len + 1;
			if (strchr(", ", list[len]))
				return list + len; /* also at the end */
		}
		list += strcspn(list, ",");
	}
	return NULL;
}

/* Number of a token, or what Slurm takes without it. */
static long token_number(const char *list, const char *name, long fallback)
{
	const char *value = find_token(list, name);

	return value ? strtol(value, NULL, 10) : fallback;
}

static const char *or_unset(const char *s)
{
	return *s ? s : "(not set)";
}

static enum vol_severity bad_if(bool bad, enum vol_severity severity)
{
	return bad ? severity : VOL_OK;
}

static enum vol_severity judge_select_type(const struct vol_cluster *c,
					   char *now, size_t size)
{
	snprintf(now, size, "SelectType=%s", or_unset(c->select_type));
	/* slurmctld looks for the substring, and so do we. */
	return bad_if(!strstr(c->select_type, "cons_tres"), VOL_PROBLEM);
}

static enum vol_severity judge_max_node_count(const struct vol_cluster *c,
					      char *now, size_t size)
{
	uint32_t left;

	if (c->max_node_count == 0) {
		snprintf(now, size, "MaxNodeCount is not set");
		return VOL_PROBLEM;
	}
	snprintf(now, size, "MaxNodeCount=%" PRIu32 ", %" PRIu32 " nodes",
		 c->max_node_count, c->node_count);
	if (c->node_count >= c->max_node_count)
		return VOL_PROBLEM;
	left = c->max_node_count - c->node_count;
	return bad_if((uint64_t)left * 100 <
			      (uint64_t)c->max_node_count * FREE_NODES_PCT,
		      VOL_ADVICE);
}

static enum vol_severity judge_partition(const struct vol_cluster *c, char *now,
					 size_t size)
{
	if (!c->has_partition) {
		snprintf(now, size, "no partition for volunteers");
		return VOL_PROBLEM;
	}
	snprintf(now, size, "the partition %s",
		 c->partition_uses_nodeset ? "takes nodes by NodeSet"
					   : "lists fixed nodes");
	return bad_if(!c->partition_uses_nodeset, VOL_PROBLEM);
}

static enum vol_severity judge_configless(const struct vol_cluster *c,
					  char *now, size_t size)
{
	snprintf(now, size, "SlurmctldParameters=%s",
		 or_unset(c->slurmctld_params));
	return bad_if(!find_token(c->slurmctld_params, "enable_configless"),
		      VOL_PROBLEM);
}

static enum vol_severity judge_control_host(const struct vol_cluster *c,
					    char *now, size_t size)
{
	snprintf(now, size, "SlurmctldHost=%s(%s)", c->control_host,
		 c->control_addr);
	return bad_if(!c->control_addr_is_ip, VOL_ADVICE);
}

static enum vol_severity judge_proctrack(const struct vol_cluster *c, char *now,
					 size_t size)
{
	snprintf(now, size, "ProctrackType=%s", or_unset(c->proctrack_type));
	return bad_if(strcmp(c->proctrack_type, "proctrack/cgroup") != 0,
		      VOL_PROBLEM);
}

/* On a device slurmd sees a tree of cgroups of its own in which the folder for
 * steps is made below system.slice, where all releases look without this. */
static enum vol_severity judge_cgroup_slice(const struct vol_cluster *c,
					    char *now, size_t size)
{
	snprintf(now, size, "CgroupSlice=%.100s", or_unset(c->cgroup_slice));
	return bad_if(*c->cgroup_slice &&
			      strcmp(c->cgroup_slice, "system.slice") != 0,
		      VOL_PROBLEM);
}

static enum vol_severity judge_spank(const struct vol_cluster *c, char *now,
				     size_t size)
{
	snprintf(now, size, "SPANK plugin %s on this host",
		 c->spank_present ? "set up" : "missing");
	return bad_if(!c->spank_present, VOL_PROBLEM);
}

static enum vol_severity judge_tree_width(const struct vol_cluster *c,
					  char *now, size_t size)
{
	snprintf(now, size, "TreeWidth=%u", c->tree_width);
	return bad_if(c->tree_width < TREE_WIDTH_MAX, VOL_PROBLEM);
}

static enum vol_severity judge_topology(const struct vol_cluster *c, char *now,
					size_t size)
{
	snprintf(now, size, "TopologyParam=%s", or_unset(c->topology_param));
	return bad_if(find_token(c->topology_param, "RouteTree"), VOL_PROBLEM);
}

static enum vol_severity judge_return(const struct vol_cluster *c, char *now,
				      size_t size)
{
	snprintf(now, size, "ReturnToService=%u", c->return_to_service);
	return bad_if(c->return_to_service != 2, VOL_PROBLEM);
}

static enum vol_severity judge_slurmd_timeout(const struct vol_cluster *c,
					      char *now, size_t size)
{
	snprintf(now, size, "SlurmdTimeout=%u", c->slurmd_timeout_s);
	return bad_if(c->slurmd_timeout_s < SLURMD_TIMEOUT_MIN_S ||
			      c->slurmd_timeout_s > SLURMD_TIMEOUT_MAX_S,
		      VOL_ADVICE);
}

static enum vol_severity judge_lost_after(const struct vol_cluster *c,
					  char *now, size_t size)
{
	if (!c->lost_after_ms) {
		snprintf(now, size, "lost_after is not known");
		return VOL_OK;
	}
	snprintf(now, size, "lost_after=%" PRIu64 "s, SlurmdTimeout=%u",
		 (c->lost_after_ms + 999) / 1000, c->slurmd_timeout_s);
	/* 0: slurmctld never gives a node up by itself. */
	return bad_if(c->slurmd_timeout_s > 0 &&
			      c->lost_after_ms >=
				      (uint64_t)c->slurmd_timeout_s * 1000,
		      VOL_PROBLEM);
}

static enum vol_severity judge_min_job_age(const struct vol_cluster *c,
					   char *now, size_t size)
{
	snprintf(now, size, "MinJobAge=%" PRIu32, c->min_job_age_s);
	/* 0: jobs are never forgotten. */
	return bad_if(c->min_job_age_s > 0 &&
			      c->min_job_age_s < MIN_JOB_AGE_MIN_S,
		      VOL_PROBLEM);
}

static enum vol_severity judge_scheduler(const struct vol_cluster *c, char *now,
					 size_t size)
{
	const char *p = c->sched_params;
	long full = token_number(p, "sched_interval", SCHED_INTERVAL_S);
	long batch = token_number(p, "batch_sched_delay", BATCH_SCHED_DELAY_S);
	long backfill = token_number(p, "bf_interval", BF_INTERVAL_S);

	snprintf(now, size, "SchedulerParameters=%s", or_unset(p));
	/* sched_interval=-1 turns the main scheduler off. */
	return bad_if(full < 0 || full > SCHED_INTERVAL_WANT_S ||
			      batch > BATCH_SCHED_DELAY_WANT_S ||
			      backfill > BF_INTERVAL_WANT_S,
		      VOL_ADVICE);
}

/* Is number in a list of numbers and ranges, as in RequeueExit? */
static bool list_has(const char *list, long number)
{
	char *end;

	while (*list) {
		long first = strtol(list, &end, 10), last = first;

		if (end == list)
			return false;
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		if (first <= number && number <= last)
			return true;
		list = end + strspn(end, ", ");
	}
	return false;
}

static enum vol_severity judge_requeue_exit(const struct vol_cluster *c,
					    char *now, size_t size)
{
	snprintf(now, size, "RequeueExit=%.100s", or_unset(c->requeue_exit));
	return bad_if(!list_has(c->requeue_exit, REQUEUE_EXIT), VOL_PROBLEM);
}

static enum vol_severity judge_array(const struct vol_cluster *c, char *now,
				     size_t size)
{
	snprintf(now, size, "MaxArraySize=%" PRIu32, c->max_array_size);
	return bad_if(c->max_array_size <= MAX_ARRAY_DEFAULT, VOL_ADVICE);
}

static enum vol_severity judge_select_plugin(const struct vol_cluster *c,
					     char *now, size_t size)
{
	snprintf(now, size, "our select plugin is %s",
		 c->select_active ? "in place" : "not in place");
	return bad_if(!c->select_active, VOL_ADVICE);
}

static enum vol_severity judge_table(const struct vol_cluster *c, char *now,
				     size_t size)
{
	if (!c->table_trouble)
		snprintf(now, size, "the node table has %zu devices, fresh",
			 c->table_devices);
	else
		snprintf(now, size, "node table: %s", c->table_trouble);
	/* Nobody else reads it. */
	return bad_if(c->table_trouble && c->select_active, VOL_PROBLEM);
}

/* In the order in which an admin would set a cluster up. */
static const struct rule rules[] = {
	{"SelectType", "SelectType=select/cons_tres",
	 "slurmctld makes dynamic nodes only with cons_tres",
	 judge_select_type},
	{"MaxNodeCount", "MaxNodeCount=<fixed nodes + devices>, with room",
	 "a device that finds the node table full is dropped, though its "
	 "slurmd sees success",
	 judge_max_node_count},
	{"PartitionName",
	 "NodeSet=volunteer Feature=volunteer, "
	 "PartitionName=volunteer Nodes=volunteer",
	 "only a partition of a NodeSet (or ALL) takes in nodes that appear "
	 "later",
	 judge_partition},
	{"SlurmctldParameters", "SlurmctldParameters=enable_configless",
	 "devices fetch their configuration from slurmctld", judge_configless},
	{"SlurmctldHost", "SlurmctldHost=name(numeric address)",
	 "without the address devices reach slurmctld only where DNS knows "
	 "its name",
	 judge_control_host},
	{"ProctrackType", "ProctrackType=proctrack/cgroup",
	 "jobs are frozen through their cgroup", judge_proctrack},
	{"CgroupSlice", "cgroup.conf without CgroupSlice",
	 "jobs on devices would leave volunteer.slice, where they yield to the "
	 "owner's programs, or slurmd does not start there at all",
	 judge_cgroup_slice},
	{"plugstack.conf", "optional spank_volunteer.so",
	 "without the SPANK plugin jobs run unmarked and cannot be frozen",
	 judge_spank},
	{"TreeWidth", "TreeWidth=65533",
	 "with a smaller fan-out a device that vanishes takes healthy ones "
	 "DOWN with it",
	 judge_tree_width},
	{"TopologyParam", "TopologyParam without RouteTree",
	 "RouteTree ignores TreeWidth and knows no dynamic nodes",
	 judge_topology},
	{"ReturnToService", "ReturnToService=2",
	 "otherwise a device that was away stays DOWN until an admin resumes "
	 "it",
	 judge_return},
	{"SlurmdTimeout", "SlurmdTimeout=120 (60 to 300)",
	 "shorter loses devices to a slow LAN, longer keeps jobs on devices "
	 "that are gone",
	 judge_slurmd_timeout},
	{"lost_after", "lost_after (controller.conf) below SlurmdTimeout",
	 "a device that is cut off ends its jobs before lost_after is over; "
	 "slurmctld must not start them elsewhere before that",
	 judge_lost_after},
	{"MinJobAge", "MinJobAge=300 (at least 60, or 0)",
	 "a job that a device had to end while it was cut off is requeued when "
	 "the device is back, if slurmctld still knows it",
	 judge_min_job_age},
	{"SchedulerParameters",
	 "SchedulerParameters=sched_interval=2,batch_sched_delay=0,"
	 "bf_interval=10",
	 "a new dynamic node does not wake the scheduler: with the defaults "
	 "a waiting job starts up to a minute later",
	 judge_scheduler},
	{"RequeueExit", "RequeueExit=150",
	 "with this status a device gives a job back that it can not run safely; "
	 "else the job would have failed",
	 judge_requeue_exit},
	{"MaxArraySize", "MaxArraySize=100001 and MaxJobCount above it",
	 "vbatch has to split larger campaigns into several arrays",
	 judge_array},
	{"select plugin", "volunteer select --enable",
	 "without it slurmctld does not see which owners are back until the "
	 "node drains",
	 judge_select_plugin},
	{"node table", "a discoveryd of role controller that runs on this host",
	 "the select plugin learns from its table which owners are back, and "
	 "places jobs blindly without",
	 judge_table},
};

size_t vol_doctor(const struct vol_cluster *c, struct vol_finding *findings,
		  size_t max)
{
	size_t n;

	for (n = 0; n < sizeof(rules) / sizeof(rules[0]) && n < max; n++) {
		struct vol_finding *f = &findings[n];

		f->key = rules[n].key;
		f->want = rules[n].want;
		f->why = rules[n].why;
		f->verdict = rules[n].judge(c, f->now, sizeof(f->now));
	}
	return n;
}
