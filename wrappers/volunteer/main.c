/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - volunteer: the table of its subcommands */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"status", cmd_status, "what discoveryd does on this machine"},
	{"why", cmd_why, "why jobs run here now, or do not"},
	{"pause", cmd_pause, "no jobs here, for a time or until resumed"},
	{"resume", cmd_resume, "end the pause"},
	{"set", cmd_set, "show or change what you share, and when"},
	{"log", cmd_log, "what happened to this machine"},
	{"sandbox", cmd_sandbox, "what a job can see and use of this machine"},
	{"join", cmd_join, "become a device of a controller"},
	{"move-owner", cmd_move_owner, "hand your right here to somebody else"},
	{"devices", cmd_devices, "the devices that this controller knows"},
	{"token", cmd_token, "make a token that lets devices in"},
	{"tokens", cmd_tokens, "the tokens that were made, and their end"},
	{"approve", cmd_approve, "let a device in that waits"},
	{"forget", cmd_forget, "take a device out and never let it in again"},
	{"rename", cmd_rename, "give a device's node another name"},
	{"rotate-key", cmd_rotate_key,
	 "a new Slurm key for all but the revoked"},
	{"checkpoints", cmd_checkpoints, "images of jobs that were moved"},
	{"cluster", cmd_cluster, "run a command for another cluster"},
	{"explain", cmd_explain,
	 "why a job is where it is, or a device's state"},
	{"doctor", cmd_doctor, "check the cluster's settings"},
	{"select", cmd_select, "switch the scheduling plugin on and off"},
	{"version", cmd_version, "versions of program and daemon"},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_usage(FILE *out)
{
	size_t i;

	fputs("Usage: volunteer COMMAND [OPTION...]\n"
	      "Look after the volunteer devices of a Slurm cluster.\n\n",
	      out);
	for (i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-11s  %s\n", commands[i].name,
			commands[i].help);
	fputs("\n\"volunteer COMMAND --help\" tells more.\n", out);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	size_t i;
	int c;

	while ((c = getopt_long(argc, argv, "+:hV", longs, NULL)) != -1) {
		if (c == 'h') {
			print_usage(stdout);
			return VOL_EXIT_OK;
		}
		if (c == 'V') {
			puts("volunteer " PACKAGE_VERSION);
			return VOL_EXIT_OK;
		}
		fprintf(stderr, "volunteer: unknown option %s\n",
			argv[optind - 1]);
		print_usage(stderr);
		return VOL_EXIT_USAGE;
	}
	if (optind == argc) {
		print_usage(stderr);
		return VOL_EXIT_USAGE;
	}
	for (i = 0; i < N_COMMANDS; i++)
		if (strcmp(argv[optind], commands[i].name) == 0)
			return commands[i].run(argc - optind, argv + optind);
	fprintf(stderr, "volunteer: unknown command %s\n", argv[optind]);
	print_usage(stderr);
	return VOL_EXIT_USAGE;
}
