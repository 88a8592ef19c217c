/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* preprocessor_config.json: how a picture is made ready, in the words of
 * Hugging Face's image processors (model-spec 6.1). */

#include "load/dialect.h"

#include <math.h>

static const ClipRange side_range = { 1, CLIP_MAX_SIDE };

/* What our preprocessing always does. */
static const gchar *const steps[] = {
  "do_resize",
  "do_rescale",
  "do_normalize",
};

/* Pillow's numbers of its filters. */
static const struct {
  const gchar *name;
  gboolean is_supported;
  ClipInterpolation interpolation;
} filters[] = {
  { "nearest", FALSE },
  { "Lanczos", FALSE },
  { "bilinear", TRUE, CLIP_INTERPOLATION_BILINEAR },
  { "bicubic", TRUE, CLIP_INTERPOLATION_BICUBIC },
  { "box", FALSE },
  { "Hamming", FALSE },
};

#define DEFAULT_FILTER 3

static gboolean
prove_steps (const ClipDocument *document, GError **error)
{
  const json_t *factor = clip_document_get (document, "rescale_factor");

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    gboolean is_done;

    if (!clip_document_get_boolean (document, steps[i], TRUE, &is_done, error))
      return FALSE;
    if (!is_done)
      return clip_document_refuse (document, steps[i], error,
          "is false; only models whose pictures are resized, rescaled and "
          "normalised are supported");
  }
  /* Half a unit in the last of the six digits that some files give. */
  if (factor != NULL && !(fabs (json_number_value (factor) - 1 / 255.0) < 5e-7))
    return clip_document_refuse (
        document, "rescale_factor", error, "is not 1/255");
  return TRUE;
}

static gboolean
read_side (const ClipDocument *document, const gchar *key, const gchar *field,
    guint *side, GError **error)
{
  g_autofree gchar *name = g_strdup_printf ("%s.%s", key, field);

  return clip_document_get_number (document, name,
      json_object_get (clip_document_get (document, key), field), &side_range,
      side, error);
}

/* A number for both sides, or an object of "height" and "width". */
static gboolean
read_square (
    const ClipDocument *document, const gchar *key, guint *side, GError **error)
{
  const json_t *value = clip_document_get (document, key);
  guint height, width;

  if (!json_is_object (value))
    return clip_document_get_number (
        document, key, value, &side_range, side, error);
  if (!read_side (document, key, "height", &height, error) ||
      !read_side (document, key, "width", &width, error))
    return FALSE;
  if (height != width)
    return clip_document_refuse (document, key, error,
        "is %u high and %u wide; only squares are supported", height, width);
  *side = height;
  return TRUE;
}

static gboolean
read_resize (const ClipDocument *document, const ClipDialect *dialect,
    ClipPreprocessConfig *preprocess, GError **error)
{
  static const gchar key[] = "size";
  const json_t *size = clip_document_get (document, key);

  if (json_object_get (size, "shortest_edge") != NULL) {
    preprocess->mode = CLIP_RESIZE_SHORTEST;
    return read_side (
        document, key, "shortest_edge", &preprocess->resize_size, error);
  }
  preprocess->mode =
      json_is_object (size) ? CLIP_RESIZE_SQUASH : dialect->plain_size_mode;
  return read_square (document, key, &preprocess->resize_size, error);
}

static gboolean
read_crop (const ClipDocument *document, ClipPreprocessConfig *preprocess,
    GError **error)
{
  static const gchar key[] = "crop_size";
  const json_t *crop = clip_document_get (document, key);
  const gboolean is_square = preprocess->mode == CLIP_RESIZE_SQUASH;
  gboolean is_cropped;

  if (!clip_document_get_boolean (
          document, "do_center_crop", TRUE, &is_cropped, error))
    return FALSE;
  if (!is_cropped && !is_square)
    return clip_document_refuse (document, "do_center_crop", error,
        "is false, so that pictures would not be square");
  preprocess->crop_size = preprocess->resize_size;
  if (is_cropped && (crop != NULL || !is_square) &&
      !read_square (document, key, &preprocess->crop_size, error))
    return FALSE;
  if (preprocess->resize_size < preprocess->crop_size ||
      (is_square && preprocess->resize_size != preprocess->crop_size))
    return clip_document_refuse (document, key, error,
        "is %u, which does not fit \"size\", %u", preprocess->crop_size,
        preprocess->resize_size);
  return TRUE;
}

static gboolean
read_filter (const ClipDocument *document, ClipPreprocessConfig *preprocess,
    GError **error)
{
  static const gchar key[] = "resample";
  static const ClipRange range = { 0, G_N_ELEMENTS (filters) - 1 };
  const json_t *value = clip_document_get (document, key);
  guint filter = DEFAULT_FILTER;

  if (value != NULL &&
      !clip_document_get_number (document, key, value, &range, &filter, error))
    return FALSE;
  if (!filters[filter].is_supported)
    return clip_document_refuse (document, key, error,
        "is %u (%s); supported are 2 (bilinear) and 3 (bicubic)", filter,
        filters[filter].name);
  preprocess->interpolation = filters[filter].interpolation;
  return TRUE;
}

gboolean
clip_preprocessor_read (const ClipDialect *dialect,
    const ClipDocument *config_document, ClipConfig *config, GError **error)
{
  g_autofree gchar *folder = g_path_get_dirname (config_document->path);
  g_autoptr (ClipDocument) document = NULL;
  ClipPreprocessConfig *preprocess = &config->preprocess;

  if (!clip_document_open_optional (
          folder, CLIP_PREPROCESSOR_FILE, &document, error))
    return FALSE;
  if (document == NULL)
    return TRUE;
  if (!prove_steps (document, error) ||
      !read_resize (document, dialect, preprocess, error) ||
      !read_crop (document, preprocess, error) ||
      !read_filter (document, preprocess, error) ||
      !clip_channels_read (
          document, "image_mean", -10, preprocess->mean, error) ||
      !clip_channels_read (document, "image_std", 1e-4, preprocess->std, error))
    return FALSE;
  if (preprocess->crop_size != config->vision.image_size)
    return clip_document_refuse (document, "crop_size", error,
        "is %u, and %s says that the model's pictures have %u pixels a side",
        preprocess->crop_size, CLIP_CONFIG_FILE, config->vision.image_size);
  return TRUE;
}
