# SPDX-License-Identifier: GPL-2.0-or-later
# vol_libs.m4 - foreign libraries; everything that is missing is told at once

# VOL_LIB(VARIABLE, MODULE, DEBIAN-PACKAGE, PART): as PKG_CHECK_MODULES.
AC_DEFUN([VOL_LIB], [
	PKG_CHECK_MODULES([$1], [$2], [], [VOL_MISS([$2], [$3], [$4])])
])

# VOL_MISS(WHAT, DEBIAN-PACKAGE, PART): remember it for VOL_MISSING.
AC_DEFUN([VOL_MISS], [
	AS_VAR_APPEND([vol_missing], ["
  $1 (package $2) for $3"])
	AS_VAR_APPEND([vol_missing_packages], [" $2"])
])

# VOL_MISSING: stop if anything was remembered.
AC_DEFUN([VOL_MISSING], [
	AS_IF([test -z "$PKG_CONFIG"],
		[VOL_MISS([pkg-config], [pkgconf], [finding the libraries])])
	AS_IF([test -n "$vol_missing"], [AC_MSG_ERROR([missing:$vol_missing

On Debian: apt-get install$vol_missing_packages])])
])
