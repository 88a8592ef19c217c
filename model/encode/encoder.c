/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "encode/tower.h"
#include "encode/weights.h"

#include "clip-error.h"

#include <string.h>

/* The sizes that any number of pictures is put together from: powers of two,
 * and the largest. */
#define MAX_BATCHES 4
G_STATIC_ASSERT (1u << (MAX_BATCHES - 1) >= CLIP_ENCODER_MAX_BATCH);

/* Rows with which a product is as fast as it gets. */
#define ENOUGH_ROWS 256

/* A ModifiedResNet's first layers have rows enough for one picture alone, the
 * last of four by far not. */
#define RESNET_BATCH 4

struct _ClipEncoder {
  ClipModel *model;
  ClipEngine *engine;
  ClipPrecision precision;
  gchar *fallback;              /* why not in int8, or NULL */
  ClipCalibration *calibration; /* NULL where int8 does not run */
  ClipTracer tracer;
  guint batches[MAX_BATCHES];
  guint n_batches;
  const ClipVisionTower *vision_kind;
  gpointer vision;
  const ClipTextTower *text_kind; /* NULL until texts are first encoded */
  gpointer text;                  /* NULL while none of it is packed */
  gboolean text_packed;           /* all of it */
  guint n_laid;                   /* texts */
  gfloat *pixels;                 /* [largest batch, S, S, 3] */
  gfloat *embeddings;             /* [largest batch, E] */
};

static ClipTowerContext
make_context (ClipEncoder *self, ClipPrecision precision)
{
  ClipPrecision between = precision;

  if (precision == CLIP_PRECISION_INT8)
    between = clip_engine_choose_precision (CLIP_PRECISION_AUTO);
  return (ClipTowerContext){
    .engine = self->engine,
    .checkpoint = clip_model_get_checkpoint (self->model),
    .tracer = &self->tracer,
    .number = between == CLIP_PRECISION_BF16 ? CLIP_BF16 : CLIP_F32,
    .calibration = precision == CLIP_PRECISION_INT8 ? self->calibration : NULL,
    .batches = self->batches,
    .n_batches = self->n_batches,
  };
}

static gsize
count_pixel_values (const ClipEncoder *self)
{
  gsize side = clip_model_get_info (self->model)->image_size;

  return side * side * 3;
}

static gboolean
pack_vision (ClipEncoder *self, GError **error)
{
  const ClipTowerContext context = make_context (self, self->precision);

  self->vision = self->vision_kind->build (&context, error);
  clip_weights_return_memory ();
  return self->vision != NULL;
}

static void
fall_back (ClipEncoder *self, gchar *reason)
{
  self->precision = clip_engine_choose_precision (CLIP_PRECISION_AUTO);
  self->fallback = reason;
}

/* In bytes where the pictures that come along say so. */
static gboolean
build_vision (ClipEncoder *self, GError **error)
{
  if (self->precision != CLIP_PRECISION_INT8)
    return pack_vision (self, error);
  self->calibration = clip_calibration_new (clip_model_get_info (self->model),
      self->batches[self->n_batches - 1], self->pixels, self->embeddings);
  if (!pack_vision (self, error))
    return FALSE;
  if (clip_calibration_is_good (self->calibration))
    return TRUE;
  fall_back (self, clip_calibration_explain (self->calibration));
  g_clear_pointer (&self->calibration, clip_calibration_free);
  self->vision_kind->free (g_steal_pointer (&self->vision));
  return pack_vision (self, error);
}

