/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_matrix.c - any lines as axes, excludes and a file of values
 *
 * Each line is an axis; one that begins with '!' is an exclude, one that is
 * "zip" zips.  What follows a line "file" are the values of one more axis.
 * Besides memory errors: a value has no control character and, excluded by its
 * own text, its point is left out.
 */
#include "config.h"

#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "matrix.h"

static void add_file(struct vol_matrix *m, const char *text)
{
	char spec[64];
	int fd = memfd_create("values", MFD_CLOEXEC);

	fuzz_assert(fd >= 0);
	fuzz_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	snprintf(spec, sizeof(spec), "file=@/proc/self/fd/%d", fd);
	vol_matrix_add(m, spec, NULL);
	close(fd);
}

static void add_line(struct vol_matrix *m, const char *line)
{
	struct vol_error err = {""};
	int rc = 0;

	if (!strcmp(line, "zip"))
		vol_matrix_set_zip(m, true);
	else if (line[0] == '!')
		rc = vol_matrix_exclude(m, line + 1, &err);
	else if (!strstr(line, "=@")) /* not any file of this machine */
		rc = vol_matrix_add(m, line, &err);
	fuzz_assert(rc == 0 || err.text[0]);
}

static void read_lines(struct vol_matrix *m, char *text)
{
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n"))) {
		if (strcmp(line, "file") != 0) {
			add_line(m, line);
			continue;
		}
		if (rest)
			add_file(m, rest);
		return;
	}
}

static void check_point(struct vol_matrix *m, uint64_t point)
{
	char value[VOL_MATRIX_VALUE_SIZE];
	char spec[VOL_MATRIX_VALUE_SIZE + 128];

	vol_matrix_excluded(m, point);
	for (size_t i = 0; i < vol_matrix_axes(m); i++) {
		uint64_t index = point / vol_matrix_stride(m, i) %
				 vol_matrix_length(m, i);

		fuzz_assert(vol_matrix_value(m, i, index, value,
					     sizeof(value)) == 0);
		fuzz_assert(value[0]);
		for (const char *p = value; *p; p++)
			fuzz_assert((unsigned char)*p >= ' ' && *p != 0x7f);
		snprintf(spec, sizeof(spec), "%s=%s", vol_matrix_name(m, i),
			 value);
		if (strchr(value, ',') || vol_matrix_exclude(m, spec, NULL) < 0)
			continue;
		fuzz_assert(vol_matrix_excluded(m, point));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	struct vol_matrix *m = vol_matrix_create();
	struct vol_error err = {""};

	fuzz_assert(m);
	read_lines(m, text);
	if (vol_matrix_finish(m, &err) == 0) {
		uint64_t count = vol_matrix_count(m);

		fuzz_assert(count > 0 && count <= UINT64_C(1) << 32);
		check_point(m, 0);
		check_point(m, count - 1);
		check_point(m, count / 3);
	} else {
		fuzz_assert(err.text[0]);
	}
	vol_matrix_destroy(m);
	free(text);
	return 0;
}
