/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ckcarry.c - what is around an image: its record, its places, the folder
 * that it is made in, the program that makes it
 */
#include "config.h"

#include "vtest.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "device/buildid.h"
#include "device/ckdump.h"
#include "device/ckfolder.h"
#include "device/ckhere.h"
#include "device/ckopened.h"
#include "device/ckpump.h"
#include "device/ckrecord.h"

/* ---- the record ---- */

static struct vol_record record;
static struct vol_ckmanifest manifest;

static void add_place(struct vol_ckplaces *places, const char *target,
		      const char *key)
{
	struct vol_ckplace place = {.kind = VOL_CKPLACE_EXTERNAL};

	strcpy(place.target, target);
	strcpy(place.key, key);
	assert_int_equal(vol_ckplaces_add(places, &place, NULL), 0);
}

static int setup_record(void **state)
{
	(void)state;
	memset(&record, 0, sizeof(record));
	record.job = 7;
	record.step = 0xfffffffb;
	record.uid = record.gid = 1000;
	record.base = 0x70000000;
	record.batch = true;
	strcpy(record.script, "/var/spool/slurmd/job7/script");
	strcpy(record.output[record.outputs].path, "/work/out");
	record.output[record.outputs++].length = 5;
	strcpy(record.mount[record.mounts++], "/usr");
	strcpy(record.mount[record.mounts++], "/etc");
	assert_int_equal(vol_ckrecord_tell(&record, &manifest, NULL), 0);
	assert_int_equal(vol_ckhere_own_places(&manifest.places, NULL), 0);
	add_place(&manifest.places, "/usr", "m0");
	add_place(&manifest.places, "/etc", "m1");
	return 0;
}

static int teardown_record(void **state)
{
	(void)state;
	vol_ckmanifest_clear(&manifest);
	return 0;
}

static void differs(const char *what)
{
	struct vol_error err = {""};

	assert_int_equal(vol_ckrecord_check(&record, &manifest, &err), -1);
	assert_int_equal(errno, EPERM);
	assert_contains(err.text, what);
}

static void a_record_says_what_the_manifest_says(void **state)
{
	(void)state;
	assert_int_equal(manifest.job, 7);
	assert_int_equal(manifest.id_base, 0x70000000);
	assert_int_equal(vol_ckrecord_check(&record, &manifest, NULL), 0);
	record.job = 8;
	differs("the job");
	record.job = 7;
	record.uid = 0;
	differs("ids");
	record.uid = 1000;
	record.base = 0;
	differs("ids");
	record.base = 0x70000000;
	record.batch = false;
	differs("batch");
	record.batch = true;
	strcpy(record.script, "/var/../etc/x");
	differs("script");
}

static void its_output_files_are_the_same(void **state)
{
	(void)state;
	record.output[0].length = 4;
	differs("output files");
	record.output[0].length = 5;
	strcpy(record.output[0].path, "/work/other");
	differs("output files");
	strcpy(record.output[0].path, "/work/out");
	record.output[record.outputs++] = record.output[0];
	differs("output files");
	record.outputs = 0;
	differs("output files");
}

static void its_copies_are_the_same(void **state)
{
	struct vol_ckfile file = {.name = "volunteer-files.img", .bytes = 9};

	(void)state;
	record.entries = 3;
	record.entry[0].how = VOL_ROLLBACK_TARGET;
	record.entry[0].length = 2;
	record.entry[1].how = VOL_ROLLBACK_COPY;
	record.entry[1].length = 7;
	record.entry[2].how = VOL_ROLLBACK_SUM;
	record.entry[2].length = 1000;
	differs("copies of files");
	assert_int_equal(vol_ckmanifest_add_file(&manifest, &file, NULL), 0);
	assert_int_equal(vol_ckrecord_check(&record, &manifest, NULL), 0);
	record.entry[1].length = 8;
	differs("copies of files");
	record.entry[1].length = 6;
	differs("copies of files");
	/* What nobody knows of. */
	record.entries = 0;
	differs("copies of files");
}

static void its_mounts_are_the_same(void **state)
{
	char key[VOL_CKKEY_SIZE];

	(void)state;
	vol_ckrecord_key(&record, "/etc", key);
	assert_string_equal(key, "m1");
	vol_ckrecord_key(&record, "/et", key);
	assert_string_equal(key, "");
	strcpy(record.mount[0], "/etc");
	differs("mounts");
	strcpy(record.mount[0], "/opt");
	differs("mounts");
	strcpy(record.mount[0], "/usr");
	strcpy(record.mount[record.mounts++], "/opt");
	differs("mounts");
	record.mounts = 1;
	differs("mounts");
	strcpy(record.mount[0], "/etc");
	strcpy(record.mount[1], "/usr");
	record.mounts = 2;
	differs("mounts");
}

