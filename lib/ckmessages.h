/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckmessages.h - the messages of CRIU's images that are looked into
 *
 * Names, numbers and types are those of CRIU 4.2's images/ (the file is named
 * with each).  Fields that no job of ours can have are left out on purpose, so
 * that an image with one is refused.
 *
 * Each list makes two things, which so can not differ: an enumerator for each
 * field, VOL_CKCREDS_uid, the position of its value; and a table for
 * vol_ckproto_decode, vol_ckcreds_rows.
 */
#ifndef VOL_CKMESSAGES_H
#define VOL_CKMESSAGES_H

#include "ckproto.h"

/* inventory.proto */
#define VOL_CKINVENTORY(X)                                   \
	X(INVENTORY, img_version, 1, U32, REQUIRED)          \
	X(INVENTORY, fdinfo_per_id, 2, BOOL, OPTIONAL)       \
	X(INVENTORY, root_ids, 3, BYTES, REQUIRED)           \
	X(INVENTORY, ns_per_id, 4, BOOL, OPTIONAL)           \
	X(INVENTORY, root_cg_set, 5, U32, OPTIONAL)          \
	X(INVENTORY, lsmtype, 6, U32, OPTIONAL)              \
	X(INVENTORY, dump_uptime, 8, U64, OPTIONAL)          \
	X(INVENTORY, pre_dump_mode, 9, U32, OPTIONAL)        \
	X(INVENTORY, tcp_close, 10, BOOL, OPTIONAL)          \
	X(INVENTORY, network_lock_method, 11, U32, OPTIONAL) \
	X(INVENTORY, plugins, 12, BYTES, OPTIONAL)           \
	X(INVENTORY, dump_criu_run_id, 13, TEXT, OPTIONAL)   \
	X(INVENTORY, allow_uprobes, 14, BOOL, OPTIONAL)

/* core.proto */
#define VOL_CKIDS(X)                            \
	X(IDS, vm_id, 1, U32, REQUIRED)         \
	X(IDS, files_id, 2, U32, REQUIRED)      \
	X(IDS, fs_id, 3, U32, REQUIRED)         \
	X(IDS, sighand_id, 4, U32, REQUIRED)    \
	X(IDS, pid_ns_id, 5, U32, OPTIONAL)     \
	X(IDS, net_ns_id, 6, U32, OPTIONAL)     \
	X(IDS, ipc_ns_id, 7, U32, OPTIONAL)     \
	X(IDS, uts_ns_id, 8, U32, OPTIONAL)     \
	X(IDS, mnt_ns_id, 9, U32, OPTIONAL)     \
	X(IDS, user_ns_id, 10, U32, OPTIONAL)   \
	X(IDS, cgroup_ns_id, 11, U32, OPTIONAL) \
	X(IDS, time_ns_id, 12, U32, OPTIONAL)

/* pstree.proto */
#define VOL_CKPSTREE(X)                   \
	X(PSTREE, pid, 1, U32, REQUIRED)  \
	X(PSTREE, ppid, 2, U32, REQUIRED) \
	X(PSTREE, pgid, 3, U32, REQUIRED) \
	X(PSTREE, sid, 4, U32, REQUIRED)  \
	X(PSTREE, threads, 5, U32, REPEATED)

/* core.proto; of x86-64 only */
#define VOL_CKCORE(X)                            \
	X(CORE, mtype, 1, U32, REQUIRED)         \
	X(CORE, thread_info, 2, BYTES, OPTIONAL) \
	X(CORE, tc, 3, BYTES, OPTIONAL)          \
	X(CORE, ids, 4, BYTES, OPTIONAL)         \
	X(CORE, thread_core, 5, BYTES, OPTIONAL)

/* core.proto */
#define VOL_CKTASK(X)                                   \
	X(TASK, task_state, 1, U32, REQUIRED)           \
	X(TASK, exit_code, 2, U32, REQUIRED)            \
	X(TASK, personality, 3, U32, REQUIRED)          \
	X(TASK, flags, 4, U32, REQUIRED)                \
	X(TASK, blk_sigset, 5, U64, REQUIRED)           \
	X(TASK, comm, 6, TEXT, REQUIRED)                \
	X(TASK, timers, 7, BYTES, OPTIONAL)             \
	X(TASK, rlimits, 8, BYTES, OPTIONAL)            \
	X(TASK, cg_set, 9, U32, OPTIONAL)               \
	X(TASK, signals_s, 10, BYTES, OPTIONAL)         \
	X(TASK, old_seccomp_mode, 11, U32, OPTIONAL)    \
	X(TASK, old_seccomp_filter, 12, U32, OPTIONAL)  \
	X(TASK, loginuid, 13, U32, OPTIONAL)            \
	X(TASK, oom_score_adj, 14, I32, OPTIONAL)       \
	X(TASK, sigactions, 15, BYTES, REPEATED)        \
	X(TASK, child_subreaper, 18, BOOL, OPTIONAL)    \
	X(TASK, blk_sigset_extended, 20, U64, OPTIONAL) \
	X(TASK, stop_signo, 21, U32, OPTIONAL)          \
	X(TASK, membarrier, 22, U32, OPTIONAL)

