/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reports.h - what devices report, applied once each and in order
 *
 * lib/inbox.h on disk (STATE_DIR/reports), intake.h for each member that is
 * linked, and what each kind of report does:
 *
 *  moved  is history: it is logged.  That a node is drained and resumed follows
 *         from the present state, which hello and harvest tell at once and
 *         again with each link; slurmctld is told of the last one only, however
 *         many there were (desired.h).
 *  evict  the desk asks slurmctld.  It counts as applied when the desk knows
 *         what became of the job, whatever that was.
 *
 * Applied again, after a crash before that was on disk: moved is logged twice,
 * of evict the desk finds that there is nothing left to do (evict.h).
 *
 * The log has a line for each report that was applied,
 *	NODE: report SEQ of STREAM: STATE[: WHY]
 *	NODE: report SEQ of STREAM: evict job JOB
 * which says what the device's log says when it is on disk there.
 */
#ifndef VOL_REPORTS_H
#define VOL_REPORTS_H

#include "error.h"
#include "link.h"

struct vol_controller;
struct vol_member;
struct vol_reports;

/* A damaged file is said, and what can be read of it is used. */
struct vol_reports *vol_reports_create(struct vol_controller *c,
				       struct vol_error *err);
/* Writes what is not on disk yet.  NULL-safe. */
void vol_reports_destroy(struct vol_reports *r);

/* Said hello: what its reports are called. */
void vol_reports_met(struct vol_member *s, const struct vol_link_msg *hello);
/* Is welcomed: it may begin to report. */
void vol_reports_welcomed(struct vol_member *s);
/* MOVED or EVICT. */
void vol_reports_take(struct vol_member *s, const struct vol_link_msg *msg);
/* It is known what becomes of a job that it asked about, with reports up to
 * seq.
 */
void vol_reports_done(struct vol_member *s, uint32_t job, uint64_t seq);
/* Its link is gone. */
void vol_reports_part(struct vol_member *s);
/* It is gone for good. */
void vol_reports_forget(struct vol_member *s);

#endif
