/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The door of encode/: the built towers of one model. A ClipModel is an opened
 * checkpoint (any thread); a ClipEncoder holds its packed towers and belongs to
 * one worker thread. */
#pragma once

#include "clip-precision.h"
#include "frame/frame.h"
#include "load/load.h"

/* --- the model: facts, no weights in memory --- */

typedef struct _ClipModel ClipModel;

typedef struct {
  const gchar *id;        /* clip_checkpoint_identify() */
  const gchar *family;    /* "modified-resnet + bert" */
  const gchar *dialect;   /* whose names and config */
  const gchar *tokenizer; /* "wordpiece", "bpe", "none" */
  const gchar *source_precision;
  const gchar *activation;    /* "relu + gelu", of each tower as in family */
  const gchar *preprocessing; /* "shortest side to 224, bicubic, crop 224" */
  guint image_size;           /* S: a picture is S x S x 3 bytes */
  guint embed_dim;
  guint context_length; /* token ids at most; 0 without text tower */
  gfloat logit_scale;
  guint64 n_parameters;
  ClipPreprocess preprocess;
} ClipModelInfo;

/* Opens, proves and identifies. Reads the files once; any thread.
 *
 * @path: as for clip_checkpoint_open()
 *
 * Returns: (transfer full): NULL with the errors of clip_checkpoint_open(). */
ClipModel *clip_model_open (const gchar *path, GError **error);
ClipModel *clip_model_ref (ClipModel *model);
void clip_model_unref (ClipModel *model); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipModel, clip_model_unref)

const ClipModelInfo *clip_model_get_info (const ClipModel *model);
const ClipCheckpoint *clip_model_get_checkpoint (const ClipModel *model);

/* As clip_checkpoint_get_key(): equal as long as the files are the same. */
gchar *clip_model_get_key (const gchar *path, GError **error);

/* --- the encoder: towers packed for this thread --- */

typedef struct _ClipEncoder ClipEncoder;

/* Largest number of pictures in one call. */
#define CLIP_ENCODER_MAX_BATCH 8

typedef struct {
  guint n_threads;         /* OpenMP team, clamped to the usable CPUs */
  guint max_batch;         /* of pictures, 1 … CLIP_ENCODER_MAX_BATCH */
  ClipPrecision precision; /* of the image tower, int8 of a transformer
                              alone; texts are always f32 */

  /* (nullable): called before (@begins) and after each layer of the image tower
   * is packed, so that others have the CPUs while the next is read */
  void (*turn) (gboolean begins, gpointer user_data);
  gpointer turn_data;
} ClipEncoderOptions;

/* The largest batch that makes a picture cheaper. Any thread. */
guint clip_encoder_choose_batch (const ClipModel *model);

/* The image tower is packed here; the text tower when first needed. All calls
 * come from the thread that called this.
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_COMPUTE, _NO_SPACE, _READ or
 *   _MODEL. */
ClipEncoder *clip_encoder_new (
    ClipModel *model, const ClipEncoderOptions *options, GError **error);
void clip_encoder_free (ClipEncoder *encoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipEncoder, clip_encoder_free)

ClipModel *clip_encoder_get_model (const ClipEncoder *encoder);
guint clip_encoder_get_n_threads (const ClipEncoder *encoder);

/* What it computes in: never CLIP_PRECISION_AUTO. */
ClipPrecision clip_encoder_get_precision (const ClipEncoder *encoder);

/* Why not in int8, where that was asked for and this CPU multiplies it: a
 * sentence's end, owned by the encoder. NULL where it does, or was not asked.
 */
const gchar *clip_encoder_get_fallback (const ClipEncoder *encoder);

/* What became of a layer that may be in bytes, with int8. */
typedef struct {
  const gchar *name; /* of its weights' tensor; of the last block's queries and
                        of its keys and values the same */
  ClipPrecision precision; /* CLIP_PRECISION_INT8, or what AUTO means here */
  gfloat error;     /* of what it gave in bytes for the built-in pictures,
                       relative L2; infinite where it could not be tried */
  gfloat smoothing; /* to which power of its size a channel of the source is
                       divided; 0: none */
} ClipLayerChoice;

/* In the order in which they run; owned by the encoder. 0 of them where int8
 * does not run. */
guint clip_encoder_get_layers (
    const ClipEncoder *encoder, const ClipLayerChoice **layers);

/* What an encoder on this CPU would compute in, where its model can be. Any
 * thread. */
ClipPrecision clip_encoder_choose_precision (ClipPrecision wanted);

gsize clip_encoder_get_packed_size (const ClipEncoder *encoder);
const gchar *clip_encoder_describe (const ClipEncoder *encoder);

