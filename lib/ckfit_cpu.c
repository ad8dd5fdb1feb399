/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckfit_cpu.c - sets of CPU features */
#include "config.h"

#include "ckfit.h"

#include <errno.h>
#include <string.h>

#define BITS 64

/* /proc/cpuinfo's names (the kernel's arch/x86/include/asm/cpufeatures.h) of
 * what a program can execute or has in its registers.  level: of the x86-64
 * psABI, which has each of the lower ones', too; 0: in none. */
static const struct {
	const char *name;
	unsigned int level;
} features[] = {
	{"fpu", 1},
	{"cx8", 1},
	{"cmov", 1},
	{"mmx", 1},
	{"fxsr", 1},
	{"sse", 1},
	{"sse2", 1},
	{"syscall", 1},
	{"cx16", 2},
	{"lahf_lm", 2},
	{"popcnt", 2},
	{"pni", 2}, /* SSE3 */
	{"ssse3", 2},
	{"sse4_1", 2},
	{"sse4_2", 2},
	{"avx", 3},
	{"avx2", 3},
	{"bmi1", 3},
	{"bmi2", 3},
	{"f16c", 3},
	{"fma", 3},
	{"abm", 3}, /* LZCNT */
	{"movbe", 3},
	{"xsave", 3}, /* OSXSAVE */
	{"avx512f", 4},
	{"avx512bw", 4},
	{"avx512cd", 4},
	{"avx512dq", 4},
	{"avx512vl", 4},
	/* What the registers are saved with, and more of them. */
	{"xsaveopt", 0},
	{"xsavec", 0},
	{"xgetbv1", 0},
	{"pku", 0},
	{"ospke", 0},
	{"mpx", 0},
	{"user_shstk", 0},
	{"amx_tile", 0},
	{"amx_int8", 0},
	{"amx_bf16", 0},
	{"amx_fp16", 0},
	{"amx_complex", 0},
	/* More instructions on these. */
	{"avx512ifma", 0},
	{"avx512vbmi", 0},
	{"avx512_vbmi2", 0},
	{"avx512_vnni", 0},
	{"avx512_bitalg", 0},
	{"avx512_vpopcntdq", 0},
	{"avx512_vp2intersect", 0},
	{"avx512_bf16", 0},
	{"avx512_fp16", 0},
	{"avx512_4vnniw", 0},
	{"avx512_4fmaps", 0},
	{"avx512er", 0},
	{"avx512pf", 0},
	{"avx_vnni", 0},
	{"avx_ifma", 0},
	{"aes", 0},
	{"pclmulqdq", 0},
	{"vaes", 0},
	{"vpclmulqdq", 0},
	{"gfni", 0},
	{"sha_ni", 0},
	{"sha512", 0},
	{"sm3", 0},
	{"sm4", 0},
	{"sse4a", 0},
	{"fma4", 0},
	{"xop", 0},
	{"tbm", 0},
	{"lwp", 0},
	{"3dnow", 0},
	{"3dnowext", 0},
	{"3dnowprefetch", 0},
	{"misalignsse", 0},
	/* Others. */
	{"tsc", 0},
	{"rdtscp", 0},
	{"rdpid", 0},
	{"rdpru", 0},
	{"rdrand", 0},
	{"rdseed", 0},
	{"adx", 0},
	{"fsgsbase", 0},
	{"erms", 0},
	{"fsrm", 0},
	{"fzrm", 0},
	{"fsrs", 0},
	{"fsrc", 0},
	{"rtm", 0},
	{"hle", 0},
	{"clflush", 0},
	{"clflushopt", 0},
	{"clwb", 0},
	{"clzero", 0},
	{"cldemote", 0},
	{"movdiri", 0},
	{"movdir64b", 0},
	{"enqcmd", 0},
	{"serialize", 0},
	{"tsxldtrk", 0},
	{"waitpkg", 0},
	{"ptwrite", 0},
	{"monitorx", 0},
	{"cmpccxadd", 0},
	{"prefetchiti", 0},
	{"lam", 0},
};
#define N_FEATURES (sizeof(features) / sizeof(features[0]))

