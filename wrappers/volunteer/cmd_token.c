/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_token.c - volunteer token: make a token that lets devices in */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "ctl_client.h"
#include "text.h"
#include "units.h"

static const char usage[] =
	"Usage: volunteer token [--uses=N] [--ttl=DURATION] [--json]\n"
	"                       [--socket=PATH]\n"
	"Make a token.  Who has it can make a device of a machine with\n"
	"\"volunteer join TOKEN\": it is printed once and kept nowhere.\n"
	"\n"
	"  --uses=N        for so many devices (1; at most 1000)\n"
	"  --ttl=DURATION  valid for so long (1h; 1m to 30d)\n"
	"  --json          print JSON\n"
	"  --socket=PATH   ask this control socket instead of\n"
	"                  " VOL_RUN_DIR "/controller/control.sock\n";

static json_t *make_request(const struct vol_ask_options *opt,
			    struct vol_error *err)
{
	uint64_t uses = 1, ttl_ms = 3600 * 1000;

	if (opt->uses && vol_text_number(opt->uses, strlen(opt->uses), 1,
					 UINT32_MAX, &uses) < 0) {
		vol_errorf_errno(err, EINVAL, "--uses=%s: not a number",
				 opt->uses);
		return NULL;
	}
	if (opt->ttl && vol_duration_parse(opt->ttl, &ttl_ms, err) < 0)
		return NULL;
	return json_pack("{s:s, s:I, s:I}", "type", "token", "uses",
			 (json_int_t)uses, "ttl_s",
			 (json_int_t)(ttl_ms / 1000));
}

/* The token alone on stdout, so that a script can take it. */
static int print(const json_t *data)
{
	const char *token = json_string_value(json_object_get(data, "token"));
	const char *id = json_string_value(json_object_get(data, "id"));
	json_int_t uses = json_integer_value(json_object_get(data, "uses"));
	json_int_t s = json_integer_value(json_object_get(data, "expires_s"));
	char span[32];

	puts(token ? token : "");
	if (!isatty(STDOUT_FILENO))
		return VOL_EXIT_OK;
	vol_duration_format((uint64_t)s * 1000, span, sizeof(span));
	printf("\nOn %s, within %s:  volunteer join TOKEN\n"
	       "To end it before that:  volunteer tokens --revoke=%s\n",
	       uses == 1 ? "one machine" : "the machines", span, id ? id : "");
	return VOL_EXIT_OK;
}

int cmd_token(int argc, char **argv)
{
	struct vol_ask_options opt;
	struct vol_error err = {"out of memory"};
	json_t *request, *data;
	int rc = vol_ask_parse(argc, argv, usage, VOL_TAKES_TOKEN, &opt);

	if (rc >= 0)
		return rc;
	request = make_request(&opt, &err);
	if (!request) {
		fprintf(stderr, "volunteer token: %s\n", err.text);
		return VOL_EXIT_USAGE;
	}
	data = vol_ctl_ask(opt.socket, VOL_CTL_CONTROLLER, request, &err);
	if (!data) {
		fprintf(stderr, "volunteer token: %s\n", err.text);
		return VOL_EXIT_FAILED;
	}
	rc = opt.json ? vol_print_json(data) : print(data);
	json_decref(data);
	return rc;
}
