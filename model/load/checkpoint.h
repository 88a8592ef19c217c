/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* An opened checkpoint: its files are held open, every tensor is located and
 * proven, the configuration is cross-checked with the shapes, and no weight has
 * been read. A file is hostile until proven: whatever it says, opening ends in
 * a checkpoint or in an error, never in a crash, a hang, memory beyond its own
 * size, or code from it being run. Formats are told by content. */
#pragma once

#include "load/config.h"
#include "load/names.h"

typedef struct _ClipCheckpoint ClipCheckpoint;

/* @path: a folder with weights, vocabulary and, but for the models of OpenAI
 * and Chinese-CLIP, a configuration; or the weights (or the index of their
 * shards) inside it
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_NOT_FOUND, _OPEN, _READ,
 *   _FORMAT or _MODEL; the message names the file, the rule or the tensor, and
 *   the number found. Takes no longer for a FIFO or a device than for a file.
 */
ClipCheckpoint *clip_checkpoint_open (const gchar *path, GError **error);

/* NULL is allowed. */
void clip_checkpoint_free (ClipCheckpoint *checkpoint);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipCheckpoint, clip_checkpoint_free)

const ClipConfig *clip_checkpoint_get_config (const ClipCheckpoint *checkpoint);

/* NULL unless config.vision.kind / config.text.kind says so. */
const ClipModifiedResNetTensors *clip_checkpoint_get_modified_resnet (
    const ClipCheckpoint *checkpoint);
const ClipVisionTransformerTensors *clip_checkpoint_get_vision_transformer (
    const ClipCheckpoint *checkpoint);
const ClipTextTransformerTensors *clip_checkpoint_get_text_transformer (
    const ClipCheckpoint *checkpoint);
const ClipBertTensors *clip_checkpoint_get_bert (
    const ClipCheckpoint *checkpoint);

/* exp (logit_scale), as stored in this file; finite and positive. 1 where there
 * is no text side and none is stored. */
gfloat clip_checkpoint_get_logit_scale (const ClipCheckpoint *checkpoint);

/* Parameters of both towers (BatchNorm statistics not counted). */
guint64 clip_checkpoint_get_n_parameters (const ClipCheckpoint *checkpoint);

/* What most weights are stored in: "f32", "f16", "bf16", "f64"; static. */
const gchar *clip_checkpoint_get_source_precision (
    const ClipCheckpoint *checkpoint);

/* The model's identity: family and the first 12 hex digits of an XXH3-128 over
 * each canonical tensor as f32, activation, eps, preprocessing and the
 * tokenizer's table, so that equal ids mean comparable vectors. Usable in file
 * names and topics: "rn-32x2222-a1b2c3d4e5f6". Reads every tensor once, which
 * also proves that all values are finite.
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_READ or CLIP_ERROR_MODEL. */
gchar *clip_checkpoint_identify (
    const ClipCheckpoint *checkpoint, GError **error);

/* A key that is equal as long as @path leads to the same unchanged files:
 * device, inode, modification time and size of each file that
 * clip_checkpoint_open() could read. Cheap: reads no file's content.
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_NOT_FOUND or CLIP_ERROR_OPEN.
 */
gchar *clip_checkpoint_get_key (const gchar *path, GError **error);
