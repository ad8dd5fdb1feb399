/* SPDX-License-Identifier: GPL-2.0-or-later */
/* args.c - split vbatch's own options from sbatch's
 *
 * Words are read the way getopt_long reads them for sbatch: options end at the
 * first word that is none, or behind "--".
 */
#include "config.h"

#include "args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIST_DEFAULT 10 /* points that --matrix-list shows */

struct scan {
	size_t count;
	char **words;
	size_t next;
	struct vb_seen *seen;
	struct vb_args *own; /* NULL: vbatch's options are not allowed here */
	vb_unknown_f unknown;
	void *arg;
};

/* The value of an option: attached, or the next word. */
static int take_value(struct scan *s, const char *option, const char *attached,
		      const char **value, struct vol_error *err)
{
	*value = attached;
	if (attached)
		return 0;
	if (s->next == s->count)
		return vol_errorf_errno(err, EINVAL, "%s needs a value",
					option);
	*value = s->words[s->next++];
	return 0;
}

static int take_number(struct scan *s, const char *option, const char *attached,
		       uint64_t max, uint64_t *number, struct vol_error *err)
{
	const char *value;
	char *end;

	if (take_value(s, option, attached, &value, err) < 0)
		return -1;
	errno = 0;
	*number = strtoull(value, &end, 10);
	if (!*value || strspn(value, "0123456789") != strlen(value) || errno ||
	    *number > max)
		return vol_errorf_errno(err, EINVAL,
					"%s: '%s' is not a whole number up to "
					"%llu",
					option, value, (unsigned long long)max);
	return 0;
}

/* --matrix-list may be followed by a number; any other word is the script. */
static int take_list(struct scan *s, const char *attached,
		     struct vol_error *err)
{
	const char *next = s->next < s->count ? s->words[s->next] : "";

	s->own->list = LIST_DEFAULT;
	if (!attached && (!*next || strspn(next, "0123456789") != strlen(next)))
		return 0;
	if (take_number(s, "--matrix-list", attached, UINT32_MAX, &s->own->list,
			err) < 0)
		return -1;
	if (s->own->list == 0)
		return vol_errorf_errno(err, EINVAL,
					"--matrix-list 0 lists nothing");
	return 0;
}

static int own_option(struct scan *s, const char *name, size_t size,
		      const char *attached, struct vol_error *err)
{
	struct vb_args *a = s->own;
	const char *value;

#define IS(text) (size == strlen(text) && !memcmp(name, text, size))
	a->own = true;
	if (IS("matrix")) {
		if (take_value(s, "--matrix", attached, &value, err) < 0)
			return -1;
		a->matrix[a->matrix_count++] = value;
		return 0;
	}
	if (IS("matrix-exclude")) {
		if (take_value(s, "--matrix-exclude", attached, &value, err) <
		    0)
			return -1;
		a->exclude[a->exclude_count++] = value;
		return 0;
	}
	if (IS("matrix-limit")) {
		if (take_number(s, "--matrix-limit", attached, UINT32_MAX,
				&a->limit, err) < 0)
			return -1;
		return a->limit ? 0
				: vol_errorf_errno(err, EINVAL,
						   "--matrix-limit 0 would run "
						   "nothing");
	}
	if (IS("matrix-first"))
		return take_number(s, "--matrix-first", attached, UINT32_MAX,
				   &a->first, err);
	if (IS("matrix-list"))
		return take_list(s, attached, err);
	if (IS("matrix-zip") && !attached) {
		a->zip = true;
		return 0;
	}
#undef IS
	return vol_errorf_errno(err, EINVAL, "there is no option --%.*s%s",
				(int)size, name,
				attached ? " with a value" : "");
}

static void note(struct scan *s, enum vb_opt id, const char *value)
{
	switch (id) {
	case VB_OPT_ARRAY:
		s->seen->array = true;
		break;
	case VB_OPT_CLUSTERS:
		s->seen->clusters = value;
		break;
	case VB_OPT_DEPENDENCY:
		s->seen->dependency = value;
		break;
	case VB_OPT_HELP:
		if (s->own)
			s->own->help = true;
		break;
	case VB_OPT_QUIET:
		s->seen->quiet = true;
		break;
	case VB_OPT_TEST_ONLY:
		s->seen->test_only = true;
		break;
	case VB_OPT_VERSION:
		if (s->own)
			s->own->version = true;
		break;
	case VB_OPT_WAIT:
		s->seen->wait = true;
		break;
	case VB_OPT_WRAP:
		s->seen->wrap = value;
		break;
	case VB_OPT_OTHER:
		break;
	}
}

