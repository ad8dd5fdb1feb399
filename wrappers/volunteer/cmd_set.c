/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_set.c - volunteer set: show or change the owner's preferences */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "ctl_client.h"
#include "table.h"

#define TEXT_SIZE 256

static const char usage[] =
	"Usage: volunteer set [KEY=VALUE] [--json] [--socket=PATH]\n"
	"Change a preference of this machine's owner, or show them all.  KEY=\n"
	"goes back to the default.  slurm-volunteer-device.conf(5) tells what\n"
	"they mean.\n"
	"\n"
	"  --json         print JSON\n"
	"  --socket=PATH  ask this control socket instead of\n"
	"                 " VOL_RUN_DIR "/device.sock\n";

static void print_settings(const json_t *settings)
{
	char text[TEXT_SIZE];
	const char *key;
	json_t *value;
	int width = 0;

	json_object_foreach((json_t *)settings, key, value)
		if ((int)strlen(key) > width)
			width = (int)strlen(key);
	json_object_foreach((json_t *)settings, key, value)
		printf("%-*s = %s\n", width, key,
		       json_string_length(value)
			       ? vol_table_cell("", value, 0, text,
						sizeof(text))
			       : "");
}

static void print_change(const json_t *change)
{
	char key[TEXT_SIZE], before[TEXT_SIZE], after[TEXT_SIZE];

	printf("%s: %s -> %s\n",
	       vol_table_cell("", json_object_get(change, "key"), 0, key,
			      sizeof(key)),
	       vol_table_cell("", json_object_get(change, "old"), 0, before,
			      sizeof(before)),
	       vol_table_cell("", json_object_get(change, "new"), 0, after,
			      sizeof(after)));
}

/* NULL: the word is not KEY=VALUE. */
static json_t *make_request(const char *word)
{
	const char *equal = strchr(word, '=');

	if (!equal || equal == word)
		return NULL;
	return json_pack("{s:s, s:s%, s:s?}", "type", "set", "key", word,
			 (size_t)(equal - word), "value",
			 equal[1] ? equal + 1 : NULL);
}

static int fail(const char *reason)
{
	fprintf(stderr, "volunteer set: %s\n", reason);
	return VOL_EXIT_FAILED;
}

static int show(const struct vol_ask_options *opt)
{
	struct vol_error err;
	json_t *data, *settings;
	int rc = VOL_EXIT_OK;

	data = vol_ctl_ask(opt->socket, VOL_CTL_DEVICE,
			   json_pack("{s:s}", "type", "status"), &err);
	if (!data)
		return fail(err.text);
	settings = json_object_get(json_object_get(data, "owner"), "settings");
	if (!settings)
		rc = fail("this discoveryd does not tell its settings");
	else if (opt->json)
		rc = vol_print_json(settings);
	else
		print_settings(settings);
	json_decref(data);
	return rc;
}

static int change(json_t *request, const struct vol_ask_options *opt)
{
	struct vol_error err;
	json_t *data = vol_ctl_ask(opt->socket, VOL_CTL_DEVICE, request, &err);
	int rc = VOL_EXIT_OK;

	if (!data)
		return fail(err.text);
	if (opt->json)
		rc = vol_print_json(data);
	else
		print_change(data);
	json_decref(data);
	return rc;
}

int cmd_set(int argc, char **argv)
{
	struct vol_ask_options opt;
	json_t *request;
	int rc = vol_ask_parse(argc, argv, usage, VOL_TAKES_WORD, &opt);

	if (rc >= 0)
		return rc;
	if (!opt.word)
		return show(&opt);
	request = make_request(opt.word);
	if (!request) {
		fprintf(stderr, "volunteer set: %s is not KEY=VALUE\n%s",
			opt.word, usage);
		return VOL_EXIT_USAGE;
	}
	return change(request, &opt);
}
