/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Prompts from none to a thousand, in every script and notation, and changed
 * while frames pass. */
#include "filters.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static gchar *folder;
static gchar *file;

static void
set_up (void)
{
  folder = filters_new_quick_model ();
  file = g_build_filename (folder, "prompts.txt", NULL);
}

static void
tear_down (void)
{
  frames_wait_for_workers ();
  g_free (file);
  test_checkpoint_remove (folder);
}

static guint
count_prompts (const GstStructure *entry)
{
  const GValue *prompts = gst_structure_get_value (entry, "prompts");

  return prompts != NULL ? gst_value_array_get_size (prompts) : 0;
}

static void
get_prompt (const GstStructure *entry, guint i, guint *index,
    const gchar **text, gdouble *probability)
{
  const GstStructure *prompt = frames_get_prompt (entry, i);

  *text = gst_structure_get_string (prompt, "text");
  fail_unless (gst_structure_get (prompt, "index", G_TYPE_UINT, index,
      "probability", G_TYPE_DOUBLE, probability, NULL));
}

/* The texts in the order of their index, " / " between them. Fails the test
 * where an entry is not best first, or not complete. */
static gchar *
join_texts (const GstStructure *entry)
{
  guint n = count_prompts (entry);
  g_autofree const gchar **texts = g_new0 (const gchar *, n + 1);
  gdouble sum = 0, before = 1;

  for (guint i = 0; i < n; i++) {
    gdouble probability;
    const gchar *text;
    guint index;

    get_prompt (entry, i, &index, &text, &probability);
    fail_unless (index < n && texts[index] == NULL, "index %u twice", index);
    fail_unless (probability <= before, "not best first");
    texts[index] = text;
    before = probability;
    sum += probability;
  }
  /* A thousand roundings of 6e-8. */
  fail_unless (n == 0 || fabs (sum - 1) < 1e-4, "sum %g", sum);
  return g_strjoinv (" / ", (gchar **)texts);
}

static void
assert_texts (GstHarness *harness, const gchar *expected)
{
  g_autoptr (GstBuffer) buffer = frames_pass (harness, 1);
  const GstStructure *entry = frames_get_result (buffer, 0);
  g_autofree gchar *found = NULL;

  fail_if (entry == NULL);
  found = join_texts (entry);
  fail_unless_equals_string (found, expected);
}

/* Beside a harness, which plays from its beginning. (transfer full) */
static GstElement *
new_filter (void)
{
  GstElement *filter = gst_element_factory_make ("clipfilter", "f");

  g_object_set (filter, "model", folder, "threads", 1, "top-k", 0, NULL);
  gst_util_set_object_arg (G_OBJECT (filter), "inference-mode", "wait");
  return gst_object_ref_sink (filter);
}

static GstHarness *
new_harness (const gchar *property, const gchar *value)
{
  GstHarness *harness;
  g_autoptr (GstElement) filter = NULL;

  if (property == NULL)
    return filters_harness_new (folder, "top-k=0", FILTERS_RGB);
  filter = new_filter ();
  g_object_set (filter, property, value, NULL);
  harness = gst_harness_new_with_element (filter, "sink", "src");
  gst_harness_set_src_caps_str (harness, FILTERS_RGB);
  return harness;
}

/* --- how they are written --- */

