/* A cost model of your own as a shared library, in C or in any language with C functions. Exarch loads it by --plugin FILE (every
 * verb), exarch.load_plugin(path) (Python) or load_plugin() (host/plugin/plugin.hpp). Agents, sweeps, truths, studies, stores and
 * reports then work on it. Nothing of Exarch is linked: this header is all that a plug-in needs.
 *
 * A library has one function, exarch_get_plugin(), which gives tables: parameters, metrics, objectives, workloads, and a function
 * that evaluates many designs at once. Example, compiled by  cc -shared -fPIC -o libsquare.so square.c:
 *
 *   #include <exarch_plugin.h>
 *
 *   static int evaluate(void* state, uint64_t workload, const int64_t* designs, uint64_t count, double* results,
 *                       char* error, uint64_t error_size) {
 *     (void)state, (void)workload, (void)error, (void)error_size;
 *     for (uint64_t i = 0; i < count; ++i) results[i] = (double)(designs[i] * designs[i]);
 *     return 0;
 *   }
 *   static const int64_t sides[] = {1, 2, 3, 4};
 *   static const exarch_plugin_parameter parameters[] = {{"side", "m", "of the square", 0, sides, 4, 0}};
 *   static const exarch_plugin_metric metrics[] = {{"area", "m2", "of the square"}};
 *   static const exarch_plugin plugin = {EXARCH_PLUGIN_ABI, sizeof(exarch_plugin), "square", "squares", "1", parameters, 1,
 *                                        metrics, 1, 0, 0, 0, 0, 0, 0, 0, 0, evaluate};
 *   EXARCH_PLUGIN_EXPORT const exarch_plugin* exarch_get_plugin(void) { return &plugin; }
 *
 * Everything that a table points to must stay as it is until the process ends; a library is never unloaded. Texts are UTF-8. A
 * plug-in runs inside the process with all its rights: load only what you trust. */
#ifndef EXARCH_PLUGIN_H
#define EXARCH_PLUGIN_H

#include <stdint.h>

/* The version of this interface. Exarch refuses a plug-in of another one. */
#define EXARCH_PLUGIN_ABI 1u

/* evaluate() may be called by several threads at the same time. Without it there is one call at a time. */
#define EXARCH_PLUGIN_THREADS 1u

#if defined(__cplusplus)
#define EXARCH_PLUGIN_EXPORT extern "C" __attribute__((visibility("default")))
#else
#define EXARCH_PLUGIN_EXPORT __attribute__((visibility("default")))
#endif

#if defined(__cplusplus)
extern "C" {
#endif

/* A setting of a design. Either `labels` are its values, or `numbers` are; the other is null. */
typedef struct exarch_plugin_parameter {
  const char* name; /* letters, digits, - and _, a letter first */
  const char* unit; /* "" or null: none; likewise `doc`, here and below */
  const char* doc;
  const char* const* labels; /* (value) a design has the place of the label: 0, 1, ... */
  const int64_t* numbers;    /* (value) in any order, without repetition; a design has one of them */
  uint64_t value_count;      /* 1 to 65,536 */
  uint64_t default_value;    /* the place of the default, below value_count */
} exarch_plugin_parameter;

/* What a result costs: a column of doubles. */
typedef struct exarch_plugin_metric {
  const char* name; /* letters, digits and _, a letter first; no name of a parameter */
  const char* unit;
  const char* doc;
} exarch_plugin_metric;

/* A named objective, in the words of docs/formats.md: {"edp", "min:energy_pj*time_ns"}. */
typedef struct exarch_plugin_objective {
  const char* name;
  const char* expression;
} exarch_plugin_objective;

typedef struct exarch_plugin {
  uint32_t abi;        /* EXARCH_PLUGIN_ABI */
  uint32_t size;       /* sizeof(exarch_plugin) */
  const char* name;    /* of the environment: letters, digits, - and _, a letter first */
  const char* doc;     /* one line */
  const char* version; /* changes when a result does; stores of another version are refused */
  const exarch_plugin_parameter* parameters;
  uint64_t parameter_count; /* 1 to 256 */
  const exarch_plugin_metric* metrics;
  uint64_t metric_count;                     /* 1 to 256 */
  const exarch_plugin_objective* objectives; /* the first is the default; none: the first metric, to be minimised */
  uint64_t objective_count;
  const char* const* workloads; /* names of what designs are evaluated on; none: one, called "default" */
  uint64_t workload_count;
  const uint64_t* tradeoffs; /* places of two or three metrics, lower is better, for Pareto fronts; or none */
  uint64_t tradeoff_count;
  uint64_t flags; /* EXARCH_PLUGIN_THREADS or 0 */
  void* state;    /* is handed to evaluate() */

  /* Evaluates `count` designs, at least one.
   *
   * workload    the place of a name in `workloads`; 0 where there are none
   * designs     (design, parameter) values, row by row
   * results     (design, metric) row by row; every one must be written. NaN in any metric: the design has no result
   * error       room for a message of error_size bytes, zero at its end; what went wrong, where the function does not return 0
   *
   * Returns 0, or anything else where the call as a whole failed: the run ends with the message. Results must depend on the
   * design and the workload alone: not on the other designs of a call, on earlier calls, or on time. C++ exceptions end the run,
   * too. */
  int (*evaluate)(void* state, uint64_t workload, const int64_t* designs, uint64_t count, double* results, char* error,
                  uint64_t error_size);
} exarch_plugin;

/* What a library exports; it returns null where the plug-in cannot be used on this machine. */
typedef const exarch_plugin* (*exarch_get_plugin_function)(void);

#if defined(__cplusplus)
}
#endif

#endif
