/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_join.c - volunteer join: become a device of a controller */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "ctl_client.h"
#include "jointoken.h"

static const char usage[] =
	"Usage: volunteer join TOKEN [--controller=HOST[:PORT]] [--json]\n"
	"                      [--socket=PATH]\n"
	"       volunteer join CODE\n"
	"Make this machine a device of the controller that made the token\n"
	"(\"volunteer token\" there); no other gets anything.  Or, without a\n"
	"token, of the one that shows the same code as \"volunteer status\" here.\n"
	"TOKEN may be -, for a line of standard input.  Only root may join.\n"
	"\n"
	"  --controller=HOST[:PORT]  where it is, if it can not be found by mDNS;\n"
	"                            kept until device.conf says otherwise\n"
	"  --json                    print JSON\n"
	"  --socket=PATH             ask this control socket instead of\n"
	"                            " VOL_RUN_DIR "/device.sock\n";

/* "-" stands for a line of stdin, since other users see the words of a command.
 */
static const char *word_of(const char *word, char line[VOL_JOINTOKEN_SIZE + 1])
{
	if (strcmp(word, "-") != 0)
		return word;
	if (!fgets(line, VOL_JOINTOKEN_SIZE + 1, stdin))
		*line = '\0';
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* A slip of the hand is found here, before anybody is asked. */
static int check(const char *word, struct vol_error *err)
{
	struct vol_jointoken token;
	int rc;

	if (strlen(word) == 6 && strspn(word, "0123456789") == 6)
		return 0;
	rc = vol_jointoken_parse(word, &token, err);
	explicit_bzero(&token, sizeof(token));
	return rc;
}

int cmd_join(int argc, char **argv)
{
	struct vol_ask_options opt;
	struct vol_error err;
	json_t *data;
	const char *text, *word;
	char line[VOL_JOINTOKEN_SIZE + 1];
	int rc = vol_ask_parse(argc, argv, usage,
			       VOL_TAKES_WORD | VOL_TAKES_ADDRESS, &opt);

	if (rc >= 0)
		return rc;
	if (!opt.word) {
		fputs(usage, stderr);
		return VOL_EXIT_USAGE;
	}
	word = word_of(opt.word, line);
	if (check(word, &err) < 0) {
		fprintf(stderr, "volunteer join: %s\n", err.text);
		return VOL_EXIT_USAGE;
	}
	data = vol_ctl_ask(opt.socket, VOL_CTL_DEVICE,
			   json_pack("{s:s, s:s, s:s*}", "type", "join", "with",
				     word, "controller", opt.controller),
			   &err);
	if (!data) {
		fprintf(stderr, "volunteer join: %s\n", err.text);
		return VOL_EXIT_FAILED;
	}
	text = json_string_value(json_object_get(data, "text"));
	rc = VOL_EXIT_OK;
	if (opt.json)
		rc = vol_print_json(data);
	else
		puts(text ? text : "");
	json_decref(data);
	return rc;
}
