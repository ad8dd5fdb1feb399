/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ckverify.c - an honest image passes; each edited one says why not */
#include "config.h"

#include "ckverify.h"

#include <errno.h>

#include "ckimage_bed.h"
#include "vtest.h"

static void honest(void **state)
{
	struct ckbed *bed = ck_bed(&ck_honest);
	struct vol_ckseen seen = {.processes = 0};
	struct vol_error err = {""};
	const struct vol_ckmapped_file *f;

	(void)state;
	if (vol_ckverify(bed->input, bed->n, &bed->want, &seen, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(seen.processes, 2);
	assert_int_equal(seen.threads, 3);
	assert_int_equal(seen.memory, 8192);
	assert_int_equal(seen.mapped.n, 1);
	f = seen.mapped.file;
	assert_string_equal(f->path, "/usr/bin/job");
	assert_int_equal(f->bytes, 4711);
	assert_int_equal(f->n_build, 20);
	assert_memory_equal(f->build, "\1\2\3\4\2\2\3\4", 8);
	/* The job's own output, and the file without a name. */
	assert_int_equal(seen.n_opened, 3);
	assert_string_equal(seen.opened[0].path, "/work/out");
	assert_int_equal(seen.opened[0].flags, 1);
	vol_ckseen_clear(&seen);
	assert_int_equal(
		vol_ckverify(bed->input, bed->n, &bed->want, NULL, NULL), 0);
	ck_free(bed);
}

static void refuse(const struct ckimage *k, const char *part)
{
	struct ckbed *bed = ck_bed(k);
	struct vol_ckseen seen = {.processes = 0};
	struct vol_error err = {""};

	errno = 0;
	if (vol_ckverify(bed->input, bed->n, &bed->want, &seen, &err) == 0)
		fail_msg("taken, though \"%s\"", part);
	assert_contains(err.text, part);
	assert_printable(err.text);
	assert_true(errno == EPERM || errno == EBADMSG);
	vol_ckseen_clear(&seen);
	ck_free(bed);
}

#define ROW(member, value, part)                              \
	{                                                     \
		offsetof(struct ckimage, member), value, part \
	}

static const struct {
	size_t offset;
	int64_t value;
	const char *part;
} numbers[] = {
	ROW(version, 1, "inventory.img: entry 1: img_version is 1"),
	ROW(fdinfo_per_id, 0, "fdinfo_per_id is 0"),
	ROW(plugins, 1, "plugins of CRIU"),
	ROW(uprobes, 1, "allow_uprobes is 1"),
	/* A namespace, or a table of files, that is CRIU's. */
	ROW(user_1, 6, "ids-1.img: entry 1: user_ns_id: it has none"),
	ROW(user_1, CK_NONE, "user_ns_id: it has none"),
	ROW(net_1, 2, "net_ns_id: it has none"),
	ROW(files_1, 10, "files_id: it has none"),
	ROW(user_2, 6, "ids-2.img: entry 1: user_ns_id is 6"),
	ROW(user_2, CK_NONE, "user_ns_id is missing"),
	ROW(time_2, 9, "time_ns_id is not that of process 1"),
	ROW(time_2, CK_NONE, "time_ns_id is not that of process 1"),
	ROW(cgroup_2, 8, "cgroup_ns_id is 8"),
	ROW(ppid_1, 2, "process 1 has parent 2"),
	ROW(ppid_2, 0, "process 2 has parent 0"),
	ROW(ppid_2, 2, "process 2 has no parent 2"),
	ROW(ppid_2, 7, "process 2 has no parent 7"),
	ROW(first_2, 9, "process 2 is none of its threads"),
	ROW(extra_thread, 3, "thread 3 is there twice"),
	ROW(extra_thread, 4, "thread 4 has no core image"),
	ROW(extra_thread, 0, "thread 0"),
	ROW(march, 3, "core-2.img: entry 1: mtype is 3"),
	ROW(state, 6, "core-2.img: entry 1: tc: task_state is 6"),
	ROW(oom, -1000, "oom_score_adj is -1000, at least 1000"),
	ROW(oom, CK_NONE, "oom_score_adj"),
	ROW(old_mode, 2, "old_seccomp_mode"),
	ROW(limits, 15, "15 limits, want 16"),
	ROW(limits, 17, "rlimits: more than 16"),
	ROW(cur_core, 0, "limit 4 is 0, want 1"),
	ROW(max_core, -1, "limit 4 is 18446744073709551615"),
	ROW(nofile, 1025, "limit 7 (open files) is 1025, at most 1024"),
	ROW(policy, 1, "thread_core: sched_policy is 1"),
	ROW(nice, -1, "sched_nice is -1"),
	ROW(prio, 1, "sched_prio is 1"),
	ROW(mode, CK_NONE, "it has no seccomp filter"),
	ROW(mode, 0, "it has no seccomp filter"),
	ROW(mode, 1, "seccomp_mode is 1, want 2"),
	ROW(mode_1, CK_NONE,
	    "core-1.img: entry 1: thread_core: it has "
	    "no seccomp filter"),
	ROW(filter, 2, "there is no seccomp filter 2"),
	ROW(filter, CK_NONE, "there is no seccomp filter"),
	ROW(filter_edit, 1, "its first seccomp filter is not ours"),
	ROW(filter_flags, 0, "core: thread 3 has no seccomp filter"),
	ROW(filter_flags, 8, "filter 0: flags are 8"),
	ROW(second_prev, 1, "filter 1: none is before it"),
	ROW(second_prev, CK_NONE, "its first seccomp filter is not"),
	ROW(uid, 0, "thread_core: creds: uid is 0, want 1000"),
	ROW(euid, 0, "euid is 0"),
	ROW(suid, 0, "suid is 0"),
	ROW(fsuid, 0, "fsuid is 0"),
	ROW(gid, 0, "gid is 0, want 1001"),
	ROW(egid, 0, "egid is 0"),
	ROW(sgid, 0, "sgid is 0"),
	ROW(fsgid, CK_NONE, "fsgid is missing"),
	/* protobuf cuts it to 0. */
	ROW(uid, INT64_C(1) << 32, "uid is out of its range"),
	ROW(inh, 1, "cap_inh is not empty: 0x1"),
	ROW(prm, 1, "cap_prm is not empty"),
	ROW(eff, 1 << 21, "cap_eff is not empty: 0x200000"),
	ROW(bnd, 1, "cap_bnd is not empty"),
	ROW(amb, 1, "cap_amb is not empty"),
	ROW(secbits, 1, "secbits is 1"),
	ROW(group, 0, "it has groups"),
	ROW(nnp, 0, "no_new_privs is 0, want 1"),
	ROW(nnp, CK_NONE, "no_new_privs is missing"),
	ROW(lsm, 1, "lsm_profile is \"unconfined_t\""),
	ROW(lower, 0, "userns-19.img: entry 1: uid_map is 0 0 65536"),
	ROW(lower, CK_BASE + 1, "uid_map is 0 1879048193 65536"),
	ROW(count, 65537, "uid_map is 0 1879048192 65537"),
	ROW(extra_map, 1, "uid_map is 70000 0 1"),
	ROW(tmp_type, 0, "\"/tmp\": fstype is 0"),
	ROW(tmp_type, 17, "fstype is 17"),
	ROW(usr_type, 7, "\"/usr\": fstype is 7"),
	ROW(tmp_flags, 2, "flags are 0x2, without 0x4"),
	ROW(tmp_flags, 6 | 32, "flags are 0x26"),
	ROW(tmp_flags, 6 | 1 << 20, "flags are 0x100006"),
	ROW(usr_flags, 6, "\"/usr\": flags are 0x6, without 0x1"),
	ROW(tmp_shared, 5, "shared_id is 5"),
	ROW(tmp_device, 41, "/tmp is of the device of /usr"),
	ROW(tmp_parent, 102, "/tmp is not on the mount below it"),
	ROW(tmp_parent, 103, "/tmp is not on the mount below it"),
	ROW(twice, 1, "/proc is mounted twice"),
	ROW(reg_mount, 103, "\"/work/out\" is on /work, and not on mount 103"),
	/* Everything is below the root's. */
	ROW(reg_mount, 100, "\"/work/out\" is on /work, and not on mount 100"),
	ROW(reg_mount, 99, "is on /work, and not on mount 99"),
	ROW(reg_mode, 060600, "\"/work/out\" is of type 060000"),
	ROW(reg_mode, 020600, "\"/work/out\" is a device"),
	ROW(reg_mode, CK_NONE, "\"/work/out\" is of type 00"),
	ROW(reg_flags, 01001, "reg: flags are 01001"),
	ROW(reg_flags, 0101, "reg: flags are 0101"),
	ROW(reg_ext, 1, "ext is 1"),
	ROW(reg_id, 4, "id is 4, want 3"),
	ROW(fown, 4711, "fown is user 4711"),
	ROW(family, 17, "family is 17"),
	ROW(type, 3, "neither TCP nor UDP"),
	ROW(proto, 1, "neither TCP nor UDP"),
	ROW(address, 0x0101a8c0, "src_addr is not the loopback's"),
	ROW(mark, 1, "so_mark is 1"),
	ROW(uflags, 1, "uflags is 1"),
	ROW(perms_mode, 0144755, "file_perms: mode is"),
	ROW(odd_type, 10, "file 20 is of type 10, which can not be"),
	ROW(odd_type, 12, "is of type 12"),
	ROW(odd_type, 14, "is of type 14"),
	ROW(odd_type, 15, "is of type 15"),
	ROW(odd_type, 16, "is of type 16"),
	ROW(odd_type, 19, "is of type 19"),
	ROW(odd_type, 2, "of type 2, with a reg"),
	ROW(fd_id, 30, "fdinfo-2.img: entry 1: descriptor 1 is file 30"),
	ROW(root_id, 3, "root_id is no folder"),
	ROW(root_id, 77, "root_id is no folder"),
	ROW(exe, 5, "exe_file_id: there is no file 5"),
	ROW(vma_file, 77, "vma 1: there is no file 77"),
	ROW(status, 0x41 | 1 << 27, "vma 1: status is 0x8000041"),
	ROW(status, 0x41 | 1 << 17, "status is 0x20041"),
	ROW(dumpable, 2, "dumpable is 2"),
	ROW(dumpable, CK_NONE, "dumpable"),
	ROW(ghost_mode, 020600, "ghost-file-a.img: entry 1: mode is"),
	ROW(ghost_mode, 060600, "mode is 060600"),
	ROW(ghost_mode, 0104755, "mode is 0104755"),
	ROW(ghost_uid, 0, "uid is 0"),
	ROW(memfd_uid, 0, "memfd.img: entry 1: uid is 0"),
	ROW(tty, 2, "a terminal of type 2"),
	ROW(netdev, 2, "netdev-12.img: entry 1: type is 2"),
	ROW(parent_pages, 1, "in an image that is not there"),
	ROW(shm_uid, 0, "desc: uid is 0"),
	ROW(remap_type, 2, "it is not in /proc"),
	ROW(remap_type, 3, "remap_type is 3"),
};

static const struct {
	size_t offset;
	const char *value, *part;
} texts[] = {
	ROW(tmp_point, "/etc", "\"/etc\" is no place of the sandbox"),
	ROW(tmp_point, "/tmp/..", "is no place of the sandbox"),
	ROW(tmp_root, "/../..", "\"/tmp\": root is no normal path"),
	ROW(tmp_root, "", "root is no normal path"),
	ROW(tmp_source, "dev[key]", "source is a device"),
	ROW(tmp_options, "size=65537k", "options have \"size=65537k\""),
	ROW(tmp_options, "mode=700", "options have no size"),
	ROW(tmp_options, "size=1k,lowerdir=/", "\"lowerdir=/\""),
	ROW(tmp_key, "m0", "it has ext_key"),
	ROW(usr_key, "m1", "\"/usr\": ext_key is not m0"),
	ROW(usr_key, NULL, "ext_key is not m0"),
	ROW(usr_key, "CRIU:EXTERNAL_DEV", "ext_key is not m0"),
	ROW(reg_path, "/work/../etc/shadow", "is no normal path"),
	ROW(reg_path, "work/out", "is no normal path"),
	ROW(reg_path, "/etc/shadow", "is on /, and not on mount"),
	ROW(reg_path, "/workshop", "is on /, and not on mount"),
	ROW(unix_name, "/work/sock", "a socket can not be moved that"),
	ROW(unix_name, "/tmp/../work/s", "name is no normal path"),
	ROW(unix_name, "relative", "name is no normal path"),
	ROW(linked, "/work/results", "files.img: entry 6: reg: "),
	ROW(linked, "/tmp/link_remap.5", "of another file's name"),
	ROW(linked, "/work/a/link_remap.5", "of another file's name"),
	ROW(linked, "/work/link_remap.5x", "is of type 00"),
	ROW(extra, "cgroup.img", "\"cgroup.img\" is no image file"),
	ROW(extra, "nftables-12.img", "is no image file"),
	ROW(extra, "route-12.img", "is no image file"),
	ROW(extra, "core-02.img", "is no image file"),
	ROW(extra, "../core-1.img", "is no image file"),
	ROW(extra, "core-1.img", "core-1.img is there twice"),
	ROW(extra, "core-9.img", "core-9.img: no entry"),
	ROW(extra, "apparmor.img", "is no image file"),
	ROW(leave_out, "inventory.img", "0 images of inventory, want 1"),
	ROW(leave_out, "seccomp.img", "0 images of seccomp"),
	ROW(leave_out, "userns-19.img", "0 images of userns"),
	ROW(leave_out, "core-3.img", "thread 3 has no core image"),
	ROW(leave_out, "ids-2.img", "process 2 lacks its ids, mm or"),
	ROW(leave_out, "mm-2.img", "process 2 lacks its ids, mm or fs"),
	ROW(leave_out, "fs-1.img", "process 1 lacks its ids, mm or fs"),
	ROW(leave_out, "ghost-file-a.img", "there is no ghost a"),
};

static void edited_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(numbers); i++) {
		struct ckimage k = ck_honest;

		memcpy((char *)&k + numbers[i].offset, &numbers[i].value,
		       sizeof(numbers[i].value));
		refuse(&k, numbers[i].part);
	}
}

