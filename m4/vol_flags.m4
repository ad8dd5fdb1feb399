# SPDX-License-Identifier: GPL-2.0-or-later
# vol_flags.m4 - compiler flags: language, warnings, hardening, sanitizers

# VOL_CFLAGS_BASE: one C dialect for every folder. --enable-werror is for CI.
AC_DEFUN([VOL_CFLAGS_BASE], [
	VOL_CFLAGS="-std=gnu11 -fvisibility=hidden -Wall -Wextra -Wshadow"
	VOL_CFLAGS="$VOL_CFLAGS -Wstrict-prototypes -Wmissing-prototypes -Wvla"
	VOL_CFLAGS="$VOL_CFLAGS -Wformat=2 -Wundef -Wpointer-arith"
	AC_ARG_ENABLE([werror],
		[AS_HELP_STRING([--enable-werror], [warnings are errors])],
		[AS_IF([test "x$enableval" = xyes],
			[VOL_CFLAGS="$VOL_CFLAGS -Werror"])])
	AC_SUBST([VOL_CFLAGS])
])

# VOL_HARDENING: what Debian's dpkg-buildflags would add. FORTIFY is nothing but
# a warning without -O and would clash with the sanitizers.
AC_DEFUN([VOL_HARDENING], [
	VOL_HARDEN_CFLAGS="-fstack-protector-strong -fstack-clash-protection"
	VOL_HARDEN_LDFLAGS="-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
		#ifndef __OPTIMIZE__
		#error no optimization
		#endif]], [])], [vol_optimized=yes], [vol_optimized=no])
	AS_IF([test "x$vol_optimized${enable_sanitizers:-no}" = xyesno],
		[VOL_HARDEN_CFLAGS="$VOL_HARDEN_CFLAGS -U_FORTIFY_SOURCE"
		 VOL_HARDEN_CFLAGS="$VOL_HARDEN_CFLAGS -D_FORTIFY_SOURCE=2"])
	AC_SUBST([VOL_HARDEN_CFLAGS])
	AC_SUBST([VOL_HARDEN_LDFLAGS])
])

AC_DEFUN([VOL_SANITIZERS], [
	AC_ARG_ENABLE([sanitizers],
		[AS_HELP_STRING([--enable-sanitizers@<:@=LIST@:>@],
			[build with sanitizers @<:@address,undefined@:>@])],
		[], [enable_sanitizers=no])
	AS_CASE(["$enable_sanitizers"],
		[no], [vol_sanitizers=no],
		[yes], [vol_sanitizers=address,undefined],
		[vol_sanitizers=$enable_sanitizers])
	AS_IF([test "x$vol_sanitizers" != xno], [
		VOL_SAN_FLAGS="-fsanitize=$vol_sanitizers -fno-omit-frame-pointer"
		VOL_SAN_FLAGS="$VOL_SAN_FLAGS -fno-sanitize-recover=all"
		AC_DEFINE([VOL_SANITIZED], [1], [Built with sanitizers])
	])
	AC_SUBST([VOL_SAN_FLAGS])
	AM_CONDITIONAL([SANITIZERS], [test "x$vol_sanitizers" != xno])
])

# VOL_FUZZING: with it the harnesses of tests/fuzz become libFuzzer programs;
# without it each replays its corpus in make check.
AC_DEFUN([VOL_FUZZING], [
	AC_ARG_ENABLE([fuzzing],
		[AS_HELP_STRING([--enable-fuzzing],
			[build libFuzzer programs (needs CC=clang)])],
		[], [enable_fuzzing=no])
	vol_fuzzing=$enable_fuzzing
	AS_IF([test "x$enable_fuzzing" = xyes], [
		save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -fsanitize=fuzzer-no-link"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [],
			[AC_MSG_ERROR([--enable-fuzzing needs CC=clang])])
		CFLAGS=$save_CFLAGS
		VOL_FUZZ_FLAGS="-fsanitize=fuzzer-no-link"
		VOL_FUZZ_LDFLAGS="-fsanitize=fuzzer"
	])
	AC_SUBST([VOL_FUZZ_FLAGS])
	AC_SUBST([VOL_FUZZ_LDFLAGS])
	AM_CONDITIONAL([FUZZING], [test "x$enable_fuzzing" = xyes])
])
