/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/identity.h"

#include "load/stored.h"

#include <string.h>
#include <xxhash.h>

#define CHUNK_SIZE 65536

/* As many as a machine's memory keeps busy, and no more: videos play. */
#define MAX_THREADS 4

/* 48 bits: among a thousand models, a collision once in 5e8. */
#define N_DIGITS 12

G_DEFINE_AUTOPTR_CLEANUP_FUNC (XXH3_state_t, XXH3_freeState)

static void
add_u64 (XXH3_state_t *hash, guint64 value)
{
  value = GUINT64_TO_LE (value);
  XXH3_128bits_update (hash, &value, sizeof value);
}

static void
add_float (XXH3_state_t *hash, gfloat value)
{
  guint32 bits;

  memcpy (&bits, &value, sizeof bits);
  add_u64 (hash, bits);
}

static void
add_string (XXH3_state_t *hash, const gchar *string)
{
  XXH3_128bits_update (hash, string, strlen (string) + 1);
}

static void
add_values (gpointer user_data, const gfloat *values, gsize n)
{
  XXH3_128bits_update (user_data, values, n * sizeof *values);
}

/* All tensors, each taken by the next thread that is free. */
typedef struct {
  const GPtrArray *tensors;
  XXH128_canonical_t *digests;
  GError **errors; /* one or NULL for each tensor */
  gint next;       /* atomic */
  gint failed;     /* atomic */
} Pass;

static void
digest_tensor (Pass *pass, guint index)
{
  g_autoptr (XXH3_state_t) hash = XXH3_createState ();

  XXH3_128bits_reset (hash);
  if (clip_tensor_visit (g_ptr_array_index (pass->tensors, index), add_values,
          hash, &pass->errors[index]))
    XXH128_canonicalFromHash (
        &pass->digests[index], XXH3_128bits_digest (hash));
  else
    g_atomic_int_set (&pass->failed, TRUE);
}

/* Those before one that failed were taken before it, so that whoever is first
 * in order is found, whichever thread was faster. */
static gpointer
digest_tensors (gpointer data)
{
  Pass *pass = data;

  while (!g_atomic_int_get (&pass->failed)) {
    guint index = (guint)g_atomic_int_add (&pass->next, 1);

    if (index >= pass->tensors->len)
      break;
    digest_tensor (pass, index);
  }
  return NULL;
}

/* As many threads as there are CPUs for; where no more can be had, this one
 * does it all. */
static void
run_pass (Pass *pass)
{
  const guint n_helpers = MIN (g_get_num_processors (), MAX_THREADS) - 1;
  GThread *helpers[MAX_THREADS - 1];

  for (guint i = 0; i < n_helpers; i++)
    helpers[i] = g_thread_try_new ("clip-identity", digest_tensors, pass, NULL);
  digest_tensors (pass);
  for (guint i = 0; i < n_helpers; i++)
    if (helpers[i] != NULL)
      g_thread_join (helpers[i]);
}

/* Of each the shape, and the digest of its values alone. */
static gboolean
add_tensors (XXH3_state_t *hash, const GPtrArray *tensors, GError **error)
{
  const guint n = tensors->len;
  g_autofree XXH128_canonical_t *digests = g_new (XXH128_canonical_t, n);
  g_autofree GError **errors = g_new0 (GError *, n);
  Pass pass = { .tensors = tensors, .digests = digests, .errors = errors };
  GError *first = NULL;

  run_pass (&pass);
  for (guint i = 0; i < n; i++)
    if (first == NULL)
      first = errors[i];
    else
      g_clear_error (&errors[i]);
  if (first != NULL) {
    g_propagate_error (error, first);
    return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    const ClipTensor *tensor = g_ptr_array_index (tensors, i);
    const guint n_dims = clip_tensor_get_n_dims (tensor);

    add_u64 (hash, n_dims);
    for (guint d = 0; d < n_dims; d++)
      add_u64 (hash, clip_tensor_get_dim (tensor, d));
    XXH3_128bits_update (hash, &digests[i], sizeof digests[i]);
  }
  return TRUE;
}

