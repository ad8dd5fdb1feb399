/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl_client.c - one request, one reply over discoveryd's control socket */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "cmd.h"
#include "ctl_client.h"
#include "text.h"
#include "wire.h"

#define CONTROLLER_SOCKET VOL_RUN_DIR "/controller/control.sock"
#define DEVICE_SOCKET     VOL_RUN_DIR "/device.sock"

/* Answers come from memory; a daemon that needs longer is stuck. */
#define ANSWER_MS 10000

enum {
	OPT_SOCKET = 256,
	OPT_JSON,
	OPT_SEEN,
	OPT_FORECAST,
	OPT_MACHINES,
	OPT_SHOW,
	OPT_PENDING,
	OPT_REVOKED,
	OPT_USES,
	OPT_TTL,
	OPT_REVOKE,
	OPT_CONTROLLER,
	OPT_OTHERS,
	OPT_OLDER,
};

static const char unknown_option[] = "unknown option";

static int connect_to(const char *path, struct vol_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	cleanup_fd int fd = -1;

	if (strlen(path) >= sizeof(address.sun_path))
		return vol_errorf_errno(err, ENAMETOOLONG,
					"%s: path is too long", path);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return vol_errorf(err, "socket: %s", strerror(errno));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return steal_fd(&fd);
	if (errno == ENOENT)
		return vol_errorf(err,
				  "discoveryd is not running on this machine "
				  "(no %s)",
				  path);
	if (errno == ECONNREFUSED)
		return vol_errorf(err,
				  "discoveryd is not running on this machine "
				  "(nobody answers at %s)",
				  path);
	return vol_errorf(err, "%s: %s", path, strerror(errno));
}

static const char *choose(enum vol_ctl_role role)
{
	if (role == VOL_CTL_DEVICE ||
	    (role == VOL_CTL_ANY && access(DEVICE_SOCKET, F_OK) == 0))
		return DEVICE_SOCKET;
	return CONTROLLER_SOCKET;
}

/* data of {"type": "ok"}, or the reason of {"type": "error"}. */
static json_t *unwrap(const json_t *reply, struct vol_error *err)
{
	const char *type = json_string_value(json_object_get(reply, "type"));
	const char *reason;
	json_t *data = json_object_get(reply, "data");

	if (type && strcmp(type, "ok") == 0 && data)
		return json_incref(data);
	reason = json_string_value(json_object_get(reply, "reason"));
	vol_errorf_errno(err, EIO, "%s",
			 reason ? reason : "discoveryd's reply makes no sense");
	return NULL;
}

json_t *vol_ctl_ask(const char *path, enum vol_ctl_role role, json_t *request,
		    struct vol_error *err)
{
	struct vol_wire_reader reader = VOL_WIRE_READER_INIT;
	json_t *reply = NULL, *data = NULL;
	cleanup_fd int fd = -1;

	if (!path)
		path = choose(role);
	fd = connect_to(path, err);
	if (fd < 0) {
		json_decref(request);
		return NULL;
	}
	if (!request)
		vol_errorf_errno(err, ENOMEM, "out of memory");
	else if (vol_wire_send(fd, request, ANSWER_MS, err) == 0)
		reply = vol_wire_recv(fd, &reader, ANSWER_MS, err);
	if (reply)
		data = unwrap(reply, err);
	else
		vol_error_prefix(err, "%s", path);
	vol_wire_reset(&reader);
	json_decref(request);
	json_decref(reply);
	return data;
}