/* Encodes pictures as the preprocessor made them.
 *
 * @n: 1 … max_batch
 * @pictures: n pointers to S x S x 3 bytes, RGB
 * @embeddings: (out caller-allocates): [n, embed_dim], each of length 1
 *
 * Returns: FALSE with CLIP_ERROR_COMPUTE, also where an embedding is not finite
 *   or has no length. */
gboolean clip_encoder_encode_pictures (ClipEncoder *encoder, guint n,
    const guint8 *const *pictures, gfloat *embeddings, GError **error);

/* As clip_encoder_encode_pictures(), but an embedding that is not finite or has
 * no length is the error of its own picture, and the others are as good as
 * without it.
 *
 * @errors: (out caller-allocates) (transfer full): [n], NULL for each that has
 *   an embedding; the rows of the others mean nothing
 *
 * Returns: FALSE with CLIP_ERROR_COMPUTE where none has; @errors are NULL. */
gboolean clip_encoder_encode_each (ClipEncoder *encoder, guint n,
    const guint8 *const *pictures, gfloat *embeddings, GError **errors,
    GError **error);

/* One tokenized text: start and end tokens included, no padding. */
typedef struct {
  const guint32 *ids;
  guint n_ids; /* 1 … context_length, each id < vocab size */
} ClipTokens;

/* Encodes texts, several at a time where they are short.
 *
 * @embeddings: (out caller-allocates): [n, embed_dim], each of length 1
 *
 * Returns: FALSE with CLIP_ERROR_MODEL (no text tower), _PROMPT (ids out of
 *   range), _COMPUTE, _NO_SPACE or _READ. */
gboolean clip_encoder_encode_tokens (ClipEncoder *encoder, guint n,
    const ClipTokens *tokens, gfloat *embeddings, GError **error);

/* Frees the packed text tower; the next call packs it again. */
void clip_encoder_release_text (ClipEncoder *encoder);

/* --- texts in pieces of about a layer, between which pictures may be encoded;
 * together they are what clip_encoder_encode_tokens() does --- */

/* Packs the next piece of the text tower.
 *
 * @done: (out): whether all of it is packed
 *
 * Returns: FALSE with CLIP_ERROR_MODEL (no text tower), _NO_SPACE, _COMPUTE or
 *   _READ; it is released then. */
gboolean clip_encoder_pack_text (
    ClipEncoder *encoder, gboolean *done, GError **error);

/* Lays texts, as many as fit, in place of those that were laid before, whether
 * these were encoded or given up. The text tower is packed.
 *
 * Returns: how many, at least 1; 0 with CLIP_ERROR_PROMPT (ids out of range) */
guint clip_encoder_lay_tokens (
    ClipEncoder *encoder, guint n, const ClipTokens *tokens, GError **error);

/* Encodes the next piece of what was laid.
 *
 * @embeddings: (out caller-allocates): [laid, embed_dim], each of length 1;
 *   with the last piece
 * @done: (out): whether it was the last
 *
 * Returns: FALSE with CLIP_ERROR_COMPUTE */
gboolean clip_encoder_encode_laid (
    ClipEncoder *encoder, gfloat *embeddings, gboolean *done, GError **error);

/* --- looking inside, for tests --- */

/* Called with the outputs of layers, in the names of the original code's
 * modules ("visual.relu#2", "visual.layer1.0", "visual.attnpool",
 * "transformer.resblocks.0.ln_2", "bert.encoder.layer.0.attention.output"). Of
 * pictures once for a batch, of texts once for each, without padding. Of a
 * transformer's last block behind keys and values, and of the norm behind it,
 * only the rows that are computed: one of each picture or text.
 *
 * @values: [n_rows, n_columns], the columns being channels */
typedef void (*ClipTrace) (gpointer user_data, const gchar *name,
    const gfloat *values, gsize n_rows, gsize n_columns);

void clip_encoder_set_trace (
    ClipEncoder *encoder, ClipTrace trace, gpointer user_data);

/* As clip_encoder_encode_pictures(), from normalised pixels, and before the
 * embeddings are scaled to length 1.
 *
 * @pixels: [n, S, S, 3], channels last */
gboolean clip_encoder_encode_pixels (ClipEncoder *encoder, guint n,
    const gfloat *pixels, gfloat *embeddings, GError **error);

/* As clip_encoder_encode_tokens(), before scaling to length 1. */
gboolean clip_encoder_encode_tokens_raw (ClipEncoder *encoder, guint n,
    const ClipTokens *tokens, gfloat *embeddings, GError **error);
