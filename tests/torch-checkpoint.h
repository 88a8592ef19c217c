/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Writes the tensors of a safetensors file as PyTorch would, in any order of
 * their elements that its views can have. */
#pragma once

#include <glib.h>

typedef enum {
  TEST_LAYOUT_DENSE,
  TEST_LAYOUT_REVERSED, /* as the view of a tensor with all sides exchanged */
  TEST_LAYOUT_LAST,     /* the second side last: torch.channels_last */
  TEST_LAYOUT_SPACED,   /* each third element of its storage, from the second */
  TEST_LAYOUT_SHARED,   /* all in one storage */
  TEST_N_LAYOUTS
} TestLayout;

typedef struct {
  TestLayout layout;
  gboolean is_legacy;   /* as PyTorch before 1.6 */
  gboolean is_parallel; /* names begin with "module." */
  gboolean is_training; /* {"epoch": …, "state_dict": …} */
} TestTorchForm;

void test_torch_convert (
    const gchar *safetensors, const gchar *path, const TestTorchForm *form);