static void edited_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
		struct ckimage k = ck_honest;

		memcpy((char *)&k + texts[i].offset, &texts[i].value,
		       sizeof(texts[i].value));
		refuse(&k, texts[i].part);
	}
}

/* A place that hides something is not there. */
static void uncovered(void **state)
{
	struct ckbed *bed = ck_bed(&ck_honest);
	const struct vol_ckplace cover = {
		"/proc/kcore", "m9", VOL_CKPLACE_EXTERNAL, VOL_CKPLACE_COVER};
	struct vol_error err = {""};

	(void)state;
	assert_int_equal(vol_ckplaces_add(&bed->places, &cover, NULL), 0);
	assert_int_equal(
		vol_ckverify(bed->input, bed->n, &bed->want, NULL, &err), -1);
	assert_int_equal(errno, EPERM);
	assert_contains(err.text, "/proc/kcore is not covered");
	ck_free(bed);
}

/* CRIU makes the network namespace, or is in it. */
static void networks(void **state)
{
	struct ckimage k = ck_honest;
	struct vol_error err = {""};
	struct ckbed *bed = ck_bed(&k);

	(void)state;
	bed->want.in_net = true;
	assert_int_equal(
		vol_ckverify(bed->input, bed->n, &bed->want, NULL, &err), -1);
	assert_contains(err.text, "net_ns_id is 12, want 2");
	ck_free(bed);
	k.net_1 = k.net_2 = 2;
	bed = ck_bed(&k);
	bed->want.in_net = true;
	assert_int_equal(
		vol_ckverify(bed->input, bed->n, &bed->want, NULL, NULL), 0);
	ck_free(bed);
	k.net_2 = 12;
	bed = ck_bed(&k);
	bed->want.in_net = true;
	assert_int_equal(
		vol_ckverify(bed->input, bed->n, &bed->want, NULL, &err), -1);
	assert_contains(err.text, "ids-2.img: entry 1: net_ns_id is 12");
	ck_free(bed);
}

