/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* How long the idle threads of a team wait awake. GNU OpenMP lets them spin
 * for milliseconds, which takes the CPU from the very threads they wait for as
 * soon as anything else runs: a decoder, a sink, another camera. */
#pragma once

#include <glib.h>

/* Shortens it for the whole process, once, as long as teams of @n_threads
 * are used; nothing happens for a team of one, or where the user has set
 * OMP_WAIT_POLICY or GOMP_SPINCOUNT. */
void clip_patience_limit (guint n_threads);
