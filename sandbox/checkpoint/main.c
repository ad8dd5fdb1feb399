/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - slurm-volunteer-checkpoint (checkpoint.h) */
#include "config.h"

#include "program.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cleanup.h"
#include "stepwaits.h"
#include "text.h"

#define EXIT_USAGE 2
#define SECONDS    120
#define DAY        86400

/* Linux 6.16 refuses what CRIU before 4.2 asks of inet sockets. */
#define SOCKETS_KERNEL 616
#define SOCKETS_CRIU   40200

static void usage(void)
{
	fputs("usage: slurm-volunteer-checkpoint [-c CRIU] [-t SECONDS] "
	      "[-p | -i] dump TASK DIR\n"
	      "       slurm-volunteer-checkpoint [-c CRIU] [-t SECONDS] "
	      "pre TASK DIR\n"
	      "       slurm-volunteer-checkpoint -f [-p] [-s SIGNAL -g "
	      "MILLISECONDS] dump TASK DIR\n"
	      "       slurm-volunteer-checkpoint [-c CRIU] restore-check DIR\n"
	      "       slurm-volunteer-checkpoint [-c CRIU] probe\n"
	      "       slurm-volunteer-checkpoint serve [SLURMD]\n",
	      stderr);
	exit(EXIT_USAGE);
}

static int fail(const struct vol_error *err)
{
	int status = errno == EPERM ? VOL_CHECKPOINT_EXIT_UNMOVABLE
				    : VOL_CHECKPOINT_EXIT_FAILED;

	fprintf(stderr, "slurm-volunteer-checkpoint: %s\n", err->text);
	return status;
}

static int check_version(const char *criu, unsigned int *version,
			 struct vol_error *err)
{
	if (vol_criu_version(criu, version, err) != 0) {
		errno = EIO;
		return -1;
	}
	if (*version < VOL_CHECKPOINT_CRIU_MIN)
		return vol_errorf_errno(err, ENOTSUP,
					"%s: version %u.%u, 4.1 or later is "
					"needed",
					criu, *version / 10000,
					*version / 100 % 100);
	return 0;
}

static int check_kernel(const char *criu, struct vol_error *err)
{
	struct vol_args args = {.n = 0};
	struct vol_error how;
	pid_t pid;

	vol_args_add(&args, "criu");
	vol_args_add(&args, "check");
	pid = args.failed ? -1 : fork();
	if (pid == 0) {
		if (!freopen("/dev/null", "w", stdout) ||
		    !freopen("/dev/null", "w", stderr))
			_exit(126);
		/* Where that can not be, CRIU says the rest. */
		(void)vol_stage_tmp();
		vol_criu_exec(criu, &args, NULL, NULL);
		_exit(127);
	}
	vol_args_free(&args);
	if (pid < 0)
		return vol_errorf(err, "fork: %s", strerror(errno));
	if (vol_criu_wait(pid, SECONDS, &how) == 0)
		return 0;
	if (errno != ECHILD)
		return vol_errorf_errno(err, EIO, "%s: check: %s", criu,
					how.text);
	return vol_errorf_errno(
		err, ENOTSUP,
		"%s: this kernel has not what it needs (criu check)", criu);
}

static int probe(const char *criu, struct vol_error *err)
{
	unsigned int version, major = 0, minor = 0;
	struct utsname kernel;

	if (check_version(criu, &version, err) != 0 ||
	    check_kernel(criu, err) != 0) {
		/* It will be no better when it is asked again. */
		if (errno == ENOTSUP)
			errno = EPERM;
		return -1;
	}
	uname(&kernel);
	sscanf(kernel.release, "%u.%u", &major, &minor);
	printf("criu=%u.%u.%u kernel=%s sockets=%s dirty=%s\n", version / 10000,
	       version / 100 % 100, version % 100, kernel.release,
	       major * 100 + minor < SOCKETS_KERNEL || version >= SOCKETS_CRIU
		       ? "yes"
		       : "no",
	       vol_pre_tracks() ? "yes" : "no");
	return 0;
}

