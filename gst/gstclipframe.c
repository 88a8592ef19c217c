/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipframe.h"

#include "gstclipcrop.h"

/* Unpack functions may write a whole group of pixels past an odd width. */
#define ROW_PADDING 64

/* Four bytes for each value of a pixel (GST_VIDEO_FORMAT_RGB8P). */
#define PALETTE_SIZE (256 * 4)

/* Of 16 bits a value, frame/ takes the upper 12. */
#define SPARE_BITS 4

/* BT.709 begins here where the caps name no matrix, as in GstVideoInfo. */
#define HD_HEIGHT 576

/* Formats whose planes frame/ reads as they are; where their samples lie
 * stands in GstVideoFormatInfo. Words of 16 bits are the machine's own. */
typedef struct {
  GstVideoFormat format;
  ClipLayout layout;
} FastFormat;

#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define WORDS(name) GST_VIDEO_FORMAT_##name##LE
#else
#define WORDS(name) GST_VIDEO_FORMAT_##name##BE
#endif

/* clang-format off */
static const FastFormat fast_formats[] = {
  { GST_VIDEO_FORMAT_RGB,  CLIP_LAYOUT_PACKED },
  { GST_VIDEO_FORMAT_BGR,  CLIP_LAYOUT_PACKED },
  { GST_VIDEO_FORMAT_RGBx, CLIP_LAYOUT_PACKED },
  { GST_VIDEO_FORMAT_BGRx, CLIP_LAYOUT_PACKED },
  { GST_VIDEO_FORMAT_xRGB, CLIP_LAYOUT_PACKED },
  { GST_VIDEO_FORMAT_xBGR, CLIP_LAYOUT_PACKED },
  { GST_VIDEO_FORMAT_RGBA, CLIP_LAYOUT_PACKED },
  { GST_VIDEO_FORMAT_BGRA, CLIP_LAYOUT_PACKED },
  { GST_VIDEO_FORMAT_ARGB, CLIP_LAYOUT_PACKED },
  { GST_VIDEO_FORMAT_ABGR, CLIP_LAYOUT_PACKED },
  { GST_VIDEO_FORMAT_I420, CLIP_LAYOUT_YUV },
  { GST_VIDEO_FORMAT_YV12, CLIP_LAYOUT_YUV },
  { GST_VIDEO_FORMAT_NV12, CLIP_LAYOUT_YUV },
  { GST_VIDEO_FORMAT_NV21, CLIP_LAYOUT_YUV },
  { GST_VIDEO_FORMAT_Y42B, CLIP_LAYOUT_YUV },
  { GST_VIDEO_FORMAT_NV16, CLIP_LAYOUT_YUV },
  { GST_VIDEO_FORMAT_NV61, CLIP_LAYOUT_YUV },
  { GST_VIDEO_FORMAT_YUY2, CLIP_LAYOUT_YUV },
  { GST_VIDEO_FORMAT_YVYU, CLIP_LAYOUT_YUV },
  { GST_VIDEO_FORMAT_UYVY, CLIP_LAYOUT_YUV },
  { GST_VIDEO_FORMAT_Y444, CLIP_LAYOUT_YUV },
  { GST_VIDEO_FORMAT_NV24, CLIP_LAYOUT_YUV },
  { GST_VIDEO_FORMAT_AYUV, CLIP_LAYOUT_YUV },
  { WORDS (P010_10),       CLIP_LAYOUT_YUV },
  { WORDS (P012_),         CLIP_LAYOUT_YUV },
  { WORDS (I420_10),       CLIP_LAYOUT_YUV },
  { WORDS (I420_12),       CLIP_LAYOUT_YUV },
  { WORDS (I422_10),       CLIP_LAYOUT_YUV },
  { WORDS (I422_12),       CLIP_LAYOUT_YUV },
  { WORDS (Y444_10),       CLIP_LAYOUT_YUV },
  { WORDS (Y444_12),       CLIP_LAYOUT_YUV },
};
/* clang-format on */

/* Their unpack functions read whole groups of pixels, and where the width is
 * odd past the end of a frame that is as large as GstVideoInfo says. */
