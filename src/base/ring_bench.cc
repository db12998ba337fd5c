#include <benchmark/benchmark.h>

#include "base/ring.h"

namespace weir {
namespace {

// What the ring itself costs a thread: a record of 128 bytes in and out, both ends on one thread.
void push_and_pop(benchmark::State& state) {
  Ring ring(1 << 20);
  const std::string bytes(128, 'x');
  for (auto _ : state) {
    auto* room = ring.reserve(bytes.size());
    std::memcpy(room, bytes.data(), bytes.size());
    ring.publish(bytes.size());
    benchmark::DoNotOptimize(ring.next().data());
    ring.release();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(push_and_pop);

}  // namespace
}  // namespace weir
