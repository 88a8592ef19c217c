/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A target reads an input of any bytes: refused or read, never a crash, memory
 * beyond its size, or an answer that is none. libFuzzer makes inputs up; the
 * replay program reads those of corpus/. */
#pragma once

#include "load/load.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Makes a tokenizer of a vocabulary and has it encode a text: the first byte is
 * the text's length, the text is at the end, the vocabulary between. What it
 * makes of the text is proven to be ids. */
void fuzz_tokenizer (ClipTokenizerKind kind, const uint8_t *data, size_t size);
