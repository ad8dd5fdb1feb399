/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hardware.h - what this machine has
 *
 * Counted as slurmd counts: packages that have cores, the efficiency cores of
 * hybrid processors left out, and rounded down to sockets x cores x threads
 * where cores or sockets are not alike.
 */
#ifndef VOL_HARDWARE_H
#define VOL_HARDWARE_H

#include "device/share.h"
#include "error.h"
#include "facts.h"

/* As HWLOC_COMPONENTS of the environment: those that would ask servers and
 * drivers, left out; for discoveryd and for slurmd. */
#define VOL_HWLOC_COMPONENTS "-gl,-opencl,-cuda,-nvml,-rsmi,-levelzero,-ve"

/* Look at the machine: numbers into *hw, features into facts->feature
 * (replaced).  scratch_dir: the file system offered to jobs. */
int vol_hardware_detect(const char *scratch_dir, struct vol_hardware *hw,
			struct vol_facts *facts, struct vol_error *err);

/* The same from an hwloc XML file and without limits, memory and scratch. */
int vol_hardware_from_xml(const char *path, struct vol_hardware *hw,
			  struct vol_facts *facts, struct vol_error *err);

#endif
