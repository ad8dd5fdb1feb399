/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckfit.h - can this machine go on with what that machine began?; pure
 *
 * A program looks at its processor once, when it starts: glibc, OpenBLAS and
 * others choose their code then.  So a machine that goes on with it needs every
 * instruction that the first one had, whether used or not.
 *
 *	CPU	same architecture; all features of the first
 *	kernel	the same or a later major.minor: nothing was taken away so far,
 *		and CRIU's images name what older ones may not have
 *	CRIU	the same or a later one, which reads older images
 *	files	what is mapped from the system (programs, libraries) is mapped
 *		again from the new machine's: the same path, size and build id.
 *		Where both machines have one runtime image (runtime.h) as jobs'
 *		system that is so already, but for what the machines add to it.
 */
#ifndef VOL_CKFIT_H
#define VOL_CKFIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ckplaces.h"
#include "error.h"
#include "sha256.h"

/* A set of CPU features: bits are positions in a table of ours, which are never
 * stored; names are. */
#define VOL_CKCPU_WORDS 2
struct vol_ckcpu {
	uint64_t bit[VOL_CKCPU_WORDS];
};

/* Names as in /proc/cpuinfo's "flags": those that give instructions or
 * registers to programs.  Others (mitigations, virtualisation, power) are left
 * out, and so are words that are not known.  flags: separated by spaces, up to
 * a newline or the NUL. */
void vol_ckcpu_parse(const char *flags, struct vol_ckcpu *cpu);
/* From the text of /proc/cpuinfo: what all processors of the machine have.
 * EINVAL: no "flags" line. */
int vol_ckcpu_read(const char *cpuinfo, size_t len, struct vol_ckcpu *cpu,
		   struct vol_error *err);

/* Names in the table's order; NULL at its end (i from 0). */
const char *vol_ckcpu_name(unsigned int i);
bool vol_ckcpu_has(const struct vol_ckcpu *cpu, unsigned int i);
/* One by its name; false: not known. */
bool vol_ckcpu_add(struct vol_ckcpu *cpu, const char *name);
bool vol_ckcpu_within(const struct vol_ckcpu *a, const struct vol_ckcpu *b);

/* x86-64-v1 to -v4 (x86-64 psABI 1.0, table 3.1) that they make: 1 ... 4; 0 on
 * another architecture. */
unsigned int vol_ckcpu_level(const char *arch, const struct vol_ckcpu *cpu);

#define VOL_CKARCH_SIZE    16
#define VOL_CKKERNEL_SIZE  65 /* utsname.release */
#define VOL_CKRUNTIME_SIZE 65 /* 64 hex digits at most */

struct vol_ckmachine {
	char arch[VOL_CKARCH_SIZE]; /* uname -m */
	char kernel[VOL_CKKERNEL_SIZE];
	/* criu --version as 10000 * major + 100 * minor + sublevel; 0: none */
	uint32_t criu;
	/* Name by content of the image that jobs have as their system; "": the
	 * machine's own. */
	char runtime[VOL_CKRUNTIME_SIZE];
	struct vol_ckcpu cpu;
};

/* "4.2.1", "Version: 4.2", "4.1.1-2+b1": the first number with a dot in it.
 * EINVAL. */
int vol_ckcriu_parse(const char *text, uint32_t *version,
		     struct vol_error *err);
/* "4.2.1" */
const char *vol_ckcriu_format(uint32_t version, char buf[16]);

/* A file of the system that was mapped. */
#define VOL_CKBUILD_SIZE 20 /* SHA-1, of which CRIU keeps what is there */
struct vol_ckmapped_file {
	char path[VOL_CKPATH_SIZE];
	uint64_t bytes;
	uint8_t build[VOL_CKBUILD_SIZE]; /* zeros behind n_build */
	uint32_t n_build;                /* 0: has none (data, fonts) */
};

/* A program with many plugins maps some hundred. */
#define VOL_CKMAPPED_MAX 4096

/* Sorted by path, each once. */
struct vol_ckmapped {
	size_t n;
	struct vol_ckmapped_file *file;
};

/* EINVAL, EEXIST for the same path with other contents (the same once more is
 * fine), ENOSPC, ENOMEM. */
int vol_ckmapped_add(struct vol_ckmapped *mapped,
		     const struct vol_ckmapped_file *file,
		     struct vol_error *err);
void vol_ckmapped_clear(struct vol_ckmapped *mapped);

/* The size and build id of what this machine has at path: 0, or -1 with errno.
 */
typedef int (*vol_ckmapped_look_f)(const char *path,
				   struct vol_ckmapped_file *file, void *arg);

/* Does machine fit what image says?  look NULL: files are not asked for (the
 * controller can not see them).  0, or -1 with ENOTSUP and the reason in plain
 * words: "this processor has no avx512f, which it had where the job began". */
int vol_ckfit(const struct vol_ckmachine *image,
	      const struct vol_ckmapped *mapped,
	      const struct vol_ckmachine *machine, vol_ckmapped_look_f look,
	      void *arg, struct vol_error *err);

/* Do both fit whatever one of them fits, and is each as good as the other where
 * an image was made?  Of the kernel's release major.minor counts. */
bool vol_ckfit_alike(const struct vol_ckmachine *a,
		     const struct vol_ckmachine *b);

/* "ck-" and 16 hex digits: a node feature.  Machines with the same one fit each
 * other both ways: it is a digest of architecture, CPU features, kernel
 * (major.minor), CRIU and system, which is the runtime or, without one, what
 * the caller says of the machine's own (its libc: path, size and build id;
 * NULL: nothing is said of the system). */
#define VOL_CKFEATURE_SIZE 20
int vol_ckfit_feature(const struct vol_ckmachine *machine,
		      const struct vol_ckmapped_file *libc, vol_sha256_f sha256,
		      char feature[VOL_CKFEATURE_SIZE], struct vol_error *err);

#endif
