/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Each rule of the format (model-spec 4.1) broken alone, and what careless
 * readers of it fell over elsewhere, beside the unbroken forms. */
#pragma once

#include <glib.h>

/* The header's length is that of the text, unless a case says otherwise. */
#define TRUE_LENGTH 0

typedef struct {
  const gchar *name;
  const gchar *header;
  gsize data_size;
  const gchar *message; /* a piece of it; NULL where the file is valid */
  guint64 length;
} SafetensorsCase;

/* The smallest example of the specification, 144 bytes of header. */
#define METADATA "\"__metadata__\":{\"format\":\"pt\"}"
#define A "\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[4,8]}"
#define S "\"s\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}"
#define EXAMPLE "{" METADATA "," A "," S "}       "

/* One tensor 'a' of a given type, shape and place. */
#define ONE(type, shape, offsets)                                              \
  "{\"a\":{\"dtype\":" type ",\"shape\":" shape ",\"data_offsets\":" offsets   \
  "}}"
#define LENGTH_RULE "is not the length of \"data_offsets\""
#define LARGE "18446744073709551616" /* 2^64 */
#define HALF "9223372036854775808"   /* 2^63 */

/* clang-format off */
#define VALID(name, header, size) { name, header, size, NULL, TRUE_LENGTH }
#define BROKEN(name, header, size, message)                                   \
  { name, header, size, message, TRUE_LENGTH }
#define LYING(name, header, size, message, length)                            \
  { name, header, size, message, length }