/* ---- places ---- */

static void places_are_read_from_a_file(void **state)
{
	const char *text = "/usr 3\n/a b 0\n/etc 1";
	struct vol_ckplaces places = {.n = 0};
	const struct vol_ckplace *p;

	(void)state;
	assert_int_equal(vol_ckhere_places_parse("f", text, strlen(text),
						 &record, &places, NULL),
			 0);
	assert_int_equal(places.n, 3);
	p = vol_ckplaces_at(&places, "/usr", 4);
	assert_non_null(p);
	assert_string_equal(p->key, "m0");
	assert_int_equal(p->flags, 3);
	assert_int_equal(p->kind, VOL_CKPLACE_EXTERNAL);
	p = vol_ckplaces_at(&places, "/a b", 4);
	assert_non_null(p);
	assert_int_equal(p->key[0], 'n');
	vol_ckplaces_clear(&places);
}

static void a_wrong_file_of_places_is_named(void **state)
{
	static const char *const wrong[] = {
		"usr 1",     "/usr",    "/usr ",         "/usr -1", "/usr 01",
		"/usr 512",  "/usr/ 1", "/../x 1",       "\n",      " 1",
		"/usr 1 \n", "/a\tb 1", "/usr 1\n/usr 2"};
	struct vol_ckplaces places = {.n = 0};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
		struct vol_error err = {""};

		assert_int_equal(
			vol_ckhere_places_parse("f", wrong[i], strlen(wrong[i]),
						&record, &places, &err),
			-1);
		assert_contains(err.text, "f:");
		assert_printable(err.text);
		vol_ckplaces_clear(&places);
	}
}

/* ---- build ids ---- */

struct elf {
	Elf64_Ehdr head;
	Elf64_Phdr part[2];
	Elf64_Nhdr other;
	char other_text[8];
	Elf64_Nhdr note;
	char name[4];
	uint8_t id[24];
};

static void make_elf(struct elf *e, uint32_t len)
{
	memset(e, 0, sizeof(*e));
	memcpy(e->head.e_ident, ELFMAG, SELFMAG);
	e->head.e_ident[EI_CLASS] = ELFCLASS64;
	e->head.e_phoff = offsetof(struct elf, part);
	e->head.e_phnum = 2;
	e->part[1].p_type = PT_NOTE;
	e->part[1].p_offset = offsetof(struct elf, other);
	e->part[1].p_filesz = sizeof(*e) - offsetof(struct elf, other);
	e->other.n_namesz = 4;
	e->other.n_descsz = 3;
	e->other.n_type = 77;
	e->note.n_namesz = 4;
	e->note.n_descsz = len;
	e->note.n_type = NT_GNU_BUILD_ID;
	for (size_t i = 0; i < sizeof(e->id); i++)
		e->id[i] = (uint8_t)(i + 1);
}

static void a_build_id_is_found(void **state)
{
	static const struct {
		uint32_t len, want;
	} lengths[] = {{20, 20}, {16, 16}, {18, 16}, {24, 20}, {3, 0}, {0, 0}};
	uint8_t build[VOL_CKBUILD_SIZE];
	struct elf e;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(lengths); i++) {
		make_elf(&e, lengths[i].len);
		assert_int_equal(vol_buildid_find(&e, sizeof(e), build),
				 lengths[i].want);
		assert_memory_equal(build, e.id, lengths[i].want);
	}
	e.head.e_ident[EI_CLASS] = 9;
	assert_int_equal(vol_buildid_find(&e, sizeof(e), build), 0);
	assert_int_equal(vol_buildid_find("#!/bin/sh\n       ", 17, build), 0);
}

/* Whatever a length or place in it says; the sanitizer looks on. */
static void no_file_is_too_strange(void **state)
{
	uint8_t build[VOL_CKBUILD_SIZE];
	struct elf e;

	(void)state;
	for (size_t len = 0; len <= sizeof(e); len++) {
		uint8_t *cut = malloc(len + 1);

		make_elf(&e, 20);
		memcpy(cut, &e, len);
		cut = realloc(cut, len ? len : 1);
		(void)vol_buildid_find(cut, len, build);
		free(cut);
	}
	for (size_t at = SELFMAG; at < sizeof(e); at++)
		for (int v = 0; v < 2; v++) {
			make_elf(&e, 20);
			memset((uint8_t *)&e + at, v ? 0xff : 0x80,
			       at + 8 <= sizeof(e) ? 8 : 1);
			(void)vol_buildid_find(&e, sizeof(e), build);
		}
}

/* ---- files that the job has open ---- */