GST_START_TEST (texts_come_back_as_they_were_meant)
{
  static const struct {
    const gchar *written, *meant;
  } rows[] = {
    { "a", "a" },
    { "a|b", "a / b" },
    { "  a  |\tb c \n| ", "a / b c" },
    { "a \\| b | c", "a | b / c" },
    { "back\\\\slash | b", "back\\slash / b" },
    { "commas, and; more | b", "commas, and; more / b" },
    { "\"quoted\" 'twice' | b", "\"quoted\" 'twice' / b" },
    { "a ! b = c | (d) [e] {f}", "a ! b = c / (d) [e] {f}" },
    { "门口有一个人 | 空的院子", "门口有一个人 / 空的院子" },
    { "Grüße | привет | 🚗", "Grüße / привет / 🚗" },
    { "same | same", "same / same" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstHarness *harness = new_harness ("prompts", rows[i].written);

    assert_texts (harness, rows[i].meant);
    gst_harness_teardown (harness);
  }
}
GST_END_TEST;

GST_START_TEST (a_launch_line_says_the_same)
{
  GstHarness *harness = filters_harness_new (folder,
      "top-k=0 prompts=\"a car, red | \\\"quoted\\\" | 猫 \\\\| 狗 | b ! c\"",
      FILTERS_RGB);

  assert_texts (harness, "a car, red / \"quoted\" / 猫 | 狗 / b ! c");
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (without_prompts_there_are_embeddings_only)
{
  GstHarness *harness =
      filters_harness_new (folder, "attach-embedding=true", FILTERS_RGB);
  g_autoptr (GstBuffer) buffer = frames_pass (harness, 0);
  const GstStructure *entry = frames_get_result (buffer, 0);

  fail_if (entry == NULL);
  fail_if (gst_structure_has_field (entry, "prompts"));
  fail_if (gst_structure_has_field (entry, "revision"));
  fail_unless (gst_structure_has_field (entry, "embedding"));
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (one_prompt_has_probability_1)
{
  GstHarness *harness = new_harness ("prompts", "a");
  g_autoptr (GstBuffer) buffer = frames_pass (harness, 0);
  gdouble probability;
  const gchar *text;
  guint index;

  get_prompt (frames_get_result (buffer, 0), 0, &index, &text, &probability);
  fail_unless (probability == 1);
  gst_harness_teardown (harness);
}
GST_END_TEST;

GST_START_TEST (a_thousand_prompts_are_all_told)
{
  GString *written = g_string_new (NULL), *meant = g_string_new (NULL);
  GstHarness *harness;

  for (guint i = 0; i < 1000; i++) {
    g_string_append_printf (written, "%sa%u", i > 0 ? "|" : "", i);
    g_string_append_printf (meant, "%sa%u", i > 0 ? " / " : "", i);
  }
  harness = new_harness ("prompts", written->str);
  assert_texts (harness, meant->str);
  gst_harness_teardown (harness);
  g_string_free (written, TRUE);
  g_string_free (meant, TRUE);
}
GST_END_TEST;

GST_START_TEST (top_k_limits_what_is_told_not_what_is_compared)
{
  static const struct {
    guint top_k, told;
  } rows[] = { { 0, 7 }, { 1, 1 }, { 3, 3 }, { 7, 7 }, { 1000, 7 } };
  GstHarness *harness = new_harness ("prompts", "a|b|c|d|e|f|g");
  gdouble best = -1;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstBuffer) buffer = NULL;
    gdouble probability;
    const gchar *text;
    guint index;

    g_object_set (harness->element, "top-k", rows[i].top_k, NULL);
    buffer = frames_pass (harness, 0);
    fail_unless_equals_int (
        count_prompts (frames_get_result (buffer, 0)), rows[i].told);
    get_prompt (frames_get_result (buffer, 0), 0, &index, &text, &probability);
    fail_unless (best < 0 || probability == best);
    best = probability;
  }
  gst_harness_teardown (harness);
}
GST_END_TEST;

/* --- where they come from --- */

GST_START_TEST (of_prompts_and_file_the_last_one_counts)
{
  g_autoptr (GstElement) filter = new_filter ();
  static const struct {
    const gchar *property, *value; /* value NULL: the file */
    const gchar *meant;
  } rows[] = {
    { "prompts", "a | b", "a / b" },
    { "prompts-file", NULL, "from | a file / 第二行" },
    { "prompts", "c", "c" },
    { "prompts-file", NULL, "from | a file / 第二行" },
  };

  fail_unless (g_file_set_contents (
      file, "# a remark\r\nfrom | a file\r\n\n  第二行  \n", -1, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstHarness *harness;

    g_object_set (filter, rows[i].property,
        rows[i].value != NULL ? rows[i].value : file, NULL);
    harness = gst_harness_new_with_element (filter, "sink", "src");
    gst_harness_set_src_caps_str (harness, FILTERS_RGB);
    assert_texts (harness, rows[i].meant);
    gst_harness_teardown (harness);
  }
}
GST_END_TEST;

static gdouble
get_similarity (const gchar *property, const gchar *value, const gchar *text)
{
  GstHarness *harness = new_harness (property, value);
  g_autoptr (GstBuffer) buffer = NULL;
  gdouble similarity = 0;

  g_object_set (harness->element, "prompts", text, NULL);
  for (guint i = 0;; i++) {
    gst_clear_buffer (&buffer);
    buffer = frames_pass (harness, 0);
    if (count_prompts (frames_get_result (buffer, 0)) == 1)
      break;
    fail_if (i == 30000, "no prompts");
    g_usleep (1000);
  }
  gst_structure_get_double (
      frames_get_prompt (frames_get_result (buffer, 0), 0), "similarity",
      &similarity);
  gst_harness_teardown (harness);
  return similarity;
}

GST_START_TEST (a_template_is_a_sentence_around_the_prompt)
{
  gdouble alone = get_similarity ("templates", NULL, "c");
  gdouble sentence = get_similarity ("templates", NULL, "a b c d");
  gdouble templated = get_similarity ("templates", "a b {} d", "c");
  gdouble plain = get_similarity ("templates", "{}", "c");

  /* The same ids; float32 sums of products of rows of length 1. */
  fail_unless (fabs (templated - sentence) < 1e-6, "%g", templated - sentence);
  fail_unless (fabs (plain - alone) < 1e-6, "%g", plain - alone);
  fail_unless (fabs (alone - sentence) > 1e-5, "the sentence changes nothing");
}
GST_END_TEST;

/* --- changed while frames pass --- */

static GstMessage *
wait_for (GstHarness *harness, GstMessageType type)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (harness->element);
  GstMessage *message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, type);

  fail_if (message == NULL, "no message");
  return message;
}

