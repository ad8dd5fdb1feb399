/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl_client.h - ask the discoveryd of this machine */
#ifndef VOL_CTL_CLIENT_H
#define VOL_CTL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* Which socket to ask when none was given. */
enum vol_ctl_role { VOL_CTL_ANY, VOL_CTL_DEVICE, VOL_CTL_CONTROLLER };

/* Send a request (ctl.h; taken over, NULL means that there was no memory for
 * it) and wait for the reply's data: a new reference, or NULL with a reason
 * that a person understands.  path: NULL picks the socket that is there. */
json_t *vol_ctl_ask(const char *path, enum vol_ctl_role role, json_t *request,
		    struct vol_error *err);

/* What an asking subcommand takes besides --json and --socket; bits. */
enum {
	VOL_TAKES_SEEN = 1,
	VOL_TAKES_WORD = 2,
	VOL_TAKES_COUNT = 4,
	VOL_TAKES_FORECAST = 8,
	VOL_TAKES_SHOW = 16,    /* and means nothing else */
	VOL_TAKES_WORDS = 32,   /* two of them */
	VOL_TAKES_PENDING = 64, /* --pending, --revoked */
	VOL_TAKES_TOKEN = 128,  /* --uses, --ttl */
	VOL_TAKES_REVOKE = 256, /* --revoke=ID */
	VOL_TAKES_OTHERS = 1024,
	VOL_TAKES_ADDRESS = 512, /* --controller=HOST[:PORT] */
	VOL_TAKES_OLDER = 2048,  /* --older=DURATION */
	VOL_TAKES_MACHINES = 4096,
};

/* The options that every asking subcommand has.  -1: go on, else the exit
 * status (help was printed, or a complaint). */
struct vol_ask_options {
	bool json, seen, forecast, machines, pending, revoked, others;
	const char *socket;
	const char *word, *word2; /* NULL when there is none */
	const char *uses, *ttl, *revoke, *controller, *older; /* likewise */
	uint64_t count; /* of -n; 0 when not given */
};
int vol_ask_parse(int argc, char **argv, const char *usage, unsigned takes,
		  struct vol_ask_options *opt);

/* Ask for a pause or its end and print what is now; name is that of the
 * subcommand.  The exit status. */
int vol_pause_ask(const char *name, json_t *request,
		  const struct vol_ask_options *opt);

/* JSON on stdout, followed by a newline; the exit status. */
int vol_print_json(const json_t *json);

#endif
