/* SPDX-License-Identifier: GPL-2.0-or-later */
/* srunline.c - which command lines of srun a sandboxed job may have run for it
 *
 * Reads as getopt_long(3) would with "+": up to the first word that is no
 * option, or behind "--".
 */
#include "config.h"

#include "srunline.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "srunline_options.h"
#include "text.h"
#include "textlist.h"

struct vol_srungiven {
	const struct vol_srunoption *option;
	const char *value; /* NULL: none */
};

/* --- the names of files -------------------------------------------------- */

/* What srun makes of a file's name, from its fname_create(): before "%" come
 * the words and the number of a task, of which the beginning decides. */
static int file_kind(const char *name)
{
	if (!strncasecmp(name, "all", 3) || name[0] == '-' ||
	    !strcasecmp(name, "none") ||
	    name[strspn(name, "0123456789")] == '\0')
		return VOL_SRUNFILE_SLURM;
	for (const char *p = name; *p; p++) {
		if (*p != '%')
			continue;
		if (p[1] == '%') {
			p++;
			continue;
		}
		p += 1 + strspn(p + 1, "0123456789");
		if (!*p)
			break;
		if (strchr("utnN", *p))
			return VOL_SRUNFILE_SLURM;
	}
	return VOL_SRUNFILE_OURS;
}

static int take_file(struct vol_srunline *line, int n, const char *value,
		     struct vol_error *err)
{
	/* For srun it says that "%" is to be taken as it is; for slurmstepd,
	 * which it is sent to, too. */
	if (strchr(value, '\\'))
		return vol_errorf_errno(err, EINVAL,
					"a backslash in a file's name does "
					"not work in a volunteer job");
	line->file[n] = file_kind(value);
	line->file_name[n] = value;
	return 0;
}

static const char *find(char *const env[], const char *name)
{
	size_t len = strlen(name);

	for (; *env; env++)
		if (!strncmp(*env, name, len) && (*env)[len] == '=')
			return *env + len + 1;
	return NULL;
}

struct out {
	char *buf;
	size_t size, len;
};

/* As snprintf: len grows beyond size. */
static void add(struct out *out, const char *text, size_t len)
{
	if (out->len + len < out->size)
		memcpy(out->buf + out->len, text, len);
	out->len += len;
}

/* srun: a number that is not there is NO_VAL, 4294967294. */
static void add_number(struct out *out, const char *text, int width,
		       unsigned modulo)
{
	unsigned long number = text ? strtoul(text, NULL, 10) : 4294967294UL;
	char digits[32];
	int n;

	if (modulo)
		number %= modulo;
	n = snprintf(digits, sizeof(digits), "%0*lu", width, number);
	add(out, digits, (size_t)n);
}

/* One "%" with what belongs to it; the letter behind that is left as it is, as
 * srun does with those that it does not know. */
static const char *add_field(struct out *out, const char *at, char *const env[])
{
	const char *from = at++;
	const char *name, *array;
	int width = 0;

	while (*at >= '0' && *at <= '9') {
		width = width * 10 + (*at++ - '0');
		if (width > 10) /* srun's MAX_WIDTH */
			width = 10;
	}
	array = find(env, "SLURM_ARRAY_TASK_ID");
	switch (*at) {
	case '%':
		add(out, "%", 1);
		break;
	case 'a':
		add_number(out, array, width, 0);
		break;
	case 'b':
		add_number(out, array, width, 10);
		break;
	case 'A':
		name = find(env, "SLURM_ARRAY_JOB_ID");
		add_number(out, name ? name : find(env, "SLURM_JOB_ID"), width,
			   0);
		break;
	case 'j':
		add_number(out, find(env, "SLURM_JOB_ID"), width, 0);
		break;
	case 'x':
		name = find(env, "SLURM_JOB_NAME");
		add(out, name ? name : "", name ? strlen(name) : 0);
		break;
	case 'J':
	case 's':
		return NULL;
	default:
		add(out, from, (size_t)(at - from));
		return at;
	}
	return at + 1;
}

