/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wal.h - a write-ahead log: a file of checksummed slots that only grows
 *
 * What outbox.h and inbox.h have in common.  A record is on disk before
 * anything is said or done because of it (Mohan et al., "ARIES", ACM TODS
 * 17(1), 1992, section 1.1); many records share one write and one fdatasync
 * (group commit: DeWitt et al., SIGMOD 1984); and the file is replaced as a
 * whole when most of it is history.
 *
 * Slots have one size, at least VOL_WAL_SLOT_MIN, so that what follows a
 * damaged one can be found.  Little-endian:
 *
 *	 0  u64  FNV-1a of all that follows in the slot
 *	 8  u64  synced: how many slots of this file were known to be on disk
 *	         when this one was written (0 in a file written as a whole)
 *	16  ...  payload; that of slot 0 begins with the magic, 8 characters
 *
 * synced tells a power cut from a damage.  What was appended since the last
 * fdatasync may be there in any part, in any order of its sectors, or not at
 * all: nobody was told of it, and it is cut off.  But a slot that a later one
 * knows to be on disk is there, or the disk has lost it.  (A slot lost out of
 * the very last commit can not be told from one that never arrived.)
 *
 * Writing is in two parts, so that no event loop waits for a disk: a commit is
 * made and its outcome noted on the loop, and run on any thread in between; one
 * at a time.  The first commit of a life replaces the file, since what a daemon
 * that was killed has written may still be in memory only.  So does the one
 * after a commit that failed: a second fdatasync may call pages clean that have
 * never arrived (Rebello et al., "Can Applications Recover from fsync
 * Failures?", USENIX ATC 2020).
 */
#ifndef VOL_WAL_H
#define VOL_WAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define VOL_WAL_SLOT_MIN 32
#define VOL_WAL_PAYLOAD  16 /* where it begins in the slot */

struct vol_wal {
	char *path;     /* owned */
	char magic[9];  /* 8 characters */
	size_t slot;    /* bytes */
	uint64_t slots; /* of the file, all of them on disk; 0: no file */
	bool rewrite;   /* the next commit has to replace it */
};

/* What a file holds. */
struct vol_wal_scan {
	size_t n;       /* slots to look at, slot 0 among them */
	bool torn;      /* something was cut off behind them */
	size_t damaged; /* how many of the n are lost; vol_wal_slot tells which
			 */
	size_t first;   /* of these; 0 = none */
};

/* -1 with ENOMEM. */
int vol_wal_init(struct vol_wal *w, const char *path, const char magic[9],
		 size_t slot);
void vol_wal_clear(struct vol_wal *w);

/* Look through the bytes of a file.  -1 with EINVAL: slot 0 is not one of ours.
 */
int vol_wal_scan(const struct vol_wal *w, const uint8_t *file, size_t len,
		 struct vol_wal_scan *scan);
/* Payload of slot i, borrowed; NULL: it is damaged. */
const uint8_t *vol_wal_slot(const struct vol_wal *w, const uint8_t *file,
			    size_t i);
/* Rename a file that can not be used to PATH.damaged, for whoever wants to
 * know; failing to is no error. */
void vol_wal_set_aside(const struct vol_wal *w);

struct vol_wal_commit {
	char *path;     /* owned */
	size_t slot, n; /* bytes of each, and how many */
	bool replace;   /* else append: */
	uint64_t at;    /* behind so many slots */
	uint8_t *data;  /* owned */
	int error;      /* errno of the run, 0 = it is all on disk */
	struct vol_error why;
};

/* Room for n slots, zeroed; with replace the first is slot 0 and has its magic.
 * NULL with ENOMEM. */
struct vol_wal_commit *vol_wal_commit_create(const struct vol_wal *w, size_t n,
					     bool replace);
void vol_wal_commit_destroy(struct vol_wal_commit *c);
/* Where the payload of the i-th goes. */
uint8_t *vol_wal_payload(const struct vol_wal_commit *c, size_t i);
/* Write and wait for the disk.  On any thread. */
void vol_wal_commit_run(struct vol_wal_commit *c);
/* What came of it; true: all of it is on disk. */
bool vol_wal_committed(struct vol_wal *w, const struct vol_wal_commit *c);

#endif
