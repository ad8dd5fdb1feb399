/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reporter.h - what the controller must hear of once, also after a crash
 *
 * lib/outbox.h on disk (STATE_DIR/reports), its writes on a thread of their
 * own, and the way of each report over the link: when it is on disk, in order,
 * at most VOL_OUTBOX_WINDOW before the first is acknowledged, and again from
 * where the controller says.
 *
 * Nothing here is on the way from a key press to the freeze: a report is made
 * when the tasks have stopped, and nobody waits for its disk.  What is written
 * late or never because of that is the last milliseconds before a crash; hello
 * and harvest tell the present state in any case.
 *
 * The log has a line for each report when it is on disk,
 *	report SEQ of STREAM: STATE
 *	report SEQ of STREAM: evict job JOB
 * for whoever compares it with the controller's (tests/cluster/reports.py).
 */
#ifndef VOL_REPORTER_H
#define VOL_REPORTER_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "error.h"
#include "link.h"

struct vol_reporter;

struct vol_reporter_ops {
	/* -1 when the link is not up. */
	int (*send)(const struct vol_link_msg *msg, void *arg);
	/* The controller knows us by another stream: say hello anew. */
	void (*redial)(const char *reason, void *arg);
};

/* A damaged file is said, and set aside. */
struct vol_reporter *vol_reporter_create(sd_event *loop, const char *state_dir,
					 const struct vol_reporter_ops *ops,
					 void *arg, struct vol_error *err);
/* Writes what is not on disk yet.  NULL-safe. */
void vol_reporter_destroy(struct vol_reporter *r);

/* MOVED or EVICT; stream, report, after and age_ms are filled in here.  Its
 * number, 0 when there is no room (which is said once): come back with it. */
uint64_t vol_reporter_add(struct vol_reporter *r,
			  const struct vol_link_msg *msg);
/* Has the controller not applied it yet, as far as we know? */
bool vol_reporter_waits(const struct vol_reporter *r, uint64_t seq);

/* The members of hello.  Nothing is sent over the new link before the
 * controller has said from where. */
void vol_reporter_hello(struct vol_reporter *r, struct vol_link_msg *msg);
/* ACK. */
void vol_reporter_message(struct vol_reporter *r,
			  const struct vol_link_msg *msg);
/* Before goodbye: write and send what can be, and wait for that disk. */
void vol_reporter_flush(struct vol_reporter *r);

#endif
