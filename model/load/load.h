/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The door of load/: a file becomes tensors that are located and proven. */
#pragma once

#include "load/checkpoint.h"
#include "load/config.h"
#include "load/document.h"
#include "load/names.h"
#include "load/tensor.h"
