/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log.h - log facade with an injected sink
 *
 * The same objects are linked into daemons, Slurm plugins, wrappers and tests;
 * each program sets the sink that fits it.  Without a sink nothing is written.
 * Not thread-safe to change the sink; safe to log from several threads if the
 * sink is.
 */
#ifndef VOL_LOG_H
#define VOL_LOG_H

#include <stdbool.h>

/* Numbers are syslog's, so that sd-daemon prefixes need no table. */
enum vol_log_level {
	VOL_LOG_ERR = 3,
	VOL_LOG_WARN = 4,
	VOL_LOG_INFO = 6,
	VOL_LOG_DEBUG = 7,
};

/* Receives one complete line without newline or control characters: those in
 * the message were replaced by '?', since most texts name hostile peers. */
typedef void (*vol_log_f)(enum vol_log_level level, const char *msg, void *arg);

/* Send messages up to level max to sink; arg is handed through. */
void vol_log_set(vol_log_f sink, void *arg, enum vol_log_level max);

/* Would a message of this level be written? */
bool vol_log_enabled(enum vol_log_level level);

/* Log one line (at most 1023 bytes, cut beyond).  Keeps errno. */
void vol_log(enum vol_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define vol_err(...)   vol_log(VOL_LOG_ERR, __VA_ARGS__)
#define vol_warn(...)  vol_log(VOL_LOG_WARN, __VA_ARGS__)
#define vol_info(...)  vol_log(VOL_LOG_INFO, __VA_ARGS__)
#define vol_debug(...) vol_log(VOL_LOG_DEBUG, __VA_ARGS__)

/* Sinks for programs: with the <N> prefix that journald reads, or "NAME: ". */
void vol_log_sink_daemon(enum vol_log_level level, const char *msg, void *arg);
void vol_log_sink_program(enum vol_log_level level, const char *msg,
			  void *name);

#endif