static const SafetensorsCase safetensors_cases[] = {
  VALID ("example", EXAMPLE, 8),
  VALID ("example-without-padding", "{" METADATA "," A "," S "}", 8),
  VALID ("padding-of-other-white-space", "{" A "," S "}\n\t\r ", 8),
  VALID ("unaligned-data", "{" A "," S "}    ", 8),
  VALID ("no-tensor-at-all", "{}", 0),
  VALID ("metadata-alone", "{" METADATA "}", 0),
  VALID ("empty-metadata", "{\"__metadata__\":{}}", 0),
  VALID ("scalar", ONE ("\"F32\"", "[]", "[0,4]"), 4),
  VALID ("empty-tensor", ONE ("\"I32\"", "[2,0]", "[0,0]"), 0),
  VALID ("empty-tensor-of-large-sides",
    ONE ("\"F32\"", "[0,4611686018427387904,4]", "[0,0]"), 0),
  VALID ("empty-tensor-between-others",
    "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
    "\"b\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[1,1]},"
    "\"c\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2),
  VALID ("two-f4-in-a-byte", ONE ("\"F4\"", "[2]", "[0,1]"), 1),
  VALID ("four-f6-in-three-bytes", ONE ("\"F6_E2M3\"", "[4]", "[0,3]"), 3),
  VALID ("eight-dimensions", ONE ("\"U8\"", "[1,1,1,1,1,1,1,1]", "[0,1]"), 1),
  VALID ("escaped-name",
    "{\"\\u0061\\/b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
    1),
  VALID ("fields-in-another-order",
    "{\"a\":{\"data_offsets\":[0,1],\"shape\":[1],\"dtype\":\"U8\"}}", 1),

  /* the length in front */
  BROKEN ("length-is-0", "", 8, "does not begin with '{'"),
  LYING ("length-one-more", EXAMPLE, 8, "valid JSON", 145),
  LYING ("length-one-less-than-the-object", "{" A "," S "}", 8, "valid JSON",
    sizeof ("{" A "," S "}") - 2),
  LYING ("length-of-the-whole-file", "{}", 0, "the file ends after 2", 10),
  LYING ("length-one-past-the-end", "{}", 0, "the file ends after 2", 3),
  LYING ("length-at-the-limit-in-a-short-file", "{}", 0, "the file ends after 2",
    100000000),
  LYING ("length-above-the-limit", "{}", 0, "at most 100000000", 100000001),
  LYING ("length-2^31", "{}", 0, "at most 100000000", G_GUINT64_CONSTANT (1) << 31),
  LYING ("length-2^32", "{}", 0, "at most 100000000", G_GUINT64_CONSTANT (1) << 32),
  LYING ("length-2^63", "{}", 0, "at most 100000000", G_GUINT64_CONSTANT (1) << 63),
  LYING ("length-that-wraps-to-the-file-size", "{}", 0, "at most 100000000",
    G_MAXUINT64 - 5),
  LYING ("length-2^64-1", "{}", 0, "at most 100000000", G_MAXUINT64),

  /* the text */
  BROKEN ("no-brace", "\"a\"", 0, "does not begin with '{'"),
  BROKEN ("array", "[]", 0, "does not begin with '{'"),
  BROKEN ("white-space-in-front", " {}", 0, "does not begin with '{'"),
  BROKEN ("byte-order-mark", "\xef\xbb\xbf{}", 0, "does not begin with '{'"),
  LYING ("zeros", "", 4, "does not begin with '{'", 4),
  BROKEN ("brace-alone", "{", 0, "valid JSON"),
  BROKEN ("object-left-open", "{" A "," S, 8, "valid JSON"),
  BROKEN ("string-left-open", "{\"a", 0, "valid JSON"),
  BROKEN ("escape-at-the-end", "{\"a\\", 0, "valid JSON"),
  BROKEN ("text-after-the-object", "{}{}", 0, "valid JSON"),
  LYING ("zero-byte-after-the-object", "{}", 1, "valid JSON", 3),
  BROKEN ("trailing-comma", "{" S ",}", 4, "valid JSON"),
  BROKEN ("comment", "{/**/}", 0, "valid JSON"),
  BROKEN ("single-quotes", "{'a':1}", 0, "valid JSON"),
  BROKEN ("invalid-utf8", "{\"\xff\":1}", 0, "valid JSON"),
  BROKEN ("overlong-utf8", "{\"\xc0\xaf\":1}", 0, "valid JSON"),
  BROKEN ("surrogate-in-utf8", "{\"\xed\xa0\x80\":1}", 0, "valid JSON"),
  BROKEN ("lone-surrogate-escape", "{\"\\ud800\":1}", 0, "valid JSON"),
  BROKEN ("zero-byte-in-a-name", "{\"\\u0000\":1}", 0, "valid JSON"),
  BROKEN ("control-byte-in-a-name", "{\"\n\":1}", 0, "valid JSON"),
  BROKEN ("duplicate-tensor", "{" S "," S "}", 4, "duplicate object key"),
  BROKEN ("duplicate-tensor-escaped", "{" S ",\"\\u0073\":{\"dtype\":\"F32\","
    "\"shape\":[],\"data_offsets\":[0,4]}}", 4, "duplicate object key"),
  BROKEN ("duplicate-field", "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\","
    "\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "duplicate object key"),
  BROKEN ("duplicate-metadata", "{" METADATA "," METADATA "}", 0,
    "duplicate object key"),
  BROKEN ("nested-five-deep", "{\"a\":{\"shape\":[[[1]]]}}", 0, "nested too deep"),
  BROKEN ("nested-in-metadata", "{\"__metadata__\":{\"a\":{\"b\":{\"c\":{}}}}}", 0,
    "nested too deep"),

  /* metadata */
  BROKEN ("metadata-number", "{\"__metadata__\":{\"format\":1}}", 0,
    "other than strings"),
  BROKEN ("metadata-object", "{\"__metadata__\":{\"format\":{}}}", 0,
    "other than strings"),
  BROKEN ("metadata-null", "{\"__metadata__\":{\"format\":null}}", 0,
    "other than strings"),
  BROKEN ("metadata-not-an-object", "{\"__metadata__\":\"pt\"}", 0,
    "\"__metadata__\" is not an object"),
  BROKEN ("metadata-array", "{\"__metadata__\":[]}", 0,
    "\"__metadata__\" is not an object"),
  BROKEN ("metadata-as-a-tensor", "{\"__metadata__\":{\"dtype\":\"U8\","
    "\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "other than strings"),

  /* fields */
  BROKEN ("tensor-null", "{\"a\":null}", 0, "'a': what describes it"),
  BROKEN ("tensor-string", "{\"a\":\"F32\"}", 0, "'a': what describes it"),
  BROKEN ("tensor-array", "{\"a\":[]}", 0, "'a': what describes it"),
  BROKEN ("tensor-empty", "{\"a\":{}}", 0, "'a': \"dtype\" is missing"),
  BROKEN ("no-dtype", "{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
    "'a': \"dtype\" is missing"),
  BROKEN ("no-shape", "{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1,
    "'a': \"shape\" is missing"),
  BROKEN ("no-offsets", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1,
    "'a': \"data_offsets\" is missing"),
  BROKEN ("another-field", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],"
    "\"data_offsets\":[0,1],\"strides\":[1]}}", 1, "'a': it has other fields"),

  /* dtype */
  BROKEN ("dtype-F15", ONE ("\"F15\"", "[2]", "[0,4]"), 4, "'a': its \"dtype\""),
  BROKEN ("dtype-small", ONE ("\"f32\"", "[1]", "[0,4]"), 4, "'a': its \"dtype\""),
  BROKEN ("dtype-empty", ONE ("\"\"", "[1]", "[0,4]"), 4, "'a': its \"dtype\""),
  BROKEN ("dtype-longer", ONE ("\"F322\"", "[1]", "[0,4]"), 4, "'a': its \"dtype\""),
  BROKEN ("dtype-number", ONE ("32", "[1]", "[0,4]"), 4, "\"dtype\" is missing"),
  BROKEN ("dtype-null", ONE ("null", "[1]", "[0,4]"), 4, "\"dtype\" is missing"),

  /* shape */
  BROKEN ("shape-number", ONE ("\"F32\"", "1", "[0,4]"), 4, "\"shape\" is missing"),
  BROKEN ("shape-null", ONE ("\"F32\"", "null", "[0,4]"), 4, "\"shape\" is missing"),
  BROKEN ("shape-object", ONE ("\"F32\"", "{}", "[0,4]"), 4, "\"shape\" is missing"),
  BROKEN ("shape-string", ONE ("\"F32\"", "[\"1\"]", "[0,4]"), 4, "whole numbers"),
  BROKEN ("shape-real", ONE ("\"F32\"", "[1.0]", "[0,4]"), 4, "whole numbers"),
  BROKEN ("shape-exponent", ONE ("\"F32\"", "[1e0]", "[0,4]"), 4, "whole numbers"),
  BROKEN ("shape-true", ONE ("\"F32\"", "[true]", "[0,4]"), 4, "whole numbers"),
  BROKEN ("shape-nested", ONE ("\"F32\"", "[[1]]", "[0,4]"), 4, "whole numbers"),
  BROKEN ("shape-negative", ONE ("\"F32\"", "[-1]", "[0,4]"), 4, "negative"),
  BROKEN ("shape-minus-zero", ONE ("\"F32\"", "[-0]", "[0,0]"), 0, "negative"),
  BROKEN ("shape-two-negatives", ONE ("\"F32\"", "[-1,-1]", "[0,4]"), 4, "negative"),
  BROKEN ("shape-leading-zero", ONE ("\"F32\"", "[01]", "[0,4]"), 4, "valid JSON"),
  BROKEN ("shape-plus", ONE ("\"F32\"", "[+1]", "[0,4]"), 4, "valid JSON"),
  BROKEN ("shape-2^63", ONE ("\"F32\"", "[" HALF "]", "[0,4]"), 4, "valid JSON"),
  BROKEN ("shape-2^64", ONE ("\"F32\"", "[" LARGE "]", "[0,4]"), 4, "valid JSON"),
  BROKEN ("shape-1e400", ONE ("\"F32\"", "[1e400]", "[0,4]"), 4, "valid JSON"),
  BROKEN ("shape-one-more", ONE ("\"F32\"", "[2]", "[0,4]"), 4, LENGTH_RULE),
  BROKEN ("shape-one-less", ONE ("\"F32\"", "[1]", "[0,8]"), 8, LENGTH_RULE),
  BROKEN ("shape-zero-with-data", ONE ("\"F32\"", "[0]", "[0,4]"), 4, LENGTH_RULE),
  BROKEN ("shape-without-data", ONE ("\"F32\"", "[1]", "[0,0]"), 0, LENGTH_RULE),
  BROKEN ("shape-product-wraps-to-0",
    ONE ("\"F32\"", "[4294967296,4294967296]", "[0,0]"), 0, "too large"),
  BROKEN ("shape-product-wraps-to-1",
    ONE ("\"U8\"", "[274177,67280421310721]", "[0,1]"), 1, "too large"),
  BROKEN ("shape-product-wraps-to-4",
    ONE ("\"U8\"", "[4611686018427387905,4]", "[0,4]"), 4, "too large"),
  BROKEN ("shape-product-wraps-before-a-zero",
    ONE ("\"F32\"", "[4611686018427387904,4,0]", "[0,0]"), 0, "too large"),
  BROKEN ("size-in-bytes-wraps-to-0",
    ONE ("\"F32\"", "[4611686018427387904]", "[0,0]"), 0, "too large"),
  BROKEN ("size-in-bits-wraps-to-8",
    ONE ("\"U8\"", "[2305843009213693953]", "[0,1]"), 1, "too large"),
  BROKEN ("nine-dimensions", ONE ("\"U8\"", "[1,1,1,1,1,1,1,1,1]", "[0,1]"), 1,
    "more than 8 dimensions"),
  BROKEN ("half-a-byte", ONE ("\"F4\"", "[1]", "[0,1]"), 1, "whole number of bytes"),
  BROKEN ("three-quarters-of-a-byte", ONE ("\"F6_E3M2\"", "[1]", "[0,1]"), 1,
    "whole number of bytes"),

  /* places */
  BROKEN ("offsets-number", ONE ("\"U8\"", "[1]", "1"), 1, "two whole numbers"),
  BROKEN ("offsets-empty", ONE ("\"U8\"", "[1]", "[]"), 1, "two whole numbers"),
  BROKEN ("offsets-one", ONE ("\"U8\"", "[1]", "[0]"), 1, "two whole numbers"),
  BROKEN ("offsets-three", ONE ("\"U8\"", "[1]", "[0,1,2]"), 1, "two whole numbers"),
  BROKEN ("offsets-strings", ONE ("\"U8\"", "[1]", "[\"0\",\"1\"]"), 1,
    "two whole numbers"),
  BROKEN ("offsets-real", ONE ("\"U8\"", "[1]", "[0.0,1.0]"), 1,
    "two whole numbers"),
  BROKEN ("offsets-null", ONE ("\"U8\"", "[1]", "[null,1]"), 1,
    "two whole numbers"),
  BROKEN ("offsets-object", ONE ("\"U8\"", "[1]", "{\"begin\":0,\"end\":1}"), 1,
    "two whole numbers"),
  BROKEN ("offsets-negative", ONE ("\"U8\"", "[1]", "[-1,0]"), 1, "negative"),
  BROKEN ("offsets-2^64", ONE ("\"U8\"", "[1]", "[0," LARGE "]"), 1, "valid JSON"),
  BROKEN ("offsets-backwards", ONE ("\"F32\"", "[1]", "[8,4]"), 8,
    "'a': \"data_offsets\" end before they begin"),
  BROKEN ("backwards-by-the-size", ONE ("\"F32\"", "[1]", "[4,0]"), 4,
    "end before they begin"),
  BROKEN ("past-the-end", ONE ("\"F32\"", "[1]", "[0,4]"), 3,
    "'a': it ends after the file does"),
  BROKEN ("far-past-the-end",
    ONE ("\"U8\"", "[1099511627776]", "[0,1099511627776]"), 1,
    "'a': it ends after the file does"),
  BROKEN ("largest-size-that-can-be-said",
    ONE ("\"U8\"", "[1152921504606846976]", "[0,1152921504606846976]"), 1,
    "'a': it ends after the file does"),
  BROKEN ("hole-in-front", ONE ("\"F32\"", "[1]", "[4,8]"), 8, "'a': there is a hole"),
  BROKEN ("hole-between",
    "{\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[5,9]}," S "}", 9,
    "'a': there is a hole"),
  BROKEN ("one-byte-long", EXAMPLE, 9, "1 bytes follow the last tensor"),
  BROKEN ("one-byte-short", EXAMPLE, 7, "'a': it ends after the file does"),
  BROKEN ("data-without-tensors", "{}", 4, "4 bytes follow the last tensor"),
  BROKEN ("same-place-twice",
    "{\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]}," S "}", 4,
    "it overlaps the tensor before it"),
  BROKEN ("overlap-by-a-byte",
    "{\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[3,7]}," S "}", 7,
    "'a': it overlaps the tensor before it"),
  BROKEN ("one-inside-the-other",
    "{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},"
    "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}", 8,
    "'b': it overlaps the tensor before it"),
  BROKEN ("empty-tensor-inside-another",
    "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
    "\"b\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[2,2]}}", 4,
    "'b': it overlaps the tensor before it"),
  BROKEN ("name-with-control-bytes-is-escaped",
    "{\"\\u001b[2J\":{\"dtype\":\"F15\",\"shape\":[],\"data_offsets\":[0,4]}}",
    4, "tensor '\\033[2J'"),
};
/* clang-format on */
