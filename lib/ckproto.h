/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckproto.h - CRIU's image files, read strictly; pure
 *
 * An image file is two magic numbers of 32 bits and then entries: a length of
 * 32 bits, a message in protobuf's wire format, and for some kinds bytes behind
 * it.  Numbers are little-endian.  What the numbers and fields mean is in
 * CRIU's criu/include/magic.h, criu/image-desc.c and images (*.proto); the wire
 * format is in protobuf's "Encoding" page.
 *
 * Strict means: one meaning whoever reads.  Refused are varints longer than
 * they need to be or above their type, wire types that a field does not have
 * (packed ones and groups too: CRIU writes neither), fields that are not in the
 * table, missing required ones, and a second one of what there can be one of.
 * protobuf takes the last of such, merges messages, cuts numbers to 32 bits and
 * skips what it does not know, so that what is checked could be something else
 * than what is restored.
 *
 * Nothing is copied or allocated: all point into the caller's bytes.
 */
#ifndef VOL_CKPROTO_H
#define VOL_CKPROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* What is left to read. */
struct vol_ckbytes {
	const uint8_t *at;
	size_t len;
};

/* protobuf's numbers. */
enum vol_ckwire {
	VOL_CKWIRE_VARINT = 0,
	VOL_CKWIRE_64 = 1,
	VOL_CKWIRE_BYTES = 2,
	VOL_CKWIRE_32 = 5,
};

struct vol_ckfield {
	uint32_t number;
	enum vol_ckwire wire;
	uint64_t value;           /* of VARINT, 64 and 32 */
	struct vol_ckbytes bytes; /* of BYTES */
};

/* The next field of a message: 1; 0 at its end; -1 with EBADMSG. */
int vol_ckproto_next(struct vol_ckbytes *message, struct vol_ckfield *field,
		     struct vol_error *err);

/* The next one with this number of a message that was decoded before (that is,
 * found good). */
bool vol_ckproto_find(struct vol_ckbytes *message, uint32_t number,
		      struct vol_ckfield *field);

enum vol_cktype {
	VOL_CKTYPE_U32,
	VOL_CKTYPE_U64,
	VOL_CKTYPE_I32, /* int32: sign-extended to 64 bits on the wire */
	VOL_CKTYPE_I64,
	VOL_CKTYPE_S32, /* sint32, sint64: zigzag */
	VOL_CKTYPE_S64,
	VOL_CKTYPE_BOOL,
	VOL_CKTYPE_FIXED64,
	VOL_CKTYPE_BYTES, /* messages, too */
	VOL_CKTYPE_TEXT,  /* without NUL, which would end it for CRIU */
};

enum vol_ckcount {
	VOL_CKCOUNT_REQUIRED,
	VOL_CKCOUNT_OPTIONAL,
	VOL_CKCOUNT_REPEATED,
};

/* One field of a message.  Tables end with a row without a name. */
struct vol_ckrow {
	const char *name;
	uint16_t number;
	uint8_t type;  /* enum vol_cktype */
	uint8_t count; /* enum vol_ckcount */
};

/* Largest table. */
#define VOL_CKROWS_MAX 32

/* What was there of a row, at its position in the table. */
struct vol_ckvalue {
	uint32_t n;               /* how many */
	int64_t number;           /* of the last one; U64 as its bits */
	struct vol_ckbytes bytes; /* of the last one */
};

/* values: one for each row, all set.  -1 with EBADMSG: "FIELD: reason". */
int vol_ckproto_decode(struct vol_ckbytes message, const struct vol_ckrow *rows,
		       struct vol_ckvalue *values, struct vol_error *err);

/* The kinds of files that a set of images may hold, by CRIU's names.  Others
 * have no business in an image of a job of ours: cgroup.img above all, what nft
 * and iptables are fed with, fanotify, autofs, binfmt_misc, BPF maps. */
