/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor_local.c - is our SPANK plugin in place on this host? */
#include "config.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "doctor_local.h"

#define PLUGIN "spank_volunteer.so"

/* "required /path/spank_volunteer.so ..." with the file in place? */
static bool loads_ours(char *line, const char *plugin_dir)
{
	char path[4096], *save, *kind, *plugin;
	const char *base;

	line[strcspn(line, "#\n")] = '\0';
	kind = strtok_r(line, " \t", &save);
	plugin = kind ? strtok_r(NULL, " \t", &save) : NULL;
	if (!plugin ||
	    (strcmp(kind, "required") != 0 && strcmp(kind, "optional") != 0))
		return false;
	base = strrchr(plugin, '/');
	if (strcmp(base ? base + 1 : plugin, PLUGIN) != 0)
		return false;
	if (*plugin == '/')
		return access(plugin, R_OK) == 0;
	snprintf(path, sizeof(path), "%s/%s", plugin_dir, plugin);
	return access(path, R_OK) == 0;
}

/* Files that include each other end somewhere. */
#define DEPTH_MAX 4

struct search {
	const char *conf_dir, *plugin_dir;
};

static bool file_loads_ours(const struct search *s, const char *path,
			    unsigned depth);

static bool any_loads_ours(const struct search *s, const char *pattern,
			   unsigned depth)
{
	bool found = false;
	glob_t files;
	size_t i;

	if (depth == DEPTH_MAX || glob(pattern, 0, NULL, &files) != 0)
		return false;
	for (i = 0; i < files.gl_pathc && !found; i++)
		found = file_loads_ours(s, files.gl_pathv[i], depth + 1);
	globfree(&files);
	return found;
}

/* "include PATTERN", below the folder of the configuration unless absolute. */
static bool includes_ours(const struct search *s, const char *line,
			  unsigned depth)
{
	char name[4096], pattern[8192];

	if (sscanf(line, " include %4095s", name) != 1)
		return false;
	snprintf(pattern, sizeof(pattern), "%s%s%s",
		 *name == '/' ? "" : s->conf_dir, *name == '/' ? "" : "/",
		 name);
	return any_loads_ours(s, pattern, depth);
}

static bool file_loads_ours(const struct search *s, const char *path,
			    unsigned depth)
{
	cleanup_file FILE *file = fopen(path, "re");
	cleanup_free char *line = NULL;
	bool found = false;
	size_t size = 0;

	while (file && !found && getline(&line, &size, file) >= 0)
		found = includes_ours(s, line, depth) ||
			loads_ours(line, s->plugin_dir);
	return found;
}

bool vol_doctor_has_spank(const char *conf_dir, const char *plugin_dir)
{
	const struct search s = {conf_dir, plugin_dir};
	char pattern[4096];

	snprintf(pattern, sizeof(pattern), "%s/plugstack.conf", conf_dir);
	return any_loads_ours(&s, pattern, 0);
}