int vol_srunline_file(const char *name, char *const env[], char *buf,
		      size_t size, struct vol_error *err)
{
	struct out out = {buf, size, 0};
	char excerpt[VOL_EXCERPT_SIZE];
	const char *at = name;

	vol_text_excerpt(name, strlen(name), excerpt);
	while (at && *at) {
		size_t plain = strcspn(at, "%");

		add(&out, at, plain);
		at += plain;
		if (*at)
			at = add_field(&out, at, env);
	}
	if (!at)
		return vol_errorf_errno(err, EINVAL,
					"%s: %%J and %%s do not work in a "
					"volunteer job without %%t, %%n or %%N",
					excerpt);
	if (out.len >= size)
		return vol_errorf_errno(err, ENAMETOOLONG, "%s: too long",
					excerpt);
	buf[out.len] = '\0';
	return 0;
}

/* --- reading ------------------------------------------------------------- */

static int take(struct vol_srunline *line, const struct vol_srunoption *option,
		const char *value, uint32_t job, struct vol_error *err)
{
	char excerpt[VOL_EXCERPT_SIZE];
	uint64_t number = 0;

	if (value && !vol_srunoption_value(option->kind, value))
		return vol_errorf_errno(err, EINVAL,
					"--%s=%s: not a value that works in a "
					"volunteer job",
					option->name,
					vol_text_excerpt(value, strlen(value),
							 excerpt));
	switch (option->kind) {
	case VOL_SRUN_JOBID:
		if (vol_text_number(value, strlen(value), 1, UINT32_MAX,
				    &number) < 0 ||
		    number != job)
			return vol_errorf_errno(
				err, EINVAL,
				"--jobid: only steps of this job, "
				"%" PRIu32,
				job);
		return 0;
	case VOL_SRUN_EXPORT:
		line->export = value;
		return 0;
	case VOL_SRUN_CHDIR:
		line->chdir = value;
		return 0;
	case VOL_SRUN_INPUT:
		return take_file(line, 0, value, err);
	case VOL_SRUN_OUTPUT:
		return take_file(line, 1, value, err);
	case VOL_SRUN_ERROR:
		return take_file(line, 2, value, err);
	case VOL_SRUN_OPENMODE:
		line->append = !strcmp(value, "append");
		break;
	}
	line->given[line->n_given].option = option;
	line->given[line->n_given++].value = value;
	return 0;
}

static int refuse(const char *name, size_t len, struct vol_error *err)
{
	const char *why = vol_srunoption_refusal(name, len);
	char excerpt[VOL_EXCERPT_SIZE];

	if (why)
		return vol_errorf_errno(err, EINVAL,
					"--%.*s does not work in a volunteer "
					"job: %s",
					(int)len, name, why);
	return vol_errorf_errno(err, EINVAL,
				"option %s is not known to work in a volunteer "
				"job (options must be written in full)",
				vol_text_excerpt(name, len, excerpt));
}

/* "--name", "--name=value", "--name value"; how many words that were. */
static int take_long(struct vol_srunline *line, char *const argv[],
		     uint32_t job, struct vol_error *err)
{
	const char *name = argv[0] + 2;
	size_t len = strcspn(name, "=");
	const char *value = name[len] ? name + len + 1 : NULL;
	const struct vol_srunoption *option = vol_srunoption_find(name, len);
	int words = 1;

	if (!option)
		return refuse(name, len, err);
	if (option->kind == VOL_SRUN_FLAG && value)
		return vol_errorf_errno(err, EINVAL, "--%s takes no value",
					option->name);
	if (option->kind != VOL_SRUN_FLAG && !option->optional && !value) {
		value = argv[1];
		words = 2;
		if (!value)
			return vol_errorf_errno(err, EINVAL,
						"--%s needs a value",
						option->name);
	}
	return take(line, option, value, job, err) < 0 ? -1 : words;
}

/* "-lv", "-n2", "-n 2", "-ln2". */
static int take_short(struct vol_srunline *line, char *const argv[],
		      uint32_t job, struct vol_error *err)
{
	const char *at = argv[0] + 1;

	while (*at) {
		const struct vol_srunoption *option =
			vol_srunoption_letter(*at);
		const char *value = NULL;
		char excerpt[VOL_EXCERPT_SIZE];
		int words = 1;

		if (!option)
			return vol_errorf_errno(
				err, EINVAL,
				"option -%s does not work in a volunteer job",
				vol_text_excerpt(at, 1, excerpt));
		at++;
		if (option->kind != VOL_SRUN_FLAG) {
			value = *at ? at : NULL;
			at += strlen(at);
		}
		if (option->kind != VOL_SRUN_FLAG && !option->optional &&
		    !value) {
			value = argv[1];
			words = 2;
			if (!value)
				return vol_errorf_errno(err, EINVAL,
							"-%c needs a value",
							option->letter);
		}
		if (take(line, option, value, job, err) < 0)
			return -1;
		if (words == 2)
			return 2;
	}
	return 1;
}

