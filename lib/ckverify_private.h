/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckverify_private.h - what the parts of ckverify share */
#ifndef VOL_CKVERIFY_PRIVATE_H
#define VOL_CKVERIFY_PRIVATE_H

#include "ckmessages.h"
#include "ckverify.h"

/* CRIU's enum fd_types (images/fdinfo.proto), those that a job may have. */
enum vol_ckfd {
	VOL_CKFD_REG = 1,
	VOL_CKFD_PIPE = 2,
	VOL_CKFD_FIFO = 3,
	VOL_CKFD_INET = 4,
	VOL_CKFD_UNIX = 5,
	VOL_CKFD_EVENTFD = 6,
	VOL_CKFD_EPOLL = 7,
	VOL_CKFD_INOTIFY = 8,
	VOL_CKFD_SIGNALFD = 9,
	VOL_CKFD_TTY = 11,
	VOL_CKFD_NETLINK = 13,
	VOL_CKFD_TIMERFD = 17,
	VOL_CKFD_MEMFD = 18,
	VOL_CKFD_PIDFD = 20,
};

/* A file of the set, with what its name says. */
struct vol_ckmember {
	struct vol_ckname name;
	const struct vol_ckinput *input;
};

struct vol_ckprocess {
	uint32_t pid, parent;
	uint32_t order; /* in pstree.img */
	bool dead;      /* a zombie */
	bool odd;       /* its first thread has another number */
	bool filtered;  /* all its threads by the filters of the first one */
};

/* Each process has one of its own number, too. */
struct vol_ckthread {
	uint32_t tid, pid;
	bool bare; /* without a filter of its own */
};

/* A filter, and all that were there before it. */
struct vol_ckchain {
	bool ours;  /* the first one is */
	bool tsync; /* all are put on all threads of a process at once */
};

struct vol_ckmount {
	uint32_t id, parent, device;
	const struct vol_ckplace *place;
};

/* An open file, or one that was only mapped. */
struct vol_ckopen {
	uint32_t id;
	uint32_t type; /* enum vol_ckfd */
	/* of REG: */
	const struct vol_ckplace *place;
	struct vol_ckbytes path;
	struct vol_ckbytes entry; /* its reg_file_entry */
	uint32_t mode, flags;
	uint64_t bytes;
};

/* A file of memory, as its pagemap says. */
struct vol_ckpages {
	unsigned int pre;
	uint32_t id;
	uint64_t n; /* pages in it */
};

struct vol_ckset {
	const struct vol_ckwant *want;
	struct vol_ckseen *seen; /* may be NULL */

	struct vol_ckmember *member; /* sorted by pre, kind, id */
	size_t n_members;

	/* What the first files say, for the ones after them.  Sorted by pid,
	 * tid, id, and type and id. */
	struct vol_ckvalue outside[VOL_CKROWS_MAX]; /* ids of the dumper */
	struct vol_ckvalue inside[VOL_CKROWS_MAX];  /* ids of process 1 */
	struct vol_ckprocess *process;
	size_t n_processes;
	struct vol_ckthread *thread;
	size_t n_threads;
	struct vol_ckchain *filter;
	size_t n_filters;
	struct vol_ckmount *mount;
	size_t n_mounts;
	struct vol_ckopen *open;
	size_t n_opens;
	struct vol_ckpages *pages; /* by pagemap */
	size_t n_pages;
};

/* Of one entry that was decoded. */
struct vol_ckentry {
	const struct vol_ckmember *member;
	const struct vol_ckrow *rows;
	struct vol_ckvalue *value; /* by the enum of its message */
	struct vol_ckbytes message;
	struct vol_ckentries *entries; /* for what follows the message */
};

/* -1 with "reason"; the caller puts file and entry before it. */
typedef int (*vol_ckcheck_f)(struct vol_ckset *set, struct vol_ckentry *entry,
			     struct vol_error *err);

/* --- ckverify_say.c: reading a decoded message ---------------------------- */

