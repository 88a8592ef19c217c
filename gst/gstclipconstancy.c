/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipconstancy.h"

gboolean
gst_clip_constancy_note (GstClipConstancy *constancy, gboolean picture_changed,
    gboolean embedding_changed)
{
  if (embedding_changed)
    constancy->run = 0;
  else if (picture_changed)
    constancy->run++;
  if (constancy->run < GST_CLIP_CONSTANCY_RUN || constancy->warned)
    return FALSE;
  constancy->warned = TRUE;
  return TRUE;
}
