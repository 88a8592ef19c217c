/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The errors of every room of model/. It belongs to no room and may be
 * included by all. The code says what kind of thing went wrong, so that gst/
 * can choose the bus error's domain; the message says which file, tensor or
 * prompt, with the number found, and what to do. The first function that knows
 * sets the error; the others hand it up unchanged. */
#pragma once

#include <glib.h>

#define CLIP_ERROR (clip_error_quark ())

/* @CLIP_ERROR_NOT_FOUND: a file or folder does not exist
 * @CLIP_ERROR_OPEN: it exists and cannot be opened (rights, not a file)
 * @CLIP_ERROR_READ: it ends early or the device fails
 * @CLIP_ERROR_FORMAT: its bytes break a rule of their format, or the format is
 *   unknown
 * @CLIP_ERROR_MODEL: well-formed, and not a model this can run (architecture,
 *   missing tensors, config that does not fit)
 * @CLIP_ERROR_NO_SPACE: it would need more memory than there is
 * @CLIP_ERROR_COMPUTE: oneDNN refused or failed
 * @CLIP_ERROR_PROMPT: a prompt, template or prompts file cannot be used
 * @CLIP_ERROR_CANCELLED: the caller gave up
 */
typedef enum {
  CLIP_ERROR_NOT_FOUND,
  CLIP_ERROR_OPEN,
  CLIP_ERROR_READ,
  CLIP_ERROR_FORMAT,
  CLIP_ERROR_MODEL,
  CLIP_ERROR_NO_SPACE,
  CLIP_ERROR_COMPUTE,
  CLIP_ERROR_PROMPT,
  CLIP_ERROR_CANCELLED
} ClipError;

GQuark clip_error_quark (void);
