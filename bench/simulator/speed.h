/* SPDX-License-Identifier: GPL-2.0-or-later */
/* speed.h - what an outlook, a score and a note cost */
#ifndef SIM_SPEED_H
#define SIM_SPEED_H

#include <stdbool.h>

/* 0 or -1: no memory. */
int measure_speed(bool json);

#endif