static const GstVideoFormat grouped_formats[] = { GST_VIDEO_FORMAT_UYVP,
  GST_VIDEO_FORMAT_NV12_10LE32, GST_VIDEO_FORMAT_NV16_10LE32 };

static gboolean
is_full_range (const GstVideoInfo *info)
{
  GstVideoColorRange range = info->colorimetry.range;

  if (range == GST_VIDEO_COLOR_RANGE_UNKNOWN)
    return GST_VIDEO_INFO_IS_RGB (info);
  return range == GST_VIDEO_COLOR_RANGE_0_255;
}

static ClipLayout
choose_layout (const GstVideoInfo *info)
{
  if (GST_VIDEO_INFO_IS_RGB (info) && !is_full_range (info))
    return CLIP_LAYOUT_ROWS;
  for (guint i = 0; i < G_N_ELEMENTS (fast_formats); i++) {
    if (fast_formats[i].format == GST_VIDEO_INFO_FORMAT (info))
      return fast_formats[i].layout;
  }
  return CLIP_LAYOUT_ROWS;
}

static guint
choose_depth (const GstVideoInfo *info, ClipLayout layout)
{
  if (layout == CLIP_LAYOUT_YUV)
    return GST_VIDEO_INFO_COMP_DEPTH (info, 0);
  return info->finfo->unpack_format == GST_VIDEO_FORMAT_AYUV64 ? 16 - SPARE_BITS
                                                               : 8;
}

static ClipColour
choose_colour (const GstVideoInfo *info)
{
  ClipColour colour = { 0.299, 0.114, is_full_range (info), 8 };

  if (!gst_video_color_matrix_get_Kr_Kb (
          info->colorimetry.matrix, &colour.kr, &colour.kb))
    gst_video_color_matrix_get_Kr_Kb (GST_VIDEO_INFO_HEIGHT (info) > HD_HEIGHT
                                          ? GST_VIDEO_COLOR_MATRIX_BT709
                                          : GST_VIDEO_COLOR_MATRIX_BT601,
        &colour.kr, &colour.kb);
  return colour;
}

/* 16 bits to 8: full range is a ratio of 257, studio range one of 256. */
static guint8
narrow (const GstClipReader *reader, guint16 value)
{
  if (reader->colour.full_range)
    return (value - (value >> 8) + 128) >> 8;
  return MIN ((value + 128) >> 8, 255);
}

static void
convert_argb (GstClipReader *reader, guint8 *rgb)
{
  guint width = GST_VIDEO_INFO_WIDTH (&reader->info);

  for (guint x = 0; x < width; x++) {
    for (guint c = 0; c < 3; c++)
      rgb[3 * x + c] = reader->levels[reader->unpacked[4 * x + 1 + c]];
  }
}

static void
convert_argb64 (GstClipReader *reader, guint8 *rgb)
{
  const guint16 *argb = (const guint16 *)reader->unpacked;
  guint width = GST_VIDEO_INFO_WIDTH (&reader->info);

  for (guint x = 0; x < width; x++) {
    for (guint c = 0; c < 3; c++)
      rgb[3 * x + c] = reader->levels[narrow (reader, argb[4 * x + 1 + c])];
  }
}

static void
convert_components (GstClipReader *reader, guint8 *rgb)
{
  const guint16 *const yuv[3] = { reader->components[0], reader->components[1],
    reader->components[2] };

  clip_colour_convert (
      &reader->colour, GST_VIDEO_INFO_WIDTH (&reader->info), yuv, rgb);
}

static void
convert_ayuv (GstClipReader *reader, guint8 *rgb)
{
  guint width = GST_VIDEO_INFO_WIDTH (&reader->info);

  for (guint c = 0; c < 3; c++) {
    for (guint x = 0; x < width; x++)
      reader->components[c][x] = reader->unpacked[4 * x + 1 + c];
  }
  convert_components (reader, rgb);
}

static void
convert_ayuv64 (GstClipReader *reader, guint8 *rgb)
{
  const guint16 *ayuv = (const guint16 *)reader->unpacked;
  guint width = GST_VIDEO_INFO_WIDTH (&reader->info);

  for (guint c = 0; c < 3; c++) {
    for (guint x = 0; x < width; x++)
      reader->components[c][x] = ayuv[4 * x + 1 + c] >> SPARE_BITS;
  }
  convert_components (reader, rgb);
}