/* Of a network of its own, a loopback, they are put back. */
static void connections(void **state)
{
	static const struct {
		int64_t type, proto, tcp_state;
		bool in_net, refused;
	} rows[] = {
		{1, 6, 1, false, false}, {1, 6, 8, false, false},
		{1, 6, 10, true, false}, {1, 6, 7, true, false},
		{1, 6, 1, true, true},   {1, 6, 2, true, true},
		{1, 6, 8, true, true},   {2, 17, 1, true, false},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct ckimage k = ck_honest;
		struct vol_error err = {""};
		struct ckbed *bed;

		k.type = rows[i].type;
		k.proto = rows[i].proto;
		k.tcp_state = rows[i].tcp_state;
		if (rows[i].in_net)
			k.net_1 = k.net_2 = 2;
		bed = ck_bed(&k);
		bed->want.in_net = rows[i].in_net;
		assert_int_equal(vol_ckverify(bed->input, bed->n, &bed->want,
					      NULL, &err),
				 rows[i].refused ? -1 : 0);
		if (rows[i].refused)
			assert_contains(err.text, "isk: a TCP connection can");
		ck_free(bed);
	}
}

/* What our encoder writes is the map that is wanted, of any user. */
static void map_of_ids(void **state)
{
	static const uint32_t ids[] = {1, CK_UID, 65535, 65536, 2000000000};
	uint8_t image[VOL_CKUSERNS_SIZE];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(ids); i++) {
		struct ckimage k = ck_honest;
		struct ckbed *bed;
		struct vol_error err = {""};
		size_t n = 0;

		k.uid = k.euid = k.suid = k.fsuid = ids[i];
		bed = ck_bed(&k);
		while (strcmp(bed->name[n], "userns-19.img") != 0)
			n++;
		bed->want.id_base = 0x7fff0000;
		bed->input[n].data = image;
		bed->input[n].bytes =
			vol_ckuserns_image(ids[i], CK_GID, 0x7fff0000, image);
		assert_true(bed->input[n].bytes <= VOL_CKUSERNS_SIZE);
		bed->want.uid = ids[i];
		/* What else there is is of the other user still. */
		assert_int_equal(vol_ckverify(bed->input, bed->n, &bed->want,
					      NULL, &err),
				 ids[i] == CK_UID ? 0 : -1);
		if (ids[i] != CK_UID)
			assert_contains(err.text, "uid is 1000");
		ck_free(bed);
	}
}

