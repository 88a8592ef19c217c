/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The opcodes by code: those that describe tensors are run, the rest is known
 * by name so that it can be refused by name. */

#include "load/pickle-machine.h"

#include <string.h>

#define MAX_MARKS 64
#define MAX_MEMO (1 << 20)
#define MAX_STRING 65536
#define MAX_PRINTED 120

static gboolean
run_proto (ClipMachine *machine, gint64 argument, GError **error)
{
  if (machine->opcode_at != 0 || argument != 2)
    return clip_machine_refuse (machine, error,
        "begins protocol %" G_GINT64_FORMAT "; only protocol 2, at the start, "
        "is supported",
        argument);
  return TRUE;
}

static gboolean
run_mark (ClipMachine *machine, gint64 argument, GError **error)
{
  if (machine->marks->len >= MAX_MARKS)
    return clip_machine_refuse (
        machine, error, "nests more than %d marks", MAX_MARKS);
  g_array_append_val (machine->marks, machine->stack->len);
  return TRUE;
}

static gboolean
run_tuple (ClipMachine *machine, gint64 argument, GError **error)
{
  ClipPickleValue *tuple =
      clip_pickle_value_new (machine->heap, CLIP_PICKLE_TUPLE);
  guint first;

  return clip_machine_pop_mark (machine, &first, error) &&
         clip_machine_gather (machine, tuple, first, error) &&
         clip_machine_push (machine, tuple, error);
}

/* @argument: how many values become a tuple */
static gboolean
run_short_tuple (ClipMachine *machine, gint64 argument, GError **error)
{
  ClipPickleValue *tuple =
      clip_pickle_value_new (machine->heap, CLIP_PICKLE_TUPLE);
  const guint n = machine->stack->len;

  if (n - clip_machine_get_floor (machine) < (guint)argument)
    return clip_machine_refuse (machine, error,
        "needs %" G_GINT64_FORMAT " values, and the stack has %u", argument,
        n - clip_machine_get_floor (machine));
  return clip_machine_gather (machine, tuple, n - (guint)argument, error) &&
         clip_machine_push (machine, tuple, error);
}

/* @argument: ClipPickleKind */
static gboolean
run_empty (ClipMachine *machine, gint64 argument, GError **error)
{
  return clip_machine_push_new (machine, (ClipPickleKind)argument, 0, error);
}

static gboolean
run_boolean (ClipMachine *machine, gint64 argument, GError **error)
{
  return clip_machine_push_new (machine, CLIP_PICKLE_BOOLEAN, argument, error);
}

static gboolean
run_float (ClipMachine *machine, gint64 argument, GError **error)
{
  return clip_machine_take (machine, sizeof (gdouble), error) != NULL &&
         clip_machine_push_new (machine, CLIP_PICKLE_FLOAT, 0, error);
}

static gboolean
run_integer (ClipMachine *machine, gint64 argument, GError **error)
{
  return clip_machine_push_new (machine, CLIP_PICKLE_INTEGER, argument, error);
}

/* Two's complement of any length. */
static gboolean
run_long (ClipMachine *machine, gint64 argument, GError **error)
{
  const guint8 *bytes;
  guint64 number = 0;

  if (argument > (gint64)sizeof number)
    return clip_machine_refuse (machine, error,
        "has a number of %" G_GINT64_FORMAT " bytes; at most 8 are allowed",
        argument);
  bytes = clip_machine_take (machine, (guint64)argument, error);
  if (bytes == NULL)
    return FALSE;
  if (argument > 0 && bytes[argument - 1] & 0x80)
    number = G_MAXUINT64;
  for (gint64 i = argument; i-- > 0;)
    number = number << 8 | bytes[i];
  return clip_machine_push_new (
      machine, CLIP_PICKLE_INTEGER, (gint64)number, error);
}

static gboolean
run_string (ClipMachine *machine, gint64 argument, GError **error)
{
  ClipPickleValue *value;
  const guint8 *bytes;

  if (argument > MAX_STRING)
    return clip_machine_refuse (machine, error,
        "has a string of %" G_GINT64_FORMAT " bytes; at most %d are allowed",
        argument, MAX_STRING);
  bytes = clip_machine_take (machine, (guint64)argument, error);
  if (bytes == NULL)
    return FALSE;
  if (!g_utf8_validate_len ((const gchar *)bytes, (gsize)argument, NULL))
    return clip_machine_refuse (
        machine, error, "has a string that is not UTF-8 or has a NUL in it");
  value = clip_pickle_value_new (machine->heap, CLIP_PICKLE_STRING);
  value->string = (const gchar *)bytes;
  value->n = (guint32)argument;
  return clip_machine_push (machine, value, error);
}

