/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine.c - slurm-volunteer-machine: what is this machine to saved jobs?
 *
 * slurm-volunteer-machine CRIU
 *
 * discoveryd runs it (device/machine.h), since CRIU's own check is a process
 * and takes its time; an admin may, too.  CRIU is tried where jobs are saved:
 * by the slurm-volunteer-checkpoint that slurm-volunteer-launch has started, if
 * there is one.  On stdout a line of JSON, {"machine": as of ckmachine.h,
 * "why": reason}: criu is 0 when no saved job can go on here, and why tells the
 * reason.  Exit status 0, 2 with a line for people when it may be known later.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ckmachine.h"
#include "device/ckdump.h"
#include "device/ckhere.h"
#include "device/trial.h"
#include "policy.h"
#include "sandbox/checkpoint.h"

/* sysexits(3) */
#define USAGE 64

/* CRIU's check takes less than one; the machine may be busy. */
#define SECONDS 20

/* -1 with EPERM: it will be no better when it is tried again. */
static int try_criu(const char *criu, struct vol_error *err)
{
	struct vol_ckdump probe = {
		.program = VOL_LIBEXEC_DIR "/slurm-volunteer-checkpoint",
		.criu = criu,
		.seconds = SECONDS,
		.server = vol_ckdump_server(),
		.stop = -1,
	};
	int rc, errnum;

	/* The usual case where it can not: said in few words. */
	if (access(criu, X_OK) < 0)
		rc = vol_errorf_errno(err, EPERM, "no CRIU here (%s: %s)", criu,
				      strerror(errno));
	else
		rc = vol_ckdump(&probe, err);
	errnum = errno;
	if (probe.server >= 0)
		close(probe.server);
	errno = errnum;
	return rc;
}

static int tell(const struct vol_ckmachine *m, const char *why)
{
	char text[VOL_WHY_SIZE];
	json_t *json;
	int rc;

	snprintf(text, sizeof(text), "%s", why);
	json = json_pack("{s:o, s:s}", "machine", vol_ckmachine_to_json(m),
			 "why", text);
	rc = json ? json_dumpf(json, stdout, JSON_COMPACT) : -1;
	json_decref(json);
	return rc < 0 || putchar('\n') < 0 || fflush(stdout) == EOF ? -1 : 0;
}

static int look(const char *criu, struct vol_ckmachine *m,
		struct vol_error *err)
{
	if (vol_ckhere_look_around(m, err) < 0)
		return -1;
	if (try_criu(criu, err) == 0)
		return vol_ckhere_criu(criu, m, err);
	m->criu = 0;
	return errno == EPERM ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct vol_ckmachine m;
	struct vol_error err = {""};

	if (argc != 2 || argv[1][0] == '-') {
		fprintf(stderr, "Usage: %s CRIU\n", argv[0]);
		return USAGE;
	}
	if (look(argv[1], &m, &err) < 0) {
		puts(err.text);
		return VOL_TRIAL_BROKEN;
	}
	return tell(&m, m.criu ? "" : err.text) < 0 ? USAGE : VOL_TRIAL_ALL;
}