/* What a message "clipfilter-prompts" tells. (transfer full) */
static gchar *
read_announcement (GstMessage *message, guint *revision)
{
  const GstStructure *structure = gst_message_get_structure (message);
  const GValue *prompts = gst_structure_get_value (structure, "prompts");
  GString *texts = g_string_new (NULL);

  fail_unless (gst_message_has_name (message, "clipfilter-prompts"));
  fail_unless (gst_structure_get_uint (structure, "revision", revision));
  for (guint i = 0; i < gst_value_array_get_size (prompts); i++)
    g_string_append_printf (texts, "%s%s", i > 0 ? " / " : "",
        g_value_get_string (gst_value_array_get_value (prompts, i)));
  return g_string_free (texts, FALSE);
}

#define N_REVISIONS 20

/* Frames of @harness until @N_REVISIONS were seen, the prompts changed again
 * and again. @seen: (out): the texts of each revision */
static void
change_while_frames_pass (
    GstHarness *harness, GstElement *filter, gchar *seen[N_REVISIONS + 1])
{
  static const gchar *const sets[] = { "a | b", "c | d | e",
    "猫 | 狗 | f | g" };
  guint last = 0;

  for (guint i = 0; last < N_REVISIONS; i++) {
    g_autoptr (GstBuffer) buffer = frames_pass (harness, i);
    const GstStructure *entry = frames_get_result (buffer, 0);
    g_autofree gchar *texts = join_texts (entry);
    guint revision = 0;

    fail_unless (gst_structure_get_uint (entry, "revision", &revision));
    fail_unless (revision >= last, "revision %u after %u", revision, last);
    fail_if (i == 100000, "revision %u is the last", last);
    last = revision;
    if (revision <= N_REVISIONS && seen[revision] == NULL)
      seen[revision] = g_steal_pointer (&texts);
    else if (revision <= N_REVISIONS)
      fail_unless_equals_string (texts, seen[revision]);
    if (i % 8 == 0)
      g_object_set (filter, "prompts", sets[i / 8 % G_N_ELEMENTS (sets)], NULL);
  }
}

