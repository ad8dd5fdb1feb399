/* SPDX-License-Identifier: GPL-2.0-or-later */
/* join.c - a token that waits to be used, and where to go with it */
#include "config.h"

#include "device/join.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "device/device_conf.h"

#define FILE_MAX 1024

static int name_file(char *path, size_t size, const char *state_dir,
		     struct vol_error *err)
{
	if (snprintf(path, size, "%s/" VOL_JOIN_FILE, state_dir) >= (int)size)
		return vol_errorf_errno(err, ENAMETOOLONG, "%s: too long",
					state_dir);
	return 0;
}

static int parse(const json_t *json, struct vol_join *join,
		 struct vol_error *err)
{
	const char *token = NULL, *controller = "";
	struct vol_join fresh = {.has_token = false};
	json_error_t why;
	char host[256];
	uint16_t port;

	if (json_unpack_ex((json_t *)json, &why, 0, "{s?s, s?s !}", "token",
			   &token, "controller", &controller) < 0)
		return vol_errorf_errno(err, EBADMSG, "%s", why.text);
	if (token && vol_jointoken_parse(token, &fresh.token, err) < 0)
		return -1;
	fresh.has_token = token != NULL;
	if (*controller && vol_device_conf_host(controller, host, sizeof(host),
						&port, err) < 0)
		return vol_error_prefix(err, "controller");
	snprintf(fresh.controller, sizeof(fresh.controller), "%s", controller);
	*join = fresh;
	return 0;
}

int vol_join_load(const char *state_dir, struct vol_join *join,
		  struct vol_error *err)
{
	cleanup_free char *text = NULL;
	char path[4096];
	json_error_t why;
	json_t *json;
	size_t len;
	int r;

	memset(join, 0, sizeof(*join));
	if (name_file(path, sizeof(path), state_dir, err) < 0)
		return -1;
	text = vol_file_read(path, FILE_MAX, &len, err);
	if (!text)
		return errno == ENOENT ? 0 : -1;
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	explicit_bzero(text, len);
	if (json)
		r = parse(json, join, err);
	else
		r = vol_errorf_errno(err, EBADMSG, "line %d: %s", why.line,
				     why.text);
	json_decref(json);
	return r < 0 ? vol_error_prefix(err, "%s", path) : 0;
}

int vol_join_save(const char *state_dir, const struct vol_join *join,
		  struct vol_error *err)
{
	char path[4096], text[FILE_MAX] = "", token[VOL_JOINTOKEN_SIZE] = "";
	size_t len;
	json_t *json;
	int r;

	if (name_file(path, sizeof(path), state_dir, err) < 0)
		return -1;
	if (join->has_token)
		vol_jointoken_text(&join->token, token);
	json = json_pack("{s:s*, s:s*}", "token", *token ? token : NULL,
			 "controller",
			 *join->controller ? join->controller : NULL);
	len = json ? json_dumpb(json, text, sizeof(text) - 1, JSON_INDENT(1))
		   : sizeof(text);
	json_decref(json);
	if (len >= sizeof(text) - 1)
		return vol_errorf_errno(err, ENOMEM, "%s: out of memory", path);
	text[len] = '\n';
	r = vol_file_replace(path, text, len + 1, 0600, 1, err);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(token, sizeof(token));
	return r;
}
