/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_approve.c - volunteer approve: let a device in that waits */
#include "config.h"

#include <stdio.h>

#include "cmd.h"
#include "ctl_client.h"

static const char usage[] =
	"Usage: volunteer approve CODE|NAME|ID [--json] [--socket=PATH]\n"
	"Make a device of a machine that waits (\"volunteer devices --pending\").\n"
	"Compare its code with what \"volunteer status\" shows there first: the\n"
	"name is what anybody may call himself.  Six digits are a code, 16 or\n"
	"more hex digits an id.\n"
	"\n"
	"  --json         print JSON\n"
	"  --socket=PATH  ask this control socket instead of\n"
	"                 " VOL_RUN_DIR "/controller/control.sock\n";

/* Which one it was, to be seen when a name was given. */
static void print_approved(const char *word, const json_t *data)
{
	const char *code = json_string_value(json_object_get(data, "code"));
	const char *node = json_string_value(json_object_get(data, "node"));
	const char *id = json_string_value(json_object_get(data, "id"));

	printf("%s: approved as node %s: %s%s%sdevice %s\n", word,
	       node ? node : "", code && *code ? "code " : "", code ? code : "",
	       code && *code ? ", " : "", id ? id : "");
}

int cmd_approve(int argc, char **argv)
{
	struct vol_ask_options opt;
	struct vol_error err;
	json_t *data;
	int rc = vol_ask_parse(argc, argv, usage, VOL_TAKES_WORD, &opt);

	if (rc >= 0)
		return rc;
	if (!opt.word) {
		fputs(usage, stderr);
		return VOL_EXIT_USAGE;
	}
	data = vol_ctl_ask(opt.socket, VOL_CTL_CONTROLLER,
			   json_pack("{s:s, s:s}", "type", "approve", "name",
				     opt.word),
			   &err);
	if (!data) {
		fprintf(stderr, "volunteer approve: %s\n", err.text);
		return VOL_EXIT_FAILED;
	}
	rc = VOL_EXIT_OK;
	if (opt.json)
		rc = vol_print_json(data);
	else
		print_approved(opt.word, data);
	json_decref(data);
	return rc;
}
