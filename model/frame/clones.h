/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The row loops are plain C without a product and a sum of floats in one
 * expression, so that a wider instruction set changes their speed and never
 * their bytes: gcc makes one copy for each set named here and the loader takes
 * the best one. clang 14 gives the copies' resolver a name of its own, so that
 * other files cannot call it: there the loops have the one plain copy. */
#pragma once

#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__)
#define CLIP_CLONES __attribute__ ((target_clones ("avx2", "default")))
#else
#define CLIP_CLONES
#endif