static gboolean
build (ClipEncoder *self, const ClipEncoderOptions *options, GError **error)
{
  guint max_batch = options->max_batch;
  const ClipModelInfo *info = clip_model_get_info (self->model);
  const ClipConfig *config =
      clip_checkpoint_get_config (clip_model_get_checkpoint (self->model));
  gboolean succeeded;

  for (guint batch = 1; batch < max_batch; batch *= 2)
    self->batches[self->n_batches++] = batch;
  self->batches[self->n_batches++] = max_batch;
  self->engine = clip_engine_new (options->n_threads, error);
  if (self->engine == NULL)
    return FALSE;
  clip_engine_set_turn (self->engine, options->turn, options->turn_data);
  self->pixels = clip_engine_alloc (
      max_batch * count_pixel_values (self), CLIP_F32, error);
  if (self->pixels == NULL)
    return FALSE;
  self->embeddings =
      clip_engine_alloc ((gsize)max_batch * info->embed_dim, CLIP_F32, error);
  if (self->embeddings == NULL)
    return FALSE;
  self->vision_kind = clip_vision_tower_find (config->vision.kind);
  succeeded = build_vision (self, error);
  clip_engine_set_turn (self->engine, NULL, NULL);
  return succeeded;
}

static void
choose_precision (ClipEncoder *self, ClipPrecision wanted)
{
  const ClipConfig *config =
      clip_checkpoint_get_config (clip_model_get_checkpoint (self->model));

  self->precision = clip_engine_choose_precision (wanted);
  if (self->precision == CLIP_PRECISION_INT8 &&
      config->vision.kind != CLIP_VISION_TRANSFORMER) {
    fall_back (self, g_strdup ("only vision transformers are encoded in int8"));
  }
}

ClipEncoder *
clip_encoder_new (
    ClipModel *model, const ClipEncoderOptions *options, GError **error)
{
  g_autoptr (ClipEncoder) self = NULL;

  g_return_val_if_fail (model != NULL, NULL);
  g_return_val_if_fail (
      options->max_batch >= 1 && options->max_batch <= CLIP_ENCODER_MAX_BATCH,
      NULL);

  self = g_new0 (ClipEncoder, 1);
  self->model = clip_model_ref (model);
  choose_precision (self, options->precision);
  return build (self, options, error) ? g_steal_pointer (&self) : NULL;
}

void
clip_encoder_free (ClipEncoder *self)
{
  if (self == NULL)
    return;
  clip_encoder_release_text (self);
  if (self->vision_kind != NULL)
    self->vision_kind->free (self->vision);
  clip_engine_free_values (self->pixels);
  clip_engine_free_values (self->embeddings);
  clip_engine_free (self->engine);
  clip_calibration_free (self->calibration);
  g_free (self->fallback);
  clip_model_unref (self->model);
  g_free (self);
}

ClipModel *
clip_encoder_get_model (const ClipEncoder *self)
{
  return self->model;
}

guint
clip_encoder_get_n_threads (const ClipEncoder *self)
{
  return clip_engine_get_n_threads (self->engine);
}

ClipPrecision
clip_encoder_get_precision (const ClipEncoder *self)
{
  return self->precision;
}

const gchar *
clip_encoder_get_fallback (const ClipEncoder *self)
{
  return self->fallback;
}

guint
clip_encoder_get_layers (
    const ClipEncoder *self, const ClipLayerChoice **layers)
{
  if (self->calibration == NULL)
    return 0;
  *layers = (const ClipLayerChoice *)self->calibration->layers->data;
  return self->calibration->layers->len;
}

ClipPrecision
clip_encoder_choose_precision (ClipPrecision wanted)
{
  return clip_engine_choose_precision (wanted);
}

guint
clip_encoder_choose_batch (const ClipModel *model)
{
  const ClipVisionConfig *config =
      &clip_checkpoint_get_config (clip_model_get_checkpoint (model))->vision;
  guint batch = 1, grid;

  if (config->kind == CLIP_VISION_MODIFIED_RESNET)
    return RESNET_BATCH;
  grid = config->image_size / config->patch_size;
  while (
      batch * (grid * grid + 1) < ENOUGH_ROWS && batch < CLIP_ENCODER_MAX_BATCH)
    batch *= 2;
  return batch;
}

gsize
clip_encoder_get_packed_size (const ClipEncoder *self)
{
  return clip_engine_get_packed_size (self->engine);
}

