/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "engine/engine-private.h"

#include "clip-error.h"
#include "engine/memory.h"
#include "engine/patience.h"

#ifdef _OPENMP
#include <omp.h>
#else
/* clang has no omp.h without a second runtime; libgomp is there all the same,
 * under oneDNN. */
extern int omp_get_num_procs (void);
extern int omp_get_thread_limit (void);
extern int omp_get_max_active_levels (void);
extern void omp_set_dynamic (int dynamic);
extern void omp_set_num_threads (int n_threads);
#endif

/* Below this many floats a team costs more than it brings (a region of two
 * threads is about 2 us, 16 K floats of layer norm 4 us). */
#define MIN_SHARED_FLOATS (16u << 10)

typedef struct {
  dnnl_cpu_isa_t isa;
  const gchar *name;
} IsaName;

/* Ascending: the last whose bits are all there is the one. */
static const IsaName isa_names[] = {
  { dnnl_cpu_isa_sse41, "sse41" },
  { dnnl_cpu_isa_avx, "avx" },
  { dnnl_cpu_isa_avx2, "avx2" },
  { dnnl_cpu_isa_avx2_vnni, "avx2_vnni" },
  { dnnl_cpu_isa_avx512_core, "avx512_core" },
  { dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni" },
  { dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16" },
  { dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx" },
};

static gboolean
has_isa (dnnl_cpu_isa_t isa)
{
  return (dnnl_get_effective_cpu_isa () & (guint)isa) == (guint)isa;
}

static const gchar *
get_isa_name (void)
{
  const gchar *name = "generic";

  for (guint i = 0; i < G_N_ELEMENTS (isa_names); i++)
    if (has_isa (isa_names[i].isa))
      name = isa_names[i].name;
  return name;
}

gboolean
clip_engine_check (dnnl_status_t status, const gchar *call, GError **error)
{
  if (status == dnnl_success)
    return TRUE;
  g_set_error (error, CLIP_ERROR,
      status == dnnl_out_of_memory ? CLIP_ERROR_NO_SPACE : CLIP_ERROR_COMPUTE,
      "%s: %s", call, dnnl_status2str (status));
  return FALSE;
}

gboolean
clip_engine_check_dims (
    const gchar *what, const guint64 *dims, guint n_dims, GError **error)
{
  guint64 n_elements = 1;

  for (guint i = 0; i < n_dims; i++) {
    if (dims[i] < 1 || dims[i] > CLIP_ENGINE_MAX_DIM) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
          "dimension %u of %s is %" G_GUINT64_FORMAT ", not 1 to %u", i, what,
          dims[i], CLIP_ENGINE_MAX_DIM);
      return FALSE;
    }
    /* Both factors are below 2^32 here. */
    n_elements *= dims[i];
    if (n_elements > CLIP_ENGINE_MAX_ELEMENTS) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
          "%s has more than %" G_GUINT64_FORMAT
          " elements: use a smaller model or a smaller batch",
          what, CLIP_ENGINE_MAX_ELEMENTS);
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
clip_engine_check_counts (
    const gchar *what, const guint *counts, guint n_counts, GError **error)
{
  if (n_counts < 1 || n_counts > CLIP_ENGINE_MAX_SHAPES) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
        "%u different %s, not 1 to %u", n_counts, what, CLIP_ENGINE_MAX_SHAPES);
    return FALSE;
  }
  for (guint i = 1; i < n_counts; i++)
    if (counts[i] <= counts[i - 1]) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
          "%s are not ascending: %u after %u", what, counts[i], counts[i - 1]);
      return FALSE;
    }
  return TRUE;
}

gboolean
clip_engine_check_thread (const ClipEngine *engine, GError **error)
{
  if (engine->thread == g_thread_self ())
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
      "an engine was used in a thread that did not make it");
  return FALSE;
}

static gboolean
enlarge (guint8 **memory, gsize *old_size, gsize size, GError **error)
{
  guint8 *larger;

  if (size <= *old_size)
    return TRUE;
  larger = clip_memory_alloc (size, error);
  if (larger == NULL)
    return FALSE;
  clip_memory_free (*memory);
  *memory = larger;
  *old_size = size;
  return TRUE;
}

gboolean
clip_engine_reserve (ClipEngine *engine, gsize size, GError **error)
{
  return enlarge (&engine->scratch, &engine->scratch_size, size, error);
}

gboolean
clip_engine_reserve_codes (
    ClipEngine *engine, gsize size, gsize rows_size, GError **error)
{
  return enlarge (&engine->codes, &engine->codes_size, size, error) &&
         enlarge (
             &engine->code_rows, &engine->code_rows_size, rows_size, error);
}

