/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Plain C that the compiler turns into vectors, once for each generation of
 * CPUs, chosen when the program starts. Stands before functions that hold the
 * loop; only inlined code is compiled for the copies. */
#pragma once

/* clang 14 gives the copies' resolver a name of its own, so that other files
 * cannot call it, and the sanitizers are not ready yet when the choice is
 * made: there the loops have the one plain copy. */
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__) &&    \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CLIP_COPIES(...) __attribute__ ((target_clones (__VA_ARGS__)))
#else
#define CLIP_COPIES(...)
#endif

/* Sums of products may be rounded once instead of twice. */
#define CLIP_VECTORISED                                                        \
  CLIP_COPIES ("default", "arch=x86-64-v3", "arch=x86-64-v4")

/* The same bytes on every CPU: none of the sets has such sums. */
#define CLIP_VECTORISED_EXACTLY CLIP_COPIES ("default", "avx2")