static int take_options(char *const argv[], uint32_t job,
			struct vol_srunline *line, struct vol_error *err)
{
	size_t i = 1;

	while (argv[0] && argv[i]) {
		int words;

		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		if (argv[i][0] != '-' || !argv[i][1])
			break;
		words = argv[i][1] == '-'
				? take_long(line, argv + i, job, err)
				: take_short(line, argv + i, job, err);
		if (words < 0)
			return -1;
		i += (size_t)words;
	}
	line->program = (char **)argv + (argv[0] ? i : 0);
	for (char **word = line->program; *word; word++)
		if (!strcmp(*word, ":"))
			return vol_errorf_errno(
				err, EINVAL,
				"\":\" (heterogeneous steps) does "
				"not work in a volunteer job");
	return 0;
}

int vol_srunline_parse(char *const argv[], uint32_t job,
		       struct vol_srunline *line, struct vol_error *err)
{
	struct vol_srunline parsed = {0};
	size_t letters = 0;

	/* Each letter may be an option. */
	for (size_t i = 0; argv[i]; i++)
		letters += strlen(argv[i]) + 1;
	parsed.given = calloc(letters + 1, sizeof(*parsed.given));
	if (!parsed.given)
		return vol_errorf_errno(err, ENOMEM, "no memory");
	if (take_options(argv, job, &parsed, err) < 0) {
		vol_srunline_release(&parsed);
		return -1;
	}
	*line = parsed;
	return 0;
}

void vol_srunline_release(struct vol_srunline *line)
{
	int saved = errno;

	free(line->given);
	line->given = NULL;
	line->n_given = 0;
	errno = saved;
}

/* --- writing ------------------------------------------------------------- */

static void word(struct vol_textlist *list, const char *a, const char *b,
		 const char *c, const char *d)
{
	const char *parts[] = {a, b, c, d};

	vol_textlist_begin(list);
	for (size_t i = 0; i < 4; i++)
		if (parts[i])
			vol_textlist_part(list, parts[i], strlen(parts[i]));
	vol_textlist_end(list);
}

static void write_all(struct vol_textlist *list,
		      const struct vol_srunline *line, const char *job,
		      const char *cwd, const char *export)
{
	static const char *const files[VOL_SRUNFILES] = {
		"--input=", "--output=", "--error="};
	const char *chdir = line->chdir;

	word(list, "srun", NULL, NULL, NULL);
	for (size_t i = 0; i < line->n_given; i++) {
		const struct vol_srungiven *given = &line->given[i];

		word(list, "--", given->option->name, given->value ? "=" : NULL,
		     given->value);
	}
	for (int i = 0; i < VOL_SRUNFILES; i++)
		if (line->file[i] == VOL_SRUNFILE_SLURM)
			word(list, files[i], line->file_name[i], NULL, NULL);
	if (export)
		word(list, "--export=", export, NULL, NULL);
	word(list, "--jobid=", job, NULL, NULL);
	if (chdir && chdir[0] == '/')
		word(list, "--chdir=", chdir, NULL, NULL);
	else
		word(list, "--chdir=", cwd, chdir ? "/" : NULL, chdir);
	word(list, "--", NULL, NULL, NULL);
	for (char **at = line->program; *at; at++)
		word(list, *at, NULL, NULL, NULL);
}

char **vol_srunline_build(const struct vol_srunline *line, uint32_t job,
			  const char *cwd, const char *export,
			  struct vol_error *err)
{
	struct vol_textlist list = {0};
	char number[16];

	snprintf(number, sizeof(number), "%" PRIu32, job);
	write_all(&list, line, number, cwd, export);
	if (vol_textlist_make(&list, err) < 0)
		return NULL;
	write_all(&list, line, number, cwd, export);
	return list.list;
}
