/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ckfit.c - which machine can go on with a job, and why not */
#include "config.h"

#include "ckfit.h"

#include <errno.h>

#include "plain_sha256.h"
#include "vtest.h"

#define V2                                                               \
	"fpu vme tsc cx8 cmov mmx fxsr sse sse2 syscall pni ssse3 cx16 " \
	"sse4_1 sse4_2 popcnt lahf_lm rdtscp "
#define V3 V2 "avx avx2 bmi1 bmi2 f16c fma abm movbe xsave xsavec "
#define V4 V3 "avx512f avx512bw avx512cd avx512dq avx512vl "

static struct vol_ckmachine machine(const char *flags)
{
	struct vol_ckmachine m = {
		.arch = "x86_64",
		.kernel = "6.12.48+deb13-amd64",
		.criu = 40201,
	};

	vol_ckcpu_parse(flags, &m.cpu);
	return m;
}

static void levels(void **state)
{
	struct vol_ckmachine m = machine(V4);

	(void)state;
	assert_int_equal(vol_ckcpu_level("x86_64", &m.cpu), 4);
	assert_int_equal(vol_ckcpu_level("aarch64", &m.cpu), 0);
	m = machine(V3 "avx512f");
	assert_int_equal(vol_ckcpu_level("x86_64", &m.cpu), 3);
	m = machine(V2);
	assert_int_equal(vol_ckcpu_level("x86_64", &m.cpu), 2);
	m = machine("fpu tsc cx8 cmov mmx fxsr sse sse2 syscall");
	assert_int_equal(vol_ckcpu_level("x86_64", &m.cpu), 1);
}

static void reading(void **state)
{
	static const char info[] =
		"processor\t: 0\nflags\t\t: " V3 "vmx\nbugs\t\t: avx512f\n\n"
		"processor\t: 1\nflags\t\t: " V2 "avx\nvmx flags\t: avx2\n";
	struct vol_ckcpu cpu = {{7, 7}}, want;
	struct vol_error err;

	(void)state;
	assert_int_equal(vol_ckcpu_read(info, sizeof(info) - 1, &cpu, NULL), 0);
	/* What both have. */
	vol_ckcpu_parse(V2 "avx", &want);
	assert_memory_equal(&cpu, &want, sizeof(cpu));
	assert_int_equal(vol_ckcpu_read("flags", 5, &cpu, &err), -1);
	assert_int_equal(vol_ckcpu_read("", 0, &cpu, &err), -1);
	assert_int_equal(errno, EINVAL);
	assert_memory_equal(&cpu, &want, sizeof(cpu));
	/* Words, not parts of them. */
	vol_ckcpu_parse("avx512 sse5 xavx avx\tavx2 FMA", &cpu);
	memset(&want, 0, sizeof(want));
	assert_memory_equal(&cpu, &want, sizeof(cpu));
	assert_true(vol_ckcpu_add(&cpu, "avx"));
	assert_false(vol_ckcpu_add(&cpu, "nx"));
	assert_false(vol_ckcpu_add(&cpu, ""));
	for (unsigned int i = 0; vol_ckcpu_name(i); i++)
		assert_int_equal(vol_ckcpu_has(&cpu, i),
				 strcmp(vol_ckcpu_name(i), "avx") == 0);
}

static void versions(void **state)
{
	static const struct {
		const char *text;
		uint32_t version;
		const char *again;
	} good[] = {
		{"4.2.1", 40201, "4.2.1"},
		{"Version: 4.2", 40200, "4.2"},
		{"4.1.1-2+b1", 40101, "4.1.1"},
		{"criu 3 is 3.17.1\n", 31701, "3.17.1"},
	};
	static const char *const bad[] = {"", "4", "none", "....", "400.1"};
	uint32_t version = 7;
	struct vol_error err;
	char buf[16];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		assert_int_equal(vol_ckcriu_parse(bad[i], &version, &err), -1);
		assert_int_equal(version, 7);
	}
	for (size_t i = 0; i < N_ELEMENTS(good); i++) {
		assert_int_equal(vol_ckcriu_parse(good[i].text, &version, NULL),
				 0);
		assert_int_equal(version, good[i].version);
		assert_string_equal(vol_ckcriu_format(version, buf),
				    good[i].again);
	}
}