/* EPERM: an image, but not a harmless one. */
int vol_ckrefuse(struct vol_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Is it this?  Missing is not. */
int vol_ckequal(const struct vol_ckrow *row, const struct vol_ckvalue *value,
		int64_t want, struct vol_error *err);
/* Missing, or this? */
int vol_ckequal_or_none(const struct vol_ckrow *row,
			const struct vol_ckvalue *value, int64_t want,
			struct vol_error *err);
/* Not there at all? */
int vol_cknone(const struct vol_ckrow *row, const struct vol_ckvalue *value,
	       struct vol_error *err);
/* Of a repeated number: is each of them 0? */
int vol_ckzeros(struct vol_ckbytes message, const struct vol_ckrow *row,
		struct vol_error *err);
/* A message within: decode, "ROW: " before what is wrong. */
int vol_ckinner(const struct vol_ckrow *row, const struct vol_ckvalue *value,
		const struct vol_ckrow *rows, struct vol_ckvalue *values,
		struct vol_error *err);
/* The same table, position by enumerator: (s, CREDS, uid) */
#define VOL_CKROW(table, message, field) (&(table)[VOL_CK##message##_##field])

/* One more element of *list, n of which are there: NULL with ENOMEM. */
void *vol_ckgrow(void *list, size_t n, size_t size, struct vol_error *err);

/* --- lookups ---------------------------------------------------------------
 */

/* NULL: none. */
const struct vol_ckmember *vol_ckset_find(const struct vol_ckset *set,
					  enum vol_ckkind kind, uint64_t id);
/* The same in a folder of earlier memory (pre of struct vol_ckname). */
const struct vol_ckmember *vol_ckset_find_in(const struct vol_ckset *set,
					     unsigned int pre,
					     enum vol_ckkind kind, uint64_t id);
struct vol_ckprocess *vol_ckset_process(const struct vol_ckset *set,
					uint32_t pid);
struct vol_ckthread *vol_ckset_thread(const struct vol_ckset *set,
				      uint32_t tid);
const struct vol_ckmount *vol_ckset_mount(const struct vol_ckset *set,
					  uint32_t id);
const struct vol_ckopen *vol_ckset_open(const struct vol_ckset *set,
					uint32_t type, uint32_t id);

/* --- checks, one or more for each kind -------------------------------------
 */

/* ckverify_tree.c */
int vol_ckcheck_inventory(struct vol_ckset *, struct vol_ckentry *,
			  struct vol_error *);
int vol_ckcheck_pstree(struct vol_ckset *, struct vol_ckentry *,
		       struct vol_error *);
int vol_ckcheck_tree(struct vol_ckset *set, struct vol_error *err);
int vol_ckcheck_ids(struct vol_ckset *, struct vol_ckentry *,
		    struct vol_error *);
/* ckverify_seccomp.c */
int vol_ckcheck_seccomp(struct vol_ckset *, struct vol_ckentry *,
			struct vol_error *);
/* ckverify_core.c */
int vol_ckcheck_core(struct vol_ckset *, struct vol_ckentry *,
		     struct vol_error *);
/* When all cores were looked at. */
int vol_ckcheck_threads(struct vol_ckset *set, struct vol_error *err);
int vol_ckcheck_pages(struct vol_ckset *set, struct vol_error *err);
/* ckverify_mounts.c */
int vol_ckcheck_mount(struct vol_ckset *, struct vol_ckentry *,
		      struct vol_error *);
int vol_ckcheck_mounts(struct vol_ckset *set, struct vol_error *err);
/* Is path on this mount of the set?  Its place. */
int vol_ckcheck_path(const struct vol_ckset *set, struct vol_ckbytes path,
		     const struct vol_ckvalue *mount,
		     const struct vol_ckplace **place, struct vol_error *err);
/* ckverify_files.c */
int vol_ckcheck_file(struct vol_ckset *, struct vol_ckentry *,
		     struct vol_error *);
int vol_ckcheck_files(struct vol_ckset *set, struct vol_error *err);
int vol_ckcheck_fown(const struct vol_ckset *set, struct vol_ckbytes fown,
		     struct vol_error *err);
/* ckverify_sockets.c */
int vol_ckcheck_inet(const struct vol_ckset *set, struct vol_ckbytes message,
		     struct vol_error *err);
int vol_ckcheck_unix(const struct vol_ckset *set, struct vol_ckbytes message,
		     struct vol_error *err);
int vol_ckcheck_netlink(const struct vol_ckset *set, struct vol_ckbytes message,
			struct vol_error *err);
/* ckverify_data.c */
int vol_ckcheck_fdinfo(struct vol_ckset *, struct vol_ckentry *,
		       struct vol_error *);
int vol_ckcheck_fs(struct vol_ckset *, struct vol_ckentry *,
		   struct vol_error *);
int vol_ckcheck_ghost(struct vol_ckset *, struct vol_ckentry *,
		      struct vol_error *);
/* A name that CRIU gave to a file that had lost its own. */
bool vol_ckis_linked(struct vol_ckbytes path);
int vol_ckcheck_remap(struct vol_ckset *, struct vol_ckentry *,
		      struct vol_error *);
int vol_ckcheck_memfd(struct vol_ckset *, struct vol_ckentry *,
		      struct vol_error *);
int vol_ckcheck_tty(struct vol_ckset *, struct vol_ckentry *,
		    struct vol_error *);
int vol_ckcheck_pipe_data(struct vol_ckset *, struct vol_ckentry *,
			  struct vol_error *);
int vol_ckcheck_stream(struct vol_ckset *, struct vol_ckentry *,
		       struct vol_error *);
int vol_ckcheck_packet(struct vol_ckset *, struct vol_ckentry *,
		       struct vol_error *);
/* ckverify_ns.c */
int vol_ckcheck_userns(struct vol_ckset *, struct vol_ckentry *,
		       struct vol_error *);
int vol_ckcheck_netdev(struct vol_ckset *, struct vol_ckentry *,
		       struct vol_error *);
int vol_ckcheck_pidns(struct vol_ckset *, struct vol_ckentry *,
		      struct vol_error *);
int vol_ckcheck_shm(struct vol_ckset *, struct vol_ckentry *,
		    struct vol_error *);
int vol_ckcheck_sem(struct vol_ckset *, struct vol_ckentry *,
		    struct vol_error *);
int vol_ckcheck_queue(struct vol_ckset *, struct vol_ckentry *,
		      struct vol_error *);
/* ckverify_memory.c */
int vol_ckcheck_mm(struct vol_ckset *, struct vol_ckentry *,
		   struct vol_error *);
int vol_ckcheck_pagemap(struct vol_ckset *, struct vol_ckentry *,
			struct vol_error *);

#endif