/* core.proto */
#define VOL_CKTHREAD(X)                                   \
	X(THREAD, futex_rla, 1, U64, REQUIRED)            \
	X(THREAD, futex_rla_len, 2, U32, REQUIRED)        \
	X(THREAD, sched_nice, 3, S32, OPTIONAL)           \
	X(THREAD, sched_policy, 4, U32, OPTIONAL)         \
	X(THREAD, sched_prio, 5, U32, OPTIONAL)           \
	X(THREAD, blk_sigset, 6, U64, OPTIONAL)           \
	X(THREAD, sas, 7, BYTES, OPTIONAL)                \
	X(THREAD, pdeath_sig, 8, U32, OPTIONAL)           \
	X(THREAD, signals_p, 9, BYTES, OPTIONAL)          \
	X(THREAD, creds, 10, BYTES, REQUIRED)             \
	X(THREAD, seccomp_mode, 11, U32, OPTIONAL)        \
	X(THREAD, seccomp_filter, 12, U32, OPTIONAL)      \
	X(THREAD, comm, 13, TEXT, OPTIONAL)               \
	X(THREAD, blk_sigset_extended, 14, U64, OPTIONAL) \
	X(THREAD, rseq_entry, 15, BYTES, OPTIONAL)        \
	X(THREAD, cg_set, 16, U32, OPTIONAL)

/* creds.proto */
#define VOL_CKCREDS(X)                               \
	X(CREDS, uid, 1, U32, REQUIRED)              \
	X(CREDS, gid, 2, U32, REQUIRED)              \
	X(CREDS, euid, 3, U32, REQUIRED)             \
	X(CREDS, egid, 4, U32, REQUIRED)             \
	X(CREDS, suid, 5, U32, REQUIRED)             \
	X(CREDS, sgid, 6, U32, REQUIRED)             \
	X(CREDS, fsuid, 7, U32, REQUIRED)            \
	X(CREDS, fsgid, 8, U32, REQUIRED)            \
	X(CREDS, cap_inh, 9, U32, REPEATED)          \
	X(CREDS, cap_prm, 10, U32, REPEATED)         \
	X(CREDS, cap_eff, 11, U32, REPEATED)         \
	X(CREDS, cap_bnd, 12, U32, REPEATED)         \
	X(CREDS, secbits, 13, U32, REQUIRED)         \
	X(CREDS, groups, 14, U32, REPEATED)          \
	X(CREDS, lsm_profile, 15, TEXT, OPTIONAL)    \
	X(CREDS, lsm_sockcreate, 16, TEXT, OPTIONAL) \
	X(CREDS, apparmor_data, 17, BYTES, OPTIONAL) \
	X(CREDS, no_new_privs, 18, U32, OPTIONAL)    \
	X(CREDS, cap_amb, 19, U32, REPEATED)

/* core.proto */
#define VOL_CKRLIMITS(X) X(RLIMITS, rlimits, 1, BYTES, REPEATED)

/* rlimit.proto */
#define VOL_CKRLIMIT(X)                  \
	X(RLIMIT, cur, 1, U64, REQUIRED) \
	X(RLIMIT, max, 2, U64, REQUIRED)

/* seccomp.proto */
#define VOL_CKSECCOMP(X) X(SECCOMP, filters, 1, BYTES, REPEATED)

/* seccomp.proto */
#define VOL_CKFILTER(X)                       \
	X(FILTER, filter, 1, BYTES, REQUIRED) \
	X(FILTER, prev, 2, U32, OPTIONAL)     \
	X(FILTER, flags, 3, U32, OPTIONAL)

/* userns.proto */
#define VOL_CKUSERNS(X)                        \
	X(USERNS, uid_map, 1, BYTES, REPEATED) \
	X(USERNS, gid_map, 2, BYTES, REPEATED)

/* userns.proto */
#define VOL_CKEXTENT(X)                          \
	X(EXTENT, first, 1, U32, REQUIRED)       \
	X(EXTENT, lower_first, 2, U32, REQUIRED) \
	X(EXTENT, count, 3, U32, REQUIRED)