/* What unpack functions write, all that GstVideoFormatInfo knows. */
typedef struct {
  GstVideoFormat format;
  guint pixel_size; /* bytes */
  GstClipConvertRow convert;
} Unpacked;

/* clang-format off */
static const Unpacked unpacked_formats[] = {
  { GST_VIDEO_FORMAT_ARGB,   4, convert_argb },
  { GST_VIDEO_FORMAT_ARGB64, 8, convert_argb64 },
  { GST_VIDEO_FORMAT_AYUV,   4, convert_ayuv },
  { GST_VIDEO_FORMAT_AYUV64, 8, convert_ayuv64 },
};
/* clang-format on */

static void
prepare_rows (GstClipReader *reader)
{
  gsize width = (gsize)GST_VIDEO_INFO_WIDTH (&reader->info) + ROW_PADDING;

  for (guint i = 0; i < G_N_ELEMENTS (unpacked_formats); i++) {
    const Unpacked *row = &unpacked_formats[i];

    if (row->format == reader->info.finfo->unpack_format) {
      reader->convert = row->convert;
      reader->unpacked = g_malloc0 (width * row->pixel_size);
    }
  }
  for (guint c = 0; c < 3; c++)
    reader->components[c] = g_new0 (guint16, width);
  for (gint v = 0; v < 256; v++)
    reader->levels[v] = reader->colour.full_range
                            ? v
                            : CLAMP ((v - 16) * 255 + 109, 0, 255 * 219) / 219;
}

void
gst_clip_reader_clear (GstClipReader *reader)
{
  g_clear_pointer (&reader->unpacked, g_free);
  for (guint c = 0; c < 3; c++)
    g_clear_pointer (&reader->components[c], g_free);
}

void
gst_clip_reader_set_info (GstClipReader *reader, const GstVideoInfo *info)
{
  gst_clip_reader_clear (reader);
  reader->info = *info;
  gst_video_info_set_format (&reader->natural, GST_VIDEO_INFO_FORMAT (info),
      GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info));
  reader->colour = choose_colour (info);
  reader->layout = choose_layout (info);
  reader->colour.depth = choose_depth (info, reader->layout);
  if (reader->layout == CLIP_LAYOUT_ROWS)
    prepare_rows (reader);
}

static void
read_row (gpointer user_data, guint y, guint8 *rgb)
{
  GstClipReader *reader = user_data;
  const GstVideoFrame *frame = &reader->frame;
  GstVideoPackFlags flags = GST_VIDEO_PACK_FLAG_NONE;

  if (GST_VIDEO_FRAME_IS_INTERLACED (frame))
    flags |= GST_VIDEO_PACK_FLAG_INTERLACED;
  if (!reader->colour.full_range)
    flags |= GST_VIDEO_PACK_FLAG_TRUNCATE_RANGE;
  frame->info.finfo->unpack_func (frame->info.finfo, flags, reader->unpacked,
      frame->data, frame->info.stride, 0, y,
      GST_VIDEO_INFO_WIDTH (&reader->info));
  reader->convert (reader, rgb);
}

/* --- does the memory hold what caps and meta say? --- */

/* The bytes of plane @p that are read, relative to its first row: from
 * @first (0, or below where the stride is negative) to @end. */