enum vol_ckkind {
	VOL_CKKIND_NONE,
	VOL_CKKIND_CORE,          /* core-PID */
	VOL_CKKIND_CPUINFO,       /* cpuinfo */
	VOL_CKKIND_FDINFO,        /* fdinfo-ID */
	VOL_CKKIND_FIFO_DATA,     /* fifo-data */
	VOL_CKKIND_FILELOCKS,     /* filelocks */
	VOL_CKKIND_FILES,         /* files */
	VOL_CKKIND_FS,            /* fs-PID */
	VOL_CKKIND_GHOST,         /* ghost-file-HEX */
	VOL_CKKIND_IDS,           /* ids-PID */
	VOL_CKKIND_INVENTORY,     /* inventory */
	VOL_CKKIND_IPC_MSG,       /* ipcns-msg-ID */
	VOL_CKKIND_IPC_SEM,       /* ipcns-sem-ID */
	VOL_CKKIND_IPC_SHM,       /* ipcns-shm-ID */
	VOL_CKKIND_IPC_VAR,       /* ipcns-var-ID */
	VOL_CKKIND_MEMFD,         /* memfd */
	VOL_CKKIND_MM,            /* mm-PID */
	VOL_CKKIND_MOUNTS,        /* mountpoints-ID */
	VOL_CKKIND_NETDEV,        /* netdev-ID */
	VOL_CKKIND_NETNS,         /* netns-ID */
	VOL_CKKIND_PAGEMAP,       /* pagemap-PID */
	VOL_CKKIND_PAGEMAP_SHMEM, /* pagemap-shmem-ID */
	VOL_CKKIND_PAGES,         /* pages-ID: memory, raw */
	VOL_CKKIND_PIDNS,         /* pidns-ID */
	VOL_CKKIND_PIPES_DATA,    /* pipes-data */
	VOL_CKKIND_PSTREE,        /* pstree */
	VOL_CKKIND_REMAP,         /* remap-fpath */
	VOL_CKKIND_SECCOMP,       /* seccomp */
	VOL_CKKIND_SK_QUEUES,     /* sk-queues */
	VOL_CKKIND_STATS,         /* stats-dump: has no .img */
	VOL_CKKIND_TCP_STREAM,    /* tcp-stream-HEX */
	VOL_CKKIND_TIMENS,        /* timens-ID */
	VOL_CKKIND_TMPFS,         /* tmpfs-ID.tar.gz: a tar, raw */
	VOL_CKKIND_TMPFS_DEV,     /* tmpfs-dev-DEV.tar.gz: a tar, raw */
	VOL_CKKIND_TTY_DATA,      /* tty-data */
	VOL_CKKIND_TTY_INFO,      /* tty-info */
	VOL_CKKIND_USERNS,        /* userns-ID */
	VOL_CKKIND_UTSNS,         /* utsns-ID */
	VOL_CKKIND_VOLUNTEER,     /* volunteer-files: ours, raw */
	VOL_CKKINDS,
};

/* Longest name of an image file, and its NUL. */
#define VOL_CKNAME_SIZE 64
/* Memory that was written down earlier, while the job ran on (criu pre-dump),
 * is in folders "pre-1/" ... "pre-8/" of the same set: pagemap, pages,
 * inventory and stats only.  A folder's "parent", which CRIU wants, is made by
 * whoever unpacks and is not in the set. */
#define VOL_CKPRE_MAX 8

struct vol_ckname {
	enum vol_ckkind kind;
	unsigned int pre; /* N of "pre-N/", 0: the set itself */
	uint64_t id;      /* the number in the name, 0: none */
};

/* EINVAL for a name that no file of a set may have: unknown kinds, leading
 * zeros, other folders. */
int vol_ckname_parse(const char *name, struct vol_ckname *parsed,
		     struct vol_error *err);

/* N of "pages-N.img", of the set itself; 0: another file. */
uint32_t vol_ckname_pages(const char *name);

/* A file that CRIU writes of any job and that an image of ours goes without:
 * cgroup.img, and what of a network namespace is fed to ip, iptables, nft and
 * conntrack by root (ifaddr, route, rule, nftables ...).  CRIU takes a missing
 * one for an empty one; the loopback has its addresses without.  Whoever packs
 * a set leaves them out, and a set that has one is refused. */
bool vol_ckname_left_out(const char *name);

/* Are its contents looked at here?  Not memory and tars, which are large; of a
 * ghost file it is the beginning. */
bool vol_ckkind_read(enum vol_ckkind kind);

/* Its magic number; 0: raw. */
uint32_t vol_ckkind_magic(enum vol_ckkind kind);

/* "core", "files", ...: what a person calls it. */
const char *vol_ckkind_name(enum vol_ckkind kind);

/* The first number of every file but the inventory (criu/include/magic.h);
 * services' are what is not an image. */
#define VOL_CKMAGIC_COMMON  0x54564319u
#define VOL_CKMAGIC_SERVICE 0x55105940u

/* Entries of one file. */
struct vol_ckentries {
	struct vol_ckbytes rest;
	unsigned int n; /* of the entry that was read last, from 1 */
};

/* Longest message of an entry; CRIU's own are a few KiB, an mm with all its
 * mappings may have some MiB (vm.max_map_count of 65530 times 64 bytes). */
#define VOL_CKENTRY_MAX (16u << 20)

/* Check the magic numbers.  EBADMSG. */
int vol_ckentries_open(struct vol_ckentries *e, enum vol_ckkind kind,
		       const void *data, size_t len, struct vol_error *err);

/* The next message: 1; 0 at the end; -1 with EBADMSG. */
int vol_ckentries_next(struct vol_ckentries *e, struct vol_ckbytes *message,
		       struct vol_error *err);

/* Bytes behind the message.  EBADMSG when there are fewer. */
int vol_ckentries_skip(struct vol_ckentries *e, uint64_t bytes,
		       struct vol_error *err);

#endif
