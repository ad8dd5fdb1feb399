/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log.c - format one clean line and hand it to the injected sink */
#include "config.h"

#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define LINE_SIZE 1024

static vol_log_f log_sink;
static void *log_arg;
static enum vol_log_level log_max;

void vol_log_set(vol_log_f sink, void *arg, enum vol_log_level max)
{
	log_sink = sink;
	log_arg = arg;
	log_max = max;
}

bool vol_log_enabled(enum vol_log_level level)
{
	return log_sink && level <= log_max;
}

/* C0, DEL, and C1 in UTF-8 (U+0080 - U+009F), which some terminals obey too. */
static void replace_controls(char *s)
{
	unsigned char *c = (unsigned char *)s;

	for (; *c; c++) {
		if (*c < 0x20 || *c == 0x7f) {
			*c = '?';
		} else if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) {
			c[0] = '?';
			c[1] = '?';
		}
	}
}

void vol_log(enum vol_log_level level, const char *fmt, ...)
{
	char line[LINE_SIZE];
	int saved = errno;
	va_list ap;
	int n;

	if (!vol_log_enabled(level))
		return;
	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n >= 0) {
		replace_controls(line);
		log_sink(level, line, log_arg);
	}
	errno = saved;
}

void vol_log_sink_daemon(enum vol_log_level level, const char *msg, void *arg)
{
	(void)arg;
	fprintf(stderr, "<%d>%s\n", (int)level, msg);
}

void vol_log_sink_program(enum vol_log_level level, const char *msg, void *name)
{
	(void)level;
	fprintf(stderr, "%s: %s\n", (const char *)name, msg);
}