static gboolean
run_append (ClipMachine *machine, gint64 argument, GError **error)
{
  ClipPickleValue *item = clip_machine_pop (machine, error), *list;
  const gchar *rule;

  if (item == NULL || (list = clip_machine_peek (machine, error)) == NULL)
    return FALSE;
  if (list->kind != CLIP_PICKLE_LIST)
    return clip_machine_refuse (
        machine, error, "puts a value into something not a list");
  rule = clip_pickle_value_append (machine->heap, list, item);
  return rule == NULL || clip_machine_refuse (machine, error, "%s", rule);
}

static gboolean
run_appends (ClipMachine *machine, gint64 argument, GError **error)
{
  ClipPickleValue *list;
  guint first;

  if (!clip_machine_pop_mark (machine, &first, error))
    return FALSE;
  list = first > clip_machine_get_floor (machine)
             ? machine->stack->pdata[first - 1]
             : NULL;
  if (list == NULL || list->kind != CLIP_PICKLE_LIST)
    return clip_machine_refuse (
        machine, error, "puts values into something not a list");
  return clip_machine_gather (machine, list, first, error);
}

/* Puts what lies above @first into the dict below. */
static gboolean
set_items (ClipMachine *machine, guint first, GError **error)
{
  ClipPickleValue *dict = first > clip_machine_get_floor (machine)
                              ? machine->stack->pdata[first - 1]
                              : NULL;

  if (dict == NULL || dict->kind != CLIP_PICKLE_DICT)
    return clip_machine_refuse (
        machine, error, "puts items into something not a dict");
  if ((machine->stack->len - first) % 2 != 0)
    return clip_machine_refuse (
        machine, error, "puts a key without a value into a dict");
  for (guint i = first; i < machine->stack->len; i += 2) {
    const ClipPickleValue *key = machine->stack->pdata[i];
    if (key->kind != CLIP_PICKLE_STRING && key->kind != CLIP_PICKLE_INTEGER)
      return clip_machine_refuse (
          machine, error, "has a key that is neither a string nor a number");
  }
  return clip_machine_gather (machine, dict, first, error);
}

static gboolean
run_set_item (ClipMachine *machine, gint64 argument, GError **error)
{
  if (machine->stack->len - clip_machine_get_floor (machine) < 3)
    return clip_machine_refuse (
        machine, error, "needs a dict, a key and a value");
  return set_items (machine, machine->stack->len - 2, error);
}

static gboolean
run_set_items (ClipMachine *machine, gint64 argument, GError **error)
{
  guint first;

  return clip_machine_pop_mark (machine, &first, error) &&
         set_items (machine, first, error);
}

static gboolean
run_put (ClipMachine *machine, gint64 argument, GError **error)
{
  ClipPickleValue *value = clip_machine_peek (machine, error);

  if (value == NULL)
    return FALSE;
  if (argument >= MAX_MEMO)
    return clip_machine_refuse (machine, error,
        "remembers a value as number %" G_GINT64_FORMAT "; at most %d are "
        "allowed",
        argument, MAX_MEMO);
  if (argument >= machine->memo->len)
    g_ptr_array_set_size (machine->memo, (gint)argument + 1);
  machine->memo->pdata[argument] = value;
  return TRUE;
}

static gboolean
run_get (ClipMachine *machine, gint64 argument, GError **error)
{
  ClipPickleValue *value =
      argument < machine->memo->len ? machine->memo->pdata[argument] : NULL;

  if (value == NULL)
    return clip_machine_refuse (machine, error,
        "asks for value %" G_GINT64_FORMAT ", which was not remembered",
        argument);
  return clip_machine_push (machine, value, error);
}

/* (transfer full): up to the end of the line, NULL with an error */
static gchar *
take_line (ClipMachine *machine, GError **error)
{
  const guint8 *start = machine->bytes + machine->at;
  const gsize left = MIN (machine->size - machine->at, MAX_STRING);
  const guint8 *end = memchr (start, '\n', left);

  if (end == NULL || memchr (start, '\0', (gsize)(end - start)) != NULL) {
    clip_machine_refuse (machine, error, "has a name that does not end");
    return NULL;
  }
  machine->at += (gsize)(end - start) + 1;
  return g_strndup ((const gchar *)start, (gsize)(end - start));
}

