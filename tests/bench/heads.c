/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Letters: B batch, H heads, D their width, T tokens, Q queries. */

#include "heads.h"

#include "engine/memory.h"

#define CACHE_LINE_FLOATS 16

/* Scratch parts begin at a page, so that threads share no cache line. */
#define PAGE 4096

/* What one thread runs. */
typedef struct {
  dnnl_primitive_t scores, values;
  dnnl_memory_t q, k, s, p, v, dst, scratch;
  gboolean succeeded;
} Slot;

struct _Heads {
  ClipEngine *engine;
  Shape shape;
  HeadWay way;
  const ShapeTypes *types[2]; /* of scores and of values */
  guint8 *src, *dst;
  Slot *slots; /* [n_slots] */
  guint n_slots;
  guint8 *parts; /* [n_slots]: scores, then scratch */
  gsize part_size, scores_size;
};

static const gchar *const way_names[N_HEAD_WAYS] = {
  [HEADS_APART] = "a head a thread",
  [HEADS_TOGETHER] = "all heads at once",
};

const gchar *
head_way_name (HeadWay way)
{
  return way_names[way];
}

/* --- building --- */

typedef struct {
  ClipDesc q, k, s, p, v, dst;
} Descs;

static void
descs_clear (Descs *descs)
{
  ClipDesc *const list[] = { &descs->q, &descs->k, &descs->s, &descs->p,
    &descs->v, &descs->dst };

  for (guint i = 0; i < G_N_ELEMENTS (list); i++)
    clip_desc_clear (list[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Descs, descs_clear)

/* @dims, @strides: [B, H, rows, columns], of which a thread of its own sees the
 * last two */
static gboolean
init_desc (const Heads *heads, ClipDesc *desc, dnnl_data_type_t type,
    const gint64 dims[4], const gint64 strides[4], GError **error)
{
  guint first = heads->way == HEADS_APART ? 2 : 0;
  dnnl_dims_t all_dims = { 0 }, all_strides = { 0 };

  for (guint i = first; i < 4; i++) {
    all_dims[i - first] = dims[i];
    all_strides[i - first] = strides[i];
  }
  return CHECK (
      clip_desc_init_by_strides (desc, 4 - first, all_dims, type, all_strides));
}

/* Of one query the queries are rows of their own, beside k and v. */
static gint64
get_row (const Heads *heads, gboolean is_query)
{
  gint64 width = (gint64)heads->shape.heads * heads->shape.in;

  if (heads->shape.queries > 1)
    return 3 * width;
  return is_query ? width : 2 * width;
}

static gint64
get_scores_row (const Heads *heads)
{
  return (heads->shape.tokens + CACHE_LINE_FLOATS - 1) / CACHE_LINE_FLOATS *
         CACHE_LINE_FLOATS;
}

#define DESC(desc, type, dims, strides)                                        \
  init_desc (heads, desc, type, (gint64[])dims, (gint64[])strides, error)
#define LIST(...)                                                              \
  {                                                                            \
    __VA_ARGS__                                                                \
  }

static gboolean
init_descs (const Heads *heads, Descs *descs, GError **error)
{
  const Shape *shape = &heads->shape;
  const ShapeTypes *scores = heads->types[0], *values = heads->types[1];
  gint64 b = shape->batch, h = shape->heads, d = shape->in, t = shape->tokens,
         q = shape->queries, row = get_row (heads, FALSE),
         q_row = get_row (heads, TRUE), s_row = get_scores_row (heads);

  return DESC (&descs->q, scores->src, LIST (b, h, q, d),
             LIST (q * q_row, d, q_row, 1)) &&
         DESC (&descs->k, scores->weights, LIST (b, h, d, t),
             LIST (t * row, d, 1, row)) &&
         DESC (&descs->s, scores->dst, LIST (b, h, q, t),
             LIST (h * q * s_row, q * s_row, s_row, 1)) &&
         DESC (&descs->p, values->src, LIST (b, h, q, t),
             LIST (h * q * s_row, q * s_row, s_row, 1)) &&
         DESC (&descs->v, values->weights, LIST (b, h, t, d),
             LIST (t * row, d, row, 1)) &&
         DESC (&descs->dst, values->dst, LIST (b, h, q, d),
             LIST (q * h * d, d, h * d, 1));
}

static gboolean
build_product (Heads *heads, const ClipDesc *const list[4],
    dnnl_primitive_t *primitive, gsize *scratch_size, GError **error)
{
  g_auto (dnnl_primitive_attr_t) attr = NULL;
  g_auto (dnnl_primitive_desc_t) pd = NULL;

  if (!CHECK (product_attr (&attr)) ||
      !CHECK (clip_dnnl_matmul (&pd, heads->engine->dnnl, list, attr)))
    return FALSE;
  *scratch_size = MAX (*scratch_size,
      dnnl_memory_desc_get_size (
          dnnl_primitive_desc_query_md (pd, dnnl_query_scratchpad_md, 0)));
  return CHECK (dnnl_primitive_create (primitive, pd));
}

static gboolean
build_slot (Heads *heads, Slot *slot, const Descs *descs, gsize *scratch_size,
    GError **error)
{
  const ClipDesc *const scores[4] = { &descs->q, &descs->k, NULL, &descs->s };
  const ClipDesc *const values[4] = { &descs->p, &descs->v, NULL, &descs->dst };
  const struct {
    dnnl_memory_t *memory;
    const ClipDesc *desc;
  } memories[] = { { &slot->q, &descs->q }, { &slot->k, &descs->k },
    { &slot->s, &descs->s }, { &slot->p, &descs->p }, { &slot->v, &descs->v },
    { &slot->dst, &descs->dst } };

  for (guint i = 0; i < G_N_ELEMENTS (memories); i++)
    if (!CHECK (dnnl_memory_create (memories[i].memory,
            clip_desc (memories[i].desc), heads->engine->dnnl,
            DNNL_MEMORY_NONE)))
      return FALSE;
  return build_product (heads, scores, &slot->scores, scratch_size, error) &&
         build_product (heads, values, &slot->values, scratch_size, error);
}

/* The scratch of a slot, which fits either of its products. */
static gboolean
build_parts (Heads *heads, gsize scratch_size, GError **error)
{
  const Shape *shape = &heads->shape;
  gsize n_heads = heads->way == HEADS_APART ? 1 : shape->batch * shape->heads;
  g_auto (ClipDesc) scratch = { 0 };

  heads->scores_size =
      (n_heads * shape->queries * get_scores_row (heads) * sizeof (gfloat) +
          PAGE - 1) /
      PAGE * PAGE;
  heads->part_size =
      heads->scores_size + (scratch_size + PAGE - 1) / PAGE * PAGE;
  heads->parts = clip_memory_alloc (heads->n_slots * heads->part_size, error);
  if (heads->parts == NULL ||
      !CHECK (clip_desc_init_by_tag (&scratch, 1,
          (dnnl_dims_t){ MAX (scratch_size, 1) }, dnnl_u8, dnnl_a)))
    return FALSE;
  for (guint i = 0; i < heads->n_slots; i++)
    if (!CHECK (dnnl_memory_create (&heads->slots[i].scratch,
            clip_desc (&scratch), heads->engine->dnnl,
            heads->parts + i * heads->part_size + heads->scores_size)))
      return FALSE;
  return TRUE;
}

static gboolean
build (Heads *heads, GError **error)
{
  gsize scratch_size = 0;
  g_auto (Descs) descs = { 0 };

  if (!init_descs (heads, &descs, error))
    return FALSE;
  for (guint i = 0; i < heads->n_slots; i++)
    if (!build_slot (heads, &heads->slots[i], &descs, &scratch_size, error))
      return FALSE;
  return build_parts (heads, scratch_size, error);
}

Heads *
heads_new (ClipEngine *engine, const Operands *operands, HeadWay way,
    const Shape *shape, ClipPrecision precision, GError **error)
{
  Heads *heads = g_new0 (Heads, 1);
  gboolean built;

  heads->engine = engine;
  heads->shape = *shape;
  heads->way = way;
  heads->types[0] = shape_types (ROLE_SCORES, precision);
  heads->types[1] = shape_types (ROLE_VALUES, precision);
  heads->src = operands_src (operands, heads->types[0]->src);
  heads->dst = operands->dst;
  heads->n_slots = way == HEADS_APART ? engine->n_threads : 1;
  heads->slots = g_new0 (Slot, heads->n_slots);
  if (way == HEADS_APART)
    clip_engine_set_team (1);
  built = build (heads, error);
  clip_engine_set_team (engine->n_threads);
  if (!built)
    g_clear_pointer (&heads, heads_free);
  return heads;
}

void
heads_free (Heads *heads)
{
  if (heads == NULL)
    return;
  for (guint i = 0; i < heads->n_slots; i++) {
    const Slot *slot = &heads->slots[i];
    const dnnl_memory_t memories[] = { slot->q, slot->k, slot->s, slot->p,
      slot->v, slot->dst, slot->scratch };

    for (guint j = 0; j < G_N_ELEMENTS (memories); j++)
      if (memories[j] != NULL)
        dnnl_memory_destroy (memories[j]);
    if (slot->scores != NULL)
      dnnl_primitive_destroy (slot->scores);
    if (slot->values != NULL)
      dnnl_primitive_destroy (slot->values);
  }
  g_free (heads->slots);
  clip_memory_free (heads->parts);
  g_free (heads);
}

/* --- running --- */

/* @q, @k, @v, @dst: elements from the beginning of src and dst */
static gboolean
run_slot (const Heads *heads, guint part, const gsize at[4], GError **error)
{
  const Slot *slot = &heads->slots[part];
  gsize size = heads->types[0]->src == dnnl_f32 ? 4 : 2;
  gsize dst_size = heads->types[1]->dst == dnnl_f32 ? 4 : 2;
  dnnl_stream_t stream = heads->engine->streams[part];
  guint8 *scores = heads->parts + part * heads->part_size;
  /* The softmax, which is not done, would write them there or beside them;
   * what the bits mean in another type costs nothing. */
  gpointer p = scores;

  return CHECK (dnnl_memory_set_data_handle (
             slot->q, heads->src + at[0] * size)) &&
         CHECK (dnnl_memory_set_data_handle (
             slot->k, heads->src + at[1] * size)) &&
         CHECK (dnnl_memory_set_data_handle (slot->s, scores)) &&
         CHECK (dnnl_primitive_execute (slot->scores, stream, 4,
             (dnnl_exec_arg_t[]){ { DNNL_ARG_SRC, slot->q },
                 { DNNL_ARG_WEIGHTS, slot->k }, { DNNL_ARG_DST, slot->s },
                 { DNNL_ARG_SCRATCHPAD, slot->scratch } })) &&
         CHECK (dnnl_memory_set_data_handle (slot->p, p)) &&
         CHECK (dnnl_memory_set_data_handle (
             slot->v, heads->src + at[2] * size)) &&
         CHECK (dnnl_memory_set_data_handle (
             slot->dst, heads->dst + at[3] * dst_size)) &&
         CHECK (dnnl_primitive_execute (slot->values, stream, 4,
             (dnnl_exec_arg_t[]){ { DNNL_ARG_SRC, slot->p },
                 { DNNL_ARG_WEIGHTS, slot->v }, { DNNL_ARG_DST, slot->dst },
                 { DNNL_ARG_SCRATCHPAD, slot->scratch } }));
}

static void
run_part (gconstpointer job, guint part, guint from, guint to)
{
  const Heads *heads = job;
  const Shape *shape = &heads->shape;
  gsize row = get_row (heads, FALSE), q_row = get_row (heads, TRUE);
  gsize width = (gsize)shape->heads * shape->in;
  gsize k = shape->queries > 1 ? width : 0;
  gboolean succeeded = TRUE;

  for (guint i = from; i < to && succeeded; i++) {
    gsize b = i / shape->heads, column = (gsize)(i % shape->heads) * shape->in;
    const gsize at[4] = { b * shape->queries * q_row + column,
      b * shape->tokens * row + k + column,
      b * shape->tokens * row + k + width + column,
      b * shape->queries * width + column };

    succeeded = run_slot (heads, part, at, NULL);
  }
  heads->slots[part].succeeded = succeeded;
}

gboolean
heads_run (Heads *heads, GError **error)
{
  const Shape *shape = &heads->shape;
  gsize width = (gsize)shape->heads * shape->in;
  gsize k = shape->queries > 1 ? width : 0;
  guint n_heads = shape->batch * shape->heads;

  if (heads->way == HEADS_TOGETHER)
    return run_slot (heads, 0, (gsize[4]){ 0, k, k + width, 0 }, error);
  for (guint i = 0; i < heads->n_slots; i++)
    heads->slots[i].succeeded = TRUE;
  clip_engine_set_team (1);
  clip_engine_share (heads->engine, n_heads,
      (gsize)n_heads * shape->queries * shape->tokens * shape->in, run_part,
      heads);
  clip_engine_set_team (heads->engine->n_threads);
  for (guint i = 0; i < heads->n_slots; i++)
    if (!heads->slots[i].succeeded)
      return CHECK (dnnl_runtime_error);
  return TRUE;
}
