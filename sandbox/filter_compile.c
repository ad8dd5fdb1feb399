/* SPDX-License-Identifier: GPL-2.0-or-later */
/* filter_compile.c - what of the kernel a job can ask for: writes filter.inc
 *
 * Everything is allowed but:
 *
 * Denied (EPERM): new namespaces and entering others; all of mounting; keys,
 * bpf, perf, userfaultfd; modules, kexec, reboot, clocks, accounting, swap,
 * quota; handles of files, fanotify; ports; names of the machine; moving other
 * processes' memory.
 *
 * Not there (ENOSYS), so that programs take the way of older kernels: clone3,
 * whose flags a filter can not see; io_uring, which goes past every filter;
 * Landlock and secret memory, which no checkpoint can hold.
 *
 * Of sockets: all but unix, inet, inet6 (to UDP at most: no other protocol's
 * module is loaded for a job) and netlink's routing.  Of ioctl: TIOCSTI and
 * TIOCLINUX, which type into a terminal that others hold, and TIOCSETD, which
 * has a terminal driven by rarely used code of the kernel, loaded for it.  Of
 * personality: all but the plain one and ADDR_NO_RANDOMIZE (debuggers).
 *
 * setrlimit of core files is answered with success and not done: see limits.c.
 *
 * ptrace and process_vm_readv stay: they end at the job's own processes, and
 * debuggers and MPI over shared memory need them.  They do not reach pid 1,
 * which has this filter, too, and nothing else of its own, but the job's end
 * goes by it.
 *
 * Programs of another architecture than the machine's own (i386 and x32 on
 * x86_64) are killed at their first call: socketcall(2) and ipc(2) would hide
 * their arguments from all this.
 *
 * It is compiled when all else is, since it takes more than a
 * millisecond; filter.c loads it.
 */
#include "config.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOW_HALF UINT64_C(0xffffffff) /* what the kernel looks at */

/* Names, since libseccomp knows more calls than old headers. */
static const char *const denied[] = {"_sysctl",
				     "acct",
				     "add_key",
				     "adjtimex",
				     "bpf",
				     "chroot",
				     "clock_adjtime",
				     "clock_settime",
				     "create_module",
				     "delete_module",
				     "fanotify_init",
				     "fanotify_mark",
				     "finit_module",
				     "fsconfig",
				     "fsmount",
				     "fsopen",
				     "fspick",
				     "get_kernel_syms",
				     "init_module",
				     "ioperm",
				     "iopl",
				     "kcmp",
				     "kexec_file_load",
				     "kexec_load",
				     "keyctl",
				     "lookup_dcookie",
				     "lsm_set_self_attr",
				     "migrate_pages",
				     "modify_ldt",
				     "mount",
				     "mount_setattr",
				     "move_mount",
				     "move_pages",
				     "nfsservctl",
				     "open_by_handle_at",
				     "open_tree",
				     "open_tree_attr",
				     "perf_event_open",
				     "pivot_root",
				     "query_module",
				     "quotactl",
				     "quotactl_fd",
				     "reboot",
				     "request_key",
				     "setdomainname",
				     "sethostname",
				     "setns",
				     "settimeofday",
				     "stime",
				     "swapoff",
				     "swapon",
				     "sysfs",
				     "syslog",
				     "umount",
				     "umount2",
				     "unshare",
				     "uselib",
				     "userfaultfd",
				     "ustat",
				     "vhangup",
				     "vm86",
				     "vm86old"};

static const char *const absent[] = {
	"clone3",         "io_uring_enter",          "io_uring_register",
	"io_uring_setup", "landlock_create_ruleset", "listmount",
	"memfd_secret",   "process_madvise",         "statmount"};

static const uint64_t namespaces[] = {CLONE_NEWCGROUP, CLONE_NEWIPC,
				      CLONE_NEWNET,    CLONE_NEWNS,
				      CLONE_NEWPID,    CLONE_NEWUSER,
				      CLONE_NEWUTS};

/* 0x541c is TIOCLINUX; <linux/tiocl.h> has its subcodes only. */
static const uint64_t terminal_calls[] = {TIOCSTI, 0x541c, TIOCSETD};

/* In order. */
static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int add_names(scmp_filter_ctx f, const char *const *names, size_t n,
		     int errnum)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		int call = seccomp_syscall_resolve_name(names[i]);

		/* Unknown to this libseccomp: a call younger than it. Negative:
		 * there is none on this architecture. */
		if (call >= 0)
			rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(errnum), call,
					      0);
	}
	return rc;
}

static int add_namespaces(scmp_filter_ctx f)
{
	int rc = 0;

	for (size_t i = 0; i < COUNT(namespaces) && rc == 0; i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone),
				      1,
				      SCMP_A0(SCMP_CMP_MASKED_EQ, namespaces[i],
					      namespaces[i]));
	return rc;
}

static int add_terminals(scmp_filter_ctx f)
{
	int rc = 0;

	for (size_t i = 0; i < COUNT(terminal_calls) && rc == 0; i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl),
				      1,
				      SCMP_A1(SCMP_CMP_MASKED_EQ, LOW_HALF,
					      terminal_calls[i]));
	return rc;
}

/* Each number that is not one of ours; above the last, all, and so what has
 * anything in the half that the kernel does not look at. */
static int add_families(scmp_filter_ctx f, int call)
{
	const int last = families[COUNT(families) - 1];
	size_t next = 0;
	int rc = 0;

	for (int family = 0; family <= last && rc == 0; family++) {
		if (family == families[next])
			next++;
		else
			rc = seccomp_rule_add(
				f, SCMP_ACT_ERRNO(EAFNOSUPPORT), call, 1,
				SCMP_A0(SCMP_CMP_MASKED_EQ, LOW_HALF,
					(scmp_datum_t)family));
	}
	if (rc == 0)
		rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EAFNOSUPPORT), call, 1,
				      SCMP_A0(SCMP_CMP_GT, (scmp_datum_t)last));
	return rc;
}

