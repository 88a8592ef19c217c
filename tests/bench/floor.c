/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "floor.h"

#include "heads.h"

/* How often each way runs before one is chosen; the fastest run counts. */
#define N_TRIALS 5

/* All layers of one shape. */
typedef struct {
  Shape shape;
  guint n_layers;
  Product product; /* the way taken; of attention heads */
  Heads *heads;
  const gchar *taken;
  gdouble taken_ms; /* of one layer */
  const gchar *other;
  gdouble other_ms;
} Group;

/* One step of the model. */
typedef struct {
  guint group;
  guint layer; /* in its group */
} Step;

struct _Floor {
  ClipEngine *engine;
  ClipPrecision precision;
  Operands operands;
  GArray *groups; /* of Group */
  GArray *steps;  /* of Step */
  gdouble flops;
};

static Group *
get_group (const Floor *floor, guint i)
{
  return &g_array_index (floor->groups, Group, i);
}

static guint
find_group (Floor *floor, const Shape *shape)
{
  Group group = { .shape = *shape };

  for (guint i = 0; i < floor->groups->len; i++)
    if (memcmp (&get_group (floor, i)->shape, shape, sizeof *shape) == 0)
      return i;
  g_array_append_val (floor->groups, group);
  return floor->groups->len - 1;
}

static void
plan (Floor *floor, const ClipConfig *config, guint batch, gsize sizes[2])
{
  g_autoptr (GArray) shapes = shapes_new (config, batch);

  for (guint i = 0; i < shapes->len; i++) {
    const Shape *shape = &g_array_index (shapes, Shape, i);
    Step step = { .group = find_group (floor, shape) };

    step.layer = get_group (floor, step.group)->n_layers++;
    g_array_append_val (floor->steps, step);
    floor->flops += shape_flops (shape);
    sizes[0] = MAX (sizes[0], shape_src_size (shape));
    sizes[1] = MAX (sizes[1], shape_dst_size (shape));
  }
}

/* --- choosing --- */

static gboolean
run_layer (Group *group, guint layer, GError **error)
{
  return group->heads != NULL ? heads_run (group->heads, error)
                              : product_run (&group->product, layer, error);
}

/* A layer's milliseconds, from a run through all of them. */
static gboolean
time_layers (Group *group, gdouble *best_ms, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  gdouble ms;

  for (guint i = 0; i < group->n_layers; i++)
    if (!run_layer (group, i, error))
      return FALSE;
  ms = (g_get_monotonic_time () - start) / 1e3 / group->n_layers;
  *best_ms = MIN (*best_ms, ms);
  return TRUE;
}

/* In turns, so that what disturbs the machine disturbs both. */
static gboolean
time_both (Group *const groups[2], GError **error)
{
  for (guint way = 0; way < 2; way++)
    groups[way]->taken_ms = G_MAXDOUBLE;
  for (guint trial = 0; trial < N_TRIALS; trial++)
    for (guint way = 0; way < 2; way++)
      if (!time_layers (groups[way], &groups[way]->taken_ms, error))
        return FALSE;
  return TRUE;
}

