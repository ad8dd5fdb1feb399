/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckoption.c - what users say of saving their jobs; pure */
#include "config.h"

#include "ckoption.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "text.h"
#include "units.h"

#define MS_PER_S 1000

#define APP "app"

/* Of anybody's programs. */
static int parse_mode(const char *text, struct vol_ckoption *option,
		      struct vol_error *err)
{
	static const struct {
		const char *word;
		enum vol_ckmode mode;
	} words[] = {
		{"off", VOL_CKMODE_OFF},
		{"on-evict", VOL_CKMODE_ON_EVICT},
		{"auto", VOL_CKMODE_AUTO},
	};
	char excerpt[VOL_EXCERPT_SIZE];
	uint64_t ms;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text, words[i].word) == 0) {
			*option = (struct vol_ckoption){.mode = words[i].mode};
			return 0;
		}
	vol_text_excerpt(text, strlen(text), excerpt);
	if (vol_duration_parse(text, &ms, NULL) < 0 || ms % MS_PER_S)
		return vol_errorf_errno(err, EINVAL,
					"%s: want off, on-evict, auto, app or "
					"a duration such as 10m",
					excerpt);
	if (ms < UINT64_C(1000) * VOL_CKEVERY_MIN_S ||
	    ms > UINT64_C(1000) * VOL_CKEVERY_MAX_S)
		return vol_errorf_errno(err, ERANGE, "%s: want 1s to 1w",
					excerpt);
	*option = (struct vol_ckoption){.mode = VOL_CKMODE_EVERY,
					.every_s = (uint32_t)(ms / MS_PER_S)};
	return 0;
}

int vol_ckoption_parse(const char *text, struct vol_ckoption *option,
		       struct vol_error *err)
{
	const size_t len = strlen(APP);
	struct vol_ckoption own = {.mode = VOL_CKMODE_ON_EVICT};
	bool app = strncmp(text, APP, len) == 0 &&
		   (text[len] == '\0' || text[len] == ',');

	if (!app)
		return parse_mode(text, option, err);
	if (text[len] && parse_mode(text + len + 1, &own, err) < 0)
		return -1;
	if (own.mode == VOL_CKMODE_OFF)
		return vol_errorf_errno(err, EINVAL,
					"\"off\": want " APP ", " APP
					",auto or " APP ",10m");
	own.app = true;
	*option = own;
	return 0;
}

static const char *format_mode(const struct vol_ckoption *option, char buf[32])
{
	switch (option->mode) {
	case VOL_CKMODE_OFF:
		return strcpy(buf, "off");
	case VOL_CKMODE_ON_EVICT:
		return strcpy(buf, "on-evict");
	case VOL_CKMODE_AUTO:
		return strcpy(buf, "auto");
	case VOL_CKMODE_EVERY:
		break;
	}
	return vol_duration_format((uint64_t)option->every_s * MS_PER_S, buf,
				   32);
}

const char *vol_ckoption_format(const struct vol_ckoption *option, char buf[32])
{
	char when[32];

	if (!option->app)
		return format_mode(option, buf);
	if (option->mode == VOL_CKMODE_ON_EVICT)
		return strcpy(buf, APP);
	snprintf(buf, 32, APP ",%.27s", format_mode(option, when));
	return buf;
}

static const struct {
	const char *name;
	uint32_t number;
} signals[] = {
	{"HUP", SIGHUP},   {"INT", SIGINT},       {"QUIT", SIGQUIT},
	{"USR1", SIGUSR1}, {"USR2", SIGUSR2},     {"ALRM", SIGALRM},
	{"TERM", SIGTERM}, {"URG", SIGURG},       {"XCPU", SIGXCPU},
	{"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"WINCH", SIGWINCH},
	{"IO", SIGIO},     {"PWR", SIGPWR},
};

#define N_SIGNALS (sizeof(signals) / sizeof(signals[0]))

bool vol_cksignal_valid(uint64_t number)
{
	for (size_t i = 0; i < N_SIGNALS; i++)
		if (signals[i].number == number)
			return true;
	return false;
}

int vol_cksignal_parse(const char *text, uint32_t *number,
		       struct vol_error *err)
{
	const char *name = strncmp(text, "SIG", 3) == 0 ? text + 3 : text;
	char excerpt[VOL_EXCERPT_SIZE];
	uint64_t n;

	if (vol_text_number(text, strlen(text), 1, UINT32_MAX, &n) == 0 &&
	    vol_cksignal_valid(n)) {
		*number = (uint32_t)n;
		return 0;
	}
	for (size_t i = 0; i < N_SIGNALS; i++)
		if (strcmp(name, signals[i].name) == 0) {
			*number = signals[i].number;
			return 0;
		}
	return vol_errorf_errno(err, EINVAL,
				"%s: want a signal such as TERM or USR1",
				vol_text_excerpt(text, strlen(text), excerpt));
}
