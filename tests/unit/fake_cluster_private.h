/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_cluster_private.h - what the fake cluster's nodes and jobs share
 *
 * Everything here wants the lock held.
 */
#ifndef VOL_FAKE_CLUSTER_PRIVATE_H
#define VOL_FAKE_CLUSTER_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>

#include "error.h"

extern struct fake {
	pthread_mutex_t lock;
	unsigned updates, rpcs; /* see fake_cluster_updates, _rpcs */
	unsigned troubles;      /* see fake_cluster_trouble */
	unsigned hasty;         /* see fake_cluster_hasty_requeues */
} fake;

/* Count a call; it fails while slurmctld is away. */
int fake_check_away(struct vol_error *err);

/* Are all nodes of a list that exist drained? */
bool fake_nodes_drained(const char *names);

void fake_jobs_reset(void);
/* The node went down. */
void fake_jobs_requeue(const char *node);

#endif