/* words[first..next) go to sbatch. */
static void keep(struct scan *s, size_t first)
{
	if (!s->own)
		return;
	while (first < s->next)
		s->own->sbatch[s->own->sbatch_count++] = s->words[first++];
}

bool vb_args_is_cluster(const char *word)
{
	static const char own[] = "--cluster";
	size_t n = strlen(own);

	return !strncmp(word, own, n) && (!word[n] || word[n] == '=');
}

static int read_long(struct scan *s, struct vol_error *err)
{
	size_t first = s->next++;
	const char *name = s->words[first] + 2;
	size_t size = strcspn(name, "=");
	const char *value = name[size] ? name + size + 1 : NULL;
	struct vb_option option;

	if (s->own && !strncmp(name, "matrix", 6) &&
	    (size == 6 || name[6] == '-'))
		return own_option(s, name, size, value, err);
	if (s->own && vb_args_is_cluster(s->words[first]))
		return vol_errorf_errno(err, EINVAL,
					"--cluster NAME must come before all "
					"other options");
	if (vb_option_long(name, size, s->unknown, s->arg, &option, err) < 0)
		return -1;
	if (option.arg == VB_ARG_WORD &&
	    take_value(s, s->words[first], value, &value, err) < 0)
		return -1;
	note(s, option.id, value);
	if (option.id != VB_OPT_WRAP)
		keep(s, first);
	return 0;
}

/* A word of letters: "-H", "-Ht5", "-t" "5", "-kvalue". */
static int read_short(struct scan *s, struct vol_error *err)
{
	size_t first = s->next++;

	for (const char *p = s->words[first] + 1; *p; p++) {
		struct vb_option option = vb_option_short(*p);
		const char *value = p[1] ? p + 1 : NULL;

		if (option.arg == VB_ARG_WORD &&
		    take_value(s, s->words[first], value, &value, err) < 0)
			return -1;
		note(s, option.id, value);
		if (option.arg != VB_ARG_NONE)
			break;
	}
	keep(s, first);
	return 0;
}

/* Up to the first word that is no option. */
static int scan(struct scan *s, struct vol_error *err)
{
	while (s->next < s->count) {
		const char *word = s->words[s->next];
		int rc;

		if (!strcmp(word, "--")) {
			s->next++;
			return 0;
		}
		if (word[0] != '-' || !word[1])
			return 0;
		rc = word[1] == '-' ? read_long(s, err) : read_short(s, err);
		if (rc < 0)
			return -1;
	}
	return 0;
}

int vb_args_scan(struct vb_seen *seen, size_t count, char **words,
		 vb_unknown_f unknown, void *arg, struct vol_error *err)
{
	struct scan s = {
		.count = count,
		.words = words,
		.seen = seen,
		.unknown = unknown,
		.arg = arg,
	};

	return scan(&s, err);
}

int vb_args_parse(struct vb_args *args, int argc, char **argv,
		  vb_unknown_f unknown, void *arg, struct vol_error *err)
{
	struct scan s = {
		.count = argc > 0 ? (size_t)argc : 0,
		.words = argv,
		.next = argc > 0 ? 1 : 0,
		.seen = &args->seen,
		.own = args,
		.unknown = unknown,
		.arg = arg,
	};

	memset(args, 0, sizeof(*args));
	args->matrix = calloc(s.count + 1, sizeof(*args->matrix));
	args->exclude = calloc(s.count + 1, sizeof(*args->exclude));
	args->sbatch = calloc(s.count + 1, sizeof(*args->sbatch));
	if (!args->matrix || !args->exclude || !args->sbatch) {
		vb_args_free(args);
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	}
	if (scan(&s, err) < 0) {
		vb_args_free(args);
		return -1;
	}
	args->script = argv + s.next;
	args->script_count = s.count - s.next;
	args->seen.het = args->script_count && !strcmp(args->script[0], ":");
	return 0;
}

void vb_args_free(struct vb_args *args)
{
	free(args->matrix);
	free(args->exclude);
	free(args->sbatch);
	memset(args, 0, sizeof(*args));
}
