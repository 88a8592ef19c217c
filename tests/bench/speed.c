/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The encoder of pictures against the floor, in turns. */

#include "bench.h"

#include "floor.h"
#include "machine.h"
#include "support.h"

#include "engine/memory.h"

#include <stdio.h>

/* A camera's pause, in which idle threads of the team stop looking for work. */
#define PAUSE_US 5000

/* What the program, its libraries and oneDNN's code may take. */
#define ALLOWED_MIB 48
#define MIB (1024.0 * 1024)

typedef struct {
  const BenchOptions *options;
  const ClipModelInfo *info;
  ClipEncoder *encoder;
  Floor *floor;
  guint8 *pictures[CLIP_ENCODER_MAX_BATCH];
  gfloat *embeddings;
  gdouble held_mib;                                /* of the encoder */
  GArray *encoder_ms, *floor_ms, *hot_ms, *ratios; /* of gdouble */
} Speed;

static void
speed_clear (Speed *speed)
{
  GArray *const lists[] = { speed->encoder_ms, speed->floor_ms, speed->hot_ms,
    speed->ratios };

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    g_array_unref (lists[i]);
  floor_free (speed->floor);
  clip_encoder_free (speed->encoder);
  for (guint i = 0; i < CLIP_ENCODER_MAX_BATCH; i++)
    g_free (speed->pictures[i]);
  g_free (speed->embeddings);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Speed, speed_clear)

static gboolean
run_encoder (Speed *speed, GError **error)
{
  return clip_encoder_encode_pictures (speed->encoder, speed->options->batch,
      (const guint8 *const *)speed->pictures, speed->embeddings, error);
}

static gboolean
run_floor (Speed *speed, GError **error)
{
  return floor_run (speed->floor, FALSE, error);
}

static gboolean
run_hot (Speed *speed, GError **error)
{
  return floor_run (speed->floor, TRUE, error);
}

static gboolean
time_run (Speed *speed, gboolean (*run) (Speed *, GError **), GArray *all,
    gdouble *ms, GError **error)
{
  gint64 start = g_get_monotonic_time ();

  if (!run (speed, error))
    return FALSE;
  *ms = machine_ms_since (start);
  g_array_append_val (all, *ms);
  return TRUE;
}

/* Who begins changes, so that neither always follows the other's pause. */
static gboolean
run_round (Speed *speed, guint round, GError **error)
{
  gdouble encoder_ms, floor_ms, hot_ms, ratio;

  if (round % 2 == 1 &&
      !time_run (speed, run_floor, speed->floor_ms, &floor_ms, error))
    return FALSE;
  if (!time_run (speed, run_encoder, speed->encoder_ms, &encoder_ms, error))
    return FALSE;
  if (round % 2 == 0 &&
      !time_run (speed, run_floor, speed->floor_ms, &floor_ms, error))
    return FALSE;
  ratio = encoder_ms / floor_ms;
  g_array_append_val (speed->ratios, ratio);
  return time_run (speed, run_hot, speed->hot_ms, &hot_ms, error);
}

/* What a result costs all CPUs together, the team's waiting included. */
static gboolean
measure_cpu (Speed *speed, gdouble *cpu_ms, GError **error)
{
  guint n_runs = speed->options->n_rounds;
  gdouble start;

  g_usleep (PAUSE_US);
  start = machine_process_seconds ();
  for (guint i = 0; i < n_runs; i++) {
    if (!run_encoder (speed, error))
      return FALSE;
    g_usleep (PAUSE_US);
  }
  *cpu_ms = (machine_process_seconds () - start) * 1e3 /
            (n_runs * speed->options->batch);
  return TRUE;
}

static gboolean
open_encoder (Speed *speed, ClipModel *model, GError **error)
{
  const BenchOptions *options = speed->options;
  const ClipEncoderOptions encoder = { .n_threads = options->n_threads,
    .max_batch = options->batch,
    .precision = options->precision };
  gsize side = speed->info->image_size;

  speed->encoder = clip_encoder_new (model, &encoder, error);
  if (speed->encoder == NULL)
    return FALSE;
  speed->held_mib = clip_memory_get_held () / MIB;
  speed->embeddings =
      g_new (gfloat, (gsize)options->batch * speed->info->embed_dim);
  for (guint i = 0; i < options->batch; i++) {
    speed->pictures[i] = g_malloc (side * side * 3);
    for (gsize j = 0; j < side * side * 3; j++)
      speed->pictures[i][j] = (guint8)(128 + 127 * test_uniform (j, "picture"));
  }
  return run_encoder (speed, error);
}

static void
report_memory (const Speed *speed, json_t *report)
{
  gdouble resident = machine_resident_mib ();
  gdouble packed = clip_encoder_get_packed_size (speed->encoder) / MIB;
  gdouble activations = speed->held_mib - packed;
  gdouble allowed = 1.1 * packed + activations + ALLOWED_MIB;

  printf ("memory     %8.1f MiB resident, allowed %.1f: 1.1 x %.1f packed, "
          "%.1f of activations and scratch, %d\n",
      resident, allowed, packed, activations, ALLOWED_MIB);
  bench_set_number (report, "resident_mib", resident);
  bench_set_number (report, "packed_mib", packed);
  bench_set_number (report, "activation_mib", activations);
  bench_set_number (report, "allowed_mib", allowed);
}

