/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The door of frame/: planes of a video frame become the model's picture,
 * 8-bit RGB, resized exactly as Pillow does it (bicubic with antialiasing, each
 * pass rounded to 8 bits), of which only the rows and columns that the crop
 * keeps are computed. No GStreamer, no allocation per frame. */
#pragma once

#include "frame/signature.h"

/* Sides of a frame, bounded so that every product fits 32 bits. */
#define CLIP_FRAME_MAX_SIDE 32768

typedef enum {
  CLIP_LAYOUT_PACKED, /* one plane, three bytes somewhere in each pixel */
  CLIP_LAYOUT_YUV,    /* Y', Cb, Cr, each sample somewhere by itself */
  CLIP_LAYOUT_ROWS    /* @read_row gives packed RGB, row by row */
} ClipLayout;

/* Y'CbCr to R'G'B', from the frame's colorimetry. */
typedef struct {
  gdouble kr, kb;      /* BT.601 0.299, 0.114; BT.709 0.2126, 0.0722; > 0, and
                          kr + kb < 0.8 */
  gboolean full_range; /* 0 … 255, else 16 … 235 / 16 … 240; with more bits as
                          many times that as ITU-R BT.2100 says */
  guint depth;         /* bits a value, 8 … 12 */
} ClipColour;

/* Where chroma lies among the samples of Y', and how each is stored. Between
 * two chroma samples it is interpolated in proportion, as video converters do:
 * repeated, its edges would be up to half a pixel off. */
typedef struct {
  guint steps[3]; /* bytes from sample to sample of a row: any for depth 8,
                     even for more, which come in 16-bit words as the machine
                     has them */
  guint shift;    /* bits of a word below its sample */
  gboolean half_width, half_height; /* one chroma sample for two of Y' */
  gboolean cosited_x, cosited_y;    /* it lies on the first of them, else
                                       halfway between */
  gboolean fields; /* rows are of two fields in turn; with @half_height, rows
                      of chroma too, each two for four of Y' */
} ClipSamples;

/* Writes row @y of the frame as @width RGB triplets. Called in the thread of
 * clip_preprocessor_run(), with @y ascending, each row at most once. */
typedef void (*ClipReadRow) (gpointer user_data, guint y, guint8 *rgb);

/* A view of a frame: owns nothing, lives for one call. */
typedef struct {
  ClipLayout layout;
  const guint8 *planes[3]; /* YUV: the first sample of Y', Cb and Cr; PACKED:
                              [0] */
  gint strides[3];         /* bytes from row to row; may be negative */
  guint pixel_size;        /* PACKED: bytes a pixel, 3 or 4 */
  guint offsets[3];        /* PACKED: of R, G, B in a pixel */
  ClipSamples samples;     /* YUV only, as the next */
  ClipColour colour;
  ClipReadRow read_row; /* ROWS only */
  gpointer user_data;
} ClipFrame;

typedef enum {
  CLIP_FIT_SHORTEST, /* short side to size, long side truncated; centre crop */
  CLIP_FIT_SQUASH,   /* both sides to size, no crop */
  CLIP_FIT_LONGEST   /* long side to size, black bars */
} ClipFit;

typedef enum {
  CLIP_KERNEL_BICUBIC, /* a = -0.5 */
  CLIP_KERNEL_BILINEAR
} ClipKernel;

/* How a model was trained to see. */
typedef struct {
  ClipFit fit;
  ClipKernel kernel;
  gboolean crop_floor; /* Hugging Face's offset; else round half to even */
  guint resize_size;   /* 1 … 2048 */
  guint size;          /* S: side of the picture, <= resize_size */
  gfloat mean[3];
  gfloat std[3];
} ClipPreprocess;

/* A row of pixels, for ClipReadRow functions that find Y'CbCr.
 *
 * @yuv: Y', Cb, Cr: n values each, chroma already one a pixel
 * @rgb: (out caller-allocates): n triplets, each value within 1 of the exact
 *   one */
void clip_colour_convert (const ClipColour *colour, guint n,
    const guint16 *const yuv[3], guint8 *rgb);

typedef struct _ClipPreprocessor ClipPreprocessor;

/* One for each stream: holds the coefficients for one source size. */
ClipPreprocessor *clip_preprocessor_new (const ClipPreprocess *preprocess);
void clip_preprocessor_free (ClipPreprocessor *preprocessor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipPreprocessor, clip_preprocessor_free)

/* How a frame as it is stored becomes what a viewer sees.
 *
 * Pixels that are not square are squared first: where they are wide the width,
 * where they are high the height is multiplied and rounded to whole pixels, and
 * SHORTEST and LONGEST fit these sides. It is one resize all the same, from the
 * stored pixels to the picture's; SQUASH takes both sides as they are.
 *
 * Then the picture is turned: transposed (x becomes y), then mirrored. The crop
 * is that of the turned frame; a value may be 2 off, since the two passes
 * of the resize come in the other order. */
typedef struct {
  guint width, height;         /* 1 … CLIP_FRAME_MAX_SIDE */
  guint pixel_width;           /* of a pixel, in any unit, > 0 */
  guint pixel_height;          /* in the same */
  gboolean transpose;          /* turns by 90 degrees mirror as well */
  gboolean mirror_x, mirror_y; /* of what is seen: left and right, top and
                                  bottom change places */
} ClipGeometry;

/* Prepares for such frames; the only call that allocates.
 *
 * Returns: FALSE with CLIP_ERROR_MODEL where a side is out of range, or by its
 *   pixels' shape would be longer than 2^19; the previous geometry stays in
 *   force. What the crop drops is never computed. */
gboolean clip_preprocessor_set_geometry (ClipPreprocessor *preprocessor,
    const ClipGeometry *geometry, GError **error);

/* As clip_preprocessor_set_geometry(), of square pixels, upright. */
gboolean clip_preprocessor_set_size (
    ClipPreprocessor *preprocessor, guint width, guint height, GError **error);

/* @frame: of the geometry set
 * @picture: (out caller-allocates): S x S x 3 bytes, RGB, rows top to bottom */
void clip_preprocessor_run (
    ClipPreprocessor *preprocessor, const ClipFrame *frame, guint8 *picture);

/* The part of the frame that the picture shows, as fractions of width and
 * height of the frame as it is stored: 0, 0, 1, 1 for the whole. */
void clip_preprocessor_get_region (const ClipPreprocessor *preprocessor,
    gdouble *x, gdouble *y, gdouble *width, gdouble *height);

/* (u8 / 255 - mean) / std, channel by channel.
 *
 * @picture: n_pixels RGB triplets
 * @pixels: (out caller-allocates): n_pixels x 3 floats, channels last */
void clip_preprocess_normalise (const ClipPreprocess *preprocess,
    gsize n_pixels, const guint8 *picture, gfloat *pixels);
