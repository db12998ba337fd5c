/* A plugin that is a shared object. Make it, from this folder:
 *
 *     cc -shared -fPIC -I ../../../include -o libsums.so sums.c
 */
#include <stdio.h>
#include <string.h>

#include "weir/plugin.h"

static int sum_up(void *state, const weir_plugin_call *call) {
  char output[64];
  unsigned long sum = 0;
  size_t i;
  (void)state;
  if (strcmp(call->tool, "fail") == 0) {
    call->set_failure(call->host, "NothingToSum", "it is told to fail", 0);
    return 1;
  }
  for (i = 0; i < call->payload_size; ++i) sum += (unsigned char)call->payload[i];
  call->log(call->host, WEIR_PLUGIN_INFO, "summed", strlen("summed"));
  snprintf(output, sizeof output, "{\"bytes\": %lu, \"sum\": %lu}", (unsigned long)call->payload_size,
           sum);
  call->set_output(call->host, output, strlen(output));
  call->set_rows(call->host, 1);
  return 0;
}

static const weir_plugin plugin = {WEIR_PLUGIN_VERSION, 0, sum_up, 0};

const weir_plugin *weir_plugin_entry(uint32_t version) {
  return version >= WEIR_PLUGIN_VERSION ? &plugin : 0;
}
