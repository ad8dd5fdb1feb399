/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setting.c - the preferences in device.conf that an owner may change */
#include "config.h"

#include "device/setting.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "conf_show.h"
#include "device/conf_edit.h"
#include "device/hardware.h"
#include "device/share.h"

/* More than lib/conf.c reads. */
#define FILE_MAX_BYTES (128 * 1024)
#define MODE_NEW       0644

static bool is_owners(const char *section, const char *key)
{
	/* Who sits here today does not decide who commands it tomorrow, nor
	 * what strangers' programs may see of the others who use it. */
	return strcmp(section, "device") != 0 &&
	       strcmp(section, "sandbox") != 0 && strcmp(key, "owners") != 0;
}

static bool names(const struct vol_conf_option *row, const char *key)
{
	size_t len = strlen(row->section);

	if (strncmp(key, row->section, len) == 0 && key[len] == '.')
		key += len + 1;
	return strcmp(row->key, key) == 0;
}

const struct vol_conf_option *vol_setting_find(const char *key,
					       struct vol_error *err)
{
	const struct vol_conf_option *row = vol_device_conf_table();

	while (row->type != VOL_CONF_END && !names(row, key))
		row++;
	if (row->type == VOL_CONF_END) {
		vol_errorf_errno(err, ENOENT, "unknown key '%.60s'", key);
		return NULL;
	}
	if (!is_owners(row->section, row->key)) {
		vol_errorf_errno(err, EPERM,
				 "%s.%s is for the administrator: edit "
				 "device.conf and reload discoveryd",
				 row->section, row->key);
		return NULL;
	}
	return row;
}

/* ---- change ---- */

/* Does the machine have what is shared? */
static int check_share(const struct vol_device_conf *conf,
		       struct vol_error *err)
{
	struct vol_facts facts = {0};
	struct vol_hardware hw;

	if (vol_hardware_detect(conf->scratch_dir, &hw, &facts, err) < 0)
		return -1;
	return vol_share_facts(&hw, conf, &facts, err);
}

/* The value first, alone: its error need not name a line that is not there. */
static int check(const struct vol_conf_option *row, const char *value,
		 const char *path, const char *text, struct vol_error *err)
{
	struct vol_device_conf conf = {0};
	int rc = 0;

	if (value)
		rc = vol_conf_set(vol_device_conf_table(), row->key, value,
				  &conf, err);
	if (rc == 0)
		rc = vol_device_conf_parse(path, text, strlen(text), &conf,
					   err);
	if (rc == 0 && !strcmp(row->section, "share"))
		rc = check_share(&conf, err);
	vol_device_conf_clear(&conf);
	return rc;
}

/* The text at path, "" when there is no file; *st tells its mode and owner. */
static char *read_text(const char *path, struct stat *st, struct vol_error *err)
{
	char *text;
	size_t len;

	if (stat(path, st) < 0 && errno == ENOENT) {
		*st = (struct stat){.st_mode = MODE_NEW,
				    .st_uid = geteuid(),
				    .st_gid = getegid()};
		return strdup("");
	}
	text = vol_file_read(path, FILE_MAX_BYTES, &len, err);
	/* What follows a NUL would be lost. */
	if (text && strlen(text) != len) {
		vol_errorf_errno(err, EINVAL, "%s: control character 0x00",
				 path);
		free(text);
		return NULL;
	}
	return text;
}

static int replace(const char *path, const char *text, const struct stat *st,
		   struct vol_error *err)
{
	if (vol_file_replace(path, text, strlen(text), st->st_mode & 07777, 1,
			     err) < 0)
		return -1;
	if ((st->st_uid != geteuid() || st->st_gid != getegid()) &&
	    chown(path, st->st_uid, st->st_gid) < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	return 0;
}

static int apply(const char *path, const struct vol_conf_option *row,
		 const char *value, struct vol_error *err)
{
	/* A link stays one. */
	cleanup_free char *real = realpath(path, NULL);
	cleanup_free char *before = NULL, *after = NULL;
	struct stat st = {0};

	before = read_text(real ? real : path, &st, err);
	if (!before)
		return -1;
	after = vol_conf_edit(before, row->section, row->key, value, err);
	if (!after)
		return vol_error_prefix(err, "%s", row->key);
	if (check(row, value, path, after, err) < 0)
		return -1;
	if (strcmp(before, after) == 0)
		return 0;
	return replace(real ? real : path, after, &st, err);
}

int vol_setting_apply(const char *path, const char *key, const char *value,
		      struct vol_error *err)
{
	const struct vol_conf_option *row = vol_setting_find(key, err);

	return row ? apply(path, row, value, err) : -1;
}

int vol_setting_owners(const char *path, const char *value,
		       struct vol_error *err)
{
	const struct vol_conf_option *row = vol_device_conf_table();

	while (!names(row, "owner.owners"))
		row++;
	return apply(path, row, value, err);
}

/* ---- list ---- */

static void add(const char *section, const char *key, const char *text,
		void *arg)
{
	char name[128];

	if (!is_owners(section, key))
		return;
	snprintf(name, sizeof(name), "%s.%s", section, key);
	json_object_set_new(arg, name, json_string(text));
}

json_t *vol_setting_list(const struct vol_device_conf *conf)
{
	json_t *list = json_object();

	if (list)
		vol_conf_show(vol_device_conf_table(), NULL, conf, add, list);
	return list;
}
