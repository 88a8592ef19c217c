/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What a model must do before it is trusted: two different inputs give two
 * different, finite embeddings of length 1. A tower that answers everything
 * alike (a wrong file, a wrong graph) is found here and not by its user. */
#pragma once

#include "encode/encode.h"
#include "prompt/prompt.h"

/* @encode_time: (out): nanoseconds that the second picture took
 *
 * Returns: FALSE with CLIP_ERROR_MODEL, or the encoder's error. */
gboolean clip_selftest_pictures (
    ClipEncoder *encoder, guint64 *encode_time, GError **error);

/* The same of a packed text tower, in pieces: lays two texts, which
 * clip_selftest_run_text() then encodes and compares.
 *
 * @done: (out): whether it was the last piece */
gboolean clip_selftest_lay_text (
    ClipEncoder *encoder, const ClipTokenizer *tokenizer, GError **error);
gboolean clip_selftest_run_text (
    ClipEncoder *encoder, gboolean *done, GError **error);
