/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipdebug.h"
#include "gstclipfilter.h"
#include "gstclippublish.h"
#include "gstclipresult.h"

#include "config.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  gst_clip_debug_init ();
  gst_clip_result_register_meta ();
  return GST_ELEMENT_REGISTER (clipfilter, plugin) &&
         GST_ELEMENT_REGISTER (clippublish, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, clip,
    "Says what is in a video, in words of the user's choice (CLIP)",
    plugin_init, PACKAGE_VERSION, "LGPL", PACKAGE, "Unknown package origin")
