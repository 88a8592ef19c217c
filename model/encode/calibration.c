/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "encode/calibration.h"

#include "engine/engine.h"

#include <math.h>

/* Of the errors of score differences, the standard deviation that is borne:
 * plausible prompts are some hundredths apart. */
#define MOST_ERROR 0.003

/* --- pictures --- */

/* Of noise in each octave, from a lattice of this many cells a side on. */
#define FIRST_CELLS 2
#define N_OCTAVES 6

/* A number between -1 and 1 that looks like chance, the same everywhere. */
static gfloat
draw (guint picture, guint channel, guint octave, guint y, guint x)
{
  guint32 h = picture * 0x9e3779b1u + channel * 0x85ebca77u +
              octave * 0xc2b2ae3du + y * 0x27d4eb2fu + x * 0x165667b1u;

  h ^= h >> 15;
  h *= 0x2c1b3c6du;
  h ^= h >> 12;
  h *= 0x297a2d39u;
  h ^= h >> 15;
  return h / 2147483648.0f - 1;
}

/* Values at the corners of a cell, drawn between them. */
static gfloat
draw_between (guint picture, guint channel, guint octave, gfloat y, gfloat x)
{
  guint top = (guint)y, left = (guint)x;
  gfloat down = y - top, right = x - left;
  gfloat above = draw (picture, channel, octave, top, left) * (1 - right) +
                 draw (picture, channel, octave, top, left + 1) * right;
  gfloat below = draw (picture, channel, octave, top + 1, left) * (1 - right) +
                 draw (picture, channel, octave, top + 1, left + 1) * right;

  return above * (1 - down) + below * down;
}

/* Clouds of all sizes, each octave half as strong as the one before, as in
 * photographs; what the channels share is stronger than colour. A quarter of
 * each picture is a board of squares, so that there are edges, and a quarter
 * one colour. */
static guint8
draw_value (guint picture, guint size, guint y, guint x, guint channel)
{
  guint corner = (y * 2 / size) * 2 + x * 2 / size;
  guint cells = FIRST_CELLS;
  gfloat value = 0, strength = 0.6f;

  if (corner == picture % 4)
    return ((y * 16 / size) + (x * 16 / size)) % 2 == 0 ? 225 : 30;
  if (corner == (picture + 2) % 4)
    return (guint8)(128 + 100 * draw (picture, channel, N_OCTAVES, 0, 0));
  for (guint octave = 0; octave < N_OCTAVES; octave++) {
    gfloat at_y = (gfloat)y * cells / size, at_x = (gfloat)x * cells / size;

    value += strength * (0.7f * draw_between (picture, 0, octave, at_y, at_x) +
                            0.3f * draw_between (picture, 1 + channel, octave,
                                       at_y, at_x));
    strength /= 2;
    cells *= 2;
  }
  return (guint8)(127.5f + 127 * CLAMP (value, -1, 1));
}

static void
draw_picture (guint picture, guint size, guint8 *pixels)
{
  for (guint y = 0; y < size; y++)
    for (guint x = 0; x < size; x++)
      for (guint c = 0; c < 3; c++)
        *pixels++ = draw_value (picture, size, y, x, c);
}

/* --- */

ClipCalibration *
clip_calibration_new (
    const ClipModelInfo *info, guint batch, gfloat *pixels, gfloat *embeddings)
{
  ClipCalibration *self = g_new0 (ClipCalibration, 1);
  guint size = info->image_size;
  gsize n_pixels = (gsize)size * size;
  g_autofree guint8 *picture = g_malloc (3 * n_pixels);

  self->batch = batch;
  self->embed_dim = info->embed_dim;
  self->pixels = pixels;
  self->embeddings = embeddings;
  self->layers = g_array_new (FALSE, FALSE, sizeof (ClipLayerChoice));
  for (guint i = 0; i < batch; i++) {
    draw_picture (i, size, picture);
    clip_preprocess_normalise (
        &info->preprocess, n_pixels, picture, pixels + 3 * n_pixels * i);
  }
  return self;
}

void
clip_calibration_free (ClipCalibration *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->layers);
  g_free (self->expected);
  g_free (self);
}

void
clip_calibration_add (ClipCalibration *self, const ClipLayerChoice *choice)
{
  g_array_append_vals (self->layers, choice, 1);
}

void
clip_calibration_expect (ClipCalibration *self)
{
  self->expected = g_memdup2 (
      self->embeddings, sizeof (gfloat) * self->batch * self->embed_dim);
}

/* Errors that point anywhere add e / sqrt (E) to a score, and those of two
 * scores have nothing to do with each other. */
void
clip_calibration_compare (ClipCalibration *self)
{
  gdouble squares = 0;

  for (guint i = 0; i < self->batch; i++) {
    gfloat *a = self->expected + (gsize)i * self->embed_dim;
    gfloat *b = self->embeddings + (gsize)i * self->embed_dim;

    if (!clip_rows_normalise (self->embed_dim, a) ||
        !clip_rows_normalise (self->embed_dim, b))
      squares = INFINITY;
    for (guint j = 0; j < self->embed_dim; j++)
      squares += ((gdouble)a[j] - b[j]) * ((gdouble)a[j] - b[j]);
  }
  self->error = sqrt (2 * squares / self->batch / self->embed_dim);
}

static gboolean
has_bytes (const ClipCalibration *self)
{
  for (guint i = 0; i < self->layers->len; i++)
    if (g_array_index (self->layers, ClipLayerChoice, i).precision ==
        CLIP_PRECISION_INT8)
      return TRUE;
  return FALSE;
}

gboolean
clip_calibration_is_good (const ClipCalibration *self)
{
  return has_bytes (self) && self->error <= MOST_ERROR;
}

gchar *
clip_calibration_explain (const ClipCalibration *self)
{
  if (!has_bytes (self))
    return g_strdup ("none of its layers is near enough in 8-bit integers");
  return g_strdup_printf ("score differences of the built-in pictures are off "
                          "by %.4f, more than %g",
      self->error, MOST_ERROR);
}