static void refuse(const struct vol_ckmachine *image,
		   const struct vol_ckmachine *here, const char *part)
{
	const struct vol_ckmapped none = {.n = 0};
	struct vol_error err = {""};

	errno = 0;
	assert_int_equal(vol_ckfit(image, &none, here, NULL, NULL, &err), -1);
	assert_int_equal(errno, ENOTSUP);
	assert_contains(err.text, part);
	assert_printable(err.text);
}

static void machines(void **state)
{
	struct vol_ckmachine v4 = machine(V4), v3 = machine(V3), old = v3;
	const struct vol_ckmapped none = {.n = 0};

	(void)state;
	assert_int_equal(vol_ckfit(&v3, &none, &v3, NULL, NULL, NULL), 0);
	assert_int_equal(vol_ckfit(&v3, &none, &v4, NULL, NULL, NULL), 0);
	refuse(&v4, &v3, "this processor has no avx512f and 4 more features");
	old.cpu = machine(V2 "avx").cpu;
	vol_ckcpu_add(&old.cpu, "vaes");
	refuse(&old, &v3, "this processor has no vaes, which the job found");
	strcpy(old.arch, "aarch64");
	refuse(&old, &v3,
	       "this machine is x86_64, and the job began on aarch64");

	old = v3;
	strcpy(old.kernel, "6.1.0-39-amd64");
	assert_int_equal(vol_ckfit(&old, &none, &v3, NULL, NULL, NULL), 0);
	refuse(&v3, &old, "the kernel here is 6.1.0-39-amd64, and was 6.12.48");
	strcpy(old.kernel, "6.12.1");
	assert_int_equal(vol_ckfit(&v3, &none, &old, NULL, NULL, NULL), 0);
	strcpy(old.kernel, "5.99");
	refuse(&v3, &old, "the kernel here is 5.99");
	strcpy(old.kernel, "six");
	refuse(&v3, &old, "a kernel without a version");

	old = v3;
	old.criu = 40101;
	assert_int_equal(vol_ckfit(&old, &none, &v3, NULL, NULL, NULL), 0);
	refuse(&v3, &old, "CRIU here is 4.1.1, and was 4.2.1 where");
	old.criu = 0;
	refuse(&v3, &old, "this machine has no CRIU that works");
}

struct looked {
	struct vol_ckmapped_file file;
	int errnum;
	unsigned int n;
};

static int look(const char *path, struct vol_ckmapped_file *file, void *arg)
{
	struct looked *l = arg;

	assert_string_equal(path, l->file.path);
	l->n++;
	*file = l->file;
	errno = l->errnum;
	return l->errnum ? -1 : 0;
}

static void files(void **state)
{
	struct vol_ckmachine here = machine(V3), there = here;
	struct looked l = {
		.file = {.path = "/usr/lib/libc.so.6",
			 .bytes = 1926232,
			 .build = {1, 2, 3, 4},
			 .n_build = 20},
	};
	struct vol_ckmapped mapped = {.n = 0};
	struct vol_error err;

	(void)state;
	assert_int_equal(vol_ckmapped_add(&mapped, &l.file, NULL), 0);
	assert_int_equal(vol_ckfit(&there, &mapped, &here, look, &l, NULL), 0);
	assert_int_equal(l.n, 1);
	l.file.bytes++;
	assert_int_equal(vol_ckfit(&there, &mapped, &here, look, &l, &err), -1);
	assert_contains(err.text, "the job has \"/usr/lib/libc.so.6\" mapped, "
				  "which is another one here");
	l.file.bytes--;
	l.file.build[19] = 1;
	assert_int_equal(vol_ckfit(&there, &mapped, &here, look, &l, &err), -1);
	l.errnum = ENOENT;
	assert_int_equal(vol_ckfit(&there, &mapped, &here, look, &l, &err), -1);
	assert_contains(err.text, "mapped: No such file or directory here");
	/* The controller can not look. */
	assert_int_equal(vol_ckfit(&there, &mapped, &here, NULL, NULL, NULL),
			 0);
	/* One runtime: what the machine adds may still differ. */
	strcpy(here.runtime, "abc");
	strcpy(there.runtime, "abc");
	assert_int_equal(vol_ckfit(&there, &mapped, &here, look, &l, &err), -1);
	assert_contains(err.text, "mapped: No such file or directory here");
	l.errnum = 0;
	l.file.build[19] = 0;
	assert_int_equal(vol_ckfit(&there, &mapped, &here, look, &l, NULL), 0);
	strcpy(here.runtime, "abd");
	refuse(&there, &here, "runtime image abc as its system, and jobs here");
	here.runtime[0] = '\0';
	refuse(&there, &here, "and this machine has none");
	refuse(&here, &there, "and jobs here runtime image abc");
	vol_ckmapped_clear(&mapped);
}

