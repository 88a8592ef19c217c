/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The activations, once: what a product of oneDNN may end in, and our own code
 * for where no product stands before. */
#pragma once

#include "engine/engine-dnnl.h"
#include "load/load.h"

typedef struct {
  dnnl_alg_kind_t kind; /* dnnl_alg_kind_undef: nothing to do */
  gfloat alpha;
  gfloat beta;
  void (*run) (gsize n_floats, gfloat *values); /* NULL: nothing to do */
} ClipActivationEntry;

const ClipActivationEntry *clip_activation_get_entry (
    ClipActivation activation);