/* mnt.proto */
#define VOL_CKMOUNT(X)                                 \
	X(MOUNT, fstype, 1, U32, REQUIRED)             \
	X(MOUNT, mnt_id, 2, U32, REQUIRED)             \
	X(MOUNT, root_dev, 3, U32, REQUIRED)           \
	X(MOUNT, parent_mnt_id, 4, U32, REQUIRED)      \
	X(MOUNT, flags, 5, U32, REQUIRED)              \
	X(MOUNT, root, 6, TEXT, REQUIRED)              \
	X(MOUNT, mountpoint, 7, TEXT, REQUIRED)        \
	X(MOUNT, source, 8, TEXT, REQUIRED)            \
	X(MOUNT, options, 9, TEXT, REQUIRED)           \
	X(MOUNT, shared_id, 10, U32, OPTIONAL)         \
	X(MOUNT, master_id, 11, U32, OPTIONAL)         \
	X(MOUNT, with_plugin, 12, BOOL, OPTIONAL)      \
	X(MOUNT, ext_mount, 13, BOOL, OPTIONAL)        \
	X(MOUNT, fsname, 14, TEXT, OPTIONAL)           \
	X(MOUNT, internal_sharing, 15, BOOL, OPTIONAL) \
	X(MOUNT, deleted, 16, BOOL, OPTIONAL)          \
	X(MOUNT, sb_flags, 17, U32, OPTIONAL)          \
	X(MOUNT, ext_key, 18, TEXT, OPTIONAL)

/* fdinfo.proto */
#define VOL_CKFILE(X)                       \
	X(FILE, type, 1, U32, REQUIRED)     \
	X(FILE, id, 2, U32, REQUIRED)       \
	X(FILE, reg, 3, BYTES, OPTIONAL)    \
	X(FILE, isk, 4, BYTES, OPTIONAL)    \
	X(FILE, nlsk, 7, BYTES, OPTIONAL)   \
	X(FILE, efd, 8, BYTES, OPTIONAL)    \
	X(FILE, epfd, 9, BYTES, OPTIONAL)   \
	X(FILE, sgfd, 10, BYTES, OPTIONAL)  \
	X(FILE, tfd, 12, BYTES, OPTIONAL)   \
	X(FILE, ify, 13, BYTES, OPTIONAL)   \
	X(FILE, usk, 16, BYTES, OPTIONAL)   \
	X(FILE, fifo, 17, BYTES, OPTIONAL)  \
	X(FILE, pipe, 18, BYTES, OPTIONAL)  \
	X(FILE, tty, 19, BYTES, OPTIONAL)   \
	X(FILE, memfd, 20, BYTES, OPTIONAL) \
	X(FILE, pidfd, 22, BYTES, OPTIONAL)

/* fdinfo.proto */
#define VOL_CKFDINFO(X)                    \
	X(FDINFO, id, 1, U32, REQUIRED)    \
	X(FDINFO, flags, 2, U32, REQUIRED) \
	X(FDINFO, type, 3, U32, REQUIRED)  \
	X(FDINFO, fd, 4, U32, REQUIRED)

/* regfile.proto */
#define VOL_CKREG(X)                               \
	X(REG, id, 1, U32, REQUIRED)               \
	X(REG, flags, 2, U32, REQUIRED)            \
	X(REG, pos, 3, U64, REQUIRED)              \
	X(REG, fown, 5, BYTES, REQUIRED)           \
	X(REG, name, 6, TEXT, REQUIRED)            \
	X(REG, mnt_id, 7, S32, OPTIONAL)           \
	X(REG, size, 8, U64, OPTIONAL)             \
	X(REG, ext, 9, BOOL, OPTIONAL)             \
	X(REG, mode, 10, U32, OPTIONAL)            \
	X(REG, build_id, 11, U32, REPEATED)        \
	X(REG, checksum, 12, U32, OPTIONAL)        \
	X(REG, checksum_config, 13, U32, OPTIONAL) \
	X(REG, checksum_parameter, 14, U32, OPTIONAL)

/* sk-inet.proto */
#define VOL_CKINET(X)                         \
	X(INET, id, 1, U32, REQUIRED)         \
	X(INET, ino, 2, U32, REQUIRED)        \
	X(INET, family, 3, U32, REQUIRED)     \
	X(INET, type, 4, U32, REQUIRED)       \
	X(INET, proto, 5, U32, REQUIRED)      \
	X(INET, state, 6, U32, REQUIRED)      \
	X(INET, src_port, 7, U32, REQUIRED)   \
	X(INET, dst_port, 8, U32, REQUIRED)   \
	X(INET, flags, 9, U32, REQUIRED)      \
	X(INET, backlog, 10, U32, REQUIRED)   \
	X(INET, src_addr, 11, U32, REPEATED)  \
	X(INET, dst_addr, 12, U32, REPEATED)  \
	X(INET, fown, 13, BYTES, REQUIRED)    \
	X(INET, opts, 14, BYTES, REQUIRED)    \
	X(INET, v6only, 15, BOOL, OPTIONAL)   \
	X(INET, ip_opts, 16, BYTES, OPTIONAL) \
	X(INET, ifname, 17, TEXT, OPTIONAL)   \
	X(INET, ns_id, 18, U32, OPTIONAL)     \
	X(INET, shutdown, 19, U32, OPTIONAL)  \
	X(INET, tcp_opts, 20, BYTES, OPTIONAL)