GST_START_TEST (a_frame_is_compared_with_one_announced_set)
{
  GstHarness *harness = filters_harness_new (
      folder, "top-k=0 prompts=\"one | two\"", FILTERS_RGB);
  g_autoptr (GstElement) filter = filters_get (harness);
  gchar *seen[N_REVISIONS + 1] = { NULL };

  change_while_frames_pass (harness, filter, seen);
  for (guint i = 1; i <= N_REVISIONS; i++) {
    g_autoptr (GstMessage) message = wait_for (harness, GST_MESSAGE_ELEMENT);
    guint revision = 0;
    g_autofree gchar *texts = read_announcement (message, &revision);

    fail_unless_equals_int (revision, i);
    if (seen[i] != NULL)
      fail_unless_equals_string (seen[i], texts);
    g_free (seen[i]);
  }
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (of_a_storm_of_changes_the_newest_stays)
{
  GstHarness *harness = filters_harness_new (
      folder, "top-k=0 prompts=\"one | two\"", FILTERS_RGB);
  g_autoptr (GstElement) filter = filters_get (harness);
  g_autofree gchar *texts = NULL;

  for (guint i = 0; i < 1000; i++) {
    g_autofree gchar *prompts = g_strdup_printf ("a%u | b", i);

    g_object_set (filter, "prompts", prompts, NULL);
  }
  for (guint i = 0; g_strcmp0 (texts, "a999 / b") != 0; i++) {
    g_autoptr (GstBuffer) buffer = frames_pass (harness, i);

    fail_if (i == 30000, "'%s' stays", texts);
    g_free (texts);
    texts = join_texts (frames_get_result (buffer, 0));
    g_usleep (1000);
  }
  for (guint i = 0; i < 20; i++)
    assert_texts (harness, "a999 / b");
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (bad_changes_are_a_warning_each_and_the_old_set_stays)
{
  static const struct {
    const gchar *property, *value;
    gint code;
    const gchar *word;
  } rows[] = {
    { "prompts", "good | bad\xff", GST_RESOURCE_ERROR_SETTINGS, "UTF-8" },
    { "templates", "no place", GST_RESOURCE_ERROR_SETTINGS, "{}" },
    { "prompts-file", "/no/such/file", GST_RESOURCE_ERROR_NOT_FOUND,
        "/no/such/file" },
    { "prompts-file", "/tmp", GST_RESOURCE_ERROR_OPEN_READ, "/tmp" },
  };
  GstHarness *harness = filters_harness_new (
      folder, "top-k=0 prompts=\"one | two\"", FILTERS_RGB);
  g_autoptr (GstElement) filter = filters_get (harness);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstMessage) message = NULL;
    g_autoptr (GError) error = NULL;

    g_object_set (filter, rows[i].property, rows[i].value, NULL);
    message = wait_for (harness, GST_MESSAGE_WARNING);
    gst_message_parse_warning (message, &error, NULL);
    fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, rows[i].code),
        "%s", error->message);
    fail_unless (
        strstr (error->message, rows[i].word) != NULL, "%s", error->message);
    assert_texts (harness, "one / two");
    /* Right again by one change, so that nothing is told twice. */
    if (g_str_equal (rows[i].property, "templates"))
      g_object_set (filter, "templates", NULL, NULL);
    else
      g_object_set (filter, "prompts", "one | two", NULL);
  }
  frames_harness_free (harness);
}
GST_END_TEST;

static Suite *
prompts_suite (void)
{
  Suite *suite = suite_create ("prompts");
  TCase *tests = tcase_create ("generated-model");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, texts_come_back_as_they_were_meant);
  tcase_add_test (tests, a_launch_line_says_the_same);
  tcase_add_test (tests, without_prompts_there_are_embeddings_only);
  tcase_add_test (tests, one_prompt_has_probability_1);
  tcase_add_test (tests, a_thousand_prompts_are_all_told);
  tcase_add_test (tests, top_k_limits_what_is_told_not_what_is_compared);
  tcase_add_test (tests, of_prompts_and_file_the_last_one_counts);
  tcase_add_test (tests, a_template_is_a_sentence_around_the_prompt);
  tcase_add_test (tests, a_frame_is_compared_with_one_announced_set);
  tcase_add_test (tests, of_a_storm_of_changes_the_newest_stays);
  tcase_add_test (tests, bad_changes_are_a_warning_each_and_the_old_set_stays);
  return suite;
}

GST_CHECK_MAIN (prompts);
