/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckverify.h - is a set of CRIU images what it should be, and harmless?; pure
 *
 * Root's CRIU restores what images say: credentials, capabilities, mounts,
 * files, limits.  They come from a machine that nobody controls.  What passes
 * here is restored with the walls of a fresh job:
 *
 *	kinds	only those of ckproto.h, each number once; no cgroup.img
 *	tree	one process 1 in namespaces that are not CRIU's own (clocks may
 *		be), all others below it in the same; a core, and where it lives
 *		ids, an mm and an fs, for each
 *	core	all ids the job's, no groups, no capabilities, no securebits,
 *		no_new_privs, no LSM profile; the seccomp filter that is ours
 *		first in the chain of every thread (process 1 as well: so the
 *		sandbox must give it that filter); ordinary scheduling; hard
 *		limits and oom_score_adj no better than a job's
 *	user ns	exactly the map that the sandbox writes, to id_base
 *	mounts	only at places of the list, of their kinds, with their flags;
 *		nothing that the machine's devices or other files are reached by
 *	files	kinds of an allow-list; paths normal, and on the mount they
 *		say; devices null zero full random urandom tty ptmx pts only;
 *		inet on loopback only, and in a network that the machine made
 *		no connections; sockets with a path on a tmpfs only (CRIU
 *		removes what has their name); deleted files no devices, no
 *		setuid, the job's own
 *	memory	as many pages as are said to be there
 *	net	lo only
 *
 * What is not looked at: what is in memory and registers (the job could put
 * anything there itself), and what is in tars (they are unpacked inside the
 * job's user namespace).
 *
 * An error is one line:
 *	core-2.img: entry 1: thread_core: creds: uid is 0, want 1000
 */
#ifndef VOL_CKVERIFY_H
#define VOL_CKVERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ckfit.h"
#include "ckplaces.h"
#include "ckproto.h"
#include "error.h"
#include "sha256.h"

/* A file of the set; name as in the manifest.  data may be NULL for kinds that
 * vol_ckkind_read() is false for. */
struct vol_ckinput {
	const char *name;
	const void *data;
	uint64_t bytes;
};

/* RLIM_NLIMITS of Linux. */
#define VOL_CKLIMITS 16

struct vol_ckwant {
	uint32_t uid, gid; /* inside */
	/* Host id of id 0 inside; the restoring device puts its own range into
	 * the image before (vol_ckuserns_image), the dumping one says its. */
	uint32_t id_base;
	uint8_t filter[VOL_SHA256_BYTES]; /* SHA-256 of our sock_filters */
	/* The device's own, not what the manifest says of another's. */
	const struct vol_ckplaces *places;
	/* CRIU is started in the job's network namespace, when it dumps and
	 * when it restores, and so makes none; else it makes one, empty, below
	 * the job's user namespace (sandbox/checkpoint/criu.c). */
	bool in_net;
	/* Highest hard limits, by number (RLIMIT_...); UINT64_MAX: any.  Of
	 * RLIMIT_CORE both are exactly this: see sandbox/limits.c. */
	uint64_t limit[VOL_CKLIMITS];
	int32_t oom_score_adj; /* the least; kernel: -1000 ... 1000 */
	uint64_t tmpfs_bytes;  /* the largest that a tmpfs may be */
	vol_sha256_f sha256;
};

/* A file of the machine's that the image has open. */
struct vol_ckopened {
	char path[VOL_CKPATH_SIZE];
	uint32_t flags; /* of open(2) */
	uint32_t mode;  /* its type, as in st_mode */
};

/* What was there. */
struct vol_ckseen {
	uint32_t processes, threads;
	uint64_t memory; /* bytes of all pages files */
	/* Files mapped from places that are external and read-only. */
	struct vol_ckmapped mapped;
	/* Files and folders in external places that are writable: working
	 * folders.  CRIU opens them as root of the job's user namespace, to
	 * which the files of other users in there belong as well.  So whoever
	 * restores opens each of them first with the job's own ids, inside, and
	 * gives up if that is not allowed. */
	size_t n_opened;
	struct vol_ckopened *opened;
};

/* Keeps errno. */
void vol_ckseen_clear(struct vol_ckseen *seen);

/* *seen must be zeroed; clear it afterwards, also on error.  NULL: not
 * interested.  -1 with EBADMSG (no image, or not one that CRIU wrote), EPERM
 * (an image, but not harmless), ENOMEM, or what sha256 said. */
int vol_ckverify(const struct vol_ckinput *input, size_t n,
		 const struct vol_ckwant *want, struct vol_ckseen *seen,
		 struct vol_error *err);

/* A userns-ID.img with the map that the sandbox writes (sandbox/ids.c) for this
 * user and group at id_base.  Its length, never more than the buffer. */
#define VOL_CKUSERNS_SIZE 256
size_t vol_ckuserns_image(uint32_t uid, uint32_t gid, uint32_t id_base,
			  uint8_t buf[VOL_CKUSERNS_SIZE]);

#endif
