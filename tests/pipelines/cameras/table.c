/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The table of cameras, as a function of what is known of them. */

#include "pipelines/cameras/table.h"
#include "pipelines/text.h"

#include <string.h>

static const CameraView door = {
  .name = (gchar *)"front-door",
  .state = CAMERA_ON,
  .frame_rate = 25,
  .result_rate = 2,
  .has_result = TRUE,
  .age = 0.34,
  .best = (gchar *)"a person at the door",
  .probability = 0.914,
  .reconnects = 3,
  .skipped = { [CAMERA_SKIP_RATE] = 1000,
      [CAMERA_SKIP_BUSY] = 5,
      [CAMERA_SKIP_LAG] = 7 },
};

static const CameraView yard = {
  .name = (gchar *)"後院的攝影機",
  .state = CAMERA_LOST,
  .has_result = TRUE,
  .age = 7300,
  .best = (gchar *)"一辆红色的汽车和一只猫",
  .probability = 0.5,
};

static const CameraView fresh = {
  .name = (gchar *)"x\033[2J\ny",
  .state = CAMERA_WAITING,
};

static GArray *
make_views (const CameraView *first, ...)
{
  GArray *views = g_array_new (FALSE, FALSE, sizeof (CameraView));
  va_list more;

  va_start (more, first);
  for (; first != NULL; first = va_arg (more, const CameraView *))
    g_array_append_vals (views, first, 1);
  va_end (more);
  return views;
}

static GStrv
draw (const GArray *views, guint width, guint height)
{
  const CameraTableLook look = {
    .width = width, .height = height, .cpus = 0.5
  };
  g_autofree gchar *table = camera_table_draw (views, &look);

  g_assert_true (g_str_has_suffix (table, "\n"));
  table[strlen (table) - 1] = '\0';
  return g_strsplit (table, "\n", -1);
}

static void
a_camera_is_a_line (void)
{
  g_autoptr (GArray) views = make_views (&door, NULL);
  g_auto (GStrv) lines = draw (views, 120, 0);

  g_assert_cmpuint (g_strv_length (lines), ==, 3);
  g_assert_cmpstr (lines[0], ==,
      "camera      state     frames/s  results/s      age  best prompt"
      "           prob  skipped  lost");
  /* 5 + 7 were skipped for want of speed, 1000 because the rate says so. */
  g_assert_cmpstr (lines[1], ==,
      "front-door  on            25.0       2.00    0.3 s  a person at the "
      "door  0.91       12     3");
  g_assert_cmpstr (
      lines[2], ==, "1 camera, 1 on; 2.0 results/s; 0.50 CPUs busy");
}

static void
wide_characters_are_aligned (void)
{
  g_autoptr (GArray) views = make_views (&door, &yard, NULL);
  g_auto (GStrv) lines = draw (views, 120, 0);

  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (
        text_count_columns (lines[i]), ==, text_count_columns (lines[0]));
  g_assert_nonnull (strstr (lines[2], "後院的攝影機  lost"));
  g_assert_nonnull (strstr (lines[2], "2 h"));
}

static void
no_line_is_wider_than_the_terminal (void)
{
  g_autoptr (GArray) views = make_views (&door, &yard, &fresh, NULL);

  for (guint width = 1; width < 130; width++) {
    for (guint height = 0; height < 6; height++) {
      g_auto (GStrv) lines = draw (views, width, height);

      for (guint i = 0; lines[i] != NULL; i++)
        g_assert_cmpuint (text_count_columns (lines[i]), <=, width);
    }
  }
}

static void
long_names_are_cut (void)
{
  CameraView view = door;
  g_autoptr (GArray) views = NULL;
  g_auto (GStrv) lines = NULL;

  view.name = (gchar *)"the camera at the back of the shed behind the house";
  views = make_views (&view, NULL);
  lines = draw (views, 80, 0);
  g_assert_true (g_str_has_prefix (lines[1], "the camera at the b…  on"));
}

static void
control_characters_do_nothing (void)
{
  g_autoptr (GArray) views = make_views (&fresh, NULL);
  g_auto (GStrv) lines = draw (views, 120, 0);

  g_assert_cmpuint (g_strv_length (lines), ==, 3);
  g_assert_true (g_str_has_prefix (lines[1], "x [2J y  waiting"));
}

static void
trouble_comes_first_where_room_is_short (void)
{
  g_autoptr (GArray) views = make_views (&door, &door, &door, &yard, NULL);
  g_auto (GStrv) lines = draw (views, 120, 5);

  g_assert_cmpuint (g_strv_length (lines), ==, 5);
  g_assert_nonnull (strstr (lines[1], "lost"));
  g_assert_nonnull (strstr (lines[2], "front-door"));
  g_assert_cmpstr (lines[3], ==, "… and 2 more");
  g_assert_true (g_str_has_prefix (lines[4], "4 cameras, 3 on"));
}

static void
ages_have_a_unit (void)
{
  static const struct {
    gdouble age;
    const gchar *text;
  } cases[] = {
    { 0, " 0.0 s  " },
    { 9.94, " 9.9 s  " },
    { 119, " 119 s  " },
    { 120, " 2 min  " },
    { 7199, "  120 min  " },
    { 7200, " 2 h  " },
    { 200000, " 2 d  " },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    CameraView view = door;
    g_autoptr (GArray) views = NULL;
    g_auto (GStrv) lines = NULL;

    view.age = cases[i].age;
    views = make_views (&view, NULL);
    lines = draw (views, 120, 0);
    g_test_message ("%s", lines[1]);
    g_assert_nonnull (strstr (lines[1], cases[i].text));
  }
}

static void
text_is_fitted_to_columns (void)
{
  static const struct {
    const gchar *text;
    guint columns;
    const gchar *fitted;
  } cases[] = {
    { "abc", 5, "abc  " },
    { "abc", 3, "abc" },
    { "abcd", 3, "ab…" },
    { "一二三", 5, "一二…" },
    { "一二三", 4, "一… " },
    { "e\xcc\x81t", 2, "e\xcc\x81t" },
    { "abc", 1, "…" },
    { "abc", 0, "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *fitted = text_fit (cases[i].text, cases[i].columns);

    g_assert_cmpstr (fitted, ==, cases[i].fitted);
  }
}

#define ADD(function) g_test_add_func ("/cameras/table/" #function, function)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  ADD (a_camera_is_a_line);
  ADD (wide_characters_are_aligned);
  ADD (no_line_is_wider_than_the_terminal);
  ADD (long_names_are_cut);
  ADD (control_characters_do_nothing);
  ADD (trouble_comes_first_where_room_is_short);
  ADD (ages_have_a_unit);
  ADD (text_is_fitted_to_columns);
  return g_test_run ();
}
