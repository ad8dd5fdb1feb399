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
 * reason.  Exit status 0, 2 with a line for people when even that is not known.
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

static int try_criu(const char *criu, struct vol_error *err)
{
	struct vol_ckdump probe = {
		.program = VOL_LIBEXEC_DIR "/slurm-volunteer-checkpoint",
		.criu = criu,
		.seconds = SECONDS,
		.server = vol_ckdump_server(),
		.stop = -1,
	};
	int rc;

	/* The usual case where it can not: said in few words. */
	if (access(criu, X_OK) < 0)
		rc = vol_errorf(err, "no CRIU here (%s: %s)", criu,
				strerror(errno));
	else
		rc = vol_ckdump(&probe, err);
	if (probe.server >= 0)
		close(probe.server);
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

int main(int argc, char **argv)
{
	struct vol_ckmachine m;
	struct vol_error err = {""};

	if (argc != 2 || argv[1][0] == '-') {
		fprintf(stderr, "Usage: %s CRIU\n", argv[0]);
		return USAGE;
	}
	if (vol_ckhere_look_around(&m, &err) < 0) {
		puts(err.text);
		return VOL_TRIAL_BROKEN;
	}
	if (try_criu(argv[1], &err) < 0 ||
	    vol_ckhere_criu(argv[1], &m, &err) < 0)
		m.criu = 0;
	return tell(&m, m.criu ? "" : err.text) < 0 ? USAGE : VOL_TRIAL_ALL;
}