/* sk-unix.proto */
#define VOL_CKUNIX(X)                            \
	X(UNIX, id, 1, U32, REQUIRED)            \
	X(UNIX, ino, 2, U32, REQUIRED)           \
	X(UNIX, type, 3, U32, REQUIRED)          \
	X(UNIX, state, 4, U32, REQUIRED)         \
	X(UNIX, flags, 5, U32, REQUIRED)         \
	X(UNIX, uflags, 6, U32, REQUIRED)        \
	X(UNIX, backlog, 7, U32, REQUIRED)       \
	X(UNIX, peer, 8, U32, REQUIRED)          \
	X(UNIX, fown, 9, BYTES, REQUIRED)        \
	X(UNIX, opts, 10, BYTES, REQUIRED)       \
	X(UNIX, name, 11, BYTES, REQUIRED)       \
	X(UNIX, shutdown, 12, U32, OPTIONAL)     \
	X(UNIX, file_perms, 13, BYTES, OPTIONAL) \
	X(UNIX, name_dir, 14, TEXT, OPTIONAL)    \
	X(UNIX, deleted, 15, BOOL, OPTIONAL)     \
	X(UNIX, ns_id, 16, U32, OPTIONAL)        \
	X(UNIX, mnt_id, 17, S32, OPTIONAL)

/* sk-unix.proto */
#define VOL_CKPERMS(X)                   \
	X(PERMS, mode, 1, U32, REQUIRED) \
	X(PERMS, uid, 2, U32, REQUIRED)  \
	X(PERMS, gid, 3, U32, REQUIRED)

/* sk-netlink.proto */
#define VOL_CKNETLINK(X)                         \
	X(NETLINK, id, 1, U32, REQUIRED)         \
	X(NETLINK, ino, 2, U32, REQUIRED)        \
	X(NETLINK, protocol, 3, U32, REQUIRED)   \
	X(NETLINK, state, 4, U32, REQUIRED)      \
	X(NETLINK, flags, 6, U32, REQUIRED)      \
	X(NETLINK, portid, 7, U32, REQUIRED)     \
	X(NETLINK, groups, 8, U32, REPEATED)     \
	X(NETLINK, dst_portid, 9, U32, REQUIRED) \
	X(NETLINK, dst_group, 10, U32, REQUIRED) \
	X(NETLINK, fown, 11, BYTES, REQUIRED)    \
	X(NETLINK, opts, 12, BYTES, REQUIRED)    \
	X(NETLINK, ns_id, 13, U32, OPTIONAL)

/* sk-opts.proto */
#define VOL_CKSKOPTS(X)                              \
	X(SKOPTS, so_sndbuf, 1, U32, REQUIRED)       \
	X(SKOPTS, so_rcvbuf, 2, U32, REQUIRED)       \
	X(SKOPTS, so_snd_tmo_sec, 3, U64, REQUIRED)  \
	X(SKOPTS, so_snd_tmo_usec, 4, U64, REQUIRED) \
	X(SKOPTS, so_rcv_tmo_sec, 5, U64, REQUIRED)  \
	X(SKOPTS, so_rcv_tmo_usec, 6, U64, REQUIRED) \
	X(SKOPTS, reuseaddr, 7, BOOL, OPTIONAL)      \
	X(SKOPTS, so_priority, 8, U32, OPTIONAL)     \
	X(SKOPTS, so_rcvlowat, 9, U32, OPTIONAL)     \
	X(SKOPTS, so_mark, 10, U32, OPTIONAL)        \
	X(SKOPTS, so_passcred, 11, BOOL, OPTIONAL)   \
	X(SKOPTS, so_passsec, 12, BOOL, OPTIONAL)    \
	X(SKOPTS, so_dontroute, 13, BOOL, OPTIONAL)  \
	X(SKOPTS, so_no_check, 14, BOOL, OPTIONAL)   \
	X(SKOPTS, so_bound_dev, 15, TEXT, OPTIONAL)  \
	X(SKOPTS, so_filter, 16, FIXED64, REPEATED)  \
	X(SKOPTS, so_reuseport, 17, BOOL, OPTIONAL)  \
	X(SKOPTS, so_broadcast, 18, BOOL, OPTIONAL)  \
	X(SKOPTS, so_keepalive, 19, BOOL, OPTIONAL)  \
	X(SKOPTS, tcp_keepcnt, 20, U32, OPTIONAL)    \
	X(SKOPTS, tcp_keepidle, 21, U32, OPTIONAL)   \
	X(SKOPTS, tcp_keepintvl, 22, U32, OPTIONAL)  \
	X(SKOPTS, so_oobinline, 23, U32, OPTIONAL)   \
	X(SKOPTS, so_linger, 24, U32, OPTIONAL)      \
	X(SKOPTS, so_buf_lock, 25, U32, OPTIONAL)

