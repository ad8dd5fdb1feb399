/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.h - figures as JSON lines, and as tables for people */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include "calibration.h"
#include "engine.h"

/* A sum over seeds. */
struct cell {
	struct outcome sum[POLICIES];
	unsigned int n;
};

void cell_add(struct cell *c, enum policy policy, const struct outcome *o);

/* pattern and load name the case; sums are told as means over seeds. */
void report_cell(const struct cell *c, const char *pattern, double load,
		 bool json);
void report_calibration(const struct calibration *c, const char *pattern,
			bool json);

#endif
