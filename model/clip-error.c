/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "clip-error.h"

/* clang-format off */
G_DEFINE_QUARK (clip-error-quark, clip_error)
/* clang-format on */