/* tty.proto */
#define VOL_CKTTYFILE(X)                          \
	X(TTYFILE, id, 1, U32, REQUIRED)          \
	X(TTYFILE, tty_info_id, 2, U32, REQUIRED) \
	X(TTYFILE, flags, 3, U32, REQUIRED)       \
	X(TTYFILE, fown, 4, BYTES, REQUIRED)      \
	X(TTYFILE, regf_id, 6, U32, OPTIONAL)

/* tty.proto */
#define VOL_CKTTYINFO(X)                                \
	X(TTYINFO, id, 1, U32, REQUIRED)                \
	X(TTYINFO, type, 2, U32, REQUIRED)              \
	X(TTYINFO, locked, 3, BOOL, REQUIRED)           \
	X(TTYINFO, exclusive, 4, BOOL, REQUIRED)        \
	X(TTYINFO, packet_mode, 5, BOOL, REQUIRED)      \
	X(TTYINFO, sid, 6, U32, REQUIRED)               \
	X(TTYINFO, pgrp, 7, U32, REQUIRED)              \
	X(TTYINFO, rdev, 8, U32, REQUIRED)              \
	X(TTYINFO, termios, 9, BYTES, OPTIONAL)         \
	X(TTYINFO, termios_locked, 10, BYTES, OPTIONAL) \
	X(TTYINFO, winsize, 11, BYTES, OPTIONAL)        \
	X(TTYINFO, pty, 12, BYTES, OPTIONAL)            \
	X(TTYINFO, dev, 13, U32, OPTIONAL)              \
	X(TTYINFO, uid, 14, U32, OPTIONAL)              \
	X(TTYINFO, gid, 15, U32, OPTIONAL)

/* fown.proto */
#define VOL_CKFOWN(X)                       \
	X(FOWN, uid, 1, U32, REQUIRED)      \
	X(FOWN, euid, 2, U32, REQUIRED)     \
	X(FOWN, signum, 3, U32, REQUIRED)   \
	X(FOWN, pid_type, 4, U32, REQUIRED) \
	X(FOWN, pid, 5, U32, REQUIRED)

/* fs.proto */
#define VOL_CKFS(X)                      \
	X(FS, cwd_id, 1, U32, REQUIRED)  \
	X(FS, root_id, 2, U32, REQUIRED) \
	X(FS, umask, 3, U32, OPTIONAL)

/* ghost-file.proto */
#define VOL_CKGHOST(X)                      \
	X(GHOST, uid, 1, U32, REQUIRED)     \
	X(GHOST, gid, 2, U32, REQUIRED)     \
	X(GHOST, mode, 3, U32, REQUIRED)    \
	X(GHOST, dev, 4, U32, OPTIONAL)     \
	X(GHOST, ino, 5, U64, OPTIONAL)     \
	X(GHOST, rdev, 6, U32, OPTIONAL)    \
	X(GHOST, atim, 7, BYTES, OPTIONAL)  \
	X(GHOST, mtim, 8, BYTES, OPTIONAL)  \
	X(GHOST, chunks, 9, BOOL, OPTIONAL) \
	X(GHOST, size, 10, U64, OPTIONAL)   \
	X(GHOST, symlnk_target, 11, TEXT, OPTIONAL)

/* remap-file-path.proto */
#define VOL_CKREMAP(X)                       \
	X(REMAP, orig_id, 1, U32, REQUIRED)  \
	X(REMAP, remap_id, 2, U32, REQUIRED) \
	X(REMAP, remap_type, 3, U32, OPTIONAL)

/* memfd.proto */
#define VOL_CKMEMFD(X)                           \
	X(MEMFD, name, 1, TEXT, REQUIRED)        \
	X(MEMFD, uid, 2, U32, REQUIRED)          \
	X(MEMFD, gid, 3, U32, REQUIRED)          \
	X(MEMFD, size, 4, U64, REQUIRED)         \
	X(MEMFD, shmid, 5, U32, REQUIRED)        \
	X(MEMFD, seals, 6, U32, REQUIRED)        \
	X(MEMFD, inode_id, 7, U64, REQUIRED)     \
	X(MEMFD, hugetlb_flag, 8, U32, OPTIONAL) \
	X(MEMFD, mode, 9, U32, OPTIONAL)

/* mm.proto */
#define VOL_CKMM(X)                             \
	X(MM, mm_start_code, 1, U64, REQUIRED)  \
	X(MM, mm_end_code, 2, U64, REQUIRED)    \
	X(MM, mm_start_data, 3, U64, REQUIRED)  \
	X(MM, mm_end_data, 4, U64, REQUIRED)    \
	X(MM, mm_start_stack, 5, U64, REQUIRED) \
	X(MM, mm_start_brk, 6, U64, REQUIRED)   \
	X(MM, mm_brk, 7, U64, REQUIRED)         \
	X(MM, mm_arg_start, 8, U64, REQUIRED)   \
	X(MM, mm_arg_end, 9, U64, REQUIRED)     \
	X(MM, mm_env_start, 10, U64, REQUIRED)  \
	X(MM, mm_env_end, 11, U64, REQUIRED)    \
	X(MM, exe_file_id, 12, U32, REQUIRED)   \
	X(MM, mm_saved_auxv, 13, U64, REPEATED) \
	X(MM, vmas, 14, BYTES, REPEATED)        \
	X(MM, dumpable, 15, I32, OPTIONAL)      \
	X(MM, aios, 16, BYTES, REPEATED)        \
	X(MM, thp_disabled, 17, BOOL, OPTIONAL)

