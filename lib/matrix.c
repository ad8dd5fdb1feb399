/* SPDX-License-Identifier: GPL-2.0-or-later */
/* matrix.c - parameter matrices without expanding them
 *
 * A range axis is three integers in units of its last decimal, so no value is
 * ever rounded, and lo + step * index fits 64 bits (see decimal.h).
 */
#include "config.h"

#include "matrix.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "decimal.h"
#include "matrix_names.h"

#define POINTS_MAX   (UINT64_C(1) << 32)
#define TEXT_MAX     (256u << 20) /* bytes of values one axis may hold */
#define EXCLUDES_MAX 4096         /* each costs a comparison per point */

struct axis {
	char name[VOL_MATRIX_NAME_SIZE];
	uint64_t length;
	uint64_t stride;
	/* a range, if values is NULL: lo + step * index, decimals of it */
	int64_t lo;
	int64_t step;
	unsigned decimals;
	/* a list: values one after another in text, each with its NUL */
	char *text;
	size_t text_size;
	size_t *values;
	size_t values_room;
};

struct term {
	size_t axis;
	uint64_t index; /* of a range */
	char *value;    /* of a list, where a value may occur twice */
};

struct exclude {
	struct term terms[VOL_MATRIX_AXES];
	size_t count;
};

struct vol_matrix {
	struct axis axes[VOL_MATRIX_AXES];
	size_t count;
	bool zip;
	uint64_t points;
	struct exclude **excludes;
	size_t excludes_count;
};

struct vol_matrix *vol_matrix_create(void)
{
	return calloc(1, sizeof(struct vol_matrix));
}

static void exclude_destroy(struct exclude *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->count; i++)
		free(x->terms[i].value);
	free(x);
}

void vol_matrix_destroy(struct vol_matrix *m)
{
	int saved = errno;

	if (!m)
		return;
	for (size_t i = 0; i < m->count; i++) {
		free(m->axes[i].text);
		free(m->axes[i].values);
	}
	for (size_t i = 0; i < m->excludes_count; i++)
		exclude_destroy(m->excludes[i]);
	free(m->excludes);
	free(m);
	errno = saved;
}

/* --- axes ------------------------------------------------------------------
 */

/* Is the text meant as lo..hi?  A list may hold ".." too (../a), so only what
 * begins like a number and has no comma counts. */
static bool looks_like_range(const char *text)
{
	const char *dots = strstr(text, "..");

	if (!dots || strchr(text, ','))
		return false;
	for (const char *p = text; p < dots; p++) {
		if (!isdigit((unsigned char)*p) && *p != '-' && *p != '.')
			return false;
	}
	return dots != text;
}

static int range_read(const char *text, struct vol_decimal *lo,
		      struct vol_decimal *hi, struct vol_decimal *step)
{
	const char *p = text;

	if (vol_decimal_read(&p, lo) < 0 || strncmp(p, "..", 2) != 0)
		return -1;
	p += 2;
	if (vol_decimal_read(&p, hi) < 0)
		return -1;
	*step = (struct vol_decimal){.units = 1};
	if (*p == ':') {
		p++;
		if (vol_decimal_read(&p, step) < 0)
			return -1;
	}
	return *p ? -1 : 0;
}

static int axis_range(struct axis *a, const char *text, struct vol_error *err)
{
	struct vol_decimal lo, hi, step;
	unsigned decimals;

	if (range_read(text, &lo, &hi, &step) < 0)
		return vol_errorf_errno(
			err, EINVAL,
			"'%s' is not lo..hi or lo..hi:step, with decimals of "
			"at most %d digits and no leading zeros",
			text, VOL_DECIMAL_DIGITS);
	decimals = lo.decimals > hi.decimals ? lo.decimals : hi.decimals;
	if (step.decimals > decimals)
		decimals = step.decimals;
	if (vol_decimal_scale(&lo, decimals) < 0 ||
	    vol_decimal_scale(&hi, decimals) < 0 ||
	    vol_decimal_scale(&step, decimals) < 0)
		return vol_errorf_errno(err, ERANGE,
					"'%s' needs more than %d digits", text,
					VOL_DECIMAL_DIGITS);
	if (step.units == 0)
		return vol_errorf_errno(err, EINVAL, "the step of '%s' is 0",
					text);
	if (hi.units != lo.units && (hi.units > lo.units) != (step.units > 0))
		return vol_errorf_errno(err, EINVAL,
					"'%s' is empty: to count %s, give a "
					"%s step",
					text, step.units > 0 ? "down" : "up",
					step.units > 0 ? "negative"
						       : "positive");
	a->lo = lo.units;
	a->step = step.units;
	a->decimals = decimals;
	a->length = (uint64_t)((hi.units - lo.units) / step.units) + 1;
	if (a->length > POINTS_MAX)
		return vol_errorf_errno(err, EOVERFLOW,
					"'%s' has more than 2^32 values", text);
	return 0;
}

