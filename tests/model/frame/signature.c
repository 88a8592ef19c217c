/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Expected values: by hand for pictures of a few colours, else means that are
 * added up pixel by pixel in another order. */

#include "frame/frame.h"

#include <string.h>

#include "support.h"

#define SIZE 224
#define CELL (SIZE / CLIP_SIGNATURE_SIDE)

/* Floats of up to 255 are off by up to 1.5e-5, and so are their differences. */
#define LEVEL_TOLERANCE 5e-5

static guint8 *
new_picture (guint size, guint8 red, guint8 green, guint8 blue)
{
  guint8 *picture = g_malloc ((gsize)size * size * 3);

  for (gsize i = 0; i < (gsize)size * size; i++) {
    picture[3 * i] = red;
    picture[3 * i + 1] = green;
    picture[3 * i + 2] = blue;
  }
  return picture;
}

static ClipSignature
sign (const guint8 *picture, guint size)
{
  ClipSignature signature;

  clip_signature_compute (picture, size, &signature);
  return signature;
}

static void
one_colour_has_no_contrast (void)
{
  static const guint sizes[] = { 1, 5, 16, 17, 32, 224, 336, 2048 };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autofree guint8 *picture = new_picture (sizes[i], 10, 200, 255);
    ClipSignature signature = sign (picture, sizes[i]);

    for (gsize k = 0; k < G_N_ELEMENTS (signature.cells); k++) {
      g_assert_cmpfloat (signature.cells[k][0], ==, 10);
      g_assert_cmpfloat (signature.cells[k][1], ==, 200);
      g_assert_cmpfloat (signature.cells[k][2], ==, 255);
    }
    /* Squares of sums of 1e-16. */
    g_assert_cmpfloat (clip_signature_get_contrast (&signature), <, 1e-7);
  }
}

static void
black_and_white_halves_have_contrast_one_half (void)
{
  g_autofree guint8 *picture = new_picture (SIZE, 0, 0, 0);
  ClipSignature signature;

  memset (picture, 255, SIZE * SIZE * 3 / 2);
  signature = sign (picture, SIZE);
  g_assert_cmpfloat_with_epsilon (
      clip_signature_get_contrast (&signature), 0.5, 1e-6);
}

static void
one_pixel_moves_one_cell_by_its_share (void)
{
  g_autofree guint8 *picture = new_picture (SIZE, 100, 100, 100);
  ClipSignature before = sign (picture, SIZE), after;
  gsize x = 5 * CELL + 3, y = 9 * CELL + 13;

  picture[(y * SIZE + x) * 3 + 1] = 149;
  after = sign (picture, SIZE);
  /* 49 of 196 pixels' 100 levels: a quarter of a level. */
  for (guint i = 0; i < CLIP_SIGNATURE_SIDE * CLIP_SIGNATURE_SIDE; i++)
    g_assert_cmpfloat (after.cells[i][1] - before.cells[i][1], ==,
        i == 9 * CLIP_SIGNATURE_SIDE + 5 ? 0.25 : 0);
  g_assert_cmpfloat_with_epsilon (
      clip_signature_compare (&before, &after), 0.25 / 255, 1e-9);
  g_assert_cmpfloat (clip_signature_compare (&after, &after), ==, 0);
}

static void
black_and_white_differ_by_the_whole_range (void)
{
  g_autofree guint8 *black = new_picture (32, 0, 0, 0);
  g_autofree guint8 *white = new_picture (32, 255, 255, 255);
  ClipSignature a = sign (black, 32), b = sign (white, 32);

  g_assert_cmpfloat (clip_signature_compare (&a, &b), ==, 1);
  g_assert_cmpfloat (clip_signature_compare (&b, &a), ==, 1);
}

/* The noise of a sensor, of some levels a pixel, is a fraction of one in the
 * mean of a cell: so far less than a person who fills a quarter of it. */
static void
noise_is_less_than_what_fills_a_quarter_of_a_cell (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  g_autofree guint8 *picture = new_picture (SIZE, 120, 120, 120);
  g_autofree guint8 *noisy = new_picture (SIZE, 120, 120, 120);
  ClipSignature clean = sign (picture, SIZE), other;

  for (gsize i = 0; i < SIZE * SIZE * 3; i++)
    noisy[i] += g_rand_int_range (random, -6, 7);
  other = sign (noisy, SIZE);
  g_assert_cmpfloat (clip_signature_compare (&clean, &other), >, 0);
  g_assert_cmpfloat (clip_signature_compare (&clean, &other), <, 0.01);

  for (guint y = 0; y < CELL / 2; y++)
    memset (picture + (gsize)y * SIZE * 3, 60, CELL / 2 * 3);
  other = sign (picture, SIZE);
  g_assert_cmpfloat_with_epsilon (
      clip_signature_compare (&clean, &other), 60 / 4.0 / 255, 1e-6);
}

/* The mean of what lies in column @k, row @i of the grid: pixels whose place
 * times 16, divided by the size, is that. */
static gdouble
get_mean (const guint8 *picture, guint size, guint i, guint k, guint channel)
{
  gdouble sum = 0;
  guint n = 0;

  for (guint x = 0; x < size; x++) {
    for (guint y = 0; y < size; y++) {
      /* Cell k begins at floor (k size / 16). */
      if (x < k * size / 16 || x >= (k + 1) * size / 16 || y < i * size / 16 ||
          y >= (i + 1) * size / 16)
        continue;
      sum += picture[((gsize)y * size + x) * 3 + channel];
      n++;
    }
  }
  return sum / n;
}

static void
cells_are_means_at_any_size (void)
{
  static const guint sizes[] = { 16, 17, 31, 64, 100 };
  g_autoptr (GRand) random = g_rand_new_with_seed (4);

  for (gsize s = 0; s < G_N_ELEMENTS (sizes); s++) {
    guint size = sizes[s];
    g_autofree guint8 *picture = new_picture (size, 0, 0, 0);
    ClipSignature signature;

    for (gsize i = 0; i < (gsize)size * size * 3; i++)
      picture[i] = (guint8)g_rand_int (random);
    signature = sign (picture, size);
    for (guint i = 0; i < 16; i++) {
      for (guint k = 0; k < 16; k++) {
        for (guint c = 0; c < 3; c++)
          g_assert_cmpfloat_with_epsilon (signature.cells[i * 16 + k][c],
              get_mean (picture, size, i, k, c), LEVEL_TOLERANCE);
      }
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/signature/one-colour-has-no-contrast",
      one_colour_has_no_contrast);
  g_test_add_func (
      "/frame/signature/black-and-white-halves-have-contrast-one-half",
      black_and_white_halves_have_contrast_one_half);
  g_test_add_func ("/frame/signature/one-pixel-moves-one-cell-by-its-share",
      one_pixel_moves_one_cell_by_its_share);
  g_test_add_func ("/frame/signature/black-and-white-differ-by-the-whole-range",
      black_and_white_differ_by_the_whole_range);
  g_test_add_func (
      "/frame/signature/noise-is-less-than-what-fills-a-quarter-of-a-cell",
      noise_is_less_than_what_fills_a_quarter_of_a_cell);
  g_test_add_func ("/frame/signature/cells-are-means-at-any-size",
      cells_are_means_at_any_size);
  return g_test_run ();
}