/* vma.proto */
#define VOL_CKVMA(X)                     \
	X(VMA, start, 1, U64, REQUIRED)  \
	X(VMA, end, 2, U64, REQUIRED)    \
	X(VMA, pgoff, 3, U64, REQUIRED)  \
	X(VMA, shmid, 4, U64, REQUIRED)  \
	X(VMA, prot, 5, U32, REQUIRED)   \
	X(VMA, flags, 6, U32, REQUIRED)  \
	X(VMA, status, 7, U32, REQUIRED) \
	X(VMA, fd, 8, S64, REQUIRED)     \
	X(VMA, madv, 9, U64, OPTIONAL)   \
	X(VMA, fdflags, 10, U32, OPTIONAL)

/* netdev.proto */
#define VOL_CKNETDEV(X)                            \
	X(NETDEV, type, 1, U32, REQUIRED)          \
	X(NETDEV, ifindex, 2, U32, REQUIRED)       \
	X(NETDEV, mtu, 3, U32, REQUIRED)           \
	X(NETDEV, flags, 4, U32, REQUIRED)         \
	X(NETDEV, name, 5, TEXT, REQUIRED)         \
	X(NETDEV, address, 7, BYTES, OPTIONAL)     \
	X(NETDEV, conf, 8, I32, REPEATED)          \
	X(NETDEV, conf4, 9, BYTES, REPEATED)       \
	X(NETDEV, conf6, 10, BYTES, REPEATED)      \
	X(NETDEV, peer_ifindex, 12, U32, OPTIONAL) \
	X(NETDEV, peer_nsid, 13, U32, OPTIONAL)

/* netdev.proto */
#define VOL_CKNETNS(X)                          \
	X(NETNS, def_conf, 1, I32, REPEATED)    \
	X(NETNS, all_conf, 2, I32, REPEATED)    \
	X(NETNS, def_conf4, 3, BYTES, REPEATED) \
	X(NETNS, all_conf4, 4, BYTES, REPEATED) \
	X(NETNS, def_conf6, 5, BYTES, REPEATED) \
	X(NETNS, all_conf6, 6, BYTES, REPEATED) \
	X(NETNS, unix_conf, 9, BYTES, REPEATED) \
	X(NETNS, ipv4_sysctl, 10, BYTES, REPEATED)

/* criu/include/pagemap.h: where pages are.  LAZY: left behind; ours never. */
#define VOL_CKPAGE_PARENT  1
#define VOL_CKPAGE_LAZY    2
#define VOL_CKPAGE_PRESENT 4

/* pagemap.proto */
#define VOL_CKPAGEMAP(X)                              \
	X(PAGEMAP, vaddr, 1, U64, REQUIRED)           \
	X(PAGEMAP, compat_nr_pages, 2, U32, REQUIRED) \
	X(PAGEMAP, in_parent, 3, BOOL, OPTIONAL)      \
	X(PAGEMAP, flags, 4, U32, OPTIONAL)           \
	X(PAGEMAP, nr_pages, 5, U64, OPTIONAL)

/* pidns.proto */
#define VOL_CKPIDNS(X) X(PIDNS, ext_key, 1, TEXT, OPTIONAL)

/* ipc-desc.proto */
#define VOL_CKIPCDESC(X)                   \
	X(IPCDESC, key, 1, U32, REQUIRED)  \
	X(IPCDESC, uid, 2, U32, REQUIRED)  \
	X(IPCDESC, gid, 3, U32, REQUIRED)  \
	X(IPCDESC, cuid, 4, U32, REQUIRED) \
	X(IPCDESC, cgid, 5, U32, REQUIRED) \
	X(IPCDESC, mode, 6, U32, REQUIRED) \
	X(IPCDESC, id, 7, U32, REQUIRED)

/* ipc-shm.proto */
#define VOL_CKIPCSHM(X)                           \
	X(IPCSHM, desc, 1, BYTES, REQUIRED)       \
	X(IPCSHM, size, 2, U64, REQUIRED)         \
	X(IPCSHM, in_pagemaps, 3, BOOL, OPTIONAL) \
	X(IPCSHM, hugetlb_flag, 4, U32, OPTIONAL)

