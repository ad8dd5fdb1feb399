/* SPDX-License-Identifier: GPL-2.0-or-later */
/* walls.h - what discoveryd tells the SPANK plugin to build around a job; pure
 *
 * discoveryd reads device.conf ([sandbox]) and writes VOL_WALLS_FILE before
 * slurmd starts and after each reload; slurmstepd reads it when a step begins
 * and knows nothing else of the device's policy.  So no reader of INI files
 * comes into slurmstepd, and a step sees one whole state of the settings.  A
 * file that is missing, damaged or not root's alone starts no step.
 *
 * Format (text, one KEY=VALUE a line; keys marked * as often as needed, the
 * others exactly once):
 *	version=1
 *	walls=yes            no: the owner took them down; jobs run bare
 *	users=auto           auto, always or never: ids of the job's own
 *	uid_base=1879048192  first of the ids on this machine that are nobody's
 *	uid_ranges=4096      so many jobs' worth of 65536 each
 *	scratch=1073741824   bytes of /tmp, /home and /dev/shm together
 *	tasks=4096           processes and threads of a step at most
 *	open_files=65536     of a process, at most
 *	network=none         the most a job can get
 *	network_rate=4194304 bytes a second, each way, of a step with a network
 *	image=/srv/image     folder to use as / in place of this machine's
 *	                     system, which may be one on which an image file
 *	                     is mounted (runtime.h); empty: none.  etc is then
 *	                     the image's, and read what device.conf names
 *	                     besides: no /usr of the machine
 *	read=/usr          * bound read-only, in this order
 *	etc=ld.so.cache    * below /etc, copied; a final "*" stands for any
 *	                     ending, "java*" for all names that begin so.
 *	                     What is not there is left out
 *	work=/campaign     * where working folders may be, bound writable
 *	device=/dev/dri/renderD128 * granted device nodes
 *	network_deny=198.51.100.7/32 * addresses that no job reaches
 *
 * The ids: 0x70000000 to 0x7fffffff are in no range that systemd (see its
 * "Users, Groups, UIDs and GIDs on systemd Systems") or Debian's policy gives
 * to anybody, and below 2^31, which some programs need.
 */
#ifndef VOL_WALLS_H
#define VOL_WALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define VOL_WALLS_NAME       "walls"     /* in VOL_RUN_DIR */
#define VOL_WALLS_FILE_MAX   (64 * 1024) /* bytes */
#define VOL_WALLS_PATH_SIZE  512
#define VOL_WALLS_LIST_MAX   128 /* entries of each list */
#define VOL_WALLS_UID_BASE   0x70000000u
#define VOL_WALLS_UID_RANGES 4096u
#define VOL_WALLS_RANGE      65536u /* ids of one job */

/* A tmpfs of less holds nothing; of 0 it has no limit.  Above: more than any
 * machine has. */
#define VOL_WALLS_SCRATCH_MIN (UINT64_C(1) << 20)
#define VOL_WALLS_SCRATCH_MAX (UINT64_C(1) << 50)
/* A shell with a pipe or two; PID_MAX_LIMIT of a 64-bit kernel. */
#define VOL_WALLS_TASKS_MIN 16u
#define VOL_WALLS_TASKS_MAX 4194304u
/* What an MPI rank needs; the kernel's own fs.nr_open. */
#define VOL_WALLS_OPEN_FILES_MIN 64u
#define VOL_WALLS_OPEN_FILES_MAX 1048576u
/* A packet of 64 KiB must get through within a second; above, the kernel's
 * arithmetic (nft_limit.c) has room for 18 times as much. */
#define VOL_WALLS_RATE_MIN (UINT64_C(64) << 10)
#define VOL_WALLS_RATE_MAX (UINT64_C(1) << 30)

/* From least to most. */
enum vol_network {
	VOL_NETWORK_NONE,     /* a loopback of its own, nothing else */
	VOL_NETWORK_INTERNET, /* and out, but not to the owner's LAN */
	VOL_NETWORK_LAN,      /* and to the LAN */
};

enum vol_walls_users {
	VOL_USERS_AUTO,   /* where kernel and file system can */
	VOL_USERS_ALWAYS, /* or the job does not start */
	VOL_USERS_NEVER,
};

/* What slurmd and slurmstepd can reach depends on some of these settings: this
 * variable in slurmd's environment says on which, see vol_walls_view. */
#define VOL_ENV_VIEW        "SLURM_VOLUNTEER_VIEW"
#define VOL_WALLS_VIEW_SIZE 20

struct vol_walls_list {
	size_t n;
	char path[VOL_WALLS_LIST_MAX][VOL_WALLS_PATH_SIZE];
};

/* Large (320 KiB and more): never on a stack. */
struct vol_walls {
	bool up;
	int users; /* enum vol_walls_users */
	uint32_t uid_base, uid_ranges;
	uint64_t scratch_bytes, network_rate;
	uint32_t tasks, open_files;
	int network; /* enum vol_network */
	char image[VOL_WALLS_PATH_SIZE];
	struct vol_walls_list read, etc, work, devices, deny;
};

/* What stands without any setting: /usr, the /etc that programs need, no
 * working folder, no network.  Documented in slurm-volunteer-device.conf(5). */
void vol_walls_defaults(struct vol_walls *walls);

/* Like an assignment, but for what no list of from reaches: most of both is
 * never touched, and memory that is touched first costs a start its time. */
void vol_walls_copy(struct vol_walls *to, const struct vol_walls *from);

/* Add to a list: EINVAL for a path that is not absolute and normal (no ".",
 * "..", "//", final "/", control character), ENOSPC when it is full.  A path
 * that is there already is fine.  Names of etc are relative and otherwise the
 * same; "*" only at the end and behind at least one other character.  Entries
 * of deny are what vol_net_prefix_parse (netwall.h) takes. */
int vol_walls_add(struct vol_walls_list *list, const char *path,
		  struct vol_error *err);
int vol_walls_add_etc(struct vol_walls_list *list, const char *name,
		      struct vol_error *err);
int vol_walls_add_deny(struct vol_walls_list *list, const char *prefix,
		       struct vol_error *err);

/* Is path below one of the list, or one of it?  A path that add would refuse
 * is not. */
bool vol_walls_hold(const struct vol_walls_list *list, const char *path);

/* Strict: unknown, missing or repeated keys, and all that add refuses, are
 * errors "NAME:LINE: reason" with EINVAL; *walls is then unchanged.  ENOMEM. */
int vol_walls_parse(const char *name, const char *text, size_t len,
		    struct vol_walls *walls, struct vol_error *err);

/* Text form into buf; length or -1 with ENOSPC, EINVAL. */
int vol_walls_format(const struct vol_walls *walls, char *buf, size_t size);

/* A word that is another one when slurmd must be started again for what it is
 * to reach: "bare" without walls, else a hash of image, read, work and devices,
 * and of whether there is any network (64 bits of FNV-1a; only root chooses
 * what goes in). */
void vol_walls_view(const struct vol_walls *walls,
		    char view[VOL_WALLS_VIEW_SIZE]);

/* "none", "internet", "lan"; -1 with EINVAL. */
int vol_network_parse(const char *text, int *network, struct vol_error *err);
const char *vol_network_name(int network);

/* "auto", "always", "never" */
const char *vol_walls_users_name(int users);

#endif