/* Append a value.  Control characters would break the line a value sits on,
 * in a file as in a job's script. */
static int axis_append(struct axis *a, const char *value, size_t size,
		       struct vol_error *err)
{
	if (size == 0)
		return vol_errorf_errno(err, EINVAL, "a value is empty");
	if (size >= VOL_MATRIX_VALUE_SIZE)
		return vol_errorf_errno(err, EINVAL,
					"a value is longer than %d bytes",
					VOL_MATRIX_VALUE_SIZE - 1);
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)value[i];

		if (c == '\r' && i == size - 1)
			return vol_errorf_errno(err, EINVAL,
						"a value ends in a carriage "
						"return (DOS line break)");
		if (c < ' ' || c == 0x7f)
			return vol_errorf_errno(err, EINVAL,
						"a value holds the control "
						"character 0x%02x",
						c);
	}
	if (a->text_size + size + 1 > TEXT_MAX)
		return vol_errorf_errno(err, EFBIG,
					"more than %u MiB of values",
					TEXT_MAX >> 20);
	if (a->length == a->values_room) {
		size_t room = a->values_room ? a->values_room * 2 : 16;
		size_t *values = reallocarray(a->values, room, sizeof(*values));

		if (!values)
			return vol_errorf(err, "out of memory");
		a->values = values;
		a->values_room = room;
	}
	a->values[a->length++] = a->text_size;
	memcpy(a->text + a->text_size, value, size);
	a->text[a->text_size + size] = '\0';
	a->text_size += size + 1;
	return 0;
}

static int axis_list(struct axis *a, const char *text, struct vol_error *err)
{
	a->text = malloc(strlen(text) + 2);
	if (!a->text)
		return vol_errorf(err, "out of memory");
	for (;;) {
		size_t size = strcspn(text, ",");

		if (axis_append(a, text, size, err) < 0)
			return -1;
		if (!text[size])
			return 0;
		text += size + 1;
	}
}

/* Room for one more value of any length, doubling. */
static int axis_reserve(struct axis *a, size_t *room, struct vol_error *err)
{
	char *text;

	if (a->text && a->text_size + VOL_MATRIX_VALUE_SIZE <= *room)
		return 0;
	*room = *room ? *room * 2 : 8 * VOL_MATRIX_VALUE_SIZE;
	text = realloc(a->text, *room);
	if (!text)
		return vol_errorf(err, "out of memory");
	a->text = text;
	return 0;
}

static int axis_file(struct axis *a, const char *path, struct vol_error *err)
{
	cleanup_file FILE *fp = fopen(path, "re");
	cleanup_free char *line = NULL;
	size_t line_room = 0, room = 0;
	unsigned long number = 0;
	struct stat st;
	ssize_t n;

	if (!fp)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	if (fstat(fileno(fp), &st) == 0 && S_ISDIR(st.st_mode))
		return vol_errorf_errno(err, EISDIR, "%s: is a directory",
					path);
	while ((n = getline(&line, &line_room, fp)) >= 0) {
		number++;
		if (n > 0 && line[n - 1] == '\n')
			line[--n] = '\0';
		if (n == 0 || line[0] == '#')
			continue;
		if (axis_reserve(a, &room, err) < 0)
			return -1;
		if (axis_append(a, line, (size_t)n, err) < 0)
			return vol_error_prefix(err, "%s:%lu", path, number);
	}
	if (ferror(fp))
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	if (a->length == 0)
		return vol_errorf_errno(err, EINVAL, "%s: holds no value",
					path);
	return 0;
}