const gchar *
clip_encoder_describe (const ClipEncoder *self)
{
  return clip_engine_describe (self->engine);
}

void
clip_encoder_set_trace (ClipEncoder *self, ClipTrace trace, gpointer user_data)
{
  self->tracer = (ClipTracer){ trace, user_data };
}

/* @what: "picture" or "prompt"
 * @i: which of @n */
static gboolean
normalise_one (const ClipEncoder *self, const gchar *what, guint i, guint n,
    gfloat *embeddings, GError **error)
{
  const ClipModelInfo *info = clip_model_get_info (self->model);

  if (clip_rows_normalise (
          info->embed_dim, embeddings + (gsize)i * info->embed_dim))
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
      "the embedding of %s %u of %u is zero or not finite: the weights of "
      "model %s do not fit this computation",
      what, i + 1, n, info->id);
  return FALSE;
}

static gboolean
normalise (const ClipEncoder *self, const gchar *what, guint n,
    gfloat *embeddings, GError **error)
{
  for (guint i = 0; i < n; i++) {
    if (!normalise_one (self, what, i, n, embeddings, error))
      return FALSE;
  }
  return TRUE;
}

/* The largest size that is not more than what is left. */
static guint
choose_size (const ClipEncoder *self, guint n)
{
  guint i = self->n_batches - 1;

  while (self->batches[i] > n)
    i--;
  return self->batches[i];
}

/* In as few calls as the sizes allow: seven are four, two and one.
 *
 * Only one of @pictures and @pixels is given. */
static gboolean
encode (ClipEncoder *self, guint n, const guint8 *const *pictures,
    const gfloat *pixels, gfloat *embeddings, GError **error)
{
  const ClipModelInfo *info = clip_model_get_info (self->model);
  gsize n_values = count_pixel_values (self);
  guint batch;

  for (guint done = 0; done < n; done += batch) {
    batch = choose_size (self, n - done);
    if (pixels != NULL)
      memcpy (self->pixels, pixels + done * n_values,
          sizeof (gfloat) * batch * n_values);
    for (guint i = 0; pictures != NULL && i < batch; i++)
      clip_preprocess_normalise (&info->preprocess, n_values / 3,
          pictures[done + i], self->pixels + i * n_values);
    if (!self->vision_kind->run (
            self->vision, batch, self->pixels, self->embeddings, error))
      return FALSE;
    memcpy (embeddings + (gsize)done * info->embed_dim, self->embeddings,
        sizeof (gfloat) * batch * info->embed_dim);
  }
  return TRUE;
}

static gboolean
is_batch (const ClipEncoder *self, guint n)
{
  return n >= 1 && n <= self->batches[self->n_batches - 1];
}

gboolean
clip_encoder_encode_pictures (ClipEncoder *self, guint n,
    const guint8 *const *pictures, gfloat *embeddings, GError **error)
{
  g_return_val_if_fail (is_batch (self, n), FALSE);

  return encode (self, n, pictures, NULL, embeddings, error) &&
         normalise (self, "picture", n, embeddings, error);
}

