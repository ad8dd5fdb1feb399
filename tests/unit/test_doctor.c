/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_doctor.c - every rule of the doctor, one change at a time */
#include "config.h"

#include "doctor.h"

#include "vtest.h"

#define MAX_FINDINGS 32

/* Nothing to say about this one. */
static const struct vol_cluster healthy = {
	.slurm_version = "24.11.5",
	.cluster_name = "lab",
	.select_type = "select/cons_tres",
	.proctrack_type = "proctrack/cgroup",
	.cgroup_slice = "",
	.slurmctld_params = "enable_configless",
	.sched_params = "sched_interval=5,batch_sched_delay=0,bf_interval=10",
	.requeue_exit = "150",
	.topology_param = "",
	.control_host = "ctl",
	.control_addr = "10.0.0.1",
	.control_addr_is_ip = true,
	.max_node_count = 1000,
	.node_count = 10,
	.max_array_size = 100001,
	.max_job_count = 200000,
	.tree_width = 65533,
	.return_to_service = 2,
	.slurmd_timeout_s = 120,
	.min_job_age_s = 300,
	.lost_after_ms = 15000,
	.has_partition = true,
	.partition_uses_nodeset = true,
	.select_active = true,
	.spank_present = true,
};

/* As a plain Debian cluster without any of our settings. */
static const struct vol_cluster plain = {
	.slurm_version = "24.11.5",
	.cluster_name = "",
	.select_type = "",
	.proctrack_type = "",
	.cgroup_slice = "",
	.slurmctld_params = "",
	.sched_params = "",
	.requeue_exit = "",
	.topology_param = "",
	.control_host = "ctl",
	.control_addr = "ctl",
	.max_array_size = 1001,
	.tree_width = 16,
	.slurmd_timeout_s = 300,
	.min_job_age_s = 300,
};

static const struct vol_finding *find(const struct vol_finding *f, size_t n,
				      const char *key)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (strcmp(f[i].key, key) == 0)
			return &f[i];
	}
	fail_msg("no finding for %s", key);
	return NULL;
}

static void healthy_cluster(void **state)
{
	struct vol_finding f[MAX_FINDINGS];
	size_t n = vol_doctor(&healthy, f, MAX_FINDINGS), i;

	(void)state;
	assert_in_range(n, 16, MAX_FINDINGS - 1);
	for (i = 0; i < n; i++) {
		if (f[i].verdict != VOL_OK)
			fail_msg("%s: %s", f[i].key, f[i].now);
		assert_true(f[i].now[0] && f[i].want[0] && f[i].why[0]);
	}
}

static void plain_cluster(void **state)
{
	struct vol_finding f[MAX_FINDINGS];
	size_t n = vol_doctor(&plain, f, MAX_FINDINGS), i, problems = 0;

	(void)state;
	for (i = 0; i < n; i++)
		problems += f[i].verdict == VOL_PROBLEM;
	assert_int_equal(problems, 9);
}

static void no_more_than_asked(void **state)
{
	struct vol_finding f[4];

	(void)state;
	memset(f, '#', sizeof(f));
	assert_int_equal(vol_doctor(&healthy, f, 0), 0);
	assert_int_equal(vol_doctor(&healthy, f, 3), 3);
	assert_int_equal(f[3].now[0], '#');
}

#define NUMBER(field, number, key, verdict)                               \
	{                                                                 \
		key, offsetof(struct vol_cluster, field),                 \
			sizeof(((struct vol_cluster *)0)->field), number, \
			NULL, verdict                                     \
	}
#define TEXT(field, text, key, verdict)                                       \
	{                                                                     \
		key, offsetof(struct vol_cluster, field), 0, 0, text, verdict \
	}