static gboolean
get_extent (const GstClipReader *reader, guint p, gint64 *first, gint64 *end)
{
  const GstVideoFormatInfo *finfo = reader->info.finfo;
  gint stride = GST_VIDEO_FRAME_PLANE_STRIDE (&reader->frame, p);
  gint natural = GST_VIDEO_INFO_PLANE_STRIDE (&reader->natural, p);
  gint64 rows = 1, row_size = 0, span;

  *first = 0;
  if (GST_VIDEO_FORMAT_INFO_IS_TILED (finfo)) {
    *end = (gint64)GST_VIDEO_TILE_X_TILES (stride) *
           GST_VIDEO_TILE_Y_TILES (stride) *
           GST_VIDEO_FORMAT_INFO_TILE_SIZE (finfo, p);
    return GST_VIDEO_TILE_X_TILES (stride) >=
               GST_VIDEO_TILE_X_TILES (natural) &&
           GST_VIDEO_TILE_Y_TILES (stride) >= GST_VIDEO_TILE_Y_TILES (natural);
  }
  if (GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo) && p == 1) {
    *end = PALETTE_SIZE;
    return TRUE;
  }
  for (guint c = 0; c < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (finfo); c++) {
    gint64 pixel = GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, c);
    gint64 size = pixel * GST_VIDEO_INFO_COMP_WIDTH (&reader->info, c);

    if (GST_VIDEO_FORMAT_INFO_PLANE (finfo, c) != p)
      continue;
    rows = MAX (rows, GST_VIDEO_INFO_COMP_HEIGHT (&reader->info, c));
    row_size = MAX (row_size, pixel == 0 ? natural : size);
  }
  span = (gint64)stride * (rows - 1);
  *first = MIN (span, 0);
  *end = MAX (span, 0) + row_size;
  return TRUE;
}

static gboolean
is_covered (const GstClipReader *reader)
{
  const GstVideoFrame *frame = &reader->frame;
  gboolean each = frame->meta != NULL; /* else one map holds all planes */

  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES (frame); p++) {
    const GstMapInfo *map = &frame->map[each ? p : 0];
    gint64 offset = (const guint8 *)frame->data[p] - map->data;
    gint64 first, end;

    if (!get_extent (reader, p, &first, &end) || offset + first < 0 ||
        offset + end > (gint64)map->size)
      return FALSE;
  }
  return TRUE;
}

static gboolean
map_covered (GstClipReader *reader, GstBuffer *buffer)
{
  /* Not ours alone: its memories are not merged for good where it has several,
   * and one map holds all. */
  g_autoptr (GstBuffer) shared = gst_buffer_ref (buffer);

  if (!gst_video_frame_map (
          &reader->frame, &reader->info, buffer, GST_MAP_READ))
    return FALSE;
  if (gst_clip_crop_apply (&reader->frame, &reader->info,
          gst_buffer_get_video_crop_meta (buffer)) &&
      is_covered (reader))
    return TRUE;
  gst_video_frame_unmap (&reader->frame);
  return FALSE;
}

static void
copy_layout (GstBuffer *from, GstBuffer *to)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (from);
  const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (from);

  if (meta != NULL)
    gst_buffer_add_video_meta_full (to, meta->flags, meta->format, meta->width,
        meta->height, meta->n_planes, (gsize *)meta->offset,
        (gint *)meta->stride);
  if (crop != NULL) {
    GstVideoCropMeta *copy = gst_buffer_add_video_crop_meta (to);

    copy->x = crop->x;
    copy->y = crop->y;
    copy->width = crop->width;
    copy->height = crop->height;
  }
}

static gboolean
reads_past_end (const GstVideoInfo *info)
{
  for (guint i = 0; i < G_N_ELEMENTS (grouped_formats); i++) {
    if (grouped_formats[i] == GST_VIDEO_INFO_FORMAT (info))
      return GST_VIDEO_INFO_WIDTH (info) % 2 != 0;
  }
  return FALSE;
}

/* Where a plane begins in one memory and ends in the next. */
static gboolean
map_merged (GstClipReader *reader, GstBuffer *buffer)
{
  g_autoptr (GstBuffer) merged = NULL;

  if (gst_buffer_get_video_meta (buffer) == NULL ||
      gst_buffer_n_memory (buffer) < 2)
    return FALSE;
  merged = gst_buffer_copy_region (
      buffer, GST_BUFFER_COPY_MEMORY | GST_BUFFER_COPY_MERGE, 0, -1);
  if (merged == NULL)
    return FALSE;
  copy_layout (buffer, merged);
  return map_covered (reader, merged);
}

/* A copy of a buffer that is known to be covered. */
static gboolean
map_roomy (GstClipReader *reader, GstBuffer *buffer)
{
  gsize size = gst_buffer_get_size (buffer);
  guint8 *bytes = g_malloc0 (size + ROW_PADDING);
  g_autoptr (GstBuffer) roomy =
      gst_buffer_new_wrapped (bytes, size + ROW_PADDING);

  gst_buffer_extract (buffer, 0, bytes, size);
  copy_layout (buffer, roomy);
  return gst_video_frame_map (
      &reader->frame, &reader->info, roomy, GST_MAP_READ);
}