gboolean
clip_encoder_encode_each (ClipEncoder *self, guint n,
    const guint8 *const *pictures, gfloat *embeddings, GError **errors,
    GError **error)
{
  g_return_val_if_fail (is_batch (self, n), FALSE);

  memset (errors, 0, sizeof (GError *) * n);
  if (!encode (self, n, pictures, NULL, embeddings, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    normalise_one (self, "picture", i, n, embeddings, &errors[i]);
  return TRUE;
}

gboolean
clip_encoder_encode_pixels (ClipEncoder *self, guint n, const gfloat *pixels,
    gfloat *embeddings, GError **error)
{
  g_return_val_if_fail (is_batch (self, n), FALSE);

  return encode (self, n, NULL, pixels, embeddings, error);
}

static gboolean
begin_text (ClipEncoder *self, GError **error)
{
  const ClipConfig *config =
      clip_checkpoint_get_config (clip_model_get_checkpoint (self->model));
  ClipTowerContext context = make_context (self, CLIP_PRECISION_F32);

  self->text_kind = clip_text_tower_find (config->text.kind, error);
  if (self->text_kind == NULL)
    return FALSE;
  self->text = self->text_kind->begin (&context);
  self->text_packed = FALSE;
  return TRUE;
}

gboolean
clip_encoder_pack_text (ClipEncoder *self, gboolean *done, GError **error)
{
  *done = TRUE;
  if (self->text != NULL && self->text_packed)
    return TRUE;
  if (self->text == NULL && !begin_text (self, error))
    return FALSE;
  if (!self->text_kind->pack (self->text, &self->text_packed, error)) {
    clip_encoder_release_text (self);
    return FALSE;
  }
  *done = self->text_packed;
  if (*done)
    clip_weights_return_memory ();
  return TRUE;
}

static gboolean
pack_all_text (ClipEncoder *self, GError **error)
{
  gboolean done = FALSE;

  while (!done)
    if (!clip_encoder_pack_text (self, &done, error))
      return FALSE;
  return TRUE;
}

void
clip_encoder_release_text (ClipEncoder *self)
{
  if (self->text != NULL)
    self->text_kind->free (g_steal_pointer (&self->text));
}

static gboolean
check_tokens (
    const ClipEncoder *self, guint n, const ClipTokens *tokens, GError **error)
{
  const ClipTextConfig *config =
      &clip_checkpoint_get_config (clip_model_get_checkpoint (self->model))
           ->text;

  for (guint i = 0; i < n; i++) {
    if (tokens[i].n_ids < 1 || tokens[i].n_ids > config->context_length) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_PROMPT,
          "prompt %u of %u has %u tokens, the model reads 1 to %u", i + 1, n,
          tokens[i].n_ids, config->context_length);
      return FALSE;
    }
    for (guint t = 0; t < tokens[i].n_ids; t++) {
      if (tokens[i].ids[t] < config->vocab_size)
        continue;
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_PROMPT,
          "prompt %u of %u: token %u has the id %u, the model knows the ids "
          "below %u: its vocabulary does not belong to it",
          i + 1, n, t + 1, tokens[i].ids[t], config->vocab_size);
      return FALSE;
    }
  }
  return TRUE;
}

guint
clip_encoder_lay_tokens (
    ClipEncoder *self, guint n, const ClipTokens *tokens, GError **error)
{
  g_return_val_if_fail (self->text != NULL && self->text_packed, 0);

  if (!check_tokens (self, n, tokens, error))
    return 0;
  self->n_laid = self->text_kind->lay (self->text, n, tokens);
  return self->n_laid;
}

gboolean
clip_encoder_encode_laid (
    ClipEncoder *self, gfloat *embeddings, gboolean *done, GError **error)
{
  return self->text_kind->run (self->text, embeddings, done, error) &&
         (!*done ||
             normalise (self, "prompt", self->n_laid, embeddings, error));
}

gboolean
clip_encoder_encode_tokens_raw (ClipEncoder *self, guint n,
    const ClipTokens *tokens, gfloat *embeddings, GError **error)
{
  gsize embed_dim = clip_model_get_info (self->model)->embed_dim;
  guint laid;

  if (!pack_all_text (self, error) || !check_tokens (self, n, tokens, error))
    return FALSE;
  for (guint i = 0; i < n; i += laid) {
    gboolean done = FALSE;

    laid = self->text_kind->lay (self->text, n - i, tokens + i);
    while (!done)
      if (!self->text_kind->run (
              self->text, embeddings + i * embed_dim, &done, error))
        return FALSE;
  }
  return TRUE;
}

gboolean
clip_encoder_encode_tokens (ClipEncoder *self, guint n,
    const ClipTokens *tokens, gfloat *embeddings, GError **error)
{
  return clip_encoder_encode_tokens_raw (self, n, tokens, embeddings, error) &&
         normalise (self, "prompt", n, embeddings, error);
}