/* One setting of the healthy cluster changed, one verdict. */
static const struct {
	const char *key;
	size_t offset, size;
	uint32_t number;
	const char *text;
	enum vol_severity want;
} changes[] = {
	TEXT(table_trouble, "no table", "node table", VOL_PROBLEM),
	NUMBER(table_devices, 0, "node table", VOL_OK),
	NUMBER(min_job_age_s, 0, "MinJobAge", VOL_OK),
	NUMBER(min_job_age_s, 59, "MinJobAge", VOL_PROBLEM),
	NUMBER(min_job_age_s, 60, "MinJobAge", VOL_OK),
	NUMBER(lost_after_ms, 0, "lost_after", VOL_OK),
	NUMBER(lost_after_ms, 119999, "lost_after", VOL_OK),
	NUMBER(lost_after_ms, 120000, "lost_after", VOL_PROBLEM),
	TEXT(requeue_exit, "", "RequeueExit", VOL_PROBLEM),
	TEXT(requeue_exit, "15", "RequeueExit", VOL_PROBLEM),
	TEXT(requeue_exit, "1500", "RequeueExit", VOL_PROBLEM),
	TEXT(requeue_exit, "151-160", "RequeueExit", VOL_PROBLEM),
	TEXT(requeue_exit, "x,150", "RequeueExit", VOL_PROBLEM),
	TEXT(requeue_exit, "42,150", "RequeueExit", VOL_OK),
	TEXT(requeue_exit, "1-3, 140-150", "RequeueExit", VOL_OK),
	TEXT(select_type, "select/linear", "SelectType", VOL_PROBLEM),
	TEXT(select_type, "", "SelectType", VOL_PROBLEM),
	TEXT(select_type, "select/cons_res", "SelectType", VOL_PROBLEM),
	NUMBER(max_node_count, 0, "MaxNodeCount", VOL_PROBLEM),
	NUMBER(max_node_count, 9, "MaxNodeCount", VOL_PROBLEM),
	NUMBER(max_node_count, 10, "MaxNodeCount", VOL_PROBLEM),
	NUMBER(max_node_count, 11, "MaxNodeCount", VOL_ADVICE),
	NUMBER(max_node_count, 12, "MaxNodeCount", VOL_OK),
	NUMBER(node_count, 900, "MaxNodeCount", VOL_OK),
	NUMBER(node_count, 901, "MaxNodeCount", VOL_ADVICE),
	NUMBER(node_count, 4294967295, "MaxNodeCount", VOL_PROBLEM),
	NUMBER(has_partition, 0, "PartitionName", VOL_PROBLEM),
	NUMBER(partition_uses_nodeset, 0, "PartitionName", VOL_PROBLEM),
	TEXT(slurmctld_params, "", "SlurmctldParameters", VOL_PROBLEM),
	TEXT(slurmctld_params, "a,Enable_Configless", "SlurmctldParameters",
	     VOL_OK),
	TEXT(slurmctld_params, "a, enable_configless ,b", "SlurmctldParameters",
	     VOL_OK),
	TEXT(slurmctld_params, "no_enable_configless", "SlurmctldParameters",
	     VOL_PROBLEM),
	TEXT(slurmctld_params, "enable_configless2", "SlurmctldParameters",
	     VOL_PROBLEM),
	TEXT(slurmctld_params, "x=enable_configless", "SlurmctldParameters",
	     VOL_PROBLEM),
	NUMBER(control_addr_is_ip, 0, "SlurmctldHost", VOL_ADVICE),
	TEXT(proctrack_type, "proctrack/linuxproc", "ProctrackType",
	     VOL_PROBLEM),
	TEXT(cgroup_slice, "jobs.slice", "CgroupSlice", VOL_PROBLEM),
	TEXT(cgroup_slice, "system.slice", "CgroupSlice", VOL_OK),
	TEXT(proctrack_type, "proctrack/cgroup2", "ProctrackType", VOL_PROBLEM),
	NUMBER(spank_present, 0, "plugstack.conf", VOL_PROBLEM),
	NUMBER(tree_width, 16, "TreeWidth", VOL_PROBLEM),
	NUMBER(tree_width, 65532, "TreeWidth", VOL_PROBLEM),
	NUMBER(tree_width, 65534, "TreeWidth", VOL_OK),
	TEXT(topology_param, "RouteTree", "TopologyParam", VOL_PROBLEM),
	TEXT(topology_param, "TopoOptional,routetree", "TopologyParam",
	     VOL_PROBLEM),
	TEXT(topology_param, "TopoOptional", "TopologyParam", VOL_OK),
	TEXT(topology_param, "RouteTreeX", "TopologyParam", VOL_OK),
	TEXT(topology_param, "XRouteTree", "TopologyParam", VOL_OK),
	NUMBER(return_to_service, 0, "ReturnToService", VOL_PROBLEM),
	NUMBER(return_to_service, 1, "ReturnToService", VOL_PROBLEM),
	NUMBER(slurmd_timeout_s, 0, "SlurmdTimeout", VOL_ADVICE),
	NUMBER(slurmd_timeout_s, 59, "SlurmdTimeout", VOL_ADVICE),
	NUMBER(slurmd_timeout_s, 60, "SlurmdTimeout", VOL_OK),
	NUMBER(slurmd_timeout_s, 300, "SlurmdTimeout", VOL_OK),
	NUMBER(slurmd_timeout_s, 301, "SlurmdTimeout", VOL_ADVICE),
	TEXT(sched_params, "", "SchedulerParameters", VOL_ADVICE),
	TEXT(sched_params,
	     "sched_interval=10,batch_sched_delay=1,bf_interval=10",
	     "SchedulerParameters", VOL_OK),
	TEXT(sched_params,
	     "sched_interval=11,batch_sched_delay=1,bf_interval=10",
	     "SchedulerParameters", VOL_ADVICE),
	TEXT(sched_params,
	     "sched_interval=-1,batch_sched_delay=1,bf_interval=10",
	     "SchedulerParameters", VOL_ADVICE),
	TEXT(sched_params,
	     "sched_interval=5,batch_sched_delay=3,bf_interval=10",
	     "SchedulerParameters", VOL_ADVICE),
	TEXT(sched_params, "sched_interval=5,batch_sched_delay=1",
	     "SchedulerParameters", VOL_ADVICE),
	TEXT(sched_params,
	     "xsched_interval=5,batch_sched_delay=1,bf_interval=5",
	     "SchedulerParameters", VOL_ADVICE),
	NUMBER(max_array_size, 1001, "MaxArraySize", VOL_ADVICE),
	NUMBER(max_array_size, 1002, "MaxArraySize", VOL_OK),
	NUMBER(select_active, 0, "select plugin", VOL_ADVICE),
};

