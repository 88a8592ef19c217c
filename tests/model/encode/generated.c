/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "generated.h"

/* clang-format off */
const Generated generated_ab = {
  { 32, { 32, 128, { 2 }, 8, 2, 512 }, { 128, 2, 2, 512, 64, 16, FALSE } },
  .is_quick = TRUE,
};

const Generated generated_d = {
  { 40, { 56, 160, { 2 }, 14, 2, 640 }, { 16, 1, 1, 64, 16, 8, FALSE } },
};

const Generated generated_c = {
  { 24, { 16, 64, { 1 }, 8, 1, 256 }, { 192, 1, 3, 768, 64, 10, FALSE } },
  .is_quick = TRUE,
};
/* clang-format on */

gchar *
generated_new (const Generated *model)
{
  g_autoptr (GPtrArray) tensors = test_model_tensors (&model->spec);
  gchar *folder = test_model_folder ();

  test_model_write_open_clip (folder, &model->spec,
      model->is_quick ? "\"quick_gelu\": true, " : "\"quick_gelu\": false, ");
  test_model_write (folder, "open_clip_model.safetensors", tensors, FALSE);
  return folder;
}
