/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/inventory.h"

#include "clip-error.h"

#include <string.h>

/* DataParallel puts this before every name (OFA-Sys/Chinese-CLIP and open_clip
 * ask the first name alone). */
static const gchar parallel[] = "module.";

/* open_clip's text tower as a module of its own ("custom text"). */
static const gchar custom_text[] = "text.";

/* What only other architectures have. */
static const struct {
  const gchar *pattern;
  const gchar *meaning;
} foreign[] = {
  { "logit_bias", "SigLIP" },
  { "text.transformer.embeddings.*", "a Hugging Face text tower" },
  { "text.transformer.encoder.*", "a Hugging Face text tower" },
  { "visual.trunk.*", "a timm picture tower" },
  { "visual.attn_pool.*", "a pool by attention" },
  { "text_decoder.*", "CoCa" },
};

/* Any of a tower's tensors shows the tower, so that one that is missing is
 * missed by name. */
static const struct {
  const gchar *pattern;
  ClipNaming naming;
  ClipVisionKind vision;
} vision_marks[] = {
  { "visual.layer*", CLIP_NAMING_CANONICAL, CLIP_VISION_MODIFIED_RESNET },
  { "visual.transformer.*", CLIP_NAMING_CANONICAL, CLIP_VISION_TRANSFORMER },
  { "vision_model.encoder.*", CLIP_NAMING_HUGGING_FACE,
      CLIP_VISION_TRANSFORMER },
};

static const struct {
  const gchar *pattern;
  ClipNaming naming;
  ClipTextKind text;
} text_marks[] = {
  { "bert.encoder.*", CLIP_NAMING_CANONICAL, CLIP_TEXT_BERT },
  { "transformer.resblocks.*", CLIP_NAMING_CANONICAL, CLIP_TEXT_TRANSFORMER },
  { "text_model.encoder.layer.*", CLIP_NAMING_HUGGING_FACE, CLIP_TEXT_BERT },
  { "text_model.encoder.layers.*", CLIP_NAMING_HUGGING_FACE,
      CLIP_TEXT_TRANSFORMER },
};

static const gchar *
skip_prefix (const gchar *name, const gchar *prefix)
{
  return g_str_has_prefix (name, prefix) ? name + strlen (prefix) : name;
}

/* (transfer full) */
static gchar *
print_name (const gchar *name)
{
  g_autofree gchar *printed = g_strescape (name, NULL);

  return g_strdup_printf ("%.120s", printed);
}

static gboolean
prove_native (const gchar *path, const ClipStoredTensor *stored, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (foreign); i++)
    if (g_pattern_match_simple (foreign[i].pattern, stored->key)) {
      g_autofree gchar *printed = print_name (stored->name);
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
          "'%s' is a model of another architecture: tensor '%s' belongs to %s; "
          "CLIP and Chinese-CLIP models are supported",
          path, printed, foreign[i].meaning);
      return FALSE;
    }
  return TRUE;
}

static gboolean
assign_keys (ClipInventory *inventory, GError **error)
{
  const ClipStoredTensor *first = inventory->stored->len > 0
                                      ? g_ptr_array_index (inventory->stored, 0)
                                      : NULL;
  const gboolean is_parallel =
      first != NULL && g_str_has_prefix (first->name, parallel);

  for (guint i = 0; i < inventory->stored->len; i++) {
    ClipStoredTensor *stored = g_ptr_array_index (inventory->stored, i);

    stored->key =
        is_parallel ? skip_prefix (stored->name, parallel) : stored->name;
    if (!prove_native (inventory->path, stored, error))
      return FALSE;
    stored->key = skip_prefix (stored->key, custom_text);
    if (!g_hash_table_insert (
            inventory->by_key, (gpointer)stored->key, stored)) {
      g_autofree gchar *printed = print_name (stored->name);
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
          "'%s' has tensor '%s' twice, once with another prefix",
          inventory->path, printed);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
find_vision (ClipInventory *inventory)
{
  for (guint i = 0; i < inventory->stored->len; i++) {
    const ClipStoredTensor *stored = g_ptr_array_index (inventory->stored, i);

    for (guint j = 0; j < G_N_ELEMENTS (vision_marks); j++)
      if (g_pattern_match_simple (vision_marks[j].pattern, stored->key)) {
        inventory->naming = vision_marks[j].naming;
        inventory->vision = vision_marks[j].vision;
        return TRUE;
      }
  }
  return FALSE;
}

static void
find_text (ClipInventory *inventory)
{
  for (guint i = 0; i < inventory->stored->len; i++) {
    const ClipStoredTensor *stored = g_ptr_array_index (inventory->stored, i);

    for (guint j = 0; j < G_N_ELEMENTS (text_marks); j++)
      if (text_marks[j].naming == inventory->naming &&
          g_pattern_match_simple (text_marks[j].pattern, stored->key)) {
        inventory->text = text_marks[j].text;
        return;
      }
  }
}

static void
set_no_vision_error (const ClipInventory *inventory, GError **error)
{
  const ClipStoredTensor *first = inventory->stored->len > 0
                                      ? g_ptr_array_index (inventory->stored, 0)
                                      : NULL;
  g_autofree gchar *printed = print_name (first != NULL ? first->name : "none");

  g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
      "'%s' holds no picture side of CLIP: of its %u tensors (the first is "
      "'%s') none is called visual.layer…, visual.transformer.… or "
      "vision_model.encoder.…",
      inventory->path, inventory->stored->len, printed);
}

ClipInventory *
clip_inventory_new (const gchar *path, GPtrArray *stored, GError **error)
{
  g_autoptr (ClipInventory) inventory = g_new0 (ClipInventory, 1);

  inventory->path = path;
  inventory->stored = stored;
  inventory->by_key = g_hash_table_new (g_str_hash, g_str_equal);
  if (!assign_keys (inventory, error))
    return NULL;
  if (!find_vision (inventory)) {
    set_no_vision_error (inventory, error);
    return NULL;
  }
  find_text (inventory);
  return g_steal_pointer (&inventory);
}

void
clip_inventory_free (ClipInventory *inventory)
{
  if (inventory == NULL)
    return;
  g_hash_table_unref (inventory->by_key);
  g_free (inventory);
}

ClipStoredTensor *
clip_inventory_find (const ClipInventory *inventory, const gchar *key)
{
  return g_hash_table_lookup (inventory->by_key, key);
}

guint
clip_inventory_count (
    const ClipInventory *inventory, const gchar *prefix, const gchar *suffix)
{
  guint n = 0;

  for (;; n++) {
    g_autofree gchar *key = g_strdup_printf ("%s%u%s", prefix, n, suffix);
    if (clip_inventory_find (inventory, key) == NULL)
      return n;
  }
}