#define JOB_ID 4711

static int opened_as_job(const char *folder, const char *name, uint32_t flags,
			 struct vol_error *err)
{
	struct vol_ckopened file = {.flags = flags};
	struct vol_ckseen seen = {.n_opened = 1, .opened = &file};

	snprintf(file.path, sizeof(file.path), "%s/%s", folder, name);
	return vol_ckopened_check(&seen, JOB_ID, JOB_ID, err);
}

static void put_file(const char *folder, const char *name, uid_t uid,
		     mode_t mode)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fchown(fd, uid, uid), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* Root opens anything; the job does not. */
static void files_of_others_are_none_of_the_job_s(void **state)
{
	const char *folder = *state;
	struct vol_error err = {""};

	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(folder, 0755), 0);
	put_file(folder, "own", JOB_ID, 0600);
	put_file(folder, "theirs", JOB_ID + 1, 0600);
	put_file(folder, "shown", JOB_ID + 1, 0644);
	assert_int_equal(opened_as_job(folder, "own", O_RDWR, &err), 0);
	assert_int_equal(opened_as_job(folder, "shown", O_RDONLY, &err), 0);
	assert_int_equal(opened_as_job(folder, "gone", O_RDWR, &err), 0);
	assert_int_equal(opened_as_job(folder, "shown", O_WRONLY, &err), -1);
	assert_int_equal(errno, EPERM);
	assert_non_null(strstr(err.text, "/shown: not the job's to write"));
	assert_int_equal(opened_as_job(folder, "theirs", O_RDONLY, &err), -1);
	assert_non_null(strstr(err.text, "/theirs: not the job's to read"));
	/* And root is root again. */
	assert_int_equal(chmod(folder, 0700), 0);
	put_file(folder, "more", 0, 0600);
}

/* ---- the folder ---- */