/* Protocols above UDP, and what netlink has besides routing. */
static int add_protocols(scmp_filter_ctx f)
{
	static const int inet[] = {AF_INET, AF_INET6};
	int rc = 0;

	for (size_t i = 0; i < COUNT(inet) && rc == 0; i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPROTONOSUPPORT),
				      SCMP_SYS(socket), 2,
				      SCMP_A0(SCMP_CMP_MASKED_EQ, LOW_HALF,
					      (scmp_datum_t)inet[i]),
				      SCMP_A2(SCMP_CMP_GT, IPPROTO_UDP));
	if (rc == 0)
		rc = seccomp_rule_add(
			f, SCMP_ACT_ERRNO(EPROTONOSUPPORT), SCMP_SYS(socket), 2,
			SCMP_A0(SCMP_CMP_MASKED_EQ, LOW_HALF, AF_NETLINK),
			SCMP_A2(SCMP_CMP_NE, NETLINK_ROUTE));
	return rc;
}

/* 0xffffffff asks for the present one; bit 31 means nothing else. */
static int add_personality(scmp_filter_ctx f)
{
	const scmp_datum_t question = UINT64_C(1) << 31;
	int rc = 0;

	for (int bit = 0; bit < 31 && rc == 0; bit++) {
		scmp_datum_t mask = UINT64_C(1) << bit;

		if (mask != ADDR_NO_RANDOMIZE)
			rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM),
					      SCMP_SYS(personality), 1,
					      SCMP_A0(SCMP_CMP_MASKED_EQ,
						      mask | question, mask));
		if (rc == 0)
			rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM),
					      SCMP_SYS(personality), 1,
					      SCMP_A0(SCMP_CMP_MASKED_EQ,
						      mask | question,
						      question));
	}
	return rc;
}

/* Calls, and which argument is the process. */
static int add_init(scmp_filter_ctx f)
{
	int rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ptrace), 1,
				  SCMP_A1(SCMP_CMP_MASKED_EQ, LOW_HALF, 1));

	if (rc == 0)
		rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM),
				      SCMP_SYS(process_vm_readv), 1,
				      SCMP_A0(SCMP_CMP_MASKED_EQ, LOW_HALF, 1));
	if (rc == 0)
		rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM),
				      SCMP_SYS(process_vm_writev), 1,
				      SCMP_A0(SCMP_CMP_MASKED_EQ, LOW_HALF, 1));
	return rc;
}

static int add_core_limit(scmp_filter_ctx f)
{
	int rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(0), SCMP_SYS(setrlimit), 1,
				  SCMP_A0(SCMP_CMP_MASKED_EQ, LOW_HALF,
					  RLIMIT_CORE));

	if (rc == 0)
		rc = seccomp_rule_add(
			f, SCMP_ACT_ERRNO(0), SCMP_SYS(prlimit64), 3,
			SCMP_A1(SCMP_CMP_MASKED_EQ, LOW_HALF, RLIMIT_CORE),
			SCMP_A2(SCMP_CMP_NE, 0), SCMP_A3(SCMP_CMP_EQ, 0));
	if (rc == 0)
		rc = seccomp_rule_add(
			f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 3,
			SCMP_A1(SCMP_CMP_MASKED_EQ, LOW_HALF, RLIMIT_CORE),
			SCMP_A2(SCMP_CMP_NE, 0), SCMP_A3(SCMP_CMP_NE, 0));
	return rc;
}

static int add_all(scmp_filter_ctx f)
{
	int rc = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH,
				  SCMP_ACT_KILL_PROCESS);

	/* A tree: some hundred rules cost a job nothing. */
	if (rc == 0)
		rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (rc == 0)
		rc = add_names(f, denied, COUNT(denied), EPERM);
	if (rc == 0)
		rc = add_names(f, absent, COUNT(absent), ENOSYS);
	if (rc == 0)
		rc = add_namespaces(f);
	if (rc == 0)
		rc = add_terminals(f);
	if (rc == 0)
		rc = add_families(f, SCMP_SYS(socket));
	if (rc == 0)
		rc = add_families(f, SCMP_SYS(socketpair));
	if (rc == 0)
		rc = add_protocols(f);
	if (rc == 0)
		rc = add_personality(f);
	if (rc == 0)
		rc = add_core_limit(f);
	if (rc == 0)
		rc = add_init(f);
	return rc;
}

static int export(scmp_filter_ctx f)
{
	struct sock_filter code[BPF_MAXINSNS];
	int fd = memfd_create("filter", MFD_CLOEXEC);
	ssize_t size;
	int rc;

	if (fd < 0)
		return -errno;
	rc = seccomp_export_bpf(f, fd);
	if (rc != 0)
		return rc;
	size = pread(fd, code, sizeof(code), 0);
	if (size <= 0 || size % (ssize_t)sizeof(code[0]) != 0 ||
	    lseek(fd, 0, SEEK_END) != size)
		return -E2BIG;
	for (size_t i = 0; i < (size_t)size / sizeof(code[0]); i++)
		printf("{%#x, %u, %u, %#x},\n", code[i].code, code[i].jt,
		       code[i].jf, code[i].k);
	close(fd);
	return fflush(stdout) == 0 ? 0 : -errno;
}

int main(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	int rc = f ? add_all(f) : -ENOMEM;

	if (rc == 0)
		rc = export(f);
	seccomp_release(f);
	if (rc != 0)
		fprintf(stderr, "filter-compile: %s\n", strerror(-rc));
	return rc != 0;
}
