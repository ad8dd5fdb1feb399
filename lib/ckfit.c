/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckfit.c - can this machine go on with what that machine began? */
#include "config.h"

#include "ckfit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "text.h"

#define FEATURE_DIGITS 8 /* bytes of the digest */

/* "4.2.1" and such: each part is below 100 in what is kept. */
#define CRIU_PART_MAX 99

/* Position of path, or where it would be. */
static size_t search(const struct vol_ckmapped *mapped, const char *path)
{
	size_t lo = 0, hi = mapped->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (strcmp(mapped->file[mid].path, path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool same_contents(const struct vol_ckmapped_file *a,
			  const struct vol_ckmapped_file *b)
{
	return a->bytes == b->bytes && a->n_build == b->n_build &&
	       memcmp(a->build, b->build, sizeof(a->build)) == 0;
}

static bool file_valid(const struct vol_ckmapped_file *file)
{
	static const uint8_t none[VOL_CKBUILD_SIZE];

	return vol_ckpath_valid_n(file->path,
				  strnlen(file->path, sizeof(file->path))) &&
	       file->bytes <= INT64_MAX && file->n_build <= VOL_CKBUILD_SIZE &&
	       memcmp(file->build + file->n_build, none,
		      VOL_CKBUILD_SIZE - file->n_build) == 0;
}

int vol_ckmapped_add(struct vol_ckmapped *mapped,
		     const struct vol_ckmapped_file *file,
		     struct vol_error *err)
{
	char excerpt[VOL_EXCERPT_SIZE];
	struct vol_ckmapped_file *grown;
	size_t i;

	vol_text_excerpt(file->path, strnlen(file->path, sizeof(file->path)),
			 excerpt);
	if (!file_valid(file))
		return vol_errorf_errno(err, EINVAL, "%s is no mapped file",
					excerpt);
	i = search(mapped, file->path);
	if (i < mapped->n && strcmp(mapped->file[i].path, file->path) == 0) {
		if (same_contents(&mapped->file[i], file))
			return 0;
		return vol_errorf_errno(err, EEXIST,
					"%s is mapped as two different files",
					excerpt);
	}
	if (mapped->n >= VOL_CKMAPPED_MAX)
		return vol_errorf_errno(err, ENOSPC,
					"more than %d mapped files",
					VOL_CKMAPPED_MAX);
	grown = reallocarray(mapped->file, mapped->n + 1, sizeof(*grown));
	if (!grown)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	mapped->file = grown;
	memmove(grown + i + 1, grown + i, (mapped->n - i) * sizeof(*grown));
	grown[i] = *file;
	mapped->n++;
	return 0;
}

void vol_ckmapped_clear(struct vol_ckmapped *mapped)
{
	int saved = errno;

	free(mapped->file);
	*mapped = (struct vol_ckmapped){.n = 0};
	errno = saved;
}

/* major.minor of a release, such as "6.12" of "6.12.48+deb13-amd64". */
static int kernel_version(const char *release, uint32_t version[2])
{
	for (int i = 0; i < 2; i++) {
		size_t len = strspn(release, "0123456789");
		uint64_t part;

		if (vol_text_number(release, len, 0, UINT16_MAX, &part) < 0)
			return -1;
		version[i] = (uint32_t)part;
		release += len;
		if (i == 0 && *release++ != '.')
			return -1;
	}
	return 0;
}

int vol_ckcriu_parse(const char *text, uint32_t *version, struct vol_error *err)
{
	static const char digits[] = "0123456789";
	uint64_t part[3] = {0};
	const char *at = text;
	int n = 0;

	/* The first that has a dot. */
	while (*at && !(strspn(at, digits) && at[strspn(at, digits)] == '.'))
		at += strspn(at, digits) ? strspn(at, digits) : 1;
	for (; n < 3; n++) {
		size_t len = strspn(at, digits);

		if (vol_text_number(at, len, 0, CRIU_PART_MAX, &part[n]) < 0)
			break;
		at += len;
		if (*at != '.')
			break;
		at++;
	}
	if (n == 0 && part[0] == 0)
		return vol_errorf_errno(err, EINVAL, "no version of CRIU");
	*version = (uint32_t)(10000 * part[0] + 100 * part[1] + part[2]);
	return 0;
}

const char *vol_ckcriu_format(uint32_t version, char buf[16])
{
	if (version % 100)
		snprintf(buf, 16, "%" PRIu32 ".%" PRIu32 ".%" PRIu32,
			 version / 10000, version / 100 % 100, version % 100);
	else
		snprintf(buf, 16, "%" PRIu32 ".%" PRIu32, version / 10000,
			 version / 100 % 100);
	return buf;
}

static int fit_cpu(const struct vol_ckmachine *image,
		   const struct vol_ckmachine *machine, struct vol_error *err)
{
	unsigned int missing = 0, first = 0;

	if (strcmp(image->arch, machine->arch) != 0)
		return vol_errorf_errno(err, ENOTSUP,
					"this machine is %s, and the job began "
					"on %s",
					machine->arch, image->arch);
	for (unsigned int i = 0; vol_ckcpu_name(i); i++) {
		if (!vol_ckcpu_has(&image->cpu, i) ||
		    vol_ckcpu_has(&machine->cpu, i))
			continue;
		if (missing++ == 0)
			first = i;
	}
	if (missing == 0)
		return 0;
	if (missing == 1)
		return vol_errorf_errno(err, ENOTSUP,
					"this processor has no %s, which the "
					"job found where it began",
					vol_ckcpu_name(first));
	return vol_errorf_errno(err, ENOTSUP,
				"this processor has no %s and %u more "
				"features, which the job found where it began",
				vol_ckcpu_name(first), missing - 1);
}

static int fit_kernel(const struct vol_ckmachine *image,
		      const struct vol_ckmachine *machine,
		      struct vol_error *err)
{
	uint32_t old[2], new[2];

	if (kernel_version(image->kernel, old) < 0 ||
	    kernel_version(machine->kernel, new) < 0)
		return vol_errorf_errno(err, ENOTSUP,
					"a kernel without a version");
	if (new[0] > old[0] || (new[0] == old[0] && new[1] >= old[1]))
		return 0;
	return vol_errorf_errno(err, ENOTSUP,
				"the kernel here is %s, and was %s where the "
				"job was written down",
				machine->kernel, image->kernel);
}

static int fit_criu(const struct vol_ckmachine *image,
		    const struct vol_ckmachine *machine, struct vol_error *err)
{
	char here[16], there[16];

	if (!machine->criu)
		return vol_errorf_errno(err, ENOTSUP,
					"this machine has no CRIU that works");
	if (machine->criu >= image->criu)
		return 0;
	return vol_errorf_errno(err, ENOTSUP,
				"CRIU here is %s, and was %s where the job was "
				"written down",
				vol_ckcriu_format(machine->criu, here),
				vol_ckcriu_format(image->criu, there));
}

static int fit_file(const struct vol_ckmapped_file *want,
		    vol_ckmapped_look_f look, void *arg, struct vol_error *err)
{
	struct vol_ckmapped_file have = {.bytes = 0};
	char excerpt[VOL_EXCERPT_SIZE];

	vol_text_excerpt(want->path, strlen(want->path), excerpt);
	if (look(want->path, &have, arg) < 0)
		return vol_errorf_errno(err, ENOTSUP,
					"the job has %s mapped: %s here",
					excerpt, strerror(errno));
	if (!same_contents(want, &have))
		return vol_errorf_errno(err, ENOTSUP,
					"the job has %s mapped, which is "
					"another one here",
					excerpt);
	return 0;
}

/* They differ. */
static int fit_runtime(const char *image, const char *machine,
		       struct vol_error *err)
{
	if (!machine[0])
		return vol_errorf_errno(err, ENOTSUP,
					"the job has runtime image %.12s as "
					"its system, and this machine has none",
					image);
	if (!image[0])
		return vol_errorf_errno(err, ENOTSUP,
					"the job has a machine's own system, "
					"and jobs here runtime image %.12s",
					machine);
	return vol_errorf_errno(err, ENOTSUP,
				"the job has runtime image %.12s as its "
				"system, and jobs here have %.12s",
				image, machine);
}

int vol_ckfit(const struct vol_ckmachine *image,
	      const struct vol_ckmapped *mapped,
	      const struct vol_ckmachine *machine, vol_ckmapped_look_f look,
	      void *arg, struct vol_error *err)
{
	if (fit_cpu(image, machine, err) < 0 ||
	    fit_kernel(image, machine, err) < 0 ||
	    fit_criu(image, machine, err) < 0)
		return -1;
	if (strcmp(image->runtime, machine->runtime) != 0)
		return fit_runtime(image->runtime, machine->runtime, err);
	for (size_t i = 0; look && i < mapped->n; i++)
		if (fit_file(&mapped->file[i], look, arg, err) < 0)
			return -1;
	return 0;
}

bool vol_ckfit_alike(const struct vol_ckmachine *a,
		     const struct vol_ckmachine *b)
{
	uint32_t ours[2] = {0}, theirs[2] = {0};
	/* Both without a version are no better than two that differ. */
	bool known = kernel_version(a->kernel, ours) == 0 &&
		     kernel_version(b->kernel, theirs) == 0;

	return strcmp(a->arch, b->arch) == 0 &&
	       memcmp(&a->cpu, &b->cpu, sizeof(a->cpu)) == 0 &&
	       (known ? memcmp(ours, theirs, sizeof(ours)) == 0
		      : strcmp(a->kernel, b->kernel) == 0) &&
	       a->criu == b->criu && strcmp(a->runtime, b->runtime) == 0;
}

/* What is said of the machine, one line each: the same text, the same
 * feature. */
static char *describe(const struct vol_ckmachine *m,
		      const struct vol_ckmapped_file *libc, size_t *len)
{
	char build[2 * VOL_CKBUILD_SIZE + 1] = "";
	uint32_t kernel[2] = {0};
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	if (!out)
		return NULL;
	kernel_version(m->kernel, kernel);
	fprintf(out, "1\n%s\n%" PRIu32 ".%" PRIu32 "\n%" PRIu32 "\n", m->arch,
		kernel[0], kernel[1], m->criu);
	for (unsigned int i = 0; vol_ckcpu_name(i); i++)
		if (vol_ckcpu_has(&m->cpu, i))
			fprintf(out, "%s ", vol_ckcpu_name(i));
	if (m->runtime[0]) {
		fprintf(out, "\nruntime %s\n", m->runtime);
	} else if (libc) {
		vol_hex_encode(libc->build, libc->n_build, build);
		fprintf(out, "\n%s %" PRIu64 " %s\n", libc->path, libc->bytes,
			build);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

int vol_ckfit_feature(const struct vol_ckmachine *machine,
		      const struct vol_ckmapped_file *libc, vol_sha256_f sha256,
		      char feature[VOL_CKFEATURE_SIZE], struct vol_error *err)
{
	uint8_t digest[VOL_SHA256_BYTES];
	size_t len = 0;
	char *text = describe(machine, libc, &len);
	int rc;

	if (!text)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	rc = sha256(text, len, digest, err);
	free(text);
	if (rc < 0)
		return -1;
	memcpy(feature, "ck-", 3);
	vol_hex_encode(digest, FEATURE_DIGITS, feature + 3);
	return 0;
}
