/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The files of PyTorch's torch.save and torch.jit.save: a pickle that describes
 * tensors, and their bytes. */
#pragma once

#include "load/stored.h"

/* How PyTorch before 1.6 begins a file: the pickle of a number. */
#define CLIP_TORCHFILE_LEGACY_MAGIC                                            \
  "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e"

/* Reads the zip archives of today (model-spec 4.2, 4.5).
 *
 * @file: must outlive the tensors
 *
 * Returns: (transfer full) (element-type ClipStoredTensor): NULL with
 *   CLIP_ERROR_FORMAT, the rule named, or CLIP_ERROR_READ */
GPtrArray *clip_torchfile_read (const ClipFile *file, GError **error);

/* The same of the files of PyTorch before 1.6 (model-spec 4.4). */
GPtrArray *clip_torchfile_read_legacy (const ClipFile *file, GError **error);
