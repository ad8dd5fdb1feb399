# SPDX-License-Identifier: GPL-2.0-or-later
# vol_slurm.m4 - find Slurm's public API, its plugin folder and, when asked,
# the configured source tree that the select plugin needs

# VOL_SLURM: headers and library from Debian's libslurm-dev (it has no .pc).
AC_DEFUN([VOL_SLURM], [
	vol_have_slurm=yes
	AC_CHECK_HEADERS([slurm/slurm.h slurm/spank.h], [],
		[vol_have_slurm=no])
	save_LIBS=$LIBS
	AC_CHECK_LIB([slurm], [slurm_load_node],
		[AC_SUBST([SLURM_LIBS], [-lslurm])], [vol_have_slurm=no])
	LIBS=$save_LIBS
	AS_IF([test $vol_have_slurm = no],
		[VOL_MISS([Slurm's API], [libslurm-dev], [everything else])])
	AC_CHECK_MEMBERS([update_node_msg_t.resume_after,
		update_node_msg_t.reason_uid, node_info_t.alloc_cpus,
		node_info_t.select_nodeinfo], [], [],
		[[#include <slurm/slurm.h>]])
	AC_CHECK_DECLS([slurm_free_conf], [], [],
		[[#include <slurm/slurm.h>]])
	AC_CHECK_DECLS([ESLURM_NODE_TABLE_FULL, ESLURM_NODE_ALREADY_EXISTS,
		ESLURM_INVALID_NODE_STATE_TRANSITION,
		SLURM_COMMUNICATIONS_CONNECT_TIMEOUT], [], [],
		[[#include <slurm/slurm_errno.h>]])
	AC_COMPUTE_INT([vol_slurm_hex], [SLURM_VERSION_NUMBER],
		[[#include <slurm/slurm_version.h>]], [vol_slurm_hex=0])
	vol_slurm_version=`printf '%02d.%02d.%d' \
		$((vol_slurm_hex >> 16)) $((vol_slurm_hex >> 8 & 255)) \
		$((vol_slurm_hex & 255))`
	AC_ARG_WITH([slurm-plugindir],
		[AS_HELP_STRING([--with-slurm-plugindir=DIR],
			[where slurmctld's plugins are @<:@found@:>@])],
		[vol_slurm_plugindir=$withval],
		[vol_multiarch=`$CC -print-multiarch 2>/dev/null`
		 vol_slurm_plugindir='${libdir}/slurm'
		 AS_IF([test -n "$vol_multiarch" &&
			test -d "/usr/lib/$vol_multiarch"],
			[vol_slurm_plugindir=/usr/lib/$vol_multiarch/slurm-wlm])
		 for dir in /usr/lib/*/slurm-wlm /usr/lib64/slurm \
			/usr/lib/slurm; do
			AS_IF([test -e "$dir/select_cons_tres.so"],
				[vol_slurm_plugindir=$dir; break])
		 done])
	AC_SUBST([slurmplugindir], [$vol_slurm_plugindir])
])

# VOL_SLURM_SOURCE: the exact source of the installed slurmctld, configured.
AC_DEFUN([VOL_SLURM_SOURCE], [
	AC_ARG_WITH([slurm-source],
		[AS_HELP_STRING([--with-slurm-source=DIR],
			[configured source tree of the installed slurmctld;
			 builds the select plugin])],
		[], [with_slurm_source=no])
	vol_select_summary="no (give --with-slurm-source=DIR: the configured source of the installed slurmctld)"
	AS_IF([test "x$with_slurm_source" != xno], [
		AS_IF([test ! -e "$with_slurm_source/src/slurmctld/slurmctld.h"],
			[AC_MSG_ERROR([$with_slurm_source is not a Slurm source tree])])
		AS_IF([test ! -e "$with_slurm_source/config.h"],
			[AC_MSG_ERROR([$with_slurm_source/config.h is missing: run ./configure there])])
		with_slurm_source=`cd "$with_slurm_source" && pwd`
		vol_src_version=`sed -n \
			's/^.define SLURM_VERSION_STRING "\(.*\)"/\1/p' \
			"$with_slurm_source/config.h"`
		AS_IF([test "x$vol_src_version" = x],
			[AC_MSG_ERROR([no SLURM_VERSION_STRING in $with_slurm_source/config.h])])
		vol_select_summary="yes, for slurmctld $vol_src_version"
		AC_SUBST([slurmsource], [$with_slurm_source])
		AC_SUBST([slurmsourceversion], [$vol_src_version])
	])
	AM_CONDITIONAL([SELECT_PLUGIN], [test "x$with_slurm_source" != xno])
])