/* ipc-sem.proto */
#define VOL_CKIPCSEM(X)                     \
	X(IPCSEM, desc, 1, BYTES, REQUIRED) \
	X(IPCSEM, nsems, 2, U32, REQUIRED)

/* ipc-msg.proto */
#define VOL_CKIPCQUEUE(X)                     \
	X(IPCQUEUE, desc, 1, BYTES, REQUIRED) \
	X(IPCQUEUE, qbytes, 2, U32, REQUIRED) \
	X(IPCQUEUE, qnum, 3, U32, REQUIRED)

/* ipc-msg.proto */
#define VOL_CKIPCMSG(X)                    \
	X(IPCMSG, mtype, 1, U64, REQUIRED) \
	X(IPCMSG, msize, 2, U32, REQUIRED)

/* pipe-data.proto */
#define VOL_CKPIPEDATA(X)                      \
	X(PIPEDATA, pipe_id, 1, U32, REQUIRED) \
	X(PIPEDATA, bytes, 2, U32, REQUIRED)   \
	X(PIPEDATA, size, 3, U32, OPTIONAL)

/* sk-packet.proto */
#define VOL_CKPACKET(X)                     \
	X(PACKET, id_for, 1, U32, REQUIRED) \
	X(PACKET, length, 2, U32, REQUIRED) \
	X(PACKET, scm, 4, BYTES, REPEATED)

/* file-lock.proto */
#define VOL_CKLOCK(X)                    \
	X(LOCK, flag, 1, U32, REQUIRED)  \
	X(LOCK, type, 2, U32, REQUIRED)  \
	X(LOCK, pid, 3, I32, REQUIRED)   \
	X(LOCK, fd, 4, I32, REQUIRED)    \
	X(LOCK, start, 5, I64, REQUIRED) \
	X(LOCK, len, 6, I64, REQUIRED)

#define VOL_CKENUMERATOR(message, field, number, type, count) \
	VOL_CK##message##_##field,
enum { VOL_CKINVENTORY(VOL_CKENUMERATOR) VOL_CKINVENTORY_FIELDS };
enum { VOL_CKIDS(VOL_CKENUMERATOR) VOL_CKIDS_FIELDS };
enum { VOL_CKPSTREE(VOL_CKENUMERATOR) VOL_CKPSTREE_FIELDS };
enum { VOL_CKCORE(VOL_CKENUMERATOR) VOL_CKCORE_FIELDS };
enum { VOL_CKTASK(VOL_CKENUMERATOR) VOL_CKTASK_FIELDS };
enum { VOL_CKTHREAD(VOL_CKENUMERATOR) VOL_CKTHREAD_FIELDS };
enum { VOL_CKCREDS(VOL_CKENUMERATOR) VOL_CKCREDS_FIELDS };
enum { VOL_CKRLIMITS(VOL_CKENUMERATOR) VOL_CKRLIMITS_FIELDS };
enum { VOL_CKRLIMIT(VOL_CKENUMERATOR) VOL_CKRLIMIT_FIELDS };
enum { VOL_CKSECCOMP(VOL_CKENUMERATOR) VOL_CKSECCOMP_FIELDS };
enum { VOL_CKFILTER(VOL_CKENUMERATOR) VOL_CKFILTER_FIELDS };
enum { VOL_CKUSERNS(VOL_CKENUMERATOR) VOL_CKUSERNS_FIELDS };
enum { VOL_CKEXTENT(VOL_CKENUMERATOR) VOL_CKEXTENT_FIELDS };
enum { VOL_CKMOUNT(VOL_CKENUMERATOR) VOL_CKMOUNT_FIELDS };
enum { VOL_CKFILE(VOL_CKENUMERATOR) VOL_CKFILE_FIELDS };
enum { VOL_CKFDINFO(VOL_CKENUMERATOR) VOL_CKFDINFO_FIELDS };
enum { VOL_CKREG(VOL_CKENUMERATOR) VOL_CKREG_FIELDS };
enum { VOL_CKINET(VOL_CKENUMERATOR) VOL_CKINET_FIELDS };
enum { VOL_CKUNIX(VOL_CKENUMERATOR) VOL_CKUNIX_FIELDS };
enum { VOL_CKPERMS(VOL_CKENUMERATOR) VOL_CKPERMS_FIELDS };
enum { VOL_CKNETLINK(VOL_CKENUMERATOR) VOL_CKNETLINK_FIELDS };
enum { VOL_CKSKOPTS(VOL_CKENUMERATOR) VOL_CKSKOPTS_FIELDS };
enum { VOL_CKTTYFILE(VOL_CKENUMERATOR) VOL_CKTTYFILE_FIELDS };
enum { VOL_CKTTYINFO(VOL_CKENUMERATOR) VOL_CKTTYINFO_FIELDS };
enum { VOL_CKFOWN(VOL_CKENUMERATOR) VOL_CKFOWN_FIELDS };
enum { VOL_CKFS(VOL_CKENUMERATOR) VOL_CKFS_FIELDS };
enum { VOL_CKGHOST(VOL_CKENUMERATOR) VOL_CKGHOST_FIELDS };
enum { VOL_CKREMAP(VOL_CKENUMERATOR) VOL_CKREMAP_FIELDS };
enum { VOL_CKMEMFD(VOL_CKENUMERATOR) VOL_CKMEMFD_FIELDS };
enum { VOL_CKMM(VOL_CKENUMERATOR) VOL_CKMM_FIELDS };
enum { VOL_CKVMA(VOL_CKENUMERATOR) VOL_CKVMA_FIELDS };
enum { VOL_CKNETDEV(VOL_CKENUMERATOR) VOL_CKNETDEV_FIELDS };
enum { VOL_CKNETNS(VOL_CKENUMERATOR) VOL_CKNETNS_FIELDS };
enum { VOL_CKPAGEMAP(VOL_CKENUMERATOR) VOL_CKPAGEMAP_FIELDS };
enum { VOL_CKPIDNS(VOL_CKENUMERATOR) VOL_CKPIDNS_FIELDS };
enum { VOL_CKIPCDESC(VOL_CKENUMERATOR) VOL_CKIPCDESC_FIELDS };
enum { VOL_CKIPCSHM(VOL_CKENUMERATOR) VOL_CKIPCSHM_FIELDS };
enum { VOL_CKIPCSEM(VOL_CKENUMERATOR) VOL_CKIPCSEM_FIELDS };
enum { VOL_CKIPCQUEUE(VOL_CKENUMERATOR) VOL_CKIPCQUEUE_FIELDS };
enum { VOL_CKIPCMSG(VOL_CKENUMERATOR) VOL_CKIPCMSG_FIELDS };
enum { VOL_CKPIPEDATA(VOL_CKENUMERATOR) VOL_CKPIPEDATA_FIELDS };
enum { VOL_CKPACKET(VOL_CKENUMERATOR) VOL_CKPACKET_FIELDS };
enum { VOL_CKLOCK(VOL_CKENUMERATOR) VOL_CKLOCK_FIELDS };

