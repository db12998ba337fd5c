/* What a plugin that is a shared object exports. C, so that anything can be one; version 1.
 *
 * The library exports one function, weir_plugin_entry. Weir loads the library once and calls it
 * from many threads at once. docs/plugins.md explains plugins and their manifests.
 *
 *     static int call(void *state, const weir_plugin_call *call) {
 *       call->set_output(call->host, "{\"answer\": 42}", 14);
 *       return 0;
 *     }
 *     static const weir_plugin plugin = {WEIR_PLUGIN_VERSION, 0, call, 0};
 *     WEIR_PLUGIN_EXPORT const weir_plugin *weir_plugin_entry(uint32_t version) {
 *       return version >= WEIR_PLUGIN_VERSION ? &plugin : 0;
 *     }
 */
#ifndef WEIR_PLUGIN_H
#define WEIR_PLUGIN_H

#include <stddef.h> /* NOLINT(modernize-deprecated-headers): this is C */
#include <stdint.h> /* NOLINT(modernize-deprecated-headers) */

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_PLUGIN_VERSION 1
#define WEIR_PLUGIN_EXPORT __attribute__((visibility("default")))

/* NOLINTBEGIN(modernize-use-using,readability-identifier-naming): this is C */

/* Of a line of log. */
enum weir_plugin_level {
  WEIR_PLUGIN_DEBUG = 0,
  WEIR_PLUGIN_INFO = 1,
  WEIR_PLUGIN_WARNING = 2,
  WEIR_PLUGIN_ERROR = 3,
  WEIR_PLUGIN_FATAL = 4
};

/* One call of one tool. All of it is valid until the plugin's function returns. Texts are UTF-8 and
 * end in a zero byte. Later versions add members at the end: `size` says how many there are. */
typedef struct weir_plugin_call {
  uint32_t size;               /* of this struct, in bytes */
  const char* tool;            /* the tool's id */
  const char* payload;         /* the input, a JSON object */
  size_t payload_size;         /* in bytes */
  const char* settings;        /* the node's `with`, a JSON object */
  const char* run_id;          /* whose node it is */
  const char* node_id;         /* */
  const char* folder;          /* what relative paths in the payload begin in */
  const char* idempotency_key; /* the same on every try of the same work; may be empty */

  void* host; /* for the functions below, which are called from the thread of the call */
  void (*log)(void* host, int level, const char* text, size_t size);
  /* Not 0: the result is not wanted any more; return soon, with any result. */
  int (*is_cancelled)(void* host);
  /* The output, a JSON object; copied. Without a call of this it is {}. */
  void (*set_output)(void* host, const char* json, size_t size);
  void (*set_rows)(void* host, int64_t rows);
  /* Why it failed: a type for programs, a message for people, and whether another try may help. */
  void (*set_failure)(void* host, const char* type, const char* message, int is_retryable);
  /* Of a call to a provider, as "params" of the notification in docs/formats/plugin-protocol.md.
   * There if size > offsetof(weir_plugin_call, provider_call). */
  void (*provider_call)(void* host, const char* json, size_t size);
  /* Records an event of the plugin's own: its type ("page.read", or "agent_run") and a JSON object,
   * as "type" and "data" of the notification in docs/formats/plugin-protocol.md. 0: it was not
   * taken, and the log says why. There if size > offsetof(weir_plugin_call, emit_event). */
  int (*emit_event)(void* host, const char* type, const char* json, size_t size);
  /* Which tables it read and made, a JSON object as "lineage" in docs/plugins.md; copied. There if
   * size > offsetof(weir_plugin_call, set_lineage). */
  void (*set_lineage)(void* host, const char* json, size_t size);
} weir_plugin_call;

typedef struct weir_plugin {
  uint32_t version; /* WEIR_PLUGIN_VERSION */
  void* state;      /* the plugin's own */
  /* 0: done. Anything else: failed. No exception may leave it. */
  int (*call)(void* state, const weir_plugin_call* call);
  /* Before the library is left; may be null. */
  void (*destroy)(void* state);
} weir_plugin;

/* The one function a library exports. `version` is the newest that this Weir speaks. Null: the
 * plugin needs a newer one. What is returned stays valid until destroy. */
WEIR_PLUGIN_EXPORT const weir_plugin* weir_plugin_entry(uint32_t version);

/* NOLINTEND(modernize-use-using,readability-identifier-naming) */

#ifdef __cplusplus
}
#endif

#endif /* WEIR_PLUGIN_H */
