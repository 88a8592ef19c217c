/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/pickle-value.h"

#include <string.h>

#define BLOCK_SIZE 16384
#define MAX_DEPTH 64
#define MAX_TENSORS 10000

static void
free_storage (gpointer user_data)
{
  ClipPickleStorage *storage = user_data;

  g_free (storage->key);
  g_free (storage);
}

void
clip_pickle_heap_init (ClipPickleHeap *heap)
{
  heap->storages =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_storage);
  heap->blocks = g_ptr_array_new_with_free_func (g_free);
  heap->n_used = BLOCK_SIZE;
}

void
clip_pickle_heap_clear (ClipPickleHeap *heap)
{
  g_clear_pointer (&heap->blocks, g_ptr_array_unref);
  g_clear_pointer (&heap->storages, g_hash_table_unref);
}

/* Zeroed. What does not fit a block has one of its own, before the last. */
static gpointer
allocate (ClipPickleHeap *heap, gsize size)
{
  const gsize rounded = (size + 7) & ~(gsize)7;
  guint8 *block;

  if (rounded > BLOCK_SIZE / 4) {
    block = g_malloc0 (rounded);
    g_ptr_array_insert (heap->blocks,
        heap->blocks->len > 0 ? (gint)heap->blocks->len - 1 : 0, block);
    return block;
  }
  if (heap->n_used + rounded > BLOCK_SIZE) {
    g_ptr_array_add (heap->blocks, g_malloc0 (BLOCK_SIZE));
    heap->n_used = 0;
  }
  block = heap->blocks->pdata[heap->blocks->len - 1];
  block += heap->n_used;
  heap->n_used += rounded;
  return block;
}

ClipPickleValue *
clip_pickle_value_new (ClipPickleHeap *heap, ClipPickleKind kind)
{
  ClipPickleValue *value = allocate (heap, sizeof *value);

  value->kind = kind;
  return value;
}

const gchar *
clip_pickle_value_append (
    ClipPickleHeap *heap, ClipPickleValue *value, ClipPickleValue *item)
{
  if (item->depth >= MAX_DEPTH)
    return "nests values more than 64 deep";
  value->depth = MAX (value->depth, item->depth + 1);
  if (value->n == value->n_allocated) {
    ClipPickleValue **items;

    value->n_allocated = MAX (4, 2 * value->n_allocated);
    items = allocate (heap, value->n_allocated * sizeof *items);
    if (value->n > 0)
      memcpy (items, value->items, value->n * sizeof *items);
    value->items = items;
  }
  value->items[value->n++] = item;
  return NULL;
}

gboolean
clip_pickle_value_is_string (const ClipPickleValue *value, const gchar *string)
{
  return value->kind == CLIP_PICKLE_STRING && value->n == strlen (string) &&
         memcmp (value->string, string, value->n) == 0;
}

const ClipPickleValue *
clip_pickle_value_get (const ClipPickleValue *dict, const gchar *key)
{
  for (guint i = 0; i < dict->n; i += 2)
    if (clip_pickle_value_is_string (dict->items[i], key))
      return dict->items[i + 1];
  return NULL;
}

/* The kinds a call must be given: one letter each. */
static gboolean
matches (const ClipPickleValue *arguments, const gchar *kinds)
{
  static const gchar letters[CLIP_PICKLE_N_KINDS + 1] = "0bifsGtldoST";

  if (arguments->n != strlen (kinds))
    return FALSE;
  for (guint i = 0; i < arguments->n; i++)
    if (kinds[i] != '*' && kinds[i] != letters[arguments->items[i]->kind])
      return FALSE;
  return TRUE;
}

static const gchar *
call_ordered_dict (ClipPickleHeap *heap, const ClipPickleValue *arguments,
    ClipPickleValue **value)
{
  if (!matches (arguments, ""))
    return "makes an OrderedDict of something";
  *value = clip_pickle_value_new (heap, CLIP_PICKLE_DICT);
  (*value)->flags = CLIP_PICKLE_ORDERED;
  return NULL;
}

