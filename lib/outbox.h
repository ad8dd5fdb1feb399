/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outbox.h - a device's reports, kept on disk until the controller has them
 *
 * One half of exactly-once delivery; inbox.h is the other.  The device numbers
 * its reports 1, 2, 3, ... in a stream that has a random name, and sends one
 * when it is on disk, again after each new link until it is acknowledged, in
 * order: at least once.  The controller applies what it has not applied yet:
 * once (Gray and Reuter, "Transaction Processing", 1993, chapter 10; that both
 * ends must remember something is in Halpern, ACM OSR 21(3), 1987).
 *
 *  load      what an earlier life left; the first commit makes sure of it
 *  append    a number, at once; in memory
 *  commit    vol_outbox_begin, run on any thread, vol_outbox_end: on disk
 *  next      what may be sent: what is on disk
 *  sent      it is about to be
 *  ack       all up to a number is with the controller: dropped
 *
 * Reports are of two sorts.  An *event* must be applied once each.  Of *states*
 * of one kind the last says it all.  At most VOL_OUTBOX_MAX wait: when there is
 * no more room the states that have a later one of their kind are dropped,
 * events never; only when there still is none a report is refused with ENOSPC,
 * and whoever has it must come back with it.  Numbers of dropped ones are not
 * used again, so each report is sent with the number of the one before it.
 *
 * The file is a wal.h of 512 byte slots.  Payload of slot 0, after the magic
 * "VOLOUTBX": u32 version, u32 0, u64 stream, u64 acked.  Of the others:
 *
 *	 0  u64  number, ascending
 *	 8  i64  time of the append, ms since 1970
 *	16  u16  kind, not 0
 *	18  u16  length of data
 *	20  u32  1: a state, 0: an event
 *	24  ...  data, zeros behind
 *
 * What an append that never reached the disk left is cut off.  A file that is
 * damaged is set aside, and a new stream begins: numbers of the old one may
 * have been used that we do not know of.  So it is when the controller
 * acknowledges what we never sent (a file that was restored from a backup):
 * what waits goes into the new stream then, and may be applied twice.  All that
 * an earlier life left may have been sent by it, so that is not noticed when
 * the controller's number lies among reports that were made after the file was
 * restored and before the start of this life.
 *
 * No clock, no thread, no randomness of its own.
 */
#ifndef VOL_OUTBOX_H
#define VOL_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "wal.h"

#define VOL_OUTBOX_NAME    "reports" /* in the device's state_dir */
#define VOL_OUTBOX_VERSION 1
#define VOL_OUTBOX_SLOT    512 /* a sector: written as a whole or not */
#define VOL_OUTBOX_DATA    (VOL_OUTBOX_SLOT - VOL_WAL_PAYLOAD - 24)
/* That are sent before the first of them is acknowledged: as many as come in
 * one moment, and what the controller has to keep of a device. */
#define VOL_OUTBOX_WINDOW 32
/* That wait; a month of an owner who comes and goes thirty times a day. */
#define VOL_OUTBOX_MAX 1024
/* The file is replaced when so many of its slots are history. */
#define VOL_OUTBOX_SLACK 128
/* Nobody gets as far; jansson's integers would go to 2^63 - 1. */
#define VOL_OUTBOX_SEQ_MAX ((UINT64_C(1) << 62) - 1)
#define VOL_OUTBOX_BYTES \
	((size_t)VOL_OUTBOX_SLOT * (2 * VOL_OUTBOX_MAX + VOL_OUTBOX_SLACK + 1))

struct vol_outbox;

struct vol_report {
	uint64_t seq;
	int64_t time_ms;
	uint16_t kind;
	bool state;
	size_t len;
	uint8_t data[VOL_OUTBOX_DATA + 1]; /* NUL behind len */
};

/* Read path.  fresh names the stream that begins if there is no file, or a
 * damaged one: then err->text says what was wrong, and is "" otherwise.  NULL
 * when the file can not be read, or without memory. */
struct vol_outbox *vol_outbox_load(const char *path, uint64_t fresh,
				   struct vol_error *err);
/* The same of a file that was read already; it is not set aside.  err is not
 * NULL. */
struct vol_outbox *vol_outbox_parse(const char *path, const uint8_t *file,
				    size_t len, uint64_t fresh,
				    struct vol_error *err);
/* NULL-safe; not while a commit is under way. */
void vol_outbox_destroy(struct vol_outbox *o);

uint64_t vol_outbox_stream(const struct vol_outbox *o);
/* All up to this number is with the controller, as far as we know. */
uint64_t vol_outbox_acked(const struct vol_outbox *o);
/* How many wait, on disk or not. */
size_t vol_outbox_count(const struct vol_outbox *o);

/* Its number, or 0 with ENOSPC, EINVAL (kind 0, data too long) or ENOMEM. */
uint64_t vol_outbox_append(struct vol_outbox *o, uint16_t kind, bool state,
			   int64_t time_ms, const void *data, size_t len);

/* What has to be written now; NULL: nothing, or a commit is under way, or there
 * is no memory.  Borrowed: run it, then call end, which returns whether all of
 * it is on disk; if not, *why says what is wrong and the next begin tries all
 * of it again. */
struct vol_wal_commit *vol_outbox_begin(struct vol_outbox *o);
bool vol_outbox_end(struct vol_outbox *o, struct vol_error *why);

/* The first report on disk with a number above seq, and the number of the one
 * before it in *after; NULL: none.  Borrowed until the next append, ack or
 * renew. */
const struct vol_report *vol_outbox_next(const struct vol_outbox *o,
					 uint64_t seq, uint64_t *after);

/* That one is being handed to a link, and those before it were. */
void vol_outbox_sent(struct vol_outbox *o, uint64_t seq);

/* The controller has all up to seq.  -1 with ENOENT when it speaks of another
 * stream, ERANGE when we never sent that: call renew. */
int vol_outbox_ack(struct vol_outbox *o, uint64_t stream, uint64_t seq);

/* Nobody can make anything of that report: as if it had never been. */
void vol_outbox_drop(struct vol_outbox *o, uint64_t seq);

/* Begin a new stream with what waits. */
void vol_outbox_renew(struct vol_outbox *o, uint64_t fresh);

/* Is the report of that number not acknowledged yet? */
bool vol_outbox_waits(const struct vol_outbox *o, uint64_t seq);
/* How many of those that wait have a number up to seq? */
size_t vol_outbox_under_way(const struct vol_outbox *o, uint64_t seq);

#endif
