/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inhibitors.c - sensor: a program asked logind not to think the owner idle
 *
 * A film, a call, a presentation.  logind tells of each inhibitor that comes
 * or goes; the list is asked for anew then.
 */
#include "config.h"

#include "device/sensors/logind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device/sensors/sensor.h"

struct inhibitors {
	struct vol_sensor_host *host;
	struct vol_logind logind;
	sd_bus_slot *signal, *question;
	bool there;
};

static void unknown(struct inhibitors *in, const char *why)
{
	vol_sensor_report(in->host->sensors, VOL_SENSOR_INHIBITORS,
			  VOL_SAYS_UNKNOWN, 0, "%s", why);
}

/* "sleep:idle" holds the word "idle". */
static bool holds(const char *words, const char *word)
{
	size_t len;

	for (; *words; words += len + (words[len] == ':')) {
		len = strcspn(words, ":");
		if (len == strlen(word) && !strncmp(words, word, len))
			return true;
	}
	return false;
}

static int on_list(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *what, *who, *why, *mode;
	struct inhibitors *in = arg;
	unsigned uid, pid;
	int r;

	(void)error;
	in->question = sd_bus_slot_unref(in->question);
	if (sd_bus_message_is_method_error(m, NULL)) {
		unknown(in, sd_bus_message_get_error(m)->message);
		return 0;
	}
	r = sd_bus_message_enter_container(m, 'a', "(ssssuu)");
	while (r >= 0 && (r = sd_bus_message_read(m, "(ssssuu)", &what, &who,
						  &why, &mode, &uid, &pid)) > 0)
		/* "block-weak" since systemd 257 */
		if (holds(what, "idle") && !strncmp(mode, "block", 5)) {
			vol_sensor_report(in->host->sensors,
					  VOL_SENSOR_INHIBITORS,
					  VOL_SAYS_PRESENT, 0, "%s: %s", who,
					  why);
			return 0;
		}
	if (r < 0)
		unknown(in, "logind's answer can not be read");
	else
		vol_sensor_report(in->host->sensors, VOL_SENSOR_INHIBITORS,
				  VOL_SAYS_AWAY, 0,
				  "no program needs a waking owner");
	return 0;
}

static void ask(struct inhibitors *in)
{
	int r;

	in->question = sd_bus_slot_unref(in->question);
	r = sd_bus_call_method_async(in->logind.bus, &in->question, LOGIND,
				     LOGIND_PATH, LOGIND_MANAGER,
				     "ListInhibitors", on_list, in, "");
	if (r < 0)
		unknown(in, strerror(-r));
}

static int on_properties(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct inhibitors *in = arg;

	(void)m;
	(void)error;
	if (in->there)
		ask(in);
	return 0;
}

static void on_logind(bool there, void *arg)
{
	struct inhibitors *in = arg;

	in->there = there;
	if (there)
		ask(in);
	else
		unknown(in, LOGIND_NONE);
}

static void inhibitors_destroy(void *self)
{
	struct inhibitors *in = self;

	if (!in)
		return;
	vol_logind_unwatch(&in->logind);
	sd_bus_slot_unref(in->signal);
	sd_bus_slot_unref(in->question);
	free(in);
}

static void *inhibitors_create(struct vol_sensor_host *host,
			       struct vol_error *err)
{
	struct inhibitors *in = calloc(1, sizeof(*in));
	int r;

	if (!in) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	in->host = host;
	r = sd_bus_match_signal_async(host->bus, &in->signal, LOGIND,
				      LOGIND_PATH, DBUS_PROPERTIES,
				      "PropertiesChanged", on_properties, NULL,
				      in);
	if (r < 0 ||
	    vol_logind_watch(&in->logind, host->bus, on_logind, in, err) < 0) {
		if (r < 0)
			vol_errorf_errno(err, -r, "system bus: %s",
					 strerror(-r));
		inhibitors_destroy(in);
		return NULL;
	}
	return in;
}

const struct vol_sensor_ops vol_sensor_inhibitors = {
	.id = VOL_SENSOR_INHIBITORS,
	.needs_bus = true,
	.create = inhibitors_create,
	.destroy = inhibitors_destroy,
};