/* What no tensor's shape tells. */
static void
add_config (XXH3_state_t *hash, const ClipConfig *config)
{
  const ClipPreprocessConfig *preprocess = &config->preprocess;
  /* What is squashed is not cropped. */
  const guint64 crop_rounding =
      preprocess->mode != CLIP_RESIZE_SQUASH ? preprocess->crop_rounding : 0;
  const guint64 numbers[] = { config->vision.kind, config->vision.heads,
    config->text.kind, config->text.heads, config->text.context_length,
    preprocess->mode, preprocess->interpolation, crop_rounding,
    preprocess->resize_size, preprocess->crop_size, config->tokenizer.kind,
    config->tokenizer.dialect };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    add_u64 (hash, numbers[i]);
  for (guint i = 0; i < G_N_ELEMENTS (preprocess->mean); i++) {
    add_float (hash, preprocess->mean[i]);
    add_float (hash, preprocess->std[i]);
  }
  add_float (hash, config->vision.eps);
  add_float (hash, config->text.eps);
  add_string (hash, clip_activation_get_name (config->vision.activation));
  add_string (hash, clip_activation_get_name (config->text.activation));
}

static gboolean
add_file (XXH3_state_t *hash, const ClipFile *file, GError **error)
{
  g_autofree guint8 *chunk = g_malloc (CHUNK_SIZE);

  for (guint64 at = 0; at < file->size; at += CHUNK_SIZE) {
    const gsize n = (gsize)MIN (CHUNK_SIZE, file->size - at);
    if (!clip_file_read_at (file, at, chunk, n, error))
      return FALSE;
    XXH3_128bits_update (hash, chunk, n);
  }
  return TRUE;
}

static gchar *
describe_modified_resnet (const ClipVisionConfig *vision)
{
  GString *family = g_string_new (NULL);
  gboolean needs_dots = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (vision->stage_layers); i++)
    needs_dots = needs_dots || vision->stage_layers[i] > 9;
  g_string_printf (family, "rn-%ux", vision->width);
  for (guint i = 0; i < G_N_ELEMENTS (vision->stage_layers); i++)
    g_string_append_printf (family, "%s%u", i > 0 && needs_dots ? "." : "",
        vision->stage_layers[i]);
  return g_string_free (family, FALSE);
}

/* openai/CLIP and open_clip */
static const struct {
  guint width, n_layers;
  const gchar *name;
} published_sizes[] = {
  { 384, 12, "s" },
  { 512, 12, "m" },
  { 768, 12, "b" },
  { 1024, 24, "l" },
  { 1280, 32, "h" },
  { 1408, 40, "g" },
  { 1664, 48, "bigg" },
};

/* The side that goes without saying. */
#define USUAL_SIDE 224

static gchar *
describe_vision_transformer (const ClipVisionConfig *vision)
{
  const gchar *name = NULL;
  GString *family = g_string_new ("vit-");

  for (guint i = 0; i < G_N_ELEMENTS (published_sizes); i++)
    if (published_sizes[i].width == vision->width &&
        published_sizes[i].n_layers == vision->n_layers)
      name = published_sizes[i].name;
  if (name != NULL)
    g_string_append (family, name);
  else
    g_string_append_printf (family, "%ux%u", vision->width, vision->n_layers);
  g_string_append_printf (family, "-%u", vision->patch_size);
  if (vision->image_size != USUAL_SIDE)
    g_string_append_printf (family, "-%u", vision->image_size);
  return g_string_free (family, FALSE);
}

static gchar *
describe_family (const ClipVisionConfig *vision)
{
  return vision->kind == CLIP_VISION_TRANSFORMER
             ? describe_vision_transformer (vision)
             : describe_modified_resnet (vision);
}

gchar *
clip_identity_new (const ClipConfig *config, const GPtrArray *tensors,
    const ClipFile *const *files, guint n_files, GError **error)
{
  g_autoptr (XXH3_state_t) hash = XXH3_createState ();
  g_autofree gchar *family = describe_family (&config->vision);
  XXH128_hash_t digest;

  XXH3_128bits_reset (hash);
  if (!add_tensors (hash, tensors, error))
    return NULL;
  add_config (hash, config);
  for (guint i = 0; i < n_files; i++)
    if (files[i] != NULL && !add_file (hash, files[i], error))
      return NULL;
  digest = XXH3_128bits_digest (hash);
  return g_strdup_printf ("%s-%0*" G_GINT64_MODIFIER "x", family, N_DIGITS,
      (guint64)(digest.high64 >> (64 - 4 * N_DIGITS)));
}
