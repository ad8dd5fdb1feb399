/* SPDX-License-Identifier: GPL-2.0-or-later */
/* speed.h - how fast one core of this machine is
 *
 * A micro-measurement, made at each start; the best so far is kept in
 * STATE_DIR/speed for as long as the machine has the same model of CPU, since
 * whatever else runs, heat or a battery can only make a machine look slower.
 * It is the best of SAMPLES runs of a fixed mix of integer arithmetic, floating
 * point and dependent reads from 24 KiB, each timed by the thread's own CPU
 * time.
 * It runs in a thread of its own at SCHED_IDLE: 40 ms, spread over two seconds,
 * of a core that has nothing else to do.
 *
 * The unit is arbitrary (1000 is about a core of 2020 at 3 GHz).  Figures of
 * equal machines differ by a few per cent, more while the sibling of a
 * hyperthread is busy: whoever compares them must not care about less than a
 * tenth (see controller/nodes.h).  Jobs that are bound by memory, or use vector
 * units well, see other ratios; a scheduler needs no more than the order of
 * magnitude.
 *
 * File: "1 SPEED MODEL\n", where 1 is the version of the mix.
 */
#ifndef VOL_SPEED_H
#define VOL_SPEED_H

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "error.h"

#define VOL_SPEED_MODEL_SIZE 128

struct vol_speed;

/* Read what was measured before, and begin to measure.  done is called from the
 * loop when there is a better figure than vol_speed_get had at first.
 * root: "" or a folder that stands for / (tests). */
struct vol_speed *vol_speed_create(sd_event *loop, const char *state_dir,
				   const char *root, void (*done)(void *arg),
				   void *arg, struct vol_error *err);
/* Breaks off a measurement.  NULL-safe. */
void vol_speed_destroy(struct vol_speed *s);

/* 0: not known (yet). */
uint32_t vol_speed_get(const struct vol_speed *s);

/* What the figure is kept for: the model of the CPU as /proc/cpuinfo has it,
 * printable. */
void vol_speed_model(const char *root, char model[VOL_SPEED_MODEL_SIZE]);

/* One sample on the calling thread, in the unit above. */
uint32_t vol_speed_sample(void);

#endif