static void
group_clear (gpointer data)
{
  Group *group = data;

  if (group->product.engine != NULL)
    product_clear (&group->product);
  g_clear_pointer (&group->heads, heads_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Group, group_clear)

static gboolean
build_way (Floor *floor, Group *group, guint way, GError **error)
{
  if (group->shape.kind == SHAPE_ATTENTION) {
    group->taken = head_way_name (way);
    group->heads = heads_new (floor->engine, &floor->operands, way,
        &group->shape, floor->precision, error);
    return group->heads != NULL;
  }
  group->taken = product_way_name (way);
  return product_init (&group->product, floor->engine, &floor->operands, way,
      &group->shape, shape_types (group->shape.role, floor->precision),
      group->n_layers, error);
}

/* The faster of two ways, which ends up in @group. */
static gboolean
choose (Floor *floor, Group *group, const guint ways[2], GError **error)
{
  g_auto (Group)
      second = { .shape = group->shape, .n_layers = group->n_layers };
  Group swapped;

  if (!build_way (floor, group, ways[0], error) ||
      !build_way (floor, &second, ways[1], error) ||
      !time_both ((Group *[2]){ group, &second }, error))
    return FALSE;
  if (second.taken_ms < group->taken_ms) {
    swapped = *group;
    *group = second;
    second = swapped;
  }
  group->other = second.taken;
  group->other_ms = second.taken_ms;
  return TRUE;
}

static gboolean
build_group (Floor *floor, Group *group, GError **error)
{
  static const guint products[2] = { PRODUCT_MATMUL, PRODUCT_INNER_PRODUCT };
  static const guint heads[2] = { HEADS_APART, HEADS_TOGETHER };

  switch (group->shape.kind) {
  case SHAPE_PRODUCT:
    return choose (floor, group, products, error);
  case SHAPE_ATTENTION:
    return choose (floor, group, heads, error);
  default:
    group->taken_ms = G_MAXDOUBLE;
    return build_way (floor, group, PRODUCT_CONVOLUTION, error) &&
           time_layers (group, &group->taken_ms, error) &&
           time_layers (group, &group->taken_ms, error);
  }
}

Floor *
floor_new (const ClipConfig *config, guint batch, guint n_threads,
    ClipPrecision precision, GError **error)
{
  g_autoptr (Floor) floor = g_new0 (Floor, 1);
  gsize sizes[2] = { 0 };

  floor->precision = precision;
  floor->groups = g_array_new (FALSE, TRUE, sizeof (Group));
  g_array_set_clear_func (floor->groups, group_clear);
  floor->steps = g_array_new (FALSE, FALSE, sizeof (Step));
  plan (floor, config, batch, sizes);
  floor->engine = clip_engine_new (n_threads, error);
  if (floor->engine == NULL || !operands_init (&floor->operands, sizes, error))
    return NULL;
  for (guint i = 0; i < floor->groups->len; i++) {
    Group *group = get_group (floor, i);

    if (!build_group (floor, group, error)) {
      g_autofree gchar *words = shape_describe (&group->shape);

      g_prefix_error (error, "the floor's %s: ", words);
      return NULL;
    }
  }
  return g_steal_pointer (&floor);
}

void
floor_free (Floor *floor)
{
  if (floor == NULL)
    return;
  g_array_unref (floor->groups);
  g_array_unref (floor->steps);
  operands_clear (&floor->operands);
  clip_engine_free (floor->engine);
  g_free (floor);
}

gboolean
floor_run (Floor *floor, gboolean hot, GError **error)
{
  for (guint i = 0; i < floor->steps->len; i++) {
    const Step *step = &g_array_index (floor->steps, Step, i);

    if (!run_layer (
            get_group (floor, step->group), hot ? 0 : step->layer, error))
      return FALSE;
  }
  return TRUE;
}

gdouble
floor_get_flops (const Floor *floor)
{
  return floor->flops;
}

gsize
floor_get_weights_size (const Floor *floor)
{
  gsize size = 0;

  for (guint i = 0; i < floor->groups->len; i++)
    size += get_group (floor, i)->product.weights_size;
  return size;
}

gchar *
floor_describe (const Floor *floor)
{
  GString *lines = g_string_new (NULL);

  for (guint i = 0; i < floor->groups->len; i++) {
    const Group *group = get_group (floor, i);
    g_autofree gchar *words = shape_describe (&group->shape);

    g_string_append_printf (lines, "  %2u x %-36s %7.3f ms  %5.0f GF/s  %s",
        group->n_layers, words, group->taken_ms,
        shape_flops (&group->shape) / group->taken_ms / 1e6, group->taken);
    if (group->other != NULL)
      g_string_append_printf (
          lines, " (%s %.3f)", group->other, group->other_ms);
    g_string_append_c (lines, '\n');
  }
  return g_string_free (lines, FALSE);
}
