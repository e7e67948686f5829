/* Plug-ins that do what they must not, one per HOSTILE_..., and one that is right (none of them). */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "host/plugin/exarch_plugin.h"

static const int64_t numbers[] = {3, 1, 2};
#if defined(HOSTILE_LABELS)
static const char* const labels[] = {"a", "b", "a"};
#else
static const char* const labels[] = {"a", "b", "c"};
#endif

static const exarch_plugin_parameter parameters[] = {
    {"x", "", "a number", NULL, numbers, 3, 0},
#if defined(HOSTILE_VALUES)
    {"kind", "", "both", labels, numbers, 3, 0},
#elif defined(HOSTILE_DEFAULT)
    {"kind", "", "a label", labels, NULL, 3, 3},
#elif defined(HOSTILE_NAME)
    {"ki nd", "", "a label", labels, NULL, 3, 0},
#elif defined(HOSTILE_TWICE)
    {"X", "", "a label", labels, NULL, 3, 0},
#else
    {"kind", NULL, NULL, labels, NULL, 3, 1},
#endif
};
static const exarch_plugin_metric metrics[] = {{"y", "1", ""}, {"z", "1", ""}};
#if defined(HOSTILE_OBJECTIVE)
static const exarch_plugin_objective objectives[] = {{"o", "min:w"}};
#else
static const exarch_plugin_objective objectives[] = {{"o", "min:y"}};
#endif

static int evaluate(void* state, uint64_t workload, const int64_t* designs, uint64_t count, double* results, char* error,
                    uint64_t error_size) {
  (void)state, (void)workload, (void)error, (void)error_size;
#if defined(HOSTILE_FAILS)
  snprintf(error, error_size, "no licence for %d", 7);
  return 1;
#elif defined(HOSTILE_FAILS_SILENTLY)
  memset(error, 'x', error_size); /* no zero at its end */
  return -1;
#endif
  for (uint64_t i = 0; i < count; ++i) {
    results[2 * i] = (double)(10 * designs[2 * i] + designs[2 * i + 1]);
    results[2 * i + 1] = designs[2 * i] == 2 ? NAN : 1e-9; /* x = 2 has no result */
  }
#if defined(HOSTILE_FEWER)
  results[2 * count - 1] = results[2 * count]; /* as it was */
#elif defined(HOSTILE_MORE)
  results[2 * count] = 0;
#endif
  return 0;
}

static const exarch_plugin plugin = {
#if defined(HOSTILE_VERSION)
    99,
#else
    EXARCH_PLUGIN_ABI,
#endif
#if defined(HOSTILE_SIZE)
    8,
#else
    sizeof(exarch_plugin),
#endif
#if defined(HOSTILE_TAKEN)
    "dram",
#else
    "plain",
#endif
    "a test",
#if defined(HOSTILE_NO_VERSION)
    NULL,
#else
    "1",
#endif
    parameters,
#if defined(HOSTILE_COUNT)
    1ull << 40,
#else
    2,
#endif
#if defined(HOSTILE_NO_TABLE)
    NULL,
#else
    metrics,
#endif
    2,          objectives, 1, NULL, 0, NULL, 0,
#if defined(HOSTILE_FLAGS)
    128,
#else
    0,
#endif
    NULL,
#if defined(HOSTILE_NO_FUNCTION)
    NULL
#else
    evaluate
#endif
};

#if defined(HOSTILE_SYMBOL)
EXARCH_PLUGIN_EXPORT const exarch_plugin* exarch_get_plug(void) {
#else
EXARCH_PLUGIN_EXPORT const exarch_plugin* exarch_get_plugin(void) {
#endif
#if defined(HOSTILE_NULL)
  return NULL;
#endif
  return &plugin;
}
