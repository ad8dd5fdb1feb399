/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckimage_parts.h - what in a set of images a test may want to be another one
 */
#ifndef VOL_TEST_CKIMAGE_PARTS_H
#define VOL_TEST_CKIMAGE_PARTS_H

#include <stdint.h>

#define CK_UID  1000
#define CK_GID  1001
#define CK_BASE 0x70000000

struct ckimage {
	/* inventory */
	int64_t version, fdinfo_per_id, plugins, uprobes;
	/* ids */
	int64_t user_1, net_1, files_1, user_2, net_2, time_2, cgroup_2;
	/* pstree */
	int64_t ppid_1, ppid_2, first_2, extra_thread;
	/* core-2; mode of core-3 */
	int64_t march, state, oom, old_mode, limits, cur_core, max_core, nofile;
	int64_t policy, nice, prio, mode, filter, mode_3, mode_1;
	int64_t uid, euid, suid, fsuid, gid, egid, sgid, fsgid;
	int64_t inh, prm, eff, bnd, amb, secbits, group, nnp, lsm;
	/* seccomp */
	int64_t filter_edit, filter_flags, second_prev;
	/* userns */
	int64_t lower, count, extra_map;
	/* mountpoints: of /tmp and /usr */
	int64_t tmp_type, tmp_device, tmp_flags, tmp_parent, tmp_shared;
	int64_t usr_flags, usr_type, twice;
	const char *tmp_point, *tmp_root, *tmp_options, *tmp_source, *usr_key,
		*tmp_key;
	/* files: of a regular one, a socket, an fd of any type */
	int64_t reg_mount, reg_mode, reg_flags, reg_ext, reg_id, fown;
	const char *reg_path;
	int64_t family, type, proto, tcp_state, address, mark;
	const char *unix_name;
	int64_t uflags, perms_mode;
	int64_t odd_type;
	/* others */
	int64_t fd_id, root_id, exe, vma_file, status, dumpable;
	int64_t ghost_mode, ghost_uid, memfd_uid, tty, netdev, parent_pages;
	int64_t shm_uid, remap_type;
	const char *linked, *extra, *leave_out;
};

static const struct ckimage ck_honest = {
	.version = 2,
	.fdinfo_per_id = 1,
	.plugins = CK_NONE,
	.uprobes = CK_NONE,
	.user_1 = 19,
	.net_1 = 12,
	.files_1 = 2,
	.user_2 = 19,
	.net_2 = 12,
	.time_2 = 15,
	.cgroup_2 = 7,
	.ppid_1 = 0,
	.ppid_2 = 1,
	.first_2 = 2,
	.extra_thread = CK_NONE,
	.march = 1,
	.state = 1,
	.oom = 1000,
	.old_mode = CK_NONE,
	.limits = 16,
	.cur_core = 1,
	.max_core = 1,
	.nofile = 1024,
	.policy = 0,
	.nice = 0,
	.prio = 0,
	.mode = 2,
	.filter = 1,
	.mode_3 = CK_NONE,
	.mode_1 = 2,
	.uid = CK_UID,
	.euid = CK_UID,
	.suid = CK_UID,
	.fsuid = CK_UID,
	.gid = CK_GID,
	.egid = CK_GID,
	.sgid = CK_GID,
	.fsgid = CK_GID,
	.secbits = 0,
	.group = CK_NONE,
	.nnp = 1,
	.lsm = CK_NONE,
	.filter_flags = 1,
	.second_prev = 0,
	.lower = CK_BASE,
	.count = 65536,
	.extra_map = CK_NONE,
	.tmp_type = 5,
	.tmp_device = 50,
	.tmp_flags = 6,
	.tmp_parent = 101,
	.usr_flags = 7,
	.twice = CK_NONE,
	.tmp_point = "/tmp",
	.tmp_root = "/",
	.tmp_source = "scratch",
	.tmp_options = "size=65536k,nr_inodes=1000,mode=700",
	.usr_key = "m0",
	.reg_mount = 104,
	.reg_mode = 0100644,
	.reg_flags = 1,
	.reg_ext = CK_NONE,
	.reg_id = 3,
	.reg_path = "/work/out",
	.family = 2,
	.type = 1,
	.proto = 6,
	.tcp_state = 10,
	.address = 0x0100007f,
	.mark = CK_NONE,
	.unix_name = "/tmp/sock",
	.perms_mode = 0140755,
	.odd_type = CK_NONE,
	.fd_id = 3,
	.root_id = 1,
	.exe = 2,
	.vma_file = 2,
	.status = 0x41,
	.dumpable = 1,
	.ghost_mode = 0100600,
	.ghost_uid = CK_UID,
	.memfd_uid = CK_UID,
	.tty = 1,
	.netdev = 1,
	.parent_pages = CK_NONE,
	.shm_uid = CK_UID,
	.remap_type = 0,
	.linked = "/work/link_remap.5",
};

/* A filter of two instructions. */
static const uint8_t ck_filter[16] = {0x20, 0, 0, 0, 4, 0, 0,    0,
				      0x06, 0, 0, 0, 0, 0, 0xff, 0x7f};

#endif