static void a_folder_goes_with_who_made_it(void **state)
{
	const char *state_dir = *state;
	struct vol_ckfolder mine, other, left;
	char path[PATH_MAX + 8];
	struct stat st;

	assert_int_equal(vol_ckfolder_make(state_dir, &left, NULL), 0);
	snprintf(path, sizeof(path), "%s/img", left.path);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/link", left.path);
	assert_int_equal(symlink(state_dir, path), 0);
	assert_int_equal(vol_ckfolder_make(state_dir, &mine, NULL), 0);
	assert_int_equal(stat(mine.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(access(left.path, F_OK), 0);
	/* It was killed. */
	close(left.lock);
	assert_int_equal(vol_ckfolder_make(state_dir, &other, NULL), 0);
	assert_int_equal(access(left.path, F_OK), -1);
	assert_int_equal(access(mine.path, F_OK), 0);
	vol_ckfolder_remove(&mine);
	vol_ckfolder_remove(&other);
	vol_ckfolder_remove(&other);
	snprintf(path, sizeof(path), "%s/images", state_dir);
	assert_int_equal(vtest_count_entries(path), 0);
}

/* ---- the program ---- */

static struct vol_ckdump dump_by(const char *folder, const char *text,
				 char path[PATH_MAX])
{
	FILE *f;

	snprintf(path, PATH_MAX, "%s/program", folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", text);
	fclose(f);
	assert_int_equal(chmod(path, 0755), 0);
	return (struct vol_ckdump){.program = path,
				   .criu = "/the/criu",
				   .cgroup = "/the/cgroup",
				   .dir = folder,
				   .seconds = 9,
				   .server = -1,
				   .stop = -1};
}

static void its_words_and_status_are_heard(void **state)
{
	static const struct {
		const char *text;
		int error;
		const char *says;
	} cases[] = {
		{"echo 'slurm-volunteer-checkpoint: it is so' >&2; exit 3",
		 EPERM, "it is so"},
		{"echo 'slurm-volunteer-checkpoint: broken' >&2; exit 1", EIO,
		 "broken"},
		{"echo \"slurm-volunteer-checkpoint: $*\" >&2; exit 1", EIO,
		 "-c /the/criu -t 9 dump /the/cgroup /tmp/"},
		{"printf 'a\\033b\\nc' >&2; exit 3", EPERM, "a?b"},
		{"exit 7", EIO, "no reason"},
		{"kill -9 $$", EIO, "signal 9"},
	};
	struct vol_ckdump d;
	char path[PATH_MAX];

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct vol_error err = {""};

		d = dump_by(*state, cases[i].text, path);
		assert_int_equal(vol_ckdump(&d, &err), -1);
		assert_int_equal(errno, cases[i].error);
		assert_contains(err.text, cases[i].says);
		assert_printable(err.text);
	}
	d = dump_by(*state, "[ \"$5 $6 $7\" = '-p dump /the/cgroup' ]", path);
	assert_int_equal(vol_ckdump(&d, NULL), -1);
	d.goes_on = true;
	assert_int_equal(vol_ckdump(&d, NULL), 0);
	d = dump_by(*state, "exit 0", path);
	assert_int_equal(vol_ckdump(&d, NULL), 0);
	d.program = "/nonexistent";
	assert_int_equal(vol_ckdump(&d, NULL), -1);
}

static void it_ends_when_told_to(void **state)
{
	struct vol_error err = {""};
	struct vol_ckdump d;
	char path[PATH_MAX];

	d = dump_by(*state, "exec sleep 100", path);
	d.stop = eventfd(1, EFD_CLOEXEC);
	assert_int_equal(vol_ckdump(&d, &err), -1);
	assert_int_equal(errno, ECANCELED);
	close(d.stop);
}

/* An answer to a question of one that is gone, then those to ours. */
static void play_server(int fd)
{
	char text[VOL_SERVE_QUESTION_MAX];
	static const char want[] = "-c\0/the/criu\0-t\0"
				   "9\0dump\0"
				   "/the/cgroup\0/the/dir";
	ssize_t n;

	if (send(fd, "\0", 1, 0) != 1 || recv(fd, text, sizeof(text), 0) <= 0 ||
	    send(fd, "\2usage: ...", 11, 0) != 11)
		_exit(1);
	n = recv(fd, text, sizeof(text), 0);
	if (n != (ssize_t)sizeof(want) || memcmp(text, want, sizeof(want)) != 0)
		_exit(2);
	send(fd, "\3slurm-volunteer-checkpoint: a queue\n", 37, 0);
	_exit(0);
}

static void one_that_serves_is_asked(void **state)
{
	struct vol_ckdump d = {.criu = "/the/criu",
			       .cgroup = "/the/cgroup",
			       .dir = "/the/dir",
			       .seconds = 9,
			       .stop = -1};
	struct vol_error err = {""};
	int fd[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	pid = fork();
	if (pid == 0) {
		close(fd[0]);
		play_server(fd[1]);
	}
	close(fd[1]);
	d.server = fd[0];
	assert_int_equal(vol_ckdump(&d, &err), -1);
	assert_int_equal(errno, EPERM);
	assert_string_equal(err.text, "a queue");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* It has ended. */
	assert_int_equal(vol_ckdump(&d, &err), -1);
	assert_int_not_equal(errno, EPERM);
	close(fd[0]);
}

/* ---- the pump ---- */

static int break_off(int fd, void *arg, struct vol_error *err)
{
	(void)arg;
	if (write(fd, "x", 1) != 1)
		return -1;
	return vol_errorf_errno(err, ENODATA, "no more");
}

static void a_writer_that_fails_says_so_first(void **state)
{
	int halt = eventfd(0, EFD_CLOEXEC);
	struct vol_ckpump pump = {
		.run = break_off, .writes = true, .halt = halt};
	struct vol_error err = {""};
	eventfd_t value = 0;
	char c;
	int from;

	(void)state;
	from = vol_ckpump_start(&pump, NULL);
	assert_true(from >= 0);
	assert_int_equal(read(from, &c, 1), 1);
	assert_int_equal(read(from, &c, 1), 0);
	assert_int_equal(eventfd_read(halt, &value), 0);
	assert_int_equal(vol_ckpump_finish(&pump, &err), -1);
	assert_int_equal(errno, ENODATA);
	assert_string_equal(err.text, "no more");
	close(halt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define OF_RECORD(name) \
	cmocka_unit_test_setup_teardown(name, setup_record, teardown_record)
#define IN_FOLDER(name)                                           \
	cmocka_unit_test_setup_teardown(name, vtest_folder_setup, \
					vtest_folder_teardown)
		OF_RECORD(a_record_says_what_the_manifest_says),
		OF_RECORD(its_output_files_are_the_same),
		OF_RECORD(its_copies_are_the_same),
		OF_RECORD(its_mounts_are_the_same),
		OF_RECORD(places_are_read_from_a_file),
		OF_RECORD(a_wrong_file_of_places_is_named),
		cmocka_unit_test(a_build_id_is_found),
		cmocka_unit_test(no_file_is_too_strange),
		IN_FOLDER(files_of_others_are_none_of_the_job_s),
		IN_FOLDER(a_folder_goes_with_who_made_it),
		IN_FOLDER(its_words_and_status_are_heard),
		IN_FOLDER(it_ends_when_told_to),
		cmocka_unit_test(one_that_serves_is_asked),
		cmocka_unit_test(a_writer_that_fails_says_so_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
