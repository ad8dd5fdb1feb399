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

static bool file_loads_ours(const char *path, const char *plugin_dir)
{
	cleanup_file FILE *file = fopen(path, "re");
	cleanup_free char *line = NULL;
	bool found = false;
	size_t size = 0;

	while (file && !found && getline(&line, &size, file) >= 0)
		found = loads_ours(line, plugin_dir);
	return found;
}

bool vol_doctor_has_spank(const char *conf_dir, const char *plugin_dir)
{
	char pattern[4096];
	bool found = false;
	glob_t files;
	size_t i;

	/* The file itself and the folder that it includes by custom. */
	snprintf(pattern, sizeof(pattern), "%s/plugstack.conf*", conf_dir);
	if (glob(pattern, 0, NULL, &files) == 0) {
		for (i = 0; i < files.gl_pathc && !found; i++)
			found = file_loads_ours(files.gl_pathv[i], plugin_dir);
		globfree(&files);
	}
	snprintf(pattern, sizeof(pattern), "%s/plugstack.conf.d/*.conf",
		 conf_dir);
	if (!found && glob(pattern, 0, NULL, &files) == 0) {
		for (i = 0; i < files.gl_pathc && !found; i++)
			found = file_loads_ours(files.gl_pathv[i], plugin_dir);
		globfree(&files);
	}
	return found;
}
