/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registrar.h - one thread that makes all libslurm calls
 *
 * Wishes go in from the event loop, answers come back on it.  One wish per
 * node waits at a time: a newer one replaces an older one that has not begun.
 * While slurmctld is away, wishes wait and are tried again with backoff; none
 * is lost and nothing blocks the loop.  Equal changes to many nodes become one
 * call with a node list.  Every few seconds, and as soon as slurmctld is back,
 * the whole node table is read and handed over.
 *
 * DRAIN and RESUME follow the owners, who may all come at nine o'clock: they
 * are carried out at most once a second, all that came meanwhile together, in
 * one look at the nodes and one call per reason.  A node that an administrator
 * holds at that moment is left alone, and the answer says ESTALE.
 */
#ifndef VOL_REGISTRAR_H
#define VOL_REGISTRAR_H

#include <systemd/sd-event.h>

#include "cluster.h"
#include "desired.h"
#include "error.h"

struct vol_registrar;

struct vol_wish {
	char node[VOL_NODE_NAME_SIZE];
	/* CREATE, DELETE, DOWN, DRAIN, RESUME, ADDRESS, FEATURES, COMMENT;
	 * WAIT only looks. */
	enum vol_action action;
	char address[VOL_ADDRESS_SIZE];   /* CREATE, ADDRESS */
	char hostname[VOL_HOSTNAME_SIZE]; /* CREATE */
	struct vol_facts facts;           /* CREATE, FEATURES */
	char text[256];                   /* DOWN, DRAIN: reason; COMMENT */
};

struct vol_answer {
	const struct vol_wish *wish;
	int error; /* 0, ESTALE, or errno of cluster.h */
	struct vol_error why;
	bool looked; /* the next two are fresh */
	bool exists;
	struct vol_slurm_node node;
};

/* What slurmctld is called, where it listens and all it knows. */
struct vol_slurm_view {
	struct vol_slurm_identity identity;
	struct vol_slurm_snapshot all;
	uint64_t refresh; /* the last request before it was begun */
};

/* All called on the event loop; arguments are borrowed. */
struct vol_registrar_ops {
	void (*answer)(const struct vol_answer *answer, void *arg);
	void (*view)(struct vol_slurm_view *view,
		     void *arg); /* may be taken:
				  * clear .all's members then */
	void (*away)(const char *reason, void *arg);
};

/* Reads slurm.conf; slurmctld need not be there.  period_ms: how often the
 * node table is read (less often when that is slow). */
struct vol_registrar *vol_registrar_create(sd_event *loop, uint64_t period_ms,
					   const struct vol_registrar_ops *ops,
					   void *arg, struct vol_error *err);

/* Queue a wish (copied).  -1 with ENOMEM. */
int vol_registrar_wish(struct vol_registrar *r, const struct vol_wish *wish);

/* Calls that are not about one node.  The registrar owns an errand from when it
 * is given until done. */
struct vol_errand {
	/* On the thread.  false: slurmctld is away (*why), call again later. */
	bool (*run)(struct vol_errand *e, struct vol_error *why);
	/* On the loop; the errand is the caller's again. */
	void (*done)(struct vol_errand *e);
	/* Instead of done, when the registrar ends first: free it. */
	void (*drop)(struct vol_errand *e);
	struct vol_errand *next;
};

/* Queue an errand: in their order, and before wishes that come later. */
void vol_registrar_errand(struct vol_registrar *r, struct vol_errand *e);

/* Read the node table now.  Returns the number of the request, from 1. */
uint64_t vol_registrar_refresh(struct vol_registrar *r);

/* Wait at most 2 s for the call that is under way, then free.  NULL-safe. */
void vol_registrar_destroy(struct vol_registrar *r);

#endif