static void apply_change(struct vol_cluster *c, size_t i)
{
	char *to = (char *)c + changes[i].offset;
	uint16_t number16 = (uint16_t)changes[i].number;
	bool flag = changes[i].number;

	if (changes[i].size == 0)
		memcpy(to, &changes[i].text, sizeof(changes[i].text));
	else if (changes[i].size == sizeof(flag))
		memcpy(to, &flag, sizeof(flag));
	else if (changes[i].size == sizeof(number16))
		memcpy(to, &number16, sizeof(number16));
	else
		memcpy(to, &changes[i].number, sizeof(changes[i].number));
}

static void one_change_one_verdict(void **state)
{
	struct vol_finding f[MAX_FINDINGS];
	struct vol_cluster c;
	size_t n, i, j;

	(void)state;
	for (i = 0; i < N_ELEMENTS(changes); i++) {
		c = healthy;
		apply_change(&c, i);
		n = vol_doctor(&c, f, MAX_FINDINGS);
		if (find(f, n, changes[i].key)->verdict != changes[i].want)
			fail_msg("row %zu, %s: verdict %d", i,
				 find(f, n, changes[i].key)->now,
				 (int)find(f, n, changes[i].key)->verdict);
		for (j = 0; j < n; j++) /* the others keep quiet */
			assert_true(f[j].verdict == VOL_OK ||
				    strcmp(f[j].key, changes[i].key) == 0);
	}
}

static void long_settings_are_cut(void **state)
{
	struct vol_finding f[MAX_FINDINGS];
	struct vol_cluster c = healthy;
	char params[500];
	size_t n;

	(void)state;
	memset(params, 'p', sizeof(params));
	strcpy(params + 300, ",enable_configless");
	c.slurmctld_params = params;
	n = vol_doctor(&c, f, MAX_FINDINGS);
	assert_int_equal(find(f, n, "SlurmctldParameters")->verdict, VOL_OK);
	assert_int_equal(strlen(find(f, n, "SlurmctldParameters")->now),
			 sizeof(f[0].now) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(healthy_cluster),
		cmocka_unit_test(plain_cluster),
		cmocka_unit_test(no_more_than_asked),
		cmocka_unit_test(one_change_one_verdict),
		cmocka_unit_test(long_settings_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
