/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spank_flag.c - has slurmd loaded our SPANK plugin? */
#include "config.h"

#include "device/spank_flag.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "stepfile.h"

struct watch {
	void (*changed)(void *arg);
	void *arg;
};

/* Value of "KEY=" in lines of text, NULL when it is not there; cuts the line
 * end off. */
static char *take_value(char *text, const char *key)
{
	size_t len = strlen(key);

	for (char *line = text; line && *line;) {
		char *end = strchr(line, '\n');

		if (!strncmp(line, key, len) && line[len] == '=') {
			if (end)
				*end = '\0';
			return line + len + 1;
		}
		line = end ? end + 1 : NULL;
	}
	return NULL;
}

bool vol_spank_flag_read(const char *path, pid_t slurmd,
			 char slurm[VOL_VERSION_SIZE])
{
	cleanup_free char *text =
		vol_file_read(path, VOL_STEPFILE_MAX, NULL, NULL);
	char *pid, *version, *end;

	slurm[0] = '\0';
	if (!text || slurmd <= 0)
		return false;
	/* In the order of the file, since each value ends the text before. */
	pid = take_value(text, "slurmd");
	if (!pid || strtol(pid, &end, 10) != (long)slurmd || *end)
		return false;
	version = take_value(text, "slurm");
	if (version)
		snprintf(slurm, VOL_VERSION_SIZE, "%.*s", VOL_VERSION_SIZE - 1,
			 version);
	return true;
}

static int on_event(sd_event_source *s, const struct inotify_event *event,
		    void *arg)
{
	struct watch *w = arg;

	(void)s;
	if (event->mask & IN_Q_OVERFLOW ||
	    (event->len > 0 && !strcmp(event->name, VOL_SPANK_ACTIVE_NAME)))
		w->changed(w->arg);
	return 0;
}

static void free_watch(void *w)
{
	free(w);
}

int vol_spank_flag_watch(sd_event *loop, const char *dir,
			 sd_event_source **source, void (*changed)(void *arg),
			 void *arg, struct vol_error *err)
{
	struct watch *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return vol_errorf(err, "out of memory");
	w->changed = changed;
	w->arg = arg;
	r = sd_event_add_inotify(loop, source, dir,
				 IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR,
				 on_event, w);
	if (r < 0) {
		free(w);
		return vol_errorf_errno(err, -r, "can not watch %s: %s", dir,
					strerror(-r));
	}
	sd_event_source_set_destroy_callback(*source, free_watch);
	return 0;
}
