/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stepframe.h - what the srun inside a job's sandbox asks of the one outside;
 * pure
 *
 * A job in its sandbox has no network and no key of the cluster, so it can not
 * start steps itself.  The program that stands for srun in there sends its
 * arguments, environment and limits over a unix socket, once, with its
 * descriptors 0, 1 and 2 beside the first byte (SCM_RIGHTS):
 *
 *	 0  8 bytes "VOLSRUN1"
 *	 8  u32     arguments, argv[0] among them, at least 1
 *	12  u32     variables of the environment
 *	16  u32     bytes of text that follow the header
 *	20  u32     umask, 0 to 0777
 *	24  u64 x 8 soft resource limits, in the order of vol_stepframe_limit,
 *	            all bits set: no limit
 *	88  text    working folder, arguments, variables, each ends in a NUL
 *
 * Numbers are in the byte order of the machine, which both ends run on.  After
 * that each byte is the number of a signal for srun.  The answer is one
 * message, see vol_stepframe_answer; then the connection ends.
 */
#ifndef VOL_STEPFRAME_H
#define VOL_STEPFRAME_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define VOL_STEPFRAME_HEADER 88
/* Linux gives a program at most 2 MiB of both with the usual 8 MiB of stack
 * (execve(2)); a step with more than half of that is refused. */
#define VOL_STEPFRAME_TEXT  (1024 * 1024)
#define VOL_STEPFRAME_WORDS 32768 /* arguments and variables together */
#define VOL_STEPFRAME_FDS   3

enum vol_stepframe_limit {
	VOL_STEPLIMIT_CPU,
	VOL_STEPLIMIT_FSIZE,
	VOL_STEPLIMIT_DATA,
	VOL_STEPLIMIT_STACK,
	VOL_STEPLIMIT_CORE,
	VOL_STEPLIMIT_NOFILE,
	VOL_STEPLIMIT_MEMLOCK,
	VOL_STEPLIMIT_AS,
};
#define VOL_STEPFRAME_LIMITS (VOL_STEPLIMIT_AS + 1)

struct vol_stepframe {
	uint32_t argc, n_env;
	uint32_t text_bytes;
	uint32_t umask;
	uint64_t limits[VOL_STEPFRAME_LIMITS];
	/* Absolute; all point into the text, the arrays are owned and end in
	 * NULL. */
	const char *cwd;
	char **argv, **env;
};

/* What follows an answer's first byte is a number or a text. */
enum vol_stepframe_answer {
	VOL_STEPANSWER_STATUS = 's', /* u32: srun's, as of waitpid(2) */
	VOL_STEPANSWER_ERROR = 'e',  /* one line without its end; status 1 */
};
#define VOL_STEPANSWER_MAX 512 /* bytes, the first one included */

/* The whole frame, malloc'ed: frame's numbers but text_bytes, and its texts.
 * NULL with EINVAL or ENOMEM; E2BIG when it is over the limits above. */
char *vol_stepframe_encode(const struct vol_stepframe *frame, size_t *size,
			   struct vol_error *err);

/* The numbers of a header of VOL_STEPFRAME_HEADER bytes; pointers become NULL.
 * -1 with EINVAL, E2BIG: nothing more need be read. */
int vol_stepframe_header(const char *header, struct vol_stepframe *frame,
			 struct vol_error *err);

/* The texts: frame->text_bytes bytes, which must outlive the frame.  -1 with
 * EINVAL, ENOMEM: there is nothing to release then. */
int vol_stepframe_text(char *text, struct vol_stepframe *frame,
		       struct vol_error *err);

/* The arrays. */
void vol_stepframe_release(struct vol_stepframe *frame);

#endif
