/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reports_model.h - devices, a controller and a Slurm in memory, that die
 *
 * Outbox, inbox and intake work against each other as in discoveryd, in random
 * steps from a fixed seed, over links that break, on machines that are killed
 * or lose their power at any write, fsync, rename, send or call to Slurm
 * (fault_disk.h).  What survives all that is a Slurm in memory, which is asked
 * in the end: was each report that was on a device's disk applied, each
 * eviction told to Slurm once, all in order?
 */
#ifndef VOL_REPORTS_MODEL_H
#define VOL_REPORTS_MODEL_H

#include "fault_disk.h"
#include "inbox.h"
#include "intake.h"
#include "outbox.h"

#define N_DEVICES 2
#define IDS       8192 /* reports of a device, in all its lives */
#define WIRE      256

enum { STATE = 1, EVENT };
enum message_type { HELLO, REPORT, ACK };

struct message {
	enum message_type type;
	uint64_t stream, seq, after;
	bool again, state;
	unsigned id; /* the report's, for ever: its job, or its place */
};

struct wire {
	struct message queue[WIRE];
	size_t first, n;
};

/* What nobody forgets: Slurm and the tester. */
struct record {
	bool event;
	bool sure;     /* was on disk: must arrive */
	unsigned told; /* how often Slurm was */
	unsigned life; /* of the controller that applied it last; 0: never */
};

struct device {
	struct fault_disk disk;
	char name[VOL_DEVICE_ID_SIZE];
	struct vol_outbox *outbox;
	struct vol_wal_commit *commit;
	bool ran; /* the commit's write is over */
	uint64_t sent;
	struct wire up, down;
	bool linked;
	struct record records[IDS];
	unsigned n_records;
	unsigned highest; /* of those that were applied */
	unsigned now;     /* the state that Slurm knows */
};

struct controller {
	struct fault_disk disk;
	struct vol_inbox *inbox;
	struct vol_wal_commit *commit;
	bool ran;
	struct vol_intake intake[N_DEVICES];
	bool asked[N_DEVICES]; /* again */
	unsigned life;
};

struct model {
	struct device devices[N_DEVICES];
	struct controller c;
	unsigned changes, crashes, repeats;
	bool blind;     /* Slurm's memory is not looked at */
	bool lossy;     /* single messages get lost, too */
	unsigned power; /* of 100 deaths so many are power cuts */
	unsigned every; /* a death in about so many points; 0: by hand */
};

void model_start(struct model *m, const char *folder);
/* One of the things that can be done is done. */
void model_step(struct model *m);
/* So many changes in all, and steps in between; then settle. */
void model_run(struct model *m, unsigned changes);
/* No more deaths: everything arrives. */
void model_settle(struct model *m);
bool model_all_quiet(const struct model *m);
/* Nothing lost, nothing twice; the order was looked at on the way.  collapsed:
 * states that gave way to later ones are no loss.  Returns how many evictions
 * Slurm was told of more than once. */
unsigned model_judge(const struct model *m, bool collapsed);
void model_end(struct model *m);

/* Of one device: something happens, what has happened goes to disk. */
void model_change(struct model *m, struct device *d);
void model_commit(struct device *d);

#endif
