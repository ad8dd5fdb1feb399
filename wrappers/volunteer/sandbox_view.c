/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox_view.c - what a job gets on a device, for people; pure */
#include "config.h"

#include "sandbox_view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "owner_words.h"
#include "runtime.h"
#include "table.h"
#include "text.h"
#include "units.h"

#define ROW_SIZE 1024

const char *vol_sandbox_line(const json_t *sandbox, char *buf, size_t size)
{
	const char *stand = vol_get_text(sandbox, "stand");
	const char *missing = vol_get_text(sandbox, "missing");
	const char *trouble = vol_get_text(sandbox, "trouble");

	if (!sandbox)
		snprintf(buf, size, "not known: discoveryd does not answer");
	else if (*trouble)
		snprintf(buf, size, "no job can start: %s", trouble);
	else if (!strcmp(vol_get_text(sandbox, "walls"), "off"))
		snprintf(buf, size,
			 "off: jobs can do what their user can on this "
			 "machine");
	else if (!strcmp(stand, "all"))
		snprintf(buf, size, "all walls");
	else if (!strcmp(stand, "without ids"))
		snprintf(buf, size, "without %s",
			 *missing ? missing : "ids of the job's own");
	else
		snprintf(buf, size, "not tried");
	return buf;
}

/* Names of folders need not be UTF-8, and JSON takes nothing else. */
static json_t *text_json(const char *text)
{
	json_t *json = json_string(text);
	char ascii[ROW_SIZE];

	if (json)
		return json;
	snprintf(ascii, sizeof(ascii), "%s", text);
	for (char *p = ascii; *p; p++)
		if (!vol_char_printable((unsigned char)*p))
			*p = '?';
	return json_string(ascii);
}

__attribute__((format(printf, 3, 4))) static void row(json_t *page,
						      const char *name,
						      const char *fmt, ...)
{
	char text[ROW_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_object_set_new(page, name, text_json(text));
}

static const char *join(const struct vol_walls_list *list, char *buf,
			size_t size)
{
	size_t len = 0;

	*buf = '\0';
	for (size_t i = 0; i < list->n && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s",
					i ? ", " : "", list->path[i]);
	return buf;
}

static const char *ids_words(int users)
{
	switch (users) {
	case VOL_USERS_ALWAYS:
		return "of its own, on no account of this machine; without "
		       "them it does not start";
	case VOL_USERS_NEVER:
		return "the submitter's, as outside";
	default:
		return "of its own where kernel and file system can, else the "
		       "submitter's";
	}
}

static const char *network_words(const struct vol_walls *walls, char *buf,
				 size_t size)
{
	char rate[32];

	if (walls->network == VOL_NETWORK_NONE)
		return "none but a loopback of its own";
	snprintf(buf, size,
		 "none unless a job asks for it: then the internet, %s the "
		 "owner's LAN, nothing of this machine; %s/s each way at most",
		 walls->network == VOL_NETWORK_LAN ? "and" : "nothing of",
		 vol_size_format(walls->network_rate, rate, sizeof(rate)));
	return buf;
}

static void system_rows(json_t *page, const struct vol_walls *walls)
{
	char text[ROW_SIZE];

	if (*vol_runtime_of(walls->image))
		row(page, "system", "image %s, read-only",
		    vol_runtime_of(walls->image));
	else if (*walls->image)
		row(page, "system", "%s, read-only", walls->image);
	if (walls->read.n)
		row(page, *walls->image ? "and" : "system", "%s, read-only",
		    join(&walls->read, text, sizeof(text)));
	row(page, "of /etc",
	    "what programs need (see --json), and accounts of its own");
	row(page, "devices", "null, zero, full, random, tty%s%s",
	    walls->devices.n ? ", " : "",
	    join(&walls->devices, text, sizeof(text)));
}

static void up_rows(json_t *page, const struct vol_walls *walls)
{
	char text[ROW_SIZE], size[32];

	system_rows(page, walls);
	row(page, "private",
	    "/tmp, /var/tmp, /home, /dev/shm: empty at first, gone at the end, "
	    "%s together",
	    vol_size_format(walls->scratch_bytes, size, sizeof(size)));
	if (walls->work.n)
		row(page, "working folder", "below %s",
		    join(&walls->work, text, sizeof(text)));
	else
		row(page, "working folder",
		    "none: jobs start in /tmp, and nothing they write stays");
	row(page, "processes", "its own, %" PRIu32 " at most; nobody else's",
	    walls->tasks);
	row(page, "open files", "%" PRIu32 " at most in a process",
	    walls->open_files);
	row(page, "cpus, memory",
	    "what Slurm allots, of what the owner shares");
	row(page, "network", "%s", network_words(walls, text, sizeof(text)));
	if (walls->network != VOL_NETWORK_NONE && walls->deny.n)
		row(page, "nor", "%s", join(&walls->deny, text, sizeof(text)));
	row(page, "ids", "%s", ids_words(walls->users));
	row(page, "not there",
	    "people's files, sockets and buses, others' processes, sudo and "
	    "other ways to more rights, /sys but for what describes the "
	    "hardware");
}

void vol_sandbox_view(FILE *out, const struct vol_walls *walls,
		      const json_t *sandbox)
{
	json_t *page = json_object();
	char text[ROW_SIZE];

	row(page, "sandbox", "%s",
	    walls->up || sandbox ? vol_sandbox_line(sandbox, text, sizeof(text))
				 : "off");
	if (walls->up)
		up_rows(page, walls);
	vol_table_print_object(out, page, 0);
	json_decref(page);
}

static json_t *list_json(const struct vol_walls_list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->n; i++)
		json_array_append_new(array, text_json(list->path[i]));
	return array;
}

json_t *vol_sandbox_view_json(const struct vol_walls *walls,
			      const json_t *sandbox)
{
	return json_pack(
		"{s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:s, s:I, s:o, s:o, s:o, s:o, "
		"s:o, s:o, s:O?}",
		"walls", (int)walls->up, "ids",
		vol_walls_users_name(walls->users), "uid_base",
		(json_int_t)walls->uid_base, "uid_ranges",
		(json_int_t)walls->uid_ranges, "tmp",
		(json_int_t)walls->scratch_bytes, "tasks",
		(json_int_t)walls->tasks, "open_files",
		(json_int_t)walls->open_files, "network",
		vol_network_name(walls->network), "network_rate",
		(json_int_t)walls->network_rate, "image",
		text_json(walls->image), "read", list_json(&walls->read), "etc",
		list_json(&walls->etc), "work", list_json(&walls->work),
		"devices", list_json(&walls->devices), "network_deny",
		list_json(&walls->deny), "status", sandbox);
}
