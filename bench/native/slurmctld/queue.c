/* SPDX-License-Identifier: GPL-2.0-or-later */
/* queue.c - queue many jobs that nothing has to be launched for
 *
 * usage: queue COUNT:NODES:CPUS:MINUTES...
 *
 * COUNT allocations of so many nodes with so many CPUs on each (0: whole
 * nodes).  Nobody waits for them: when slurmctld starts one it has to tell
 * nobody.
 */
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define MEMORY_MB 50

struct kind {
	unsigned int count, nodes, cpus, minutes;
};

static int ask(const struct kind *kind)
{
	resource_allocation_response_msg_t *answer = NULL;
	char name[] = "bench", dir[] = "/";
	job_desc_msg_t job;
	int rc;

	slurm_init_job_desc_msg(&job);
	job.name = name;
	job.work_dir = dir;
	job.user_id = getuid();
	job.group_id = getgid();
	job.min_nodes = kind->nodes;
	job.max_nodes = kind->nodes;
	job.pn_min_memory = MEMORY_MB;
	job.time_limit = kind->minutes;
	if (kind->cpus) {
		job.num_tasks = kind->nodes;
		job.cpus_per_task = (uint16_t)kind->cpus;
		job.min_cpus = kind->nodes * kind->cpus;
	} else {
		job.shared = JOB_SHARED_NONE;
	}
	rc = slurm_allocate_resources(&job, &answer);
	if (rc == SLURM_SUCCESS)
		slurm_free_resource_allocation_response_msg(answer);
	return rc;
}

int main(int argc, char **argv)
{
	struct kind kind;

	if (argc < 2) {
		fprintf(stderr, "usage: queue COUNT:NODES:CPUS:MINUTES...\n");
		return 2;
	}
	slurm_init(NULL);
	for (int i = 1; i < argc; i++) {
		if (sscanf(argv[i], "%u:%u:%u:%u", &kind.count, &kind.nodes,
			   &kind.cpus, &kind.minutes) != 4)
			return 2;
		for (unsigned int n = 0; n < kind.count; n++) {
			if (ask(&kind) == SLURM_SUCCESS)
				continue;
			fprintf(stderr, "queue: job %u of %s: %s\n", n, argv[i],
				slurm_strerror(errno));
			return 1;
		}
	}
	return 0;
}
