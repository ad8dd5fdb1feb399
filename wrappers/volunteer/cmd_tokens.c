/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_tokens.c - volunteer tokens: the tokens that were made, and their end */
#include "config.h"

#include <stdio.h>
#include <time.h>

#include "cmd.h"
#include "ctl_client.h"
#include "table.h"

static const char usage[] =
	"Usage: volunteer tokens [--revoke=ID] [--json] [--socket=PATH]\n"
	"List the tokens of the last days, or end one of them.  Devices that\n"
	"came in by it stay (see \"volunteer forget\").\n"
	"\n"
	"  --revoke=ID    let nobody in by this token any more\n"
	"  --json         print JSON\n"
	"  --socket=PATH  ask this control socket instead of\n"
	"                 " VOL_RUN_DIR "/controller/control.sock\n";

static const struct vol_column columns[] = {
	{"TOKEN", "id"},
	{"STATE", "state"},
	{"USED", "used"},
	{"OF", "uses"},
	{"UID", "uid"},
	{"MADE", "made_at"},
	{"EXPIRES-IN", "expires_s"},
	{NULL, NULL},
};

static json_t *make_request(const struct vol_ask_options *opt)
{
	if (opt->revoke)
		return json_pack("{s:s, s:s}", "type", "revoke-token", "id",
				 opt->revoke);
	return json_pack("{s:s}", "type", "tokens");
}

int cmd_tokens(int argc, char **argv)
{
	struct vol_ask_options opt;
	struct vol_error err;
	json_t *data;
	int rc = vol_ask_parse(argc, argv, usage, VOL_TAKES_REVOKE, &opt);

	if (rc >= 0)
		return rc;
	data = vol_ctl_ask(opt.socket, VOL_CTL_CONTROLLER, make_request(&opt),
			   &err);
	if (!data) {
		fprintf(stderr, "volunteer tokens: %s\n", err.text);
		return VOL_EXIT_FAILED;
	}
	rc = VOL_EXIT_OK;
	if (opt.json)
		rc = vol_print_json(
			opt.revoke ? data : json_object_get(data, "tokens"));
	else if (opt.revoke)
		printf("%s: revoked\n", opt.revoke);
	else
		vol_table_print(stdout, json_object_get(data, "tokens"),
				columns, time(NULL));
	json_decref(data);
	return rc;
}