static void lists(void **state)
{
	struct vol_ckmapped_file f = {.path = "/b", .bytes = 1};
	struct vol_ckmapped mapped = {.n = 0};
	struct vol_error err;

	(void)state;
	assert_int_equal(vol_ckmapped_add(&mapped, &f, NULL), 0);
	strcpy(f.path, "/a");
	assert_int_equal(vol_ckmapped_add(&mapped, &f, NULL), 0);
	assert_int_equal(vol_ckmapped_add(&mapped, &f, NULL), 0);
	assert_int_equal(mapped.n, 2);
	assert_string_equal(mapped.file[0].path, "/a");
	f.bytes = 2;
	assert_int_equal(vol_ckmapped_add(&mapped, &f, &err), -1);
	assert_int_equal(errno, EEXIST);
	strcpy(f.path, "a");
	assert_int_equal(vol_ckmapped_add(&mapped, &f, &err), -1);
	assert_int_equal(errno, EINVAL);
	strcpy(f.path, "/c");
	f.n_build = 21;
	assert_int_equal(vol_ckmapped_add(&mapped, &f, &err), -1);
	f.n_build = 4;
	f.build[4] = 1;
	assert_int_equal(vol_ckmapped_add(&mapped, &f, &err), -1);
	memset(f.path, 'x', sizeof(f.path));
	assert_int_equal(vol_ckmapped_add(&mapped, &f, &err), -1);
	vol_ckmapped_clear(&mapped);
}

static void feature(void **state)
{
	struct vol_ckmapped_file libc = {
		.path = "/usr/lib/libc.so.6", .bytes = 5, .n_build = 4};
	char a[VOL_CKFEATURE_SIZE], b[VOL_CKFEATURE_SIZE];
	struct vol_ckmachine m = machine(V3), o = m;

	(void)state;
	assert_int_equal(vol_ckfit_feature(&m, &libc, plain_sha256, a, NULL),
			 0);
	assert_int_equal(strlen(a), VOL_CKFEATURE_SIZE - 1);
	assert_memory_equal(a, "ck-", 3);
	assert_int_equal(strspn(a + 3, "0123456789abcdef"), 16);
	/* Of another patch of the kernel it is the same. */
	strcpy(o.kernel, "6.12.1");
	vol_ckfit_feature(&o, &libc, plain_sha256, b, NULL);
	assert_string_equal(a, b);
	strcpy(o.kernel, "6.13.48");
	vol_ckfit_feature(&o, &libc, plain_sha256, b, NULL);
	assert_string_not_equal(a, b);
	o = m;
	o.criu++;
	vol_ckfit_feature(&o, &libc, plain_sha256, b, NULL);
	assert_string_not_equal(a, b);
	o = m;
	vol_ckcpu_add(&o.cpu, "vaes");
	vol_ckfit_feature(&o, &libc, plain_sha256, b, NULL);
	assert_string_not_equal(a, b);
	libc.build[0]++;
	vol_ckfit_feature(&m, &libc, plain_sha256, b, NULL);
	assert_string_not_equal(a, b);
	/* With a runtime the machine's own system is not asked. */
	strcpy(m.runtime, "abc");
	vol_ckfit_feature(&m, &libc, plain_sha256, a, NULL);
	vol_ckfit_feature(&m, NULL, plain_sha256, b, NULL);
	assert_string_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels),   cmocka_unit_test(reading),
		cmocka_unit_test(versions), cmocka_unit_test(machines),
		cmocka_unit_test(files),    cmocka_unit_test(lists),
		cmocka_unit_test(feature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
