/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine.c - what this machine is to saved jobs, found out once */
#include "config.h"

#include "device/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/trial.h"
#include "log.h"
#include "text.h"

#define AGAIN_US (VOL_MACHINE_AGAIN_S * 1000 * 1000ULL)

struct vol_machine {
	sd_event *loop;
	char *program, *criu;
	void (*known)(void *arg);
	void *arg;
	struct vol_trial *trial; /* while it runs */
	sd_event_source *again;
	struct vol_ckmachine machine; /* zeroed: not known yet */
	char runtime[VOL_CKRUNTIME_SIZE];
	char why[VOL_WHY_SIZE]; /* no saved job can go on here */
	bool complained;
};

static int read_answer(struct vol_machine *m, const char *text,
		       struct vol_error *err)
{
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const char *why = json_string_value(json_object_get(json, "why"));
	int rc;

	rc = vol_ckmachine_from_json(json_object_get(json, "machine"),
				     &m->machine, err);
	snprintf(m->why, sizeof(m->why), "%s", why ? why : "");
	for (char *at = m->why; *at; at++)
		if (!vol_char_printable((unsigned char)*at))
			*at = '?';
	json_decref(json);
	return rc;
}

static void say(const struct vol_machine *m)
{
	char cpu[VOL_CKMACHINE_CPU], criu[16];

	if (m->machine.criu)
		vol_info("jobs can be saved and go on here: %s, kernel %s, "
			 "CRIU %s",
			 vol_ckmachine_cpu(&m->machine, cpu), m->machine.kernel,
			 vol_ckcriu_format(m->machine.criu, criu));
	else
		vol_warn("jobs can not be saved and go on here: %s", m->why);
}

static int on_again(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	vol_machine_look(arg);
	return 0;
}

static void try_again(struct vol_machine *m, const char *reason)
{
	if (!m->complained)
		vol_warn("what this machine is to saved jobs is not known: %s",
			 reason);
	m->complained = true;
	m->again = sd_event_source_disable_unref(m->again);
	if (sd_event_add_time_relative(m->loop, &m->again, CLOCK_MONOTONIC,
				       AGAIN_US, 0, on_again, m) < 0)
		vol_err("machine: no timer");
}

static void on_tried(enum vol_trial_result result, const char *text, void *arg)
{
	struct vol_machine *m = arg;
	struct vol_error err;
	char reason[sizeof(err.text)];

	if (result == VOL_TRIAL_ALL && read_answer(m, text, &err) == 0) {
		say(m);
		vol_trial_end(m->trial);
		m->trial = NULL;
		m->known(m->arg);
		return;
	}
	snprintf(reason, sizeof(reason), "%.*s", (int)strcspn(text, "\n"),
		 result == VOL_TRIAL_ALL ? err.text : text);
	vol_trial_end(m->trial);
	m->trial = NULL;
	try_again(m, reason);
}

void vol_machine_look(struct vol_machine *m)
{
	struct vol_error err;

	if (m->trial || vol_ckmachine_known(&m->machine))
		return;
	m->trial = vol_trial_start(m->loop, m->program, m->criu,
				   VOL_TRIAL_SECONDS, on_tried, m, &err);
	if (!m->trial)
		try_again(m, err.text);
}

bool vol_machine_fill(const struct vol_machine *m, struct vol_link_msg *msg)
{
	if (!vol_ckmachine_known(&m->machine))
		return false;
	*msg = (struct vol_link_msg){.type = VOL_LINK_MACHINE,
				     .machine = m->machine};
	memcpy(msg->machine.runtime, m->runtime, sizeof(m->runtime));
	memcpy(msg->why, m->why, sizeof(msg->why));
	return true;
}

void vol_machine_runtime(struct vol_machine *m, const char *runtime)
{
	if (strcmp(m->runtime, runtime) == 0)
		return;
	snprintf(m->runtime, sizeof(m->runtime), "%s", runtime);
	if (vol_ckmachine_known(&m->machine))
		m->known(m->arg);
}

struct vol_machine *vol_machine_create(sd_event *loop, const char *program,
				       const char *criu,
				       void (*known)(void *arg), void *arg,
				       struct vol_error *err)
{
	struct vol_machine *m = calloc(1, sizeof(*m));

	if (m) {
		m->program = strdup(program);
		m->criu = strdup(criu);
	}
	if (!m || !m->program || !m->criu) {
		vol_machine_destroy(m);
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	m->loop = sd_event_ref(loop);
	m->known = known;
	m->arg = arg;
	return m;
}

void vol_machine_destroy(struct vol_machine *m)
{
	if (!m)
		return;
	vol_trial_end(m->trial);
	sd_event_source_disable_unref(m->again);
	sd_event_unref(m->loop);
	free(m->program);
	free(m->criu);
	free(m);
}
