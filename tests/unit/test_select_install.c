/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_select_install.c - switching the select plugin on and off, crashes
 * included
 *
 * Plugins are the smallest ELF files that carry a version; dpkg-divert is a
 * script that keeps the diversion in a file.
 */
#include "config.h"

#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "atomicfile.h"
#include "tests/unit/vtest.h"
#include "wrappers/volunteer/elf_peek.h"
#include "wrappers/volunteer/select_install.h"

#define V_OLD 0x180b05 /* 24.11.5 */
#define V_NEW 0x180b06

#define DIR_INSIDE "/usr/lib/slurm"
#define ACTIVE     DIR_INSIDE "/select_cons_tres.so"
#define BASE       ACTIVE ".base"
#define OURS       "/opt/select_cons_tres.so"
#define DIVERSION  "/var/lib/dpkg/diverted"

struct elf {
	ElfW(Ehdr) ehdr;
	ElfW(Phdr) phdr;
	ElfW(Shdr) shdr[3];
	ElfW(Sym) sym[2];
	char strings[64];
	uint32_t value;
	uint32_t salt; /* makes two builds of one version differ */
};

static struct elf make_elf(const char *symbol, uint32_t value, uint32_t salt)
{
	struct elf e = {.value = value, .salt = salt};
	const ElfW(Addr) base = 0x1000;

	memcpy(e.ehdr.e_ident, ELFMAG, SELFMAG);
	e.ehdr.e_ident[EI_CLASS] =
		sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
	e.ehdr.e_phoff = offsetof(struct elf, phdr);
	e.ehdr.e_phentsize = sizeof(e.phdr);
	e.ehdr.e_phnum = 1;
	e.ehdr.e_shoff = offsetof(struct elf, shdr);
	e.ehdr.e_shentsize = sizeof(e.shdr[0]);
	e.ehdr.e_shnum = 3;
	e.phdr.p_type = PT_LOAD;
	e.phdr.p_vaddr = base;
	e.phdr.p_filesz = sizeof(e);
	e.shdr[1].sh_type = SHT_DYNSYM;
	e.shdr[1].sh_offset = offsetof(struct elf, sym);
	e.shdr[1].sh_size = sizeof(e.sym);
	e.shdr[1].sh_link = 2;
	e.shdr[2].sh_type = SHT_STRTAB;
	e.shdr[2].sh_offset = offsetof(struct elf, strings);
	e.shdr[2].sh_size = sizeof(e.strings);
	e.sym[1].st_name = 1;
	e.sym[1].st_shndx = 1;
	e.sym[1].st_value = base + offsetof(struct elf, value);
	snprintf(e.strings + 1, sizeof(e.strings) - 1, "%s", symbol);
	return e;
}

static const char *root; /* of the running test */

static const char *in_root(const char *path)
{
	static char buf[4][PATH_MAX];
	static unsigned int next;
	char *p = buf[next++ % 4];

	snprintf(p, PATH_MAX, "%s%s", root, path);
	return p;
}

static void put(const char *path, const void *data, size_t len)
{
	assert_int_equal(
		vol_file_replace(in_root(path), data, len, 0644, 0, NULL), 0);
}

static void put_slurm(const char *path, uint32_t version)
{
	struct elf e = make_elf("plugin_version", version, 0);

	put(path, &e, sizeof(e));
}

static void put_ours(const char *path, uint32_t version, uint32_t salt)
{
	struct elf e = make_elf("vol_select_slurm_version", version, salt);

	put(path, &e, sizeof(e));
}

static void put_dpkg(void)
{
	static const char script[] =
		"#!/bin/sh\n"
		"f=\n"
		"for a in \"$@\"; do\n"
		"	case $a in\n"
		"	--root=*) root=${a#--root=} ;;\n"
		"	--rename) echo moves files; exit 1 ;;\n"
		"	--add | --remove | --truename) verb=$a ;;\n"
		"	esac\n"
		"	f=$a\n"
		"done\n"
		"state=$root" DIVERSION "\n"
		"[ ! -e $root/fail ] || { echo no dpkg today; exit 2; }\n"
		"case $verb in\n"
		"--truename) if [ -e $state ]; then cat $state; else echo $f;"
		" fi ;;\n"
		"--add) echo $f.base >$state ;;\n"
		"--remove) rm $state ;;\n"
		"esac\n";
	char path[PATH_MAX];

	put("/var/lib/dpkg/status", "", 0);
	put("/bin/dpkg-divert", script, sizeof(script) - 1);
	assert_int_equal(chmod(in_root("/bin/dpkg-divert"), 0755), 0);
	snprintf(path, sizeof(path), "%s:/usr/bin:/bin", in_root("/bin"));
	setenv("PATH", path, 1);
}