static void
report_times (const Speed *speed, json_t *report)
{
  const struct {
    const gchar *words;
    const gchar *key;
    GArray *ms;
  } rows[] = {
    { "encoder", "encode_ms", speed->encoder_ms },
    { "floor", "floor_ms", speed->floor_ms },
    { "hot floor", "hot_floor_ms", speed->hot_ms },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    gdouble ms = machine_median (rows[i].ms);

    printf ("%-10s %8.2f ms (%.2f … %.2f), %.0f GF/s\n", rows[i].words, ms,
        machine_quantile (rows[i].ms, 0.25),
        machine_quantile (rows[i].ms, 0.75),
        floor_get_flops (speed->floor) / ms / 1e6);
    bench_set_number (report, rows[i].key, ms);
  }
  bench_set_number (report, "encode_gflops",
      floor_get_flops (speed->floor) / machine_median (speed->encoder_ms) /
          1e6);
  printf ("            the floor reads %.0f MiB of weights: %.1f GB/s\n",
      floor_get_weights_size (speed->floor) / MIB,
      floor_get_weights_size (speed->floor) / machine_median (speed->floor_ms) /
          1e6);
  printf ("ratio      %8.3f (%.3f … %.3f): median and quarters of %u rounds\n",
      machine_median (speed->ratios), machine_quantile (speed->ratios, 0.25),
      machine_quantile (speed->ratios, 0.75), speed->ratios->len);
  bench_set_number (report, "ratio", machine_median (speed->ratios));
}

/* What onnx-time.py makes its own model of. */
static json_t *
describe_vision (const ClipConfig *config)
{
  const ClipVisionConfig *vision = &config->vision;
  const guint *stages = vision->stage_layers;

  if (vision->kind == CLIP_VISION_TRANSFORMER)
    return json_pack ("{s:i, s:i, s:i, s:[i], s:i, s:i, s:i}", "side",
        vision->image_size, "patch", vision->patch_size, "width", vision->width,
        "layers", vision->n_layers, "heads", vision->heads, "mlp",
        vision->mlp_width, "embedding", config->embed_dim);
  return json_pack ("{s:i, s:i, s:[i, i, i, i], s:i, s:i}", "side",
      vision->image_size, "width", vision->width, "layers", stages[0],
      stages[1], stages[2], stages[3], "heads", vision->heads, "embedding",
      config->embed_dim);
}

static gboolean
measure (Speed *speed, json_t *report, GError **error)
{
  gdouble cpu_ms;

  for (guint i = 0; i < speed->options->n_rounds; i++)
    if (!run_round (speed, i, error))
      return FALSE;
  if (!measure_cpu (speed, &cpu_ms, error))
    return FALSE;
  report_times (speed, report);
  printf ("CPU        %8.2f ms for a picture\n", cpu_ms);
  bench_set_number (report, "cpu_ms", cpu_ms);
  return TRUE;
}

gboolean
bench_speed (const BenchOptions *options, json_t *report, GError **error)
{
  g_auto (Speed) speed = {
    .options = options,
    .encoder_ms = g_array_new (FALSE, FALSE, sizeof (gdouble)),
    .floor_ms = g_array_new (FALSE, FALSE, sizeof (gdouble)),
    .hot_ms = g_array_new (FALSE, FALSE, sizeof (gdouble)),
    .ratios = g_array_new (FALSE, FALSE, sizeof (gdouble)),
  };
  g_autoptr (ClipModel) model = clip_model_open (options->model, error);
  g_autofree gchar *choices = NULL;
  ClipPrecision precision;

  if (model == NULL)
    return FALSE;
  speed.info = clip_model_get_info (model);
  if (!open_encoder (&speed, model, error))
    return FALSE;
  precision = clip_encoder_get_precision (speed.encoder);
  printf ("%s, %s, %u threads, batch %u, %s\n", options->name,
      clip_precision_get_name (precision),
      clip_encoder_get_n_threads (speed.encoder), options->batch,
      clip_encoder_describe (speed.encoder));
  if (options->precision != CLIP_PRECISION_AUTO &&
      options->precision != precision)
    printf ("%s cannot be had here\n",
        clip_precision_get_name (options->precision));
  json_object_set_new (
      report, "precision", json_string (clip_precision_get_name (precision)));
  json_object_set_new (
      report, "dnnl", json_string (clip_encoder_describe (speed.encoder)));
  json_object_set_new (report, "vision",
      describe_vision (
          clip_checkpoint_get_config (clip_model_get_checkpoint (model))));
  report_memory (&speed, report);
  speed.floor =
      floor_new (clip_checkpoint_get_config (clip_model_get_checkpoint (model)),
          options->batch, options->n_threads, precision, error);
  if (speed.floor == NULL || !run_floor (&speed, error))
    return FALSE;
  choices = floor_describe (speed.floor);
  printf ("the floor, by shape:\n%s", choices);
  return measure (&speed, report, error);
}
