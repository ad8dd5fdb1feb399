/* SPDX-License-Identifier: GPL-2.0-or-later */
/* offer.c - what of this machine a restored job would see mounted
 *
 * The mounts are built as for a restore and looked at: what is mounted below a
 * folder of the policy's is a mount inside, too.
 */
#include "config.h"

#include "../attempt.h"
#include "parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "atomicfile.h"
#include "cleanup.h"

struct offer {
	const char *root;
	FILE *to;
};

static unsigned long flags_of(const char *options)
{
	static const struct {
		const char *name;
		unsigned long flag;
	} names[] = {{"ro", MS_RDONLY},
		     {"nosuid", MS_NOSUID},
		     {"nodev", MS_NODEV},
		     {"noexec", MS_NOEXEC}};
	unsigned long flags = 0;

	while (*options) {
		size_t len = strcspn(options, ",");

		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (len == strlen(names[i].name) &&
			    strncmp(options, names[i].name, len) == 0)
				flags |= names[i].flag;
		options += len + (options[len] == ',');
	}
	return flags;
}

/* The root folder's own mount is no place, and a name that does not fit a line
 * is none that a dump takes. */
static int take_mount(const struct vol_mount *m, void *arg,
		      struct vol_error *err)
{
	const struct offer *o = arg;
	size_t len = strlen(o->root);

	(void)err;
	if (strncmp(m->point, o->root, len) == 0 && m->point[len] == '/' &&
	    !strchr(m->point, '\n'))
		fprintf(o->to, "%s %lu\n", m->point + len,
			flags_of(m->options));
	return 0;
}

static char *list(const struct vol_sandbox *s, struct vol_error *err)
{
	struct offer o = {.root = s->root};
	char *text = NULL;
	size_t size = 0;
	int rc = -1;

	o.to = open_memstream(&text, &size);
	if (o.to)
		rc = vol_mounts_each(getpid(), take_mount, &o, err);
	if (!o.to || fclose(o.to) != 0) {
		vol_errorf_errno(err, ENOMEM, "%s", strerror(ENOMEM));
		rc = -1;
	}
	if (rc != 0) {
		free(text);
		text = NULL;
	}
	return text;
}

static int offer(struct vol_sandbox *s, const char *path, struct vol_error *err)
{
	cleanup_free struct vol_record *none = calloc(1, sizeof(*none));
	cleanup_free char *text = NULL;

	if (!none)
		return vol_errorf(err, "%s", strerror(errno));
	if (vol_stage_begin(err) != 0 || vol_steps_listen(s, err) != 0 ||
	    vol_stage_build(s, none, err) != 0)
		return -1;
	text = list(s, err);
	return text ? vol_file_replace(path, text, strlen(text), 0600, 0, err)
		    : -1;
}

int vol_sandbox_offer(struct vol_sandbox *s, const char *path,
		      struct vol_error *err)
{
	struct vol_caller caller;
	struct vol_error reason = {""};
	size_t places = s->places;
	int rc = vol_attempt_root(&caller, &reason);

	if (rc == 0)
		rc = offer(s, path, &reason);
	vol_stage_remove(s);
	vol_steps_unlisten(s, places);
	vol_attempt_caller(&caller);
	return rc == 0 ? 0 : vol_errorf(err, "%s", reason.text);
}