static int restore_check(const char *criu, const char *dir,
			 struct vol_error *err)
{
	cleanup_free struct vol_record *r = calloc(1, sizeof(*r));
	char path[PATH_MAX];
	unsigned int version;
	struct stat st;

	if (!r || check_version(criu, &version, err) != 0)
		return -1;
	if (vol_record_read(dir, VOL_RECORD_FILE, r, err) != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/" VOL_RECORD_IMAGES "/inventory.img",
		 dir);
	if (stat(path, &st) != 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	return 0;
}

static int run_hook(const char *action, const char *what)
{
	const char *pid1 = getenv("CRTOOLS_INIT_PID");
	const char *waits = getenv(VOL_ENV_WAITS);
	struct vol_error err = {""};
	int rc = 0;

	if (strcmp(action, "post-dump") == 0)
		rc = vol_hook_dumped(what, &err);
	else if (strcmp(action, "setup-namespaces") == 0)
		rc = vol_hook_network(pid1 ? atoi(pid1) : 0, what, &err);
	/* All is there, and waits for CRIU: should CRIU or this end now, none
	 * of it comes to run.  Before "pre-resume" it may. */
	else if (strcmp(action, "post-restore") == 0 && waits)
		rc = vol_step_waits_end(waits, &err);
	else if (strcmp(action, "pre-resume") == 0)
		rc = vol_hook_restored(pid1 ? atoi(pid1) : 0, what, &err);
	if (rc == 0)
		return 0;
	rc = fail(&err);
	/* CRIU, which would wait for what it restored. */
	if (strcmp(action, "pre-resume") == 0)
		kill(getppid(), SIGKILL);
	return rc;
}

static uint64_t number(const char *text, uint64_t max)
{
	uint64_t n = 0;

	if (vol_text_number(text, strlen(text), 1, max, &n) != 0)
		usage();
	return n;
}

static int command(int argc, char *argv[])
{
	struct vol_dumping dump = {.criu = VOL_CHECKPOINT_CRIU,
				   .seconds = SECONDS};
	struct vol_packing how = {.goes_on = false};
	struct vol_error err = {""};
	bool files = false;
	int c, rc = -1;

	while ((c = getopt(argc, argv, "+c:t:pifs:g:")) != -1)
		if (c == 'c')
			dump.criu = optarg;
		else if (c == 'p')
			how.goes_on = dump.goes_on = true;
		else if (c == 'i')
			dump.streams = true;
		else if (c == 'f')
			files = true;
		else if (c == 's')
			how.signal = (int)number(optarg, 31);
		else if (c == 'g')
			how.grace_ms = number(optarg, DAY * UINT64_C(1000));
		else if (c == 't')
			dump.seconds = (unsigned int)number(optarg, DAY);
		else
			usage();
	argc -= optind;
	argv += optind;
	if (argc == 3 && strcmp(argv[0], "dump") == 0)
		rc = files ? vol_pack(&how, argv[1], argv[2], &err)
			   : vol_dump(&dump, argv[1], argv[2], &err);
	else if (argc == 3 && strcmp(argv[0], "pre") == 0)
		rc = vol_dump_before(&dump, argv[1], argv[2], &err);
	else if (argc == 2 && strcmp(argv[0], "restore-check") == 0)
		rc = restore_check(dump.criu, argv[1], &err);
	else if (argc == 1 && strcmp(argv[0], "probe") == 0)
		rc = probe(dump.criu, &err);
	else
		usage();
	return rc == 0 ? 0 : fail(&err);
}

int main(int argc, char *argv[])
{
	const char *action = getenv("CRTOOLS_SCRIPT_ACTION");
	const char *what = getenv(VOL_ENV_HOOK);

	/* CRIU gives no arguments.  In the job's mount namespace there is
	 * nothing to be done at an exit. */
	if (argc == 1 && action && what)
		_exit(run_hook(action, what));
	if ((argc == 2 || argc == 3) && strcmp(argv[1], "serve") == 0)
		return vol_serve(STDIN_FILENO, argc == 3 ? atoi(argv[2]) : 0,
				 command);
	return command(argc, argv);
}
