/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inbox.h - which reports of which device the controller has applied
 *
 * The other half of exactly-once delivery (outbox.h): one number per device,
 * the last report of its stream that was applied, on disk before the report is
 * acknowledged.  A report with a higher number is applied, one that comes again
 * is acknowledged and nothing else.
 *
 * In which order a report is applied and recorded decides what a crash between
 * the two does, and no order is right for all:
 *
 *  apply, then record
 *	It comes again and is applied again.  Right for what can be repeated:
 *	the last of a state (open, parked), a total (seconds of being parked),
 *	something that is kept under a name (an image of a job).
 *  record, then apply
 *	It is lost.  Right where twice is worse than never and somebody will
 *	notice "never".
 *
 * To requeue or cancel a job is neither: twice throws away the work of another
 * run, never keeps an owner's machine busy.  It is applied first, and made
 * repeatable by looking before doing: slurmctld itself remembers, since the
 * requeue that was done has ended that run of the job ("testable" in the sense
 * of Bernstein and Newcomer, "Principles of Transaction Processing", 2nd ed.,
 * 2009, section 4.4).  Only a run that had begun when the device wrote its
 * report is ended (vol_evict_outdated in the controller's evict.h).
 *
 * So all is applied first and then recorded, and each kind of report owes an
 * answer to what happens when it is applied again.
 *
 * Recording is in groups: all that was applied meanwhile goes to disk with one
 * fdatasync, however many devices it came from (wal.h).
 *
 * The file is a wal.h of 64 byte slots; magic "VOLINBOX", then u32 version.
 * Payload of the others, of which the last of a device counts:
 *
 *	 0  char[32]  identity of the device
 *	32  u64       stream
 *	40  u64       number of the last report that was applied
 *
 * A damaged file is set aside; what can be read of it is kept.  A device whose
 * record is lost says up to where it was acknowledged, and that is believed.
 *
 * No clock, no thread.
 */
#ifndef VOL_INBOX_H
#define VOL_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "names.h"
#include "wal.h"

#define VOL_INBOX_NAME    "reports" /* in the controller's state_dir */
#define VOL_INBOX_VERSION 1
#define VOL_INBOX_SLOT    64
/* As many as the node table can hold, and their history. */
#define VOL_INBOX_DEVICES 65536
#define VOL_INBOX_BYTES   ((size_t)VOL_INBOX_SLOT * 4 * VOL_INBOX_DEVICES)

struct vol_inbox;

enum vol_inbox_meeting {
	VOL_INBOX_SAME,   /* it goes on where it was */
	VOL_INBOX_NEW,    /* a device that we know nothing of, nor it of us */
	VOL_INBOX_RESET,  /* it has begun another stream: what it had not sent
			   * of the old one is lost, unless it took that along */
	VOL_INBOX_BEHIND, /* it was acknowledged more than we remember */
};

enum vol_inbox_verdict {
	VOL_INBOX_APPLY,
	VOL_INBOX_APPLIED, /* already: acknowledge it */
	VOL_INBOX_TAKEN,   /* it is being applied */
	VOL_INBOX_GAP,     /* reports before it are missing: ask again */
	VOL_INBOX_OTHER,   /* not of the stream that the device named */
};

/* Read path; a missing file is an empty inbox.  err->text says what was wrong
 * with a damaged one, "" = nothing.  NULL when it can not be read, or without
 * memory. */
struct vol_inbox *vol_inbox_load(const char *path, struct vol_error *err);
/* The same of a file that was read already; it is not set aside.  err is not
 * NULL. */
struct vol_inbox *vol_inbox_parse(const char *path, const uint8_t *file,
				  size_t len, struct vol_error *err);
/* NULL-safe; not while a commit is under way. */
void vol_inbox_destroy(struct vol_inbox *in);

/* A device says hello: what its stream is called and up to where it was
 * acknowledged.  The number that is believed now is that of vol_inbox_last.
 * who: for vol_inbox_end, until it is met again or parted from.  -1 with
 * ENOMEM, or ENOSPC (VOL_INBOX_DEVICES). */
int vol_inbox_meet(struct vol_inbox *in, const char *id, uint64_t stream,
		   uint64_t acked, void *who, enum vol_inbox_meeting *meeting);
/* It is gone, for now. */
void vol_inbox_part(struct vol_inbox *in, const char *id);

/* What to do with a report: its number, and that of the one before it. */
enum vol_inbox_verdict vol_inbox_decide(const struct vol_inbox *in,
					const char *id, uint64_t stream,
					uint64_t after, uint64_t seq);

/* It is being applied from now on, like all before it.  What is not done when
 * the device is met again, over another link, comes again. */
void vol_inbox_take(struct vol_inbox *in, const char *id, uint64_t seq);

/* It was applied, and all before it. */
void vol_inbox_applied(struct vol_inbox *in, const char *id, uint64_t seq);

/* The last that was applied; the last of which that is on disk, which may be
 * acknowledged.  0 for a device that has not been met. */
uint64_t vol_inbox_last(const struct vol_inbox *in, const char *id);
uint64_t vol_inbox_recorded(const struct vol_inbox *in, const char *id);

/* The device is gone for good. */
void vol_inbox_forget(struct vol_inbox *in, const char *id);

/* As in outbox.h.  recorded is called for each device that is here and whose
 * last report on disk is another one now; it may be NULL. */
typedef void (*vol_inbox_recorded_f)(void *who, uint64_t stream, uint64_t seq,
				     void *arg);
struct vol_wal_commit *vol_inbox_begin(struct vol_inbox *in);
bool vol_inbox_end(struct vol_inbox *in, vol_inbox_recorded_f recorded,
		   void *arg, struct vol_error *why);

#endif
