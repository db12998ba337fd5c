#include "base/text.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <utility>

#include "base/utf8.h"

namespace weir::text {
namespace {

/// How many letters are left out, added, replaced, or swapped with their neighbour (optimal string
/// alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  // Of the table, the row of the last letter of `a`, that before it, and that to be filled.
  std::vector<std::size_t> before, row(b.size() + 1), next;
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    next.assign(1, i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto replaced = row[j] + (a[i] == b[j] ? 0 : 1);
      next.push_back(std::min({replaced, next[j] + 1, row[j + 1] + 1}));
      const bool swapped = i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j];
      if (swapped) next.back() = std::min(next.back(), before[j - 1] + 1);
    }
    before.swap(row);
    row.swap(next);
  }
  return row.back();
}

/// C0, delete and C1, as one or two bytes of UTF-8.
bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && static_cast<unsigned char>(sequence[1]) < 0xa0;
}

}  // namespace

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  // The cost is the product of these three: half a second at the most.
  constexpr std::size_t kLongest = 64;
  constexpr std::size_t kMaxCandidates = 10'000;
  constexpr std::size_t kShortestBeginning = 2;  // one letter says too little
  if (word.size() > kLongest) return {};
  const auto limit = (word.size() + 1) / 3;  // more than a third wrong is another word
  const std::string* best = nullptr;
  std::size_t best_distance = limit + 1;
  for (const auto& candidate : candidates.first(std::min(candidates.size(), kMaxCandidates))) {
    if (candidate.size() > kLongest) continue;
    const auto longer = std::max(word.size(), candidate.size());
    const auto missing = longer - std::min(word.size(), candidate.size());
    const bool begins = word.size() >= kShortestBeginning && candidate.starts_with(word);
    if (missing >= best_distance && !begins) continue;  // no distance is less than that
    // An ending that was left out is one mistake, however long: 'plugin' for 'plugin_id'.
    const auto d = begins ? std::min(missing, limit) : distance(word, candidate);
    if (d < best_distance) {
      best = &candidate;
      best_distance = d;
    }
  }
  return best == nullptr ? "" : ", did you mean '" + *best + "'?";
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string joined;
  for (const auto& part : parts) {
    if (!joined.empty()) joined += separator;
    joined += part;
  }
  return joined;
}

std::string count(std::size_t number, std::string_view noun) {
  return std::to_string(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

std::string duration(double milliseconds) {
  char buffer[48];
  const auto print = [&](const char* format, auto... values) {
    std::snprintf(buffer, sizeof buffer, format, values...);
    return std::string(buffer);
  };
  constexpr double kMost = 1e15;  // 30 000 years; or it is no number
  if (!(milliseconds < kMost)) return print("%.3g h", milliseconds / 3.6e6);
  if (milliseconds < 0.9995) return print("%.0f µs", milliseconds * 1000);
  if (milliseconds < 9.995) return print("%.2f ms", milliseconds);
  if (milliseconds < 99.95) return print("%.1f ms", milliseconds);
  if (milliseconds < 999.5) return print("%.0f ms", milliseconds);
  if (milliseconds < 9995) return print("%.2f s", milliseconds / 1000);
  if (milliseconds < 59'950) return print("%.1f s", milliseconds / 1000);
  const auto seconds = std::llround(milliseconds / 1000);
  if (seconds < 3600) return print("%lld min %lld s", seconds / 60, seconds % 60);
  return print("%lld h %lld min", seconds / 3600, seconds / 60 % 60);
}

std::string printable(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string line;
  while (!text.empty()) {
    const auto size = utf8::sequence_length(text);
    if (size == 0) {
      line += utf8::kReplacement;
    } else if (text[0] >= '\t' && text[0] <= '\r') {
      line += ' ';
    } else if (is_control(text.substr(0, size))) {
      const auto last = static_cast<unsigned char>(text[size - 1]);
      line.append("\\x") += kDigits[last >> 4U];
      line += kDigits[last & 15U];
    } else {
      line += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return line;
}

std::string base64(std::string_view bytes) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto size = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < size ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += j <= size ? kAlphabet[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return out;
}

}  // namespace weir::text