static gboolean
run_global (ClipMachine *machine, gint64 argument, GError **error)
{
  g_autofree gchar *module = take_line (machine, error);
  g_autofree gchar *name = module != NULL ? take_line (machine, error) : NULL;
  const ClipPickleGlobal *global;
  ClipPickleValue *value;

  if (name == NULL)
    return FALSE;
  global = clip_pickle_global_find (module, name, machine->source->is_script);
  if (global == NULL) {
    g_autofree gchar *text =
        g_strdup_printf ("%.*s %.*s", MAX_PRINTED, module, MAX_PRINTED, name);
    g_autofree gchar *valid = g_utf8_make_valid (text, -1);
    g_autofree gchar *printed = g_strescape (valid, NULL);
    return clip_machine_refuse (machine, error,
        "names the global '%s', which no state dict needs; if the file can be "
        "trusted, load it in PyTorch and save its state_dict () alone",
        printed);
  }
  value = clip_pickle_value_new (machine->heap, CLIP_PICKLE_GLOBAL);
  value->global = global;
  return clip_machine_push (machine, value, error);
}

static gboolean
run_persistent (ClipMachine *machine, gint64 argument, GError **error)
{
  ClipPickleValue *id = clip_machine_pop (machine, error), *value;
  const gchar *rule;

  if (id == NULL)
    return FALSE;
  rule = clip_pickle_storage_parse (machine->heap, machine->source, id, &value);
  if (rule != NULL)
    return clip_machine_refuse (machine, error, "%s", rule);
  return clip_machine_push (machine, value, error);
}

static gboolean
run_reduce (ClipMachine *machine, gint64 argument, GError **error)
{
  ClipPickleValue *arguments = clip_machine_pop (machine, error);
  ClipPickleValue *callee =
      arguments != NULL ? clip_machine_pop (machine, error) : NULL;
  ClipPickleValue *value;
  const gchar *rule;

  if (callee == NULL)
    return FALSE;
  if (callee->kind != CLIP_PICKLE_GLOBAL || callee->global->call == NULL ||
      arguments->kind != CLIP_PICKLE_TUPLE)
    return clip_machine_refuse (
        machine, error, "calls something that is no function");
  rule = callee->global->call (machine->heap, arguments, &value);
  if (rule != NULL)
    return clip_machine_refuse (machine, error, "(%s %s) %s",
        callee->global->module, callee->global->name, rule);
  return clip_machine_push (machine, value, error);
}

static gboolean
run_new_object (ClipMachine *machine, gint64 argument, GError **error)
{
  ClipPickleValue *arguments = clip_machine_pop (machine, error);
  ClipPickleValue *class =
      arguments != NULL ? clip_machine_pop (machine, error) : NULL;

  if (class == NULL)
    return FALSE;
  if (class->kind != CLIP_PICKLE_GLOBAL || class->global->module != NULL)
    return clip_machine_refuse (machine, error,
        "makes an object of something that is no class of TorchScript");
  if (arguments->kind != CLIP_PICKLE_TUPLE || arguments->n > 0)
    return clip_machine_refuse (
        machine, error, "makes an object with arguments");
  return clip_machine_push_new (machine, CLIP_PICKLE_OBJECT, 0, error);
}

/* An object gets its attributes; those of an OrderedDict (_metadata) say
 * nothing about tensors. */
static gboolean
run_build (ClipMachine *machine, gint64 argument, GError **error)
{
  ClipPickleValue *state = clip_machine_pop (machine, error);
  ClipPickleValue *target =
      state != NULL ? clip_machine_peek (machine, error) : NULL;

  if (target == NULL)
    return FALSE;
  if (state->kind != CLIP_PICKLE_DICT)
    return clip_machine_refuse (
        machine, error, "sets attributes that are not in a dict");
  if (target->kind == CLIP_PICKLE_DICT && target->flags & CLIP_PICKLE_ORDERED)
    return TRUE;
  if (target->kind != CLIP_PICKLE_OBJECT || target->flags & CLIP_PICKLE_BUILT)
    return clip_machine_refuse (machine, error,
        "sets attributes of something that has none, or has got them");
  target->flags = CLIP_PICKLE_BUILT;
  target->items = state->items;
  target->n = state->n;
  target->depth = state->depth;
  return TRUE;
}

