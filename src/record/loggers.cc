#include "record/loggers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/utf8.h"
#include "record/context.h"
#include "record/logger.h"

namespace weir::record {
namespace {

using event::Level;

constexpr std::string_view kRootName = "weir";

/// The place of a name in the hierarchy: without the root, which is the empty name.
std::string_view below_root(std::string_view name) {
  while (name.starts_with("weir.")) name.remove_prefix(kRootName.size() + 1);
  return name == kRootName ? std::string_view() : name;
}

/// A number from 0 to 1 that is the same for a trace in every process. Mixed (the finaliser of
/// SplitMix64), since not everybody's trace ids are random.
double place_of(const TraceId& trace) {
  std::array<std::uint64_t, 2> halves{};
  std::memcpy(halves.data(), trace.bytes.data(), trace.bytes.size());
  auto bits = halves[0] ^ (halves[1] * 0x9E3779B97F4A7C15U);
  bits = (bits ^ (bits >> 30U)) * 0xBF58476D1CE4E5B9U;
  bits = (bits ^ (bits >> 27U)) * 0x94D049BB133111EBU;
  bits ^= bits >> 31U;
  return static_cast<double>(bits >> 11U) * 0x1p-53;
}

/// Whether sampling at `rate` keeps the n-th event, from 0: as evenly as can be, the first one of
/// each round.
bool is_kept_by_count(std::uint64_t n, double rate) {
  const auto kept_before = [&](std::uint64_t count) {
    return std::ceil(static_cast<double>(count) * rate);
  };
  return kept_before(n + 1) > kept_before(n);
}

bool is_name(std::string_view name) {
  if (name.empty()) return true;
  if (name.size() > Loggers::kMaxNameBytes || name.front() == '.' || name.back() == '.') {
    return false;
  }
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return std::ranges::all_of(name, is_allowed) && name.find("..") == std::string_view::npos;
}

std::string_view parent_of(std::string_view name) {
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

/// No NaN is.
bool is_rate(double rate) { return rate >= 0 && rate <= 1; }

std::unexpected<Error> not_a_name(std::string_view name) {
  return fail(ErrorCode::kInvalidInput,
              "logger '" + std::string(utf8::cut(name, Loggers::kMaxNameBytes)) +
                  "': a name has letters, digits, '_' and '-' between single dots, at most " +
                  std::to_string(Loggers::kMaxNameBytes) + " bytes");
}

}  // namespace

bool LoggerState::keeps(Level of_event, const TraceContext* context) {
  if (of_event >= Level::kError) return true;
  const auto rate = sampling.load(std::memory_order_relaxed);
  if (rate >= 1) return true;
  const bool kept = context != nullptr && context->has_trace()
                        ? place_of(context->trace_id) < rate
                        : is_kept_by_count(offered.fetch_add(1, std::memory_order_relaxed), rate);
  if (!kept) sampled_out.fetch_add(1, std::memory_order_relaxed);
  return kept;
}

Loggers::Loggers() {
  auto root = std::make_unique<LoggerState>();
  root->name = kRootName;
  states_.emplace(std::string(), std::move(root));
}

Loggers::~Loggers() = default;

/// The state of a name and of those above it. The mutex is held.
Result<LoggerState*> Loggers::find_or_make(std::string_view name) {
  if (!is_name(name)) return not_a_name(name);
  auto* above = &nearest(name);
  while (above->name != (name.empty() ? kRootName : name)) {
    if (states_.size() >= kMaxLoggers) {
      return fail(ErrorCode::kExhausted,
                  "more than " + std::to_string(kMaxLoggers) + " loggers have names");
    }
    // One level further down than what there is.
    const auto known = above->parent == nullptr ? 0 : above->name.size() + 1;
    auto state = std::make_unique<LoggerState>();
    state->name = name.substr(0, name.find('.', known));
    state->parent = above;
    state->level = above->level.load(std::memory_order_relaxed);
    state->sampling = above->sampling.load(std::memory_order_relaxed);
    above = state.get();
    states_.emplace(above->name, std::move(state));
  }
  return above;
}

LoggerState& Loggers::nearest(std::string_view name) const {
  while (true) {
    const auto found = states_.find(name);
    if (found != states_.end()) return *found->second;
    name = parent_of(name);
  }
}

/// Makes what is set hold below where it is set. The mutex is held.
void Loggers::settle() {
  for (auto& [name, state] : states_) {
    const auto* above = state->parent;
    const auto level =
        above == nullptr ? Level::kInfo : above->level.load(std::memory_order_relaxed);
    const auto rate = above == nullptr ? 1.0 : above->sampling.load(std::memory_order_relaxed);
    state->level.store(state->own_level.value_or(level), std::memory_order_relaxed);
    state->sampling.store(state->own_sampling.value_or(rate), std::memory_order_relaxed);
  }
}

Result<void> Loggers::set_level(std::string_view name, std::optional<Level> level) {
  const std::lock_guard lock(mutex_);
  WEIR_TRY(auto* const state, find_or_make(below_root(name)));
  state->own_level = level;
  settle();
  return {};
}

Result<void> Loggers::set_sampling(std::string_view name, std::optional<double> rate) {
  if (rate && !is_rate(*rate)) {
    return fail(ErrorCode::kInvalidInput, "a sampling rate is a number from 0 to 1");
  }
  const std::lock_guard lock(mutex_);
  WEIR_TRY(auto* const state, find_or_make(below_root(name)));
  state->own_sampling = rate;
  settle();
  return {};
}

Level Loggers::level(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  return nearest(below_root(name)).level.load(std::memory_order_relaxed);
}

double Loggers::sampling(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  return nearest(below_root(name)).sampling.load(std::memory_order_relaxed);
}

bool Loggers::records(std::string_view name, Level level, const TraceContext* context) const {
  const std::lock_guard lock(mutex_);
  auto& state = nearest(below_root(name));
  return level >= state.level.load(std::memory_order_relaxed) && state.keeps(level, context);
}

std::uint64_t Loggers::sampled_out() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& [name, state] : states_) {
    sum += state->sampled_out.load(std::memory_order_relaxed);
  }
  return sum;
}

Logger Loggers::logger(std::string_view name, Run& run) {
  const std::lock_guard lock(mutex_);
  const auto place = below_root(name);
  const auto made = find_or_make(place);
  auto& state = made ? **made : nearest(utf8::cut(place, kMaxNameBytes));
  const auto shown = place.empty() ? kRootName : utf8::cut(place, kMaxNameBytes);
  return {state, std::string(shown), run};
}

std::optional<Level> parse_level(std::string_view name) {
  static constexpr std::pair<std::string_view, Level> kLevelNames[] = {
      {"debug", Level::kDebug},   {"info", Level::kInfo},   {"warning", Level::kWarning},
      {"warn", Level::kWarning},  {"error", Level::kError}, {"fatal", Level::kFatal},
      {"critical", Level::kFatal}};
  const auto is_same = [&](std::string_view other) {
    return std::ranges::equal(name, other, [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
    });
  };
  for (const auto& [text, level] : kLevelNames) {
    if (is_same(text)) return level;
  }
  return {};
}

}  // namespace weir::record