static void divert(void)
{
	put(DIVERSION, BASE "\n", strlen(BASE "\n"));
}

/* A controller with Slurm V_OLD and our plugin for it, not enabled. */
static struct vol_select make_host(const char *folder, bool dpkg)
{
	static const char *const dirs[] = {DIR_INSIDE, "/opt", "/bin",
					   "/var/lib/dpkg"};
	struct vol_select sel;

	root = folder;
	for (size_t i = 0; i < N_ELEMENTS(dirs); i++)
		assert_int_equal(vol_mkdir_p(in_root(dirs[i]), 0755, NULL), 0);
	if (dpkg)
		put_dpkg();
	put_slurm(ACTIVE, V_OLD);
	put_ours(OURS, V_OLD, 0);
	assert_int_equal(vol_select_init(&sel, root, DIR_INSIDE, OURS, NULL),
			 0);
	return sel;
}

/* 0: there is none; else the version, negative for ours. */
static long version_at(const char *path)
{
	uint32_t version;

	if (!vol_elf_peek_u32(in_root(path), "plugin_version", &version, NULL))
		return (long)version;
	if (!vol_elf_peek_u32(in_root(path), "vol_select_slurm_version",
			      &version, NULL))
		return -(long)version;
	return 0;
}

static bool is_diverted(void)
{
	return access(in_root(DIVERSION), F_OK) == 0;
}

static enum vol_select_state state_of(const struct vol_select *sel)
{
	struct vol_select_status st;

	assert_int_equal(vol_select_look(sel, &st, NULL), 0);
	return st.state;
}

static void expect_enabled(const struct vol_select *sel, bool dpkg,
			   uint32_t version)
{
	assert_int_equal(state_of(sel), VOL_SELECT_ENABLED);
	assert_int_equal(version_at(ACTIVE), -(long)version);
	assert_int_equal(version_at(BASE), version);
	assert_int_equal(is_diverted(), dpkg);
	assert_int_equal(vtest_count_entries(in_root(DIR_INSIDE)), 2);
}

static void expect_disabled(const struct vol_select *sel, uint32_t version)
{
	assert_int_equal(state_of(sel), VOL_SELECT_DISABLED);
	assert_int_equal(version_at(ACTIVE), version);
	assert_false(is_diverted());
	assert_int_equal(vtest_count_entries(in_root(DIR_INSIDE)), 1);
}

