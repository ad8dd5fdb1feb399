/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hardware.c - what this machine has, by hwloc
 *
 * The topology is dropped as soon as it is counted: it weighs more than the
 * rest of the daemon.
 */
#include "config.h"

#include "device/hardware.h"

#include <errno.h>
#include <hwloc.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "device/limits.h"

/* PCI base classes (PCI Code and ID Assignment Specification). */
#define PCI_DISPLAY     0x03
#define PCI_ACCELERATOR 0x12

static const struct {
	unsigned short id;
	const char *name;
} gpu_vendors[] = {
	{0x10de, "gpu_nvidia"},
	{0x1002, "gpu_amd"},
	{0x8086, "gpu_intel"},
};

/* The table of features is larger than all we add; one that does not fit is no
 * reason to stay away. */
static void add(struct vol_facts *facts, const char *feature)
{
	(void)vol_facts_add_feature(facts, feature);
}

/* CPU set of the performance cores, or -1 when the processor is not hybrid.
 * slurmd leaves the others out, since Slurm knows only equal cores. */
static int performance_cores(hwloc_topology_t topology, hwloc_bitmap_t set)
{
	int n = hwloc_cpukinds_get_nr(topology, 0);

	for (int i = 0; i < n; i++) {
		struct hwloc_info_s *infos;
		unsigned n_infos;

		if (hwloc_cpukinds_get_info(topology, (unsigned)i, set, NULL,
					    &n_infos, &infos, 0) < 0)
			return -1;
		for (unsigned j = 0; j < n_infos; j++)
			if (!strcasecmp(infos[j].name, "CoreType") &&
			    !strcasecmp(infos[j].value, "IntelCore"))
				return 0;
	}
	return -1;
}

static void leave_out_efficiency_cores(hwloc_topology_t topology)
{
	hwloc_bitmap_t set = hwloc_bitmap_alloc();

	if (set && performance_cores(topology, set) == 0)
		hwloc_topology_restrict(topology, set, 0);
	hwloc_bitmap_free(set);
}

static uint32_t count(hwloc_topology_t topology, hwloc_obj_type_t type)
{
	int n = hwloc_get_nbobjs_by_type(topology, type);

	/* Some architectures do not show packages or cores. */
	return n > 0 ? (uint32_t)n : 1;
}

static uint32_t count_sockets(hwloc_topology_t topology)
{
	uint32_t n = 0;
	hwloc_obj_t obj = NULL;

	while ((obj = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PACKAGE,
						 obj)) != NULL)
		if (hwloc_get_nbobjs_inside_cpuset_by_type(
			    topology, obj->cpuset, HWLOC_OBJ_CORE) > 0)
			n++;
	return n > 0 ? n : 1;
}

static void count_cpus(hwloc_topology_t topology, struct vol_hardware *hw)
{
	uint32_t cores = count(topology, HWLOC_OBJ_CORE);
	uint32_t pus = count(topology, HWLOC_OBJ_PU);

	hw->sockets = count_sockets(topology);
	hw->cores_per_socket = cores / hw->sockets;
	hw->threads_per_core = pus / cores;
	/* Fewer cores than packages or PUs than cores: not seen, and harmless
	 * this way. */
	if (hw->cores_per_socket == 0)
		hw->cores_per_socket = 1;
	if (hw->threads_per_core == 0)
		hw->threads_per_core = 1;
}

static void note_pci(hwloc_topology_t topology, struct vol_hardware *hw,
		     struct vol_facts *facts)
{
	hwloc_obj_t obj = NULL;

	while ((obj = hwloc_get_next_pcidev(topology, obj)) != NULL) {
		unsigned base = obj->attr->pcidev.class_id >> 8;

		if (base == PCI_ACCELERATOR)
			add(facts, "accelerator");
		if (base != PCI_DISPLAY)
			continue;
		for (size_t i = 0;
		     i < sizeof(gpu_vendors) / sizeof(*gpu_vendors); i++) {
			if (gpu_vendors[i].id != obj->attr->pcidev.vendor_id)
				continue;
			hw->gpus++;
			add(facts, "gpu");
			add(facts, gpu_vendors[i].name);
		}
	}
}

