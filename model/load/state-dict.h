/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The tensors that a pickle of PyTorch describes, by name: a state dict, the
 * one of a training checkpoint (under "state_dict"), or the attributes of
 * TorchScript's objects, whose path is the name. */
#pragma once

#include "load/pickle.h"
#include "load/stored.h"

/* Where the storages of a file lie. */
typedef struct {
  const ClipFile *file; /* must outlive the tensors */
  gpointer container;
  /* Returns: (transfer full): NULL with an error that names the storage */
  ClipStorage *(*locate) (
      gpointer container, const ClipPickleStorage *storage, GError **error);
} ClipStorages;

/* Finds the tensors and proves that each lies inside its storage, no element
 * twice.
 *
 * Returns: (transfer full) (element-type ClipStoredTensor): in the pickle's
 *   order; NULL with CLIP_ERROR_FORMAT, the tensor and the rule named */
GPtrArray *clip_state_dict_read (
    const ClipStorages *storages, const ClipPickleValue *root, GError **error);