/* NULL, or what is wrong with option c. */
static const char *take(int c, unsigned takes, struct vol_ask_options *opt)
{
	switch (c) {
	case OPT_JSON:
		opt->json = true;
		return NULL;
	case OPT_SOCKET:
		opt->socket = optarg;
		return NULL;
	case OPT_SEEN:
		opt->seen = true;
		return takes & VOL_TAKES_SEEN ? NULL : unknown_option;
	case OPT_FORECAST:
		opt->forecast = true;
		return takes & VOL_TAKES_FORECAST ? NULL : unknown_option;
	case OPT_MACHINES:
		opt->machines = true;
		return takes & VOL_TAKES_MACHINES ? NULL : unknown_option;
	case OPT_SHOW:
		return takes & VOL_TAKES_SHOW ? NULL : unknown_option;
	case OPT_PENDING:
		opt->pending = true;
		return takes & VOL_TAKES_PENDING ? NULL : unknown_option;
	case OPT_REVOKED:
		opt->revoked = true;
		return takes & VOL_TAKES_PENDING ? NULL : unknown_option;
	case OPT_USES:
		opt->uses = optarg;
		return takes & VOL_TAKES_TOKEN ? NULL : unknown_option;
	case OPT_TTL:
		opt->ttl = optarg;
		return takes & VOL_TAKES_TOKEN ? NULL : unknown_option;
	case OPT_REVOKE:
		opt->revoke = optarg;
		return takes & VOL_TAKES_REVOKE ? NULL : unknown_option;
	case OPT_CONTROLLER:
		opt->controller = optarg;
		return takes & VOL_TAKES_ADDRESS ? NULL : unknown_option;
	case OPT_OLDER:
		opt->older = optarg;
		return takes & VOL_TAKES_OLDER ? NULL : unknown_option;
	case OPT_OTHERS:
		opt->others = true;
		return takes & VOL_TAKES_OTHERS ? NULL : unknown_option;
	case 'n':
		return vol_text_number(optarg, strlen(optarg), 1, UINT32_MAX,
				       &opt->count) < 0
			       ? "a number is wanted, not"
			       : NULL;
	case ':':
		return "value missing for";
	default:
		return unknown_option;
	}
}

int vol_ask_parse(int argc, char **argv, const char *usage, unsigned takes,
		  struct vol_ask_options *opt)
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, OPT_JSON},
		{"socket", required_argument, NULL, OPT_SOCKET},
		{"help", no_argument, NULL, 'h'},
		{"seen", no_argument, NULL, OPT_SEEN},
		{"forecast", no_argument, NULL, OPT_FORECAST},
		{"machines", no_argument, NULL, OPT_MACHINES},
		{"show", no_argument, NULL, OPT_SHOW},
		{"pending", no_argument, NULL, OPT_PENDING},
		{"revoked", no_argument, NULL, OPT_REVOKED},
		{"uses", required_argument, NULL, OPT_USES},
		{"ttl", required_argument, NULL, OPT_TTL},
		{"revoke", required_argument, NULL, OPT_REVOKE},
		{"controller", required_argument, NULL, OPT_CONTROLLER},
		{"others", no_argument, NULL, OPT_OTHERS},
		{"older", required_argument, NULL, OPT_OLDER},
		{NULL, 0, NULL, 0},
	};
	const char *shorts = takes & VOL_TAKES_COUNT ? ":hn:" : ":h";
	const char *wrong;
	int c;

	memset(opt, 0, sizeof(*opt));
	optind = 0; /* glibc: start anew, main() has parsed its own words */
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage, stdout);
			return VOL_EXIT_OK;
		}
		wrong = take(c, takes, opt);
		if (wrong) {
			fprintf(stderr, "volunteer %s: %s %s\n%s", argv[0],
				wrong, argv[optind - 1], usage);
			return VOL_EXIT_USAGE;
		}
	}
	if (optind < argc && takes & (VOL_TAKES_WORD | VOL_TAKES_WORDS))
		opt->word = argv[optind++];
	if (optind < argc && takes & VOL_TAKES_WORDS)
		opt->word2 = argv[optind++];
	if (optind == argc)
		return -1;
	fprintf(stderr, "volunteer %s: unexpected word %s\n%s", argv[0],
		argv[optind], usage);
	return VOL_EXIT_USAGE;
}

int vol_print_json(const json_t *json)
{
	if (json_dumpf(json, stdout, JSON_INDENT(2)) < 0 ||
	    putchar('\n') == EOF || fflush(stdout) == EOF)
		return VOL_EXIT_FAILED;
	return VOL_EXIT_OK;
}
