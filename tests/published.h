/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Generated models of the shapes of every published one, in each form in which
 * it is published. */
#pragma once

#include "models.h"

typedef enum {
  TEST_FORM_BARE,         /* OpenAI's precisions, no configuration */
  TEST_FORM_PARALLEL,     /* "module." before each name, no configuration */
  TEST_FORM_OPEN_CLIP,    /* its configuration */
  TEST_FORM_CUSTOM_TEXT,  /* "text." before the names of the text side */
  TEST_FORM_HUGGING_FACE, /* its configuration and names */
  TEST_N_FORMS
} TestForm;

typedef struct {
  const gchar *name; /* may go into the name of a test */
  TestModelSpec spec;
  guint64 n_parameters; /* as the original code counts: model-spec 1.1 to 1.4 */
  guint forms;          /* 1 << TestForm */
} TestPublished;

extern const TestPublished test_published[];
extern const guint test_n_published;

/* @name: its own, or with the slashes that publishers write: "ViT-B/32"
 *
 * Returns: NULL where there is none */
const TestPublished *test_published_find (const gchar *name);

/* @values: how they are stored; the forms without configuration have norms in
 *   32 bits and all else in 16, whatever it says
 *
 * Returns: (transfer full): a folder, for test_checkpoint_remove() */
gchar *test_published_write (const TestPublished *published, TestForm form,
    const TestCheckpointSpec *values);