static void round_trip(const char *folder, bool dpkg)
{
	struct vol_select sel = make_host(folder, dpkg);
	struct stat before, after;
	bool changed;

	assert_int_equal(stat(in_root(ACTIVE), &before), 0);
	expect_disabled(&sel, V_OLD);
	assert_int_equal(vol_select_disable(&sel, &changed, NULL), 0);
	assert_false(changed);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vol_select_enable(&sel, &changed, NULL), 0);
		assert_int_equal(changed, i == 0);
		expect_enabled(&sel, dpkg, V_OLD);
	}
	assert_int_equal(stat(in_root(ACTIVE), &after), 0);
	assert_int_equal(after.st_mode & 07777, 0644);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vol_select_disable(&sel, &changed, NULL), 0);
		assert_int_equal(changed, i == 0);
		expect_disabled(&sel, V_OLD);
	}
	assert_int_equal(stat(in_root(ACTIVE), &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(after.st_mtime, before.st_mtime);
}

static void switches_on_and_off(void **state)
{
	round_trip(*state, false);
}

static void switches_on_and_off_with_dpkg(void **state)
{
	round_trip(*state, true);
}

/* Where a crash, an upgrade or a hand can leave a host.  's' is Slurm's own
 * plugin of V_OLD, 'n' that of V_NEW, 'o' ours, '-' nothing. */
static const struct left {
	const char *what;
	char active, base;
	bool diverted, dpkg;
	uint32_t version; /* of Slurm, afterwards */
} lefts[] = {
	{"enable: base is linked; disable: dpkg is told", 's', 's', false, true,
	 V_OLD},
	{"enable: dpkg is told; disable: original is back", 's', 's', true,
	 true, V_OLD},
	{"enable without dpkg: base is linked", 's', 's', false, false, V_OLD},
	{"upgrade while diverted, original active", 's', 'n', true, true,
	 V_NEW},
	{"upgrade after dpkg was told of the end", 'n', 's', false, true,
	 V_NEW},
	{"upgrade without dpkg replaced ours", 'n', 's', false, false, V_NEW},
	{"diversion removed by hand", 'o', 's', false, true, V_OLD},
	{"file removed by hand", '-', 's', true, true, V_OLD},
	{"base removed by hand", 's', '-', true, true, V_OLD},
};

static void put_left(const char *path, char what)
{
	if (what == 's')
		put_slurm(path, V_OLD);
	else if (what == 'n')
		put_slurm(path, V_NEW);
	else if (what == 'o')
		put_ours(path, V_OLD, 0);
	else
		unlink(in_root(path));
}

static void repair(const char *folder, bool enable)
{
	for (size_t i = 0; i < N_ELEMENTS(lefts); i++) {
		const struct left *l = &lefts[i];
		struct vol_select sel = make_host(folder, l->dpkg);
		bool changed;

		print_message("%s\n", l->what);
		if (!l->dpkg)
			unlink(in_root("/var/lib/dpkg/status"));
		put_left(ACTIVE, l->active);
		put_left(BASE, l->base);
		/* What a crash leaves is two names of one file. */
		if (l->active == 's' && l->base == 's') {
			unlink(in_root(BASE));
			assert_int_equal(link(in_root(ACTIVE), in_root(BASE)),
					 0);
		}
		put(DIR_INSIDE "/.select_cons_tres.so.Ab3dEf", "half", 4);
		unlink(in_root(DIVERSION));
		if (l->diverted)
			divert();
		put_ours(OURS, l->version, 0);
		assert_int_equal(state_of(&sel), VOL_SELECT_HALF_DONE);
		if (enable) {
			assert_int_equal(
				vol_select_enable(&sel, &changed, NULL), 0);
			assert_true(changed);
			expect_enabled(&sel, l->dpkg, l->version);
		}
		assert_int_equal(vol_select_disable(&sel, &changed, NULL), 0);
		assert_true(changed);
		expect_disabled(&sel, l->version);
	}
}

static void enable_repairs(void **state)
{
	repair(*state, true);
}

static void disable_repairs(void **state)
{
	repair(*state, false);
}

static void other_version_is_refused(void **state)
{
	struct vol_select sel = make_host(*state, true);
	struct vol_error err;
	bool changed = true;

	put_ours(OURS, V_NEW, 0);
	assert_int_equal(vol_select_enable(&sel, &changed, &err), -1);
	assert_false(changed);
	assert_contains(err.text, "built for Slurm 24.11.6");
	assert_contains(err.text, "24.11.5");
	expect_disabled(&sel, V_OLD);

	unlink(in_root(OURS));
	assert_int_equal(vol_select_enable(&sel, &changed, &err), -1);
	assert_contains(err.text, "--with-slurm-source");
	expect_disabled(&sel, V_OLD);
}

/* dpkg wrote a newer original to the base while ours stayed. */
static void upgrade_under_us(void **state)
{
	struct vol_select sel = make_host(*state, true);
	struct vol_select_status st;
	struct vol_error err;
	bool changed;

	assert_int_equal(vol_select_enable(&sel, &changed, NULL), 0);
	put_slurm(BASE, V_NEW);
	assert_int_equal(vol_select_look(&sel, &st, NULL), 0);
	assert_int_equal(st.state, VOL_SELECT_ENABLED);
	assert_int_equal(st.built_for, V_OLD);
	assert_int_equal(st.slurm, V_NEW);

	put_ours(OURS, V_NEW, 0);
	assert_int_equal(vol_select_enable(&sel, &changed, &err), 0);
	assert_true(changed);
	expect_enabled(&sel, true, V_NEW);
}

static void new_build_replaces_the_old(void **state)
{
	struct vol_select sel = make_host(*state, false);
	struct vol_select_status st;
	bool changed;

	assert_int_equal(vol_select_enable(&sel, &changed, NULL), 0);
	put_ours(OURS, V_OLD, 1);
	assert_int_equal(vol_select_look(&sel, &st, NULL), 0);
	assert_false(st.current);
	assert_int_equal(vol_select_enable(&sel, &changed, NULL), 0);
	assert_true(changed);
	assert_int_equal(vol_select_look(&sel, &st, NULL), 0);
	assert_true(st.current);
}

static void unknown_files_are_left_alone(void **state)
{
	struct vol_select sel = make_host(*state, false);
	struct vol_error err;
	bool changed;

	put(ACTIVE, "text", 4);
	assert_int_equal(state_of(&sel), VOL_SELECT_BROKEN);
	assert_int_equal(vol_select_enable(&sel, &changed, &err), -1);
	assert_contains(err.text, "left alone");
	assert_int_equal(vol_select_disable(&sel, &changed, &err), -1);
	put_slurm(ACTIVE, V_OLD);
	put(BASE, "text", 4);
	assert_int_equal(vol_select_enable(&sel, &changed, &err), -1);
	assert_contains(err.text, ".base");
	assert_int_equal(vtest_count_entries(in_root(DIR_INSIDE)), 2);
}

/* Slurm's package went away, its plugin with it. */
static void slurm_removed_under_us(void **state)
{
	struct vol_select sel = make_host(*state, true);
	struct vol_error err;
	bool changed;

	assert_int_equal(vol_select_enable(&sel, &changed, NULL), 0);
	unlink(in_root(BASE));
	assert_int_equal(state_of(&sel), VOL_SELECT_BROKEN);
	assert_int_equal(vol_select_enable(&sel, &changed, &err), -1);
	assert_contains(err.text, "reinstall");
	assert_int_equal(vol_select_disable(&sel, &changed, NULL), 0);
	assert_true(changed);
	assert_false(is_diverted());
	assert_int_equal(vtest_count_entries(in_root(DIR_INSIDE)), 0);
	assert_int_equal(vol_select_disable(&sel, &changed, NULL), 0);
	assert_false(changed);
}

static void dpkg_refuses(void **state)
{
	struct vol_select sel = make_host(*state, true);
	struct vol_error err;
	bool changed;

	put("/fail", "", 0);
	assert_int_equal(vol_select_enable(&sel, &changed, &err), -1);
	assert_contains(err.text, "no dpkg today");
	unlink(in_root("/fail"));
	expect_disabled(&sel, V_OLD);

	put(DIVERSION, "/elsewhere\n", 11);
	assert_int_equal(vol_select_enable(&sel, &changed, &err), -1);
	assert_contains(err.text, "already diverted to /elsewhere");
	assert_int_equal(version_at(ACTIVE), V_OLD);
}

static void peek_survives_damage(void **state)
{
	struct elf whole = make_elf("plugin_version", V_OLD, 0);
	uint32_t value;

	root = *state;
	assert_int_equal(vol_elf_peek_u32(in_root("/none"), "x", &value, NULL),
			 -1);
	assert_int_equal(errno, ENOENT);
	/* Cut at each length: found, or an error, and nothing else. */
	for (size_t len = 0; len <= sizeof(whole); len++) {
		int rc;

		put("/cut", &whole, len);
		rc = vol_elf_peek_u32(in_root("/cut"), "plugin_version", &value,
				      NULL);
		if (rc == 0)
			assert_int_equal(value, V_OLD);
		else
			assert_true(errno == ENOEXEC || errno == ENODATA);
		assert_true(rc < 0 ||
			    len >= offsetof(struct elf, value) + sizeof(value));
	}
	/* Each byte at its extreme: no crash under the sanitizers. */
	for (size_t i = 0; i < offsetof(struct elf, value); i++) {
		struct elf bad = whole;

		((unsigned char *)&bad)[i] = 0xff;
		put("/bad", &bad, sizeof(bad));
		(void)vol_elf_peek_u32(in_root("/bad"), "plugin_version",
				       &value, NULL);
	}
}

static void long_paths_are_refused(void **state)
{
	char dir[PATH_MAX];
	struct vol_select sel;

	(void)state;
	memset(dir, 'a', sizeof(dir) - 1);
	dir[sizeof(dir) - 1] = '\0';
	assert_int_equal(vol_select_init(&sel, NULL, dir, NULL, NULL), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(vol_select_init(&sel, "/", NULL, NULL, NULL), 0);
	assert_string_equal(sel.root, "");
}

static void versions_are_readable(void **state)
{
	char buf[VOL_SELECT_VERSION_SIZE];

	(void)state;
	assert_string_equal(vol_select_version(V_OLD, buf), "24.11.5");
	assert_string_equal(vol_select_version(0x160508, buf), "22.05.8");
	assert_string_equal(vol_select_version(0, buf), "none");
	assert_string_equal(vol_select_version(UINT32_MAX, buf), "255.255.255");
}

#define WITH_FOLDER(test)                                         \
	cmocka_unit_test_setup_teardown(test, vtest_folder_setup, \
					vtest_folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(switches_on_and_off),
		WITH_FOLDER(switches_on_and_off_with_dpkg),
		WITH_FOLDER(enable_repairs),
		WITH_FOLDER(disable_repairs),
		WITH_FOLDER(other_version_is_refused),
		WITH_FOLDER(upgrade_under_us),
		WITH_FOLDER(new_build_replaces_the_old),
		WITH_FOLDER(unknown_files_are_left_alone),
		WITH_FOLDER(slurm_removed_under_us),
		WITH_FOLDER(dpkg_refuses),
		WITH_FOLDER(peek_survives_damage),
		cmocka_unit_test(long_paths_are_refused),
		cmocka_unit_test(versions_are_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