extern const struct vol_ckrow vol_ckinventory_rows[];
extern const struct vol_ckrow vol_ckids_rows[];
extern const struct vol_ckrow vol_ckpstree_rows[];
extern const struct vol_ckrow vol_ckcore_rows[];
extern const struct vol_ckrow vol_cktask_rows[];
extern const struct vol_ckrow vol_ckthread_rows[];
extern const struct vol_ckrow vol_ckcreds_rows[];
extern const struct vol_ckrow vol_ckrlimits_rows[];
extern const struct vol_ckrow vol_ckrlimit_rows[];
extern const struct vol_ckrow vol_ckseccomp_rows[];
extern const struct vol_ckrow vol_ckfilter_rows[];
extern const struct vol_ckrow vol_ckuserns_rows[];
extern const struct vol_ckrow vol_ckextent_rows[];
extern const struct vol_ckrow vol_ckmount_rows[];
extern const struct vol_ckrow vol_ckfile_rows[];
extern const struct vol_ckrow vol_ckfdinfo_rows[];
extern const struct vol_ckrow vol_ckreg_rows[];
extern const struct vol_ckrow vol_ckinet_rows[];
extern const struct vol_ckrow vol_ckunix_rows[];
extern const struct vol_ckrow vol_ckperms_rows[];
extern const struct vol_ckrow vol_cknetlink_rows[];
extern const struct vol_ckrow vol_ckskopts_rows[];
extern const struct vol_ckrow vol_ckttyfile_rows[];
extern const struct vol_ckrow vol_ckttyinfo_rows[];
extern const struct vol_ckrow vol_ckfown_rows[];
extern const struct vol_ckrow vol_ckfs_rows[];
extern const struct vol_ckrow vol_ckghost_rows[];
extern const struct vol_ckrow vol_ckremap_rows[];
extern const struct vol_ckrow vol_ckmemfd_rows[];
extern const struct vol_ckrow vol_ckmm_rows[];
extern const struct vol_ckrow vol_ckvma_rows[];
extern const struct vol_ckrow vol_cknetdev_rows[];
extern const struct vol_ckrow vol_cknetns_rows[];
extern const struct vol_ckrow vol_ckpagemap_rows[];
extern const struct vol_ckrow vol_ckpidns_rows[];
extern const struct vol_ckrow vol_ckipcdesc_rows[];
extern const struct vol_ckrow vol_ckipcshm_rows[];
extern const struct vol_ckrow vol_ckipcsem_rows[];
extern const struct vol_ckrow vol_ckipcqueue_rows[];
extern const struct vol_ckrow vol_ckipcmsg_rows[];
extern const struct vol_ckrow vol_ckpipedata_rows[];
extern const struct vol_ckrow vol_ckpacket_rows[];
extern const struct vol_ckrow vol_cklock_rows[];

#endif