/* Memory of which a part is not there, or none. */
static void cut_memory(void **state)
{
	static const int64_t bytes[] = {0, 4095, 8192, 4096};
	struct ckbed *bed = ck_bed(&ck_honest);
	struct vol_error err = {""};

	(void)state;
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		int rc;

		for (size_t j = 0; j < bed->n; j++)
			if (strcmp(bed->input[j].name, "pages-2.img") == 0)
				bed->input[j].bytes = (uint64_t)bytes[i];
		rc = vol_ckverify(bed->input, bed->n, &bed->want, NULL, &err);
		assert_int_equal(rc, bytes[i] == 4096 ? 0 : -1);
		if (rc == 0)
			continue;
		assert_int_equal(errno, EBADMSG);
		assert_contains(err.text, "pagemap: pages-2.img has ");
		assert_contains(err.text, " bytes, want 4096");
	}
	ck_free(bed);
}

/* Cut anywhere, or with any bit another one: never a crash, and an error is one
 * printable line. */
static void damaged(void **state)
{
	struct ckbed *bed = ck_bed(&ck_honest);

	(void)state;
	for (size_t i = 0; i < bed->n; i++) {
		struct vol_ckinput *in = &bed->input[i];
		uint8_t *exact = malloc(in->bytes ? in->bytes : 1);
		uint64_t bytes = in->bytes;
		bool raw = strstr(in->name, "pages") != NULL;

		assert_non_null(exact);
		for (size_t len = 0; len < bytes && !raw; len++) {
			struct vol_error err = {""};

			free(exact);
			exact = malloc(len ? len : 1);
			assert_non_null(exact);
			memcpy(exact, bed->file[i].b, len);
			in->data = exact;
			in->bytes = len;
			vol_ckverify(bed->input, bed->n, &bed->want, NULL,
				     &err);
			assert_printable(err.text);
		}
		free(exact);
		in->data = bed->file[i].b;
		in->bytes = bytes;
		for (size_t bit = 0; bit < 8 * bytes && !raw; bit += 3) {
			struct vol_error err = {""};

			bed->file[i].b[bit / 8] ^= (uint8_t)(1 << bit % 8);
			vol_ckverify(bed->input, bed->n, &bed->want, NULL,
				     &err);
			assert_printable(err.text);
			bed->file[i].b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
	assert_int_equal(
		vol_ckverify(bed->input, bed->n, &bed->want, NULL, NULL), 0);
	ck_free(bed);
}

static void nothing(void **state)
{
	struct ckbed *bed = ck_bed(&ck_honest);
	struct vol_error err = {""};

	(void)state;
	assert_int_equal(vol_ckverify(NULL, 0, &bed->want, NULL, &err), -1);
	assert_int_equal(errno, EBADMSG);
	bed->input[0].data = NULL;
	assert_int_equal(
		vol_ckverify(bed->input, bed->n, &bed->want, NULL, &err), -1);
	assert_int_equal(errno, EINVAL);
	assert_contains(err.text, "inventory.img: its bytes were not given");
	ck_free(bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(honest),
		cmocka_unit_test(edited_numbers),
		cmocka_unit_test(edited_texts),
		cmocka_unit_test(uncovered),
		cmocka_unit_test(map_of_ids),
		cmocka_unit_test(cut_memory),
		cmocka_unit_test(damaged),
		cmocka_unit_test(nothing),
		cmocka_unit_test(networks),
		cmocka_unit_test(connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