static void note_cpu(hwloc_topology_t topology, struct vol_facts *facts)
{
	hwloc_obj_t package =
		hwloc_get_obj_by_type(topology, HWLOC_OBJ_PACKAGE, 0);
	const char *vendor =
		package ? hwloc_obj_get_info_by_name(package, "CPUVendor")
			: NULL;

	if (vendor && !strcmp(vendor, "GenuineIntel"))
		add(facts, "intel");
	else if (vendor && !strcmp(vendor, "AuthenticAMD"))
		add(facts, "amd");
}

static void note_instructions(struct vol_facts *facts)
{
	struct utsname uts;

	if (uname(&uts) == 0)
		add(facts, uts.machine);
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		add(facts, "avx2");
	if (__builtin_cpu_supports("fma"))
		add(facts, "fma");
	if (__builtin_cpu_supports("avx512f"))
		add(facts, "avx512");
#endif
}

/* hwloc would ask whoever listens as an X server or a graphics driver, and wait
 * for the answer: a stranger's, perhaps.  What we count is in /sys. */
static void ask_nobody(hwloc_topology_t topology)
{
	char list[] = VOL_HWLOC_COMPONENTS, *rest, *name;

	/* One that is not there can not be left out. */
	for (name = strtok_r(list, ",-", &rest); name;
	     name = strtok_r(NULL, ",-", &rest))
		(void)hwloc_topology_set_components(
			topology, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST,
			name);
}

static int look(const char *xml, struct vol_hardware *hw,
		struct vol_facts *facts, struct vol_error *err)
{
	hwloc_topology_t topology;

	if (hwloc_topology_init(&topology) < 0)
		return vol_errorf(err, "hwloc: %s", strerror(errno));
	ask_nobody(topology);
	hwloc_topology_set_io_types_filter(topology,
					   HWLOC_TYPE_FILTER_KEEP_IMPORTANT);
	hwloc_topology_set_cache_types_filter(topology,
					      HWLOC_TYPE_FILTER_KEEP_NONE);
	if ((xml && hwloc_topology_set_xml(topology, xml) < 0) ||
	    hwloc_topology_load(topology) < 0) {
		vol_errorf(err, "hwloc can not look at %s: %s",
			   xml ? xml : "this machine", strerror(errno));
		hwloc_topology_destroy(topology);
		return -1;
	}
	note_cpu(topology, facts);
	note_pci(topology, hw, facts);
	leave_out_efficiency_cores(topology);
	count_cpus(topology, hw);
	hwloc_topology_destroy(topology);
	malloc_trim(0);
	return 0;
}

int vol_hardware_from_xml(const char *path, struct vol_hardware *hw,
			  struct vol_facts *facts, struct vol_error *err)
{
	memset(hw, 0, sizeof(*hw));
	facts->n_features = 0;
	return look(path, hw, facts, err);
}

/* RealMemory must not exceed what slurmd finds: all pages of the kernel. */
static uint64_t memory_bytes(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
}

int vol_hardware_detect(const char *scratch_dir, struct vol_hardware *hw,
			struct vol_facts *facts, struct vol_error *err)
{
	struct vol_limits limits;
	struct statvfs fs;

	memset(hw, 0, sizeof(*hw));
	facts->n_features = 0;
	note_instructions(facts);
	if (look(NULL, hw, facts, err) < 0)
		return -1;
	vol_limits_read("", &limits);
	hw->quota_cpus = limits.cpus;
	hw->memory_bytes = memory_bytes();
	if (hw->memory_bytes > limits.memory_bytes)
		hw->memory_bytes = limits.memory_bytes;
	if (statvfs(scratch_dir, &fs) == 0)
		hw->scratch_bytes = (uint64_t)fs.f_blocks * fs.f_frsize;
	return 0;
}
