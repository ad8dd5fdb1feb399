/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl_client.h - ask the discoveryd of this machine */
#ifndef VOL_CTL_CLIENT_H
#define VOL_CTL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/* Which socket to ask when none was given. */
enum vol_ctl_role { VOL_CTL_ANY, VOL_CTL_CONTROLLER };

/* Send a request (ctl.h; taken over, NULL means that there was no memory for
 * it) and wait for the reply's data: a new reference, or NULL with a reason
 * that a person understands.  path: NULL picks the socket that is there. */
json_t *vol_ctl_ask(const char *path, enum vol_ctl_role role, json_t *request,
		    struct vol_error *err);

/* The options that every asking subcommand has.  -1: go on, else the exit
 * status (help was printed, or a complaint). */
struct vol_ask_options {
	bool json, seen;
	const char *socket;
};
int vol_ask_parse(int argc, char **argv, const char *usage, bool takes_seen,
		  struct vol_ask_options *opt);

/* JSON on stdout, followed by a newline; the exit status. */
int vol_print_json(const json_t *json);

#endif
