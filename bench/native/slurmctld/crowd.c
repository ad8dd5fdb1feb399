/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crowd.c - register nodes that do not exist
 *
 * usage: crowd PREFIX FIRST COUNT CPUS
 *
 * slurmctld takes a node into service when its slurmd registers.  Ten thousand
 * of them would not fit on a machine, their registrations do.  Compiled with
 * the configured source of the slurmctld that is to be told.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "slurm/slurm.h"
#include "src/common/pack.h"
#include "src/common/slurm_protocol_api.h"
#include "src/common/slurm_protocol_defs.h"
#include "src/common/xmalloc.h"
#include "src/common/xstring.h"
#include "src/interfaces/acct_gather_energy.h"

#define MEMORY_MB 4000

static slurm_node_registration_status_msg_t *registration(const char *name,
							  uint16_t cpus)
{
	slurm_node_registration_status_msg_t *m = xmalloc(sizeof(*m));
	buf_t *gres = init_buf(64);

	m->flags = SLURMD_REG_FLAG_RESP;
	m->dynamic_type = DYN_NODE_NORM;
	m->dynamic_conf = xstrdup_printf(
		"NodeName=%s CPUs=%u RealMemory=%u Feature=volunteer", name,
		cpus, MEMORY_MB);
	m->hostname = xstrdup(name);
	m->node_name = xstrdup(name);
	m->version = xstrdup(SLURM_VERSION_STRING);
	m->cpus = cpus;
	m->boards = 1;
	m->sockets = 1;
	m->cores = cpus;
	m->threads = 1;
	m->real_memory = MEMORY_MB;
	m->hash_val = NO_VAL;
	m->up_time = 1000;
	m->timestamp = time(NULL);
	m->slurmd_start_time = m->timestamp - 1000;
	m->arch = xstrdup("x86_64");
	m->os = xstrdup("Linux");
	packstr("", gres);
	set_buf_offset(gres, 0);
	pack16(SLURM_PROTOCOL_VERSION, gres);
	pack16(0, gres);
	m->gres_info = gres;
	m->energy = acct_gather_energy_alloc(1);
	return m;
}

static int join(const char *name, uint16_t cpus)
{
	slurm_msg_t req, resp;
	int rc;

	slurm_msg_t_init(&req);
	slurm_msg_t_init(&resp);
	req.msg_type = MESSAGE_NODE_REGISTRATION_STATUS;
	req.data = registration(name, cpus);
	rc = slurm_send_recv_controller_msg(&req, &resp, NULL);
	slurm_free_node_registration_status_msg(req.data);
	return rc;
}

int main(int argc, char **argv)
{
	char name[64];
	int first, count;

	if (argc != 5) {
		fprintf(stderr, "usage: crowd PREFIX FIRST COUNT CPUS\n");
		return 2;
	}
	slurm_init(NULL);
	first = atoi(argv[2]);
	count = atoi(argv[3]);
	for (int i = first; i < first + count; i++) {
		snprintf(name, sizeof(name), "%s%d", argv[1], i);
		if (join(name, (uint16_t)atoi(argv[4])) < 0) {
			fprintf(stderr, "crowd: %s was refused\n", name);
			return 1;
		}
	}
	return 0;
}