static const struct axis *axis_find(const struct vol_matrix *m,
				    const char *name, size_t size)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct axis *a = &m->axes[i];

		if (strlen(a->name) == size && !memcmp(a->name, name, size))
			return a;
	}
	return NULL;
}

static int axis_fill(struct axis *a, const char *text, struct vol_error *err)
{
	if (text[0] == '@')
		return axis_file(a, text + 1, err);
	if (looks_like_range(text))
		return axis_range(a, text, err);
	return axis_list(a, text, err);
}

int vol_matrix_add(struct vol_matrix *m, const char *spec,
		   struct vol_error *err)
{
	struct axis a = {.stride = 1};
	size_t size = strcspn(spec, "=");

	if (!spec[size])
		return vol_errorf_errno(err, EINVAL, "'%s' is not NAME=values",
					spec);
	if (vol_matrix_name_check(spec, size, err) < 0)
		return -1;
	if (axis_find(m, spec, size))
		return vol_errorf_errno(err, EEXIST, "%.*s is given twice",
					(int)size, spec);
	if (m->count == VOL_MATRIX_AXES)
		return vol_errorf_errno(err, E2BIG, "more than %d axes",
					VOL_MATRIX_AXES);
	memcpy(a.name, spec, size);
	if (axis_fill(&a, spec + size + 1, err) < 0) {
		int saved = errno;

		free(a.text);
		free(a.values);
		errno = saved;
		return vol_error_prefix(err, "%s", a.name);
	}
	m->axes[m->count++] = a;
	return 0;
}

void vol_matrix_set_zip(struct vol_matrix *m, bool zip)
{
	m->zip = zip;
}

/* --- excludes --------------------------------------------------------------
 */

/* Where a term's value ends: at the next ",AXIS=", since a value from a file
 * may hold commas. */
static size_t term_size(const struct vol_matrix *m, const char *text)
{
	size_t i = strcspn(text, ",");

	while (text[i]) {
		const char *next = text + i + 1;
		size_t size = strcspn(next, "=,");

		if (next[size] == '=' && axis_find(m, next, size))
			return i;
		i += 1 + strcspn(next, ",");
	}
	return i;
}

static int term_range(const struct axis *a, struct term *t, const char *value)
{
	struct vol_decimal d;
	int64_t offset;

	if (vol_decimal_read(&value, &d) < 0 || *value ||
	    d.decimals > a->decimals || vol_decimal_scale(&d, a->decimals) < 0)
		return -1;
	offset = d.units - a->lo;
	if (offset % a->step || (offset < 0) != (a->step < 0 && offset != 0))
		return -1;
	t->index = (uint64_t)(offset / a->step);
	return t->index < a->length ? 0 : -1;
}

static int term_list(const struct axis *a, struct term *t, const char *value)
{
	for (uint64_t i = 0; i < a->length; i++) {
		if (!strcmp(a->text + a->values[i], value)) {
			t->value = strdup(value);
			return t->value ? 0 : -1;
		}
	}
	return -1;
}

/* Read one NAME=value, move *spec behind it. */
static int term_read(const struct vol_matrix *m, struct exclude *x,
		     const char **spec, struct vol_error *err)
{
	struct term *t = &x->terms[x->count];
	size_t name = strcspn(*spec, "=,");
	const struct axis *a = axis_find(m, *spec, name);
	cleanup_free char *value = NULL;
	size_t size;

	if ((*spec)[name] != '=' || !a)
		return vol_errorf_errno(err, EINVAL,
					"exclude '%s': not NAME=value with the "
					"name of an axis",
					*spec);
	t->axis = (size_t)(a - m->axes);
	for (size_t i = 0; i < x->count; i++) {
		if (x->terms[i].axis == t->axis)
			return vol_errorf_errno(err, EINVAL,
						"exclude: %s is given twice",
						a->name);
	}
	*spec += name + 1;
	size = term_size(m, *spec);
	value = strndup(*spec, size);
	if (!value)
		return vol_errorf(err, "out of memory");
	if ((a->values ? term_list : term_range)(a, t, value) < 0)
		return vol_errorf_errno(err, EINVAL,
					"exclude: %s never is '%s'", a->name,
					value);
	x->count++;
	*spec += size;
	return 0;
}