static gboolean
run_stop (ClipMachine *machine, gint64 argument, GError **error)
{
  if (machine->stack->len != 1 || machine->marks->len > 0)
    return clip_machine_refuse (machine, error,
        "ends the pickle with %u values and %u marks left instead of one value",
        machine->stack->len, machine->marks->len);
  return TRUE;
}

/* clang-format off */
const ClipOpcode clip_opcodes[256] = {
  [0x80] = { "PROTO", run_proto, 1 },
  [0x2e] = { "STOP", run_stop },
  [0x28] = { "MARK", run_mark },
  [0x74] = { "TUPLE", run_tuple },
  [0x29] = { "EMPTY_TUPLE", run_short_tuple, .argument = 0 },
  [0x85] = { "TUPLE1", run_short_tuple, .argument = 1 },
  [0x86] = { "TUPLE2", run_short_tuple, .argument = 2 },
  [0x87] = { "TUPLE3", run_short_tuple, .argument = 3 },
  [0x4e] = { "NONE", run_empty, .argument = CLIP_PICKLE_NONE },
  [0x5d] = { "EMPTY_LIST", run_empty, .argument = CLIP_PICKLE_LIST },
  [0x7d] = { "EMPTY_DICT", run_empty, .argument = CLIP_PICKLE_DICT },
  [0x88] = { "NEWTRUE", run_boolean, .argument = TRUE },
  [0x89] = { "NEWFALSE", run_boolean, .argument = FALSE },
  [0x4a] = { "BININT", run_integer, 4, TRUE },
  [0x4b] = { "BININT1", run_integer, 1 },
  [0x4d] = { "BININT2", run_integer, 2 },
  [0x8a] = { "LONG1", run_long, 1 },
  [0x47] = { "BINFLOAT", run_float },
  [0x58] = { "BINUNICODE", run_string, 4 },
  [0x61] = { "APPEND", run_append },
  [0x65] = { "APPENDS", run_appends },
  [0x73] = { "SETITEM", run_set_item },
  [0x75] = { "SETITEMS", run_set_items },
  [0x71] = { "BINPUT", run_put, 1 },
  [0x72] = { "LONG_BINPUT", run_put, 4 },
  [0x68] = { "BINGET", run_get, 1 },
  [0x6a] = { "LONG_BINGET", run_get, 4 },
  [0x63] = { "GLOBAL", run_global },
  [0x51] = { "BINPERSID", run_persistent },
  [0x52] = { "REDUCE", run_reduce },
  [0x81] = { "NEWOBJ", run_new_object },
  [0x62] = { "BUILD", run_build },

  [0x30] = { "POP" },
  [0x31] = { "POP_MARK" },
  [0x32] = { "DUP" },
  [0x42] = { "BINBYTES" },
  [0x43] = { "SHORT_BINBYTES" },
  [0x46] = { "FLOAT" },
  [0x49] = { "INT" },
  [0x4c] = { "LONG" },
  [0x50] = { "PERSID" },
  [0x53] = { "STRING" },
  [0x54] = { "BINSTRING" },
  [0x55] = { "SHORT_BINSTRING" },
  [0x56] = { "UNICODE" },
  [0x64] = { "DICT" },
  [0x67] = { "GET" },
  [0x69] = { "INST" },
  [0x6c] = { "LIST" },
  [0x6f] = { "OBJ" },
  [0x70] = { "PUT" },
  [0x82] = { "EXT1" },
  [0x83] = { "EXT2" },
  [0x84] = { "EXT4" },
  [0x8b] = { "LONG4" },
  [0x8c] = { "SHORT_BINUNICODE" },
  [0x8d] = { "BINUNICODE8" },
  [0x8e] = { "BINBYTES8" },
  [0x8f] = { "EMPTY_SET" },
  [0x90] = { "ADDITEMS" },
  [0x91] = { "FROZENSET" },
  [0x92] = { "NEWOBJ_EX" },
  [0x93] = { "STACK_GLOBAL" },
  [0x94] = { "MEMOIZE" },
  [0x95] = { "FRAME" },
  [0x96] = { "BYTEARRAY8" },
  [0x97] = { "NEXT_BUFFER" },
  [0x98] = { "READONLY_BUFFER" },
};
/* clang-format on */