/* Returns: the broken rule, or NULL */
static const gchar *
parse_numbers (const ClipPickleValue *tuple, guint64 numbers[])
{
  for (guint i = 0; i < tuple->n; i++) {
    if (tuple->items[i]->kind != CLIP_PICKLE_INTEGER)
      return "makes a tensor whose sizes or strides are not whole numbers";
    if (tuple->items[i]->integer < 0)
      return "makes a tensor with a size or stride below 0";
    numbers[i] = (guint64)tuple->items[i]->integer;
  }
  return NULL;
}

/* storage, offset, sizes, strides, requires_grad, hooks, and since PyTorch 2
 * sometimes what it was made of */
static const gchar *
call_tensor (ClipPickleHeap *heap, const ClipPickleValue *arguments,
    ClipPickleValue **value)
{
  ClipPickleTensor *tensor;
  ClipPickleValue *const *items = arguments->items;
  const gchar *rule;

  if (!matches (arguments, "Sittbd") && !matches (arguments, "Sittbdd") &&
      !matches (arguments, "Sittbd0"))
    return "makes a tensor of other things than a storage, an offset, sizes, "
           "strides, a flag and hooks";
  if (items[1]->integer < 0)
    return "makes a tensor with an offset below 0";
  if (items[2]->n != items[3]->n || items[2]->n > CLIP_PICKLE_MAX_DIMS)
    return "makes a tensor of more than 8 dimensions, or with another number "
           "of strides";
  if (heap->n_tensors++ >= MAX_TENSORS)
    return "makes more than 10000 tensors";
  tensor = allocate (heap, sizeof *tensor);
  tensor->storage = items[0]->storage;
  tensor->offset = (guint64)items[1]->integer;
  tensor->n_dims = items[2]->n;
  if ((rule = parse_numbers (items[2], tensor->dims)) ||
      (rule = parse_numbers (items[3], tensor->strides)))
    return rule;
  *value = clip_pickle_value_new (heap, CLIP_PICKLE_TENSOR);
  (*value)->tensor = tensor;
  return NULL;
}

static const gchar *
call_parameter (ClipPickleHeap *heap, const ClipPickleValue *arguments,
    ClipPickleValue **value)
{
  if (!matches (arguments, "Tbd"))
    return "makes a parameter of other things than a tensor, a flag and hooks";
  *value = arguments->items[0];
  return NULL;
}

/* Lists and tags of TorchScript, which say only what their argument is. */
static const gchar *
call_first (ClipPickleHeap *heap, const ClipPickleValue *arguments,
    ClipPickleValue **value)
{
  if (!matches (arguments, "l") && !matches (arguments, "*s"))
    return "makes a list of something else";
  *value = arguments->items[0];
  return NULL;
}

static const ClipPickleType types[] = {
  { "FloatStorage", "F32", CLIP_DTYPE_F32, 4 },
  { "HalfStorage", "F16", CLIP_DTYPE_F16, 2 },
  { "BFloat16Storage", "BF16", CLIP_DTYPE_BF16, 2 },
  { "DoubleStorage", "F64", CLIP_DTYPE_F64, 8 },
  { "LongStorage", "I64", CLIP_DTYPE_OTHER, 8 },
  { "IntStorage", "I32", CLIP_DTYPE_OTHER, 4 },
  { "ShortStorage", "I16", CLIP_DTYPE_OTHER, 2 },
  { "CharStorage", "I8", CLIP_DTYPE_OTHER, 1 },
  { "ByteStorage", "U8", CLIP_DTYPE_OTHER, 1 },
  { "BoolStorage", "BOOL", CLIP_DTYPE_OTHER, 1 },
};