int vol_matrix_exclude(struct vol_matrix *m, const char *spec,
		       struct vol_error *err)
{
	struct exclude **grown;
	struct exclude *x;

	if (m->excludes_count == EXCLUDES_MAX)
		return vol_errorf_errno(err, E2BIG, "more than %d excludes",
					EXCLUDES_MAX);
	grown = reallocarray(m->excludes, m->excludes_count + 1,
			     sizeof(*grown));
	if (!grown)
		return vol_errorf(err, "out of memory");
	m->excludes = grown;
	x = calloc(1, sizeof(*x));
	if (!x)
		return vol_errorf(err, "out of memory");
	do {
		if (term_read(m, x, &spec, err) < 0) {
			exclude_destroy(x);
			return -1;
		}
	} while (*spec++ == ',');
	m->excludes[m->excludes_count++] = x;
	return 0;
}

static bool term_matches(const struct vol_matrix *m, const struct term *t,
			 uint64_t point)
{
	const struct axis *a = &m->axes[t->axis];
	uint64_t index = point / a->stride % a->length;

	if (!a->values)
		return index == t->index;
	return !strcmp(a->text + a->values[index], t->value);
}

bool vol_matrix_excluded(const struct vol_matrix *m, uint64_t point)
{
	for (size_t i = 0; i < m->excludes_count; i++) {
		const struct exclude *x = m->excludes[i];
		size_t t = 0;

		while (t < x->count && term_matches(m, &x->terms[t], point))
			t++;
		if (t == x->count)
			return true;
	}
	return false;
}

/* --- the whole -------------------------------------------------------------
 */

int vol_matrix_finish(struct vol_matrix *m, struct vol_error *err)
{
	uint64_t points = 1;

	if (m->count == 0)
		return vol_errorf_errno(err, EINVAL, "the matrix has no axis");
	for (size_t i = m->count; i-- > 0;) {
		struct axis *a = &m->axes[i];

		if (m->zip && a->length != m->axes[0].length)
			return vol_errorf_errno(
				err, EINVAL,
				"zipped axes differ in length: %s has %" PRIu64
				" values, %s has %" PRIu64,
				m->axes[0].name, m->axes[0].length, a->name,
				a->length);
		a->stride = m->zip ? 1 : points;
		if (m->zip)
			points = a->length;
		else if (points > POINTS_MAX / a->length)
			return vol_errorf_errno(
				err, EOVERFLOW,
				"the matrix has more than 2^32 points");
		else
			points *= a->length;
	}
	m->points = points;
	return 0;
}

size_t vol_matrix_axes(const struct vol_matrix *m)
{
	return m->count;
}

const char *vol_matrix_name(const struct vol_matrix *m, size_t axis)
{
	return m->axes[axis].name;
}

uint64_t vol_matrix_count(const struct vol_matrix *m)
{
	return m->points;
}

uint64_t vol_matrix_length(const struct vol_matrix *m, size_t axis)
{
	return m->axes[axis].length;
}

uint64_t vol_matrix_stride(const struct vol_matrix *m, size_t axis)
{
	return m->axes[axis].stride;
}

bool vol_matrix_is_integer_range(const struct vol_matrix *m, size_t axis,
				 int64_t *lo, int64_t *step)
{
	const struct axis *a = &m->axes[axis];

	if (a->values || a->decimals)
		return false;
	*lo = a->lo;
	*step = a->step;
	return true;
}

int vol_matrix_value(const struct vol_matrix *m, size_t axis, uint64_t index,
		     char *buf, size_t size)
{
	const struct axis *a;
	int n;

	if (axis >= m->count || index >= m->axes[axis].length) {
		errno = EINVAL;
		return -1;
	}
	a = &m->axes[axis];
	if (a->values)
		n = snprintf(buf, size, "%s", a->text + a->values[index]);
	else
		n = vol_decimal_format(a->lo + a->step * (int64_t)index,
				       a->decimals, buf, size);
	if (n < 0 || (size_t)n >= size) {
		errno = ENOSPC;
		return -1;
	}
	return 0;
}
