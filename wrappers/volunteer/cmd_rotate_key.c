/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_rotate_key.c - volunteer rotate-key: a new Slurm key for all
 *
 * discoveryd does it, and goes on without us; here its progress is shown.
 */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "ctl_client.h"

/* A rotation takes seconds: often enough to show its phases. */
#define LOOK_MS 100
/* One that was killed is started again by systemd after a second. */
#define AWAY_MS 60000

static const char usage[] =
	"Usage: volunteer rotate-key [--others] [--json] [--socket=PATH]\n"
	"Make a new Slurm key (munge.key), and bring it to all approved devices\n"
	"and to this host; revoked devices are left out.  Jobs go on, but are\n"
	"stopped for a moment.  Ctrl-C gives up while that is possible.\n"
	"\n"
	"  --others       although there are nodes that get no key from here:\n"
	"                 bring it to them, and to login hosts, yourself\n"
	"  --json         print JSON, in the end\n"
	"  --socket=PATH  ask this control socket instead of\n"
	"                 " VOL_RUN_DIR "/controller/control.sock\n";

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static const char *text_of(const json_t *data, const char *name)
{
	const char *text = json_string_value(json_object_get(data, name));

	return text ? text : "";
}

static const char *words_for(const char *phase)
{
	static const struct {
		const char *phase, *words;
	} table[] = {
		{"prepare", "devices store the new key"},
		{"close", "partitions are closed, launches under way end"},
		{"turn", "devices take the new key"},
		{"self", "this host takes the new key"},
		{"open", "partitions are opened again"},
		{"undo", "given up: partitions are opened again"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(phase, table[i].phase) == 0)
			return table[i].words;
	return phase;
}

static void show(const json_t *data, char phase[16], char trouble[256])
{
	const char *now = text_of(data, "phase");
	const char *wrong = text_of(data, "trouble");

	if (strcmp(now, phase) != 0 && strcmp(now, "none") != 0)
		fprintf(stderr, "%s\n", words_for(now));
	if (strcmp(wrong, trouble) != 0 && *wrong)
		fprintf(stderr, "volunteer rotate-key: %s\n", wrong);
	snprintf(phase, 16, "%s", now);
	snprintf(trouble, 256, "%s", wrong);
}

static void stop(const char *socket)
{
	struct vol_error err;
	json_t *data =
		vol_ctl_ask(socket, VOL_CTL_CONTROLLER,
			    json_pack("{s:s}", "type", "rotate-stop"), &err);

	if (!data)
		fprintf(stderr, "volunteer rotate-key: %s\n", err.text);
	json_decref(data);
}

/* The last state of it; NULL: discoveryd is gone. */
static json_t *follow(const char *socket, json_t *data, struct vol_error *err)
{
	char phase[16] = "", trouble[256] = "";
	int away_ms = 0;

	while (away_ms < AWAY_MS) {
		if (data) {
			show(data, phase, trouble);
			away_ms = 0;
			if (strcmp(text_of(data, "phase"), "none") == 0)
				return data;
		}
		if (interrupted)
			stop(socket);
		interrupted = 0;
		/* It is interrupted by a signal. */
		(void)poll(NULL, 0, LOOK_MS);
		away_ms += LOOK_MS;
		json_decref(data);
		data = vol_ctl_ask(socket, VOL_CTL_CONTROLLER,
				   json_pack("{s:s}", "type", "rotation"), err);
	}
	json_decref(data);
	return NULL;
}

static int print(const json_t *data, const char *id)
{
	const json_t *left = json_object_get(data, "left"), *entry;
	json_int_t closed =
		json_integer_value(json_object_get(data, "closed_ms"));
	json_int_t apart =
		json_integer_value(json_object_get(data, "apart_ms"));
	json_int_t more = json_integer_value(json_object_get(data, "more"));
	size_t i;

	if (strcmp(text_of(data, "id"), id) != 0) {
		puts("nothing was changed: the key is the one before");
		return VOL_EXIT_FAILED;
	}
	printf("key %s: %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT
	       " devices have it",
	       id, json_integer_value(json_object_get(data, "have")),
	       json_integer_value(json_object_get(data, "of")));
	json_array_foreach(left, i, entry) {
		printf("%s%s (%s)",
		       i ? ", " : "; left out: ", text_of(entry, "node"),
		       text_of(entry, "why"));
	}
	if (more)
		printf(" and %" JSON_INTEGER_FORMAT " more", more);
	printf("; partitions were closed for %.1f s, keys differed for %.1f s\n",
	       (double)closed / 1000, (double)apart / 1000);
	return VOL_EXIT_OK;
}

int cmd_rotate_key(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct vol_ask_options opt;
	struct vol_error err;
	char id[64];
	json_t *data;
	int rc = vol_ask_parse(argc, argv, usage, VOL_TAKES_OTHERS, &opt);

	if (rc >= 0)
		return rc;
	data = vol_ctl_ask(opt.socket, VOL_CTL_CONTROLLER,
			   json_pack("{s:s, s:b}", "type", "rotate-key",
				     "others", (int)opt.others),
			   &err);
	if (data) {
		sigaction(SIGINT, &action, NULL);
		sigaction(SIGTERM, &action, NULL);
		snprintf(id, sizeof(id), "%s", text_of(data, "next"));
		data = follow(opt.socket, data, &err);
	}
	if (!data) {
		fprintf(stderr, "volunteer rotate-key: %s\n", err.text);
		return VOL_EXIT_FAILED;
	}
	if (opt.json) {
		rc = vol_print_json(data);
		if (strcmp(text_of(data, "id"), id) != 0)
			rc = VOL_EXIT_FAILED;
	} else {
		rc = print(data, id);
	}
	json_decref(data);
	return rc;
}
