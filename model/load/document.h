/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* JSON from outside: bounded in depth, strings and number of values before it
 * is parsed, duplicate keys refused, and every number that is taken out of it
 * bounded. The errors name the file and the key. */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef struct {
  guint max_depth;
  gsize max_string; /* bytes between the quotes, escapes counted as written */
  gsize max_values;
  gboolean unsigned_only; /* a minus sign outside strings is an error */
} ClipJsonLimits;

/* A JSON object and where it came from. */
typedef struct {
  gchar *path;
  json_t *root;
  const gchar *section; /* what errors put before a key, or NULL */
} ClipDocument;

/* @path: whence @text comes, for errors
 * @size: of @text, which need not end in 0
 *
 * Returns: (transfer full): an object; NULL with CLIP_ERROR_FORMAT */
json_t *clip_json_parse (const gchar *path, const gchar *text, gsize size,
    const ClipJsonLimits *limits, GError **error);

/* Opens a file of at most a megabyte, as all configuration files are.
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_NOT_FOUND, _OPEN, _READ or
 *   _FORMAT */
ClipDocument *clip_document_open (const gchar *path, GError **error);

/* A file of @folder that may be absent.
 *
 * @document: (out): to be freed; NULL where it is absent
 *
 * Returns: FALSE with CLIP_ERROR_OPEN, _READ or _FORMAT */
gboolean clip_document_open_optional (const gchar *folder, const gchar *name,
    ClipDocument **document, GError **error);
void clip_document_free (ClipDocument *document);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipDocument, clip_document_free)

/* The value of @key; NULL where it is absent or null. (transfer none) */
json_t *clip_document_get (const ClipDocument *document, const gchar *key);

typedef struct {
  guint min, max;
} ClipRange;

/* A whole number that must be there.
 *
 * @value: what clip_document_get() gave, or a part of it; NULL is an error
 *
 * Returns: FALSE with CLIP_ERROR_MODEL, @number untouched */
gboolean clip_document_get_number (const ClipDocument *document,
    const gchar *key, const json_t *value, const ClipRange *range,
    guint *number, GError **error);

/* One whole number of a table of them. */
typedef struct {
  const gchar *key;
  gsize slot; /* of a guint in the record */
  ClipRange range;
  guint fallback; /* where it is absent or null; 0: it must be there */
} ClipNumberKey;

/* Returns: FALSE with CLIP_ERROR_MODEL */
gboolean clip_document_read_numbers (const ClipDocument *document,
    const ClipNumberKey *keys, guint n_keys, gpointer record, GError **error);

/* A part of the file as a document of its own; it borrows from @document.
 *
 * @name: keys with dots between, as errors say it; must outlive @section
 * @section: (out caller-allocates): empty where the part is absent or null
 *
 * Returns: FALSE with CLIP_ERROR_MODEL where it is no object */
gboolean clip_document_enter (const ClipDocument *document, const gchar *name,
    ClipDocument *section, GError **error);

/* A boolean; @fallback where it is absent or null.
 *
 * Returns: FALSE with CLIP_ERROR_MODEL where it is something else */
gboolean clip_document_get_boolean (const ClipDocument *document,
    const gchar *key, gboolean fallback, gboolean *value, GError **error);

/* Sets CLIP_ERROR_MODEL with the file, the key and @format; always FALSE. */
gboolean clip_document_refuse (const ClipDocument *document, const gchar *key,
    GError **error, const gchar *format, ...) G_GNUC_PRINTF (4, 5);