static const ClipPickleGlobal globals[] = {
  { "collections", "OrderedDict", call_ordered_dict },
  { "torch._utils", "_rebuild_tensor_v2", call_tensor },
  { "torch._utils", "_rebuild_parameter", call_parameter },
  { "torch", "FloatStorage", NULL, &types[0] },
  { "torch", "HalfStorage", NULL, &types[1] },
  { "torch", "BFloat16Storage", NULL, &types[2] },
  { "torch", "DoubleStorage", NULL, &types[3] },
  { "torch", "LongStorage", NULL, &types[4] },
  { "torch", "IntStorage", NULL, &types[5] },
  { "torch", "ShortStorage", NULL, &types[6] },
  { "torch", "CharStorage", NULL, &types[7] },
  { "torch", "ByteStorage", NULL, &types[8] },
  { "torch", "BoolStorage", NULL, &types[9] },
  { "torch.jit._pickle", "build_intlist", call_first, NULL, TRUE },
  { "torch.jit._pickle", "build_doublelist", call_first, NULL, TRUE },
  { "torch.jit._pickle", "build_boollist", call_first, NULL, TRUE },
  { "torch.jit._pickle", "build_tensorlist", call_first, NULL, TRUE },
  { "torch.jit._pickle", "restore_type_tag", call_first, NULL, TRUE },
};

static const ClipPickleGlobal script_class = { .is_script = TRUE };

const ClipPickleGlobal *
clip_pickle_global_find (
    const gchar *module, const gchar *name, gboolean is_script)
{
  for (guint i = 0; i < G_N_ELEMENTS (globals); i++)
    if (g_str_equal (module, globals[i].module) &&
        g_str_equal (name, globals[i].name) &&
        (is_script || !globals[i].is_script))
      return &globals[i];
  return is_script && g_str_has_prefix (module, "__torch__.") ? &script_class
                                                              : NULL;
}

/* A member's name is made of it. */
static gboolean
is_key (const ClipPickleSource *source, const ClipPickleValue *key)
{
  static const gchar others[] = "_./-";
  gboolean is_valid = key->n > 0 && key->n <= 128;

  for (guint i = 0; i < key->n && is_valid; i++)
    is_valid = g_ascii_isdigit (key->string[i]) ||
               (source->is_script && (g_ascii_isalpha (key->string[i]) ||
                                         strchr (others, key->string[i])));
  return is_valid && g_strstr_len (key->string, key->n, "..") == NULL;
}

/* A new one where there is none of that key. */
static ClipPickleStorage *
find_storage (ClipPickleHeap *heap, const ClipPickleValue *key)
{
  g_autofree gchar *name = g_strndup (key->string, key->n);
  ClipPickleStorage *storage = g_hash_table_lookup (heap->storages, name);

  if (storage == NULL) {
    storage = g_new0 (ClipPickleStorage, 1);
    storage->key = g_steal_pointer (&name);
    g_hash_table_insert (heap->storages, storage->key, storage);
  }
  return storage;
}

/* "storage", class, key, device, n_elements, and in old files what it is a view
 * of */
const gchar *
clip_pickle_storage_parse (ClipPickleHeap *heap, const ClipPickleSource *source,
    const ClipPickleValue *id, ClipPickleValue **value)
{
  ClipPickleValue *const *items = id->items;
  ClipPickleStorage *storage;

  if (id->kind != CLIP_PICKLE_TUPLE ||
      !matches (id, source->is_legacy ? "sGssi*" : "sGssi") ||
      !clip_pickle_value_is_string (items[0], "storage") ||
      items[1]->global->type == NULL)
    return "names a persistent object that is not a storage";
  if (source->is_legacy && items[5]->kind != CLIP_PICKLE_NONE)
    return "names a storage that is a view of another";
  if (!is_key (source, items[2]))
    return "names a storage by a key that is none";
  if (items[4]->integer < 0)
    return "names a storage of less than 0 elements";
  storage = find_storage (heap, items[2]);
  if (storage->type != NULL &&
      (storage->type != items[1]->global->type ||
          storage->n_elements != (guint64)items[4]->integer))
    return "names a storage again, with another type or size";
  storage->type = items[1]->global->type;
  storage->n_elements = (guint64)items[4]->integer;
  *value = clip_pickle_value_new (heap, CLIP_PICKLE_STORAGE);
  (*value)->storage = storage;
  return NULL;
}