_Static_assert(N_FEATURES <= VOL_CKCPU_WORDS * BITS, "more words");

static void set(struct vol_ckcpu *cpu, size_t i)
{
	cpu->bit[i / BITS] |= UINT64_C(1) << i % BITS;
}

/* Position of a name, or N_FEATURES. */
static size_t find(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < N_FEATURES; i++)
		if (strlen(features[i].name) == len &&
		    memcmp(features[i].name, name, len) == 0)
			break;
	return i;
}

static void parse(const char *flags, size_t len, struct vol_ckcpu *cpu)
{
	size_t from = 0;

	*cpu = (struct vol_ckcpu){.bit = {0}};
	for (size_t i = 0; i <= len; i++) {
		size_t feature;

		if (i < len && flags[i] != ' ')
			continue;
		feature = find(flags + from, i - from);
		if (feature < N_FEATURES)
			set(cpu, feature);
		from = i + 1;
	}
}

void vol_ckcpu_parse(const char *flags, struct vol_ckcpu *cpu)
{
	parse(flags, strcspn(flags, "\n"), cpu);
}

/* The value of a line "flags\t\t: ...", or NULL. */
static const char *flags_of(const char *line, size_t *len)
{
	const char *colon = memchr(line, ':', *len);

	if (!colon || *len < 6 || memcmp(line, "flags", 5) != 0 ||
	    (line[5] != '\t' && line[5] != ' ' && line[5] != ':'))
		return NULL;
	*len -= (size_t)(colon + 1 - line);
	return colon + 1;
}

int vol_ckcpu_read(const char *cpuinfo, size_t len, struct vol_ckcpu *cpu,
		   struct vol_error *err)
{
	struct vol_ckcpu all;
	size_t processors = 0;

	memset(&all, 0xff, sizeof(all));
	while (len > 0) {
		const char *end = memchr(cpuinfo, '\n', len);
		size_t n = end ? (size_t)(end - cpuinfo) : len, value = n;
		const char *flags = flags_of(cpuinfo, &value);
		struct vol_ckcpu one;

		if (flags) {
			parse(flags, value, &one);
			processors++;
			for (int i = 0; i < VOL_CKCPU_WORDS; i++)
				all.bit[i] &= one.bit[i];
		}
		n += end != NULL;
		cpuinfo += n;
		len -= n;
	}
	if (processors == 0)
		return vol_errorf_errno(err, EINVAL,
					"no line of a processor's flags");
	*cpu = all;
	return 0;
}

const char *vol_ckcpu_name(unsigned int i)
{
	return i < N_FEATURES ? features[i].name : NULL;
}

bool vol_ckcpu_has(const struct vol_ckcpu *cpu, unsigned int i)
{
	return cpu->bit[i / BITS] >> i % BITS & 1;
}

bool vol_ckcpu_add(struct vol_ckcpu *cpu, const char *name)
{
	size_t i = find(name, strlen(name));

	if (i < N_FEATURES)
		set(cpu, i);
	return i < N_FEATURES;
}

bool vol_ckcpu_within(const struct vol_ckcpu *a, const struct vol_ckcpu *b)
{
	for (int i = 0; i < VOL_CKCPU_WORDS; i++)
		if (a->bit[i] & ~b->bit[i])
			return false;
	return true;
}

unsigned int vol_ckcpu_level(const char *arch, const struct vol_ckcpu *cpu)
{
	unsigned int level = 4;

	if (strcmp(arch, "x86_64") != 0)
		return 0;
	for (size_t i = 0; i < N_FEATURES; i++)
		if (features[i].level && !vol_ckcpu_has(cpu, (unsigned int)i) &&
		    features[i].level <= level)
			level = features[i].level - 1;
	return level;
}