static gboolean
map_frame (GstClipReader *reader, GstBuffer *buffer)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);

  /* gst_video_frame_map() takes these for programming errors. */
  if (meta != NULL && (meta->format != GST_VIDEO_INFO_FORMAT (&reader->info) ||
                          (gint)meta->width < reader->info.width ||
                          (gint)meta->height < reader->info.height ||
                          meta->n_planes != reader->info.finfo->n_planes))
    return FALSE;
  if (!map_covered (reader, buffer) && !map_merged (reader, buffer))
    return FALSE;
  if (!reads_past_end (&reader->info))
    return TRUE;
  gst_video_frame_unmap (&reader->frame);
  return map_roomy (reader, buffer);
}

/* --- the view --- */

static void
fill_packed (const GstClipReader *reader, ClipFrame *view)
{
  const GstVideoFrame *frame = &reader->frame;

  view->planes[0] = GST_VIDEO_FRAME_PLANE_DATA (frame, 0);
  view->strides[0] = GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0);
  view->pixel_size = GST_VIDEO_FRAME_COMP_PSTRIDE (frame, 0);
  for (guint c = 0; c < 3; c++)
    view->offsets[c] = GST_VIDEO_FRAME_COMP_POFFSET (frame, c);
}

/* From the plane's beginning to component @c: words begin at even bytes, which
 * GstVideoFormatInfo of 1.22 has as 1 where V of P010 lies behind U. */
static guint
get_offset (const GstVideoFormatInfo *finfo, guint c)
{
  guint offset = GST_VIDEO_FORMAT_INFO_POFFSET (finfo, c);

  return GST_VIDEO_FORMAT_INFO_DEPTH (finfo, c) > 8 ? GST_ROUND_UP_2 (offset)
                                                    : offset;
}

/* A site that is not known is no site of its own, as for videoconvert. */
static void
fill_yuv (const GstClipReader *reader, ClipFrame *view)
{
  const GstVideoFrame *frame = &reader->frame;
  const GstVideoFormatInfo *finfo = frame->info.finfo;
  GstVideoChromaSite site = reader->info.chroma_site;
  ClipSamples *samples = &view->samples;

  for (guint c = 0; c < 3; c++) {
    view->planes[c] = (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA (
                          frame, GST_VIDEO_FORMAT_INFO_PLANE (finfo, c)) +
                      get_offset (finfo, c);
    view->strides[c] = GST_VIDEO_FRAME_COMP_STRIDE (frame, c);
    samples->steps[c] = GST_VIDEO_FRAME_COMP_PSTRIDE (frame, c);
  }
  samples->shift = GST_VIDEO_FORMAT_INFO_SHIFT (finfo, 0);
  samples->half_width = GST_VIDEO_FORMAT_INFO_W_SUB (finfo, 1) > 0;
  samples->half_height = GST_VIDEO_FORMAT_INFO_H_SUB (finfo, 1) > 0;
  samples->cosited_x = (site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0;
  samples->cosited_y = (site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0;
  samples->fields = GST_VIDEO_FRAME_IS_INTERLACED (frame);
}

static void
fill_rows (const GstClipReader *reader, ClipFrame *view)
{
  view->read_row = read_row;
}

static void (*const fills[]) (const GstClipReader *reader, ClipFrame *view) = {
  [CLIP_LAYOUT_PACKED] = fill_packed,
  [CLIP_LAYOUT_YUV] = fill_yuv,
  [CLIP_LAYOUT_ROWS] = fill_rows,
};

gboolean
gst_clip_reader_map (GstClipReader *reader, GstBuffer *buffer, ClipFrame *view)
{
  if (!map_frame (reader, buffer))
    return FALSE;
  *view = (ClipFrame){
    .layout = reader->layout,
    .colour = reader->colour,
    .user_data = reader,
  };
  fills[reader->layout](reader, view);
  return TRUE;
}

void
gst_clip_reader_unmap (GstClipReader *reader)
{
  gst_video_frame_unmap (&reader->frame);
}
