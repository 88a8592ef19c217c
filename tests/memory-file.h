/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A file that is nowhere but in memory, for the thousands of small ones that
 * a reader is tried with. */
#pragma once

#include "load/file.h"

/* For clip_file_free(); its path is "model.pt". */
ClipFile *test_memory_file_new (gconstpointer bytes, gsize size);
