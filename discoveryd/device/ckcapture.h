/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckcapture.h - take CRIU's image files while it writes them
 *
 * CRIU that dumps with --stream makes no files: it connects to the socket
 * streamer-capture.sock in the folder, and for each image file sends its name
 * and the end of a pipe that it then writes to (images/img-streamer.proto,
 * criu/img-streamer.c of CRIU 4.2; the same since 3.15).  What is memory is
 * handed on and needs no disk; all else becomes the file that it would have
 * been.
 */
#ifndef VOL_CKCAPTURE_H
#define VOL_CKCAPTURE_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct vol_ckcapture {
	const char *dir; /* the folder of the images */
	int listener;    /* of vol_ckcapture_listen */
	/* Readable: whoever runs CRIU has seen its end.  What is in the pipes
	 * then still comes. */
	int ended;
	uint64_t until_ms; /* CLOCK_BOOTTIME: not any longer (ETIMEDOUT); 0 */
	int wanted; /* who takes the pages writes into it: a pipe that nobody
		     * reads any more ends it (EPIPE); -1: none */
	/* So many bytes more of pages-NUMBER.img, as vol_ckwriter_pages() takes
	 * them; -1 ends it. */
	int (*pages)(void *arg, uint32_t number, const void *data, size_t len,
		     struct vol_error *err);
	void *arg;
};

/* Make the folder, which must not be there, and a socket in it: the socket.
 * -1: ENAMETOOLONG where the path is too long for one, and others. */
int vol_ckcapture_listen(const char *dir, struct vol_error *err);

/* Until CRIU has no more to say, or has ended before it said anything.  Then
 * all files are in the folder, those of pages as a hole as long as they are,
 * and the socket is not.  After -1 whatever CRIU writes fails, which makes it
 * give up and let go of the job.  Closes the listener. */
int vol_ckcapture(const struct vol_ckcapture *capture, struct vol_error *err);

#endif
