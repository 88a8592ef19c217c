/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What several configurations say in the same way. */

#include "load/dialect.h"

/* Smaller ones would vanish in the 32 bits in which norms are computed. */
#define MIN_EPS ((gdouble)G_MINFLOAT)
#define MAX_EPS 1e-2

static const struct {
  const gchar *word;
  ClipActivation activation;
} activations[] = {
  { "quick_gelu", CLIP_ACTIVATION_QUICK_GELU },
  { "gelu", CLIP_ACTIVATION_GELU_ERF },
  { "gelu_new", CLIP_ACTIVATION_GELU_TANH },
  { "gelu_pytorch_tanh", CLIP_ACTIVATION_GELU_TANH },
};

gboolean
clip_activation_read (const ClipDocument *document, const gchar *key,
    ClipActivation fallback, ClipActivation *activation, GError **error)
{
  const json_t *value = clip_document_get (document, key);
  const gchar *word = json_string_value (value);

  if (value == NULL) {
    *activation = fallback;
    return TRUE;
  }
  if (word == NULL)
    return clip_document_refuse (document, key, error, "is not a string");
  for (guint i = 0; i < G_N_ELEMENTS (activations); i++)
    if (g_str_equal (word, activations[i].word)) {
      *activation = activations[i].activation;
      return TRUE;
    }
  return clip_document_refuse (document, key, error,
      "is '%.40s', an activation that is not supported", word);
}

gboolean
clip_eps_read (const ClipDocument *document, const gchar *key, gfloat fallback,
    gfloat *eps, GError **error)
{
  const json_t *value = clip_document_get (document, key);
  const gdouble found =
      value == NULL ? (gdouble)fallback : json_number_value (value);

  if (!(found >= MIN_EPS && found <= MAX_EPS))
    return clip_document_refuse (
        document, key, error, "is not a number above 0 and up to %g", MAX_EPS);
  *eps = (gfloat)found;
  return TRUE;
}

gboolean
clip_heads_prove (const ClipDocument *document, const gchar *const keys[2],
    guint heads, guint width, GError **error)
{
  if (width % heads == 0)
    return TRUE;
  return clip_document_refuse (document, keys[0], error,
      "is %u, which does not divide \"%s\", %u", heads, keys[1], width);
}

gboolean
clip_patches_prove (const ClipDocument *document,
    const ClipVisionConfig *vision, GError **error)
{
  if (vision->image_size % vision->patch_size == 0)
    return TRUE;
  return clip_document_refuse (document, "patch_size", error,
      "is %u, which does not divide \"image_size\", %u", vision->patch_size,
      vision->image_size);
}

gboolean
clip_channels_read (const ClipDocument *document, const gchar *key,
    gdouble least, gfloat channels[3], GError **error)
{
  const gdouble most = 10;
  const json_t *list = clip_document_get (document, key);

  if (list == NULL)
    return clip_document_refuse (document, key, error, "is missing");
  if (json_array_size (list) != 3)
    return clip_document_refuse (
        document, key, error, "is not a list of three numbers");
  for (guint i = 0; i < 3; i++) {
    const json_t *value = json_array_get (list, i);
    const gdouble found = json_number_value (value);

    if (!json_is_number (value) || !(found >= least && found <= most))
      return clip_document_refuse (document, key, error,
          "holds something other than numbers of %g to %g", least, most);
    channels[i] = (gfloat)found;
  }
  return TRUE;
}