void
clip_engine_set_team (guint n_threads)
{
  omp_set_num_threads (n_threads);
}

void
clip_engine_share (const ClipEngine *engine, guint n_items, gsize n_floats,
    ClipPartFunc func, gconstpointer job)
{
  guint n_parts = MIN (engine->n_threads, n_items);

  if (n_parts <= 1 || n_floats < MIN_SHARED_FLOATS) {
    func (job, 0, 0, n_items);
    return;
  }
#pragma omp parallel for num_threads(n_parts) schedule(static)
  for (guint i = 0; i < n_parts; i++)
    func (job, i, (guint64)n_items * i / n_parts,
        (guint64)n_items * (i + 1) / n_parts);
}

/* oneDNN divides its work by the team it was promised: a smaller one (a thread
 * limit, the dynamic adjustment, no parallel level) would leave parts undone.
 */
static guint
settle_team (guint n_threads)
{
  gint limit = MIN (omp_get_num_procs (), omp_get_thread_limit ());

  if (omp_get_max_active_levels () < 1)
    limit = 1;
  n_threads = CLAMP (n_threads, 1, (guint)MAX (limit, 1));
  omp_set_dynamic (FALSE);
  clip_engine_set_team (n_threads);
  return n_threads;
}

ClipEngine *
clip_engine_new (guint n_threads, GError **error)
{
  g_autoptr (ClipEngine) engine = g_new0 (ClipEngine, 1);
  const dnnl_version_t *version = dnnl_version ();

  engine->thread = g_thread_self ();
  engine->n_threads = settle_team (n_threads);
  clip_patience_limit (engine->n_threads);
  engine->streams = g_new0 (dnnl_stream_t, engine->n_threads);
  if (!CHECK (dnnl_engine_create (&engine->dnnl, dnnl_cpu, 0)))
    return NULL;
  for (guint i = 0; i < engine->n_threads; i++)
    if (!CHECK (dnnl_stream_create (
            &engine->streams[i], engine->dnnl, dnnl_stream_default_flags)))
      return NULL;
  engine->description = g_strdup_printf ("oneDNN %d.%d.%d, %s", version->major,
      version->minor, version->patch, get_isa_name ());
  return g_steal_pointer (&engine);
}

void
clip_engine_set_turn (ClipEngine *engine,
    void (*turn) (gboolean begins, gpointer user_data), gpointer user_data)
{
  engine->turn = turn;
  engine->turn_data = user_data;
}

void
clip_engine_take_turn (ClipEngine *engine, gboolean begins)
{
  if (engine->turn != NULL)
    engine->turn (begins, engine->turn_data);
}

void
clip_engine_free (ClipEngine *engine)
{
  if (engine == NULL)
    return;
  for (guint i = 0; i < engine->n_threads; i++)
    if (engine->streams[i] != NULL)
      dnnl_stream_destroy (engine->streams[i]);
  if (engine->dnnl != NULL)
    dnnl_engine_destroy (engine->dnnl);
  g_free (engine->streams);
  clip_memory_free (engine->scratch);
  clip_memory_free (engine->codes);
  clip_memory_free (engine->code_rows);
  g_free (engine->description);
  g_free (engine);
}

/* Without VNNI a product of bytes is added up in 16 bits first, where it
 * overflows. */
ClipPrecision
clip_engine_choose_precision (ClipPrecision wanted)
{
  if (wanted == CLIP_PRECISION_INT8 &&
      (has_isa (dnnl_cpu_isa_avx512_core_vnni) ||
          has_isa (dnnl_cpu_isa_avx2_vnni)))
    return CLIP_PRECISION_INT8;
  if (wanted == CLIP_PRECISION_F32 || !has_isa (dnnl_cpu_isa_avx512_core_bf16))
    return CLIP_PRECISION_F32;
  return CLIP_PRECISION_BF16;
}

guint
clip_engine_get_n_threads (const ClipEngine *engine)
{
  return engine->n_threads;
}

gsize
clip_engine_get_packed_size (const ClipEngine *engine)
{
  return engine->packed_size;
}

const gchar *
clip_engine_describe (const ClipEngine *engine)
{
  return engine->description;
}

gpointer
clip_engine_alloc (gsize n, ClipNumber number, GError **error)
{
  gsize size;

  if (!g_size_checked_mul (&size, n, clip_number_get_size (number)))
    size = G_MAXSIZE;
  return clip_memory_alloc (size, error);
}

void
clip_engine_free_values (gpointer values)
{
  clip_memory_free (values);
}
