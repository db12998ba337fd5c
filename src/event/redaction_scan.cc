#include "event/redaction_scan.h"

#ifdef __SSSE3__
#include <tmmintrin.h>
#endif

#include <array>
#include <cstring>

#include "base/result.h"

namespace weir::event::redaction {
namespace {

// A byte's classes are kLow[its low half] & kHigh[its high half]: one bit a class, every class the
// product of a set of low and a set of high halves. (Langdale and Lemire, "Parsing gigabytes of
// JSON per second", 2019, section 3.1.2.)
enum Class : std::uint8_t {
  kDigit = 1U << 0,       // the vector code shifts kDigit, kUnderscore and kDash to the top
  kLetterLow = 1U << 1,   // A-O a-o
  kLetterHigh = 1U << 2,  // P-Z p-z
  kUnderscore = 1U << 3,
  kDash = 1U << 4,
  kAt = 1U << 5,
  kColon = 1U << 6,  // : =
  kPlus = 1U << 7,
};
constexpr std::uint8_t kWordClasses = kDigit | kLetterLow | kLetterHigh | kUnderscore | kDash;
constexpr std::uint8_t kSignClasses = kAt | kColon | kPlus;

constexpr std::array<std::uint8_t, 16> kHigh = {0,
                                                0,
                                                kDash | kPlus,
                                                kDigit | kColon,
                                                kLetterLow | kAt,
                                                kLetterHigh | kUnderscore,
                                                kLetterLow,
                                                kLetterHigh};

constexpr auto kLow = [] {
  std::array<std::uint8_t, 16> table{};
  for (std::size_t half = 0; half < 16; ++half) {
    if (half <= 9) table[half] |= kDigit;
    if (half >= 1) table[half] |= kLetterLow;
    if (half <= 10) table[half] |= kLetterHigh;
  }
  table[0xF] |= kUnderscore;
  table[0xD] |= kDash | kColon;
  table[0x0] |= kAt;
  table[0xA] |= kColon;
  table[0xB] |= kPlus;
  return table;
}();

/// One bit a byte for each class of bytes; after the end of the text they are 0.
struct ByteMasks {
  std::uint64_t word = 0;  // A-Z a-z 0-9 _ -
  std::uint64_t digit = 0;
  std::uint64_t underscore = 0;
  std::uint64_t dash = 0;
  std::uint64_t sign = 0;   // @ : = +
  std::uint64_t blank = 0;  // the space alone
  std::uint64_t dot = 0;
  std::uint64_t bit5 = 0;  // bytes with 0x20 set: of letters, the small ones
  std::uint64_t a = 0;     // a A
  std::uint64_t b = 0;     // b B
};

#ifdef __SSSE3__

__m128i load(const void* at) { return _mm_loadu_si128(static_cast<const __m128i*>(at)); }

/// Fewer than 16 bytes, and zero bytes.
__m128i load_short(std::string_view text) {
  std::uint64_t low = 0, high = 0;
  const auto size = text.size();
  if (size >= 8) {
    std::memcpy(&low, text.data(), 8);
    std::memcpy(&high, text.data() + size - 8, 8);
    high = size == 8 ? 0 : high >> (8 * (16 - size));
  } else {
    for (std::size_t i = size; i > 0; --i) {
      low = low << 8U | static_cast<unsigned char>(text[i - 1]);
    }
  }
  return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}

/// The last `count` of the 16 bytes before `end`, and zero bytes.
__m128i load_tail(const char* end, std::size_t count) {
  // PSHUFB moves byte kMove[i] to place i; from 0x80 on it makes a zero.
  static constexpr auto kMove = [] {
    std::array<std::uint8_t, 32> move{};
    for (std::size_t i = 0; i < move.size(); ++i) {
      move[i] = static_cast<std::uint8_t>(i < 16 ? i : 0x80);
    }
    return move;
  }();
  return _mm_shuffle_epi8(load(end - 16), load(kMove.data() + 16 - count));
}

/// 16 bytes from `begin` on; after the end of the text they are zero, which is of no class.
[[gnu::always_inline]] inline __m128i load_lane(std::string_view text, std::size_t begin) {
  if (begin + 16 <= text.size()) return load(text.data() + begin);
  if (begin >= text.size()) return _mm_setzero_si128();
  if (begin == 0) return load_short(text);
  return load_tail(text.data() + text.size(), text.size() - begin);
}

template <std::size_t kLanes>
struct Lanes {
  __m128i lane[kLanes];
};

__m128i classes_of(__m128i bytes) {
  const auto half = _mm_set1_epi8(0x0F);
  const auto low = _mm_and_si128(bytes, half);
  const auto high = _mm_and_si128(_mm_srli_epi16(bytes, 4), half);
  return _mm_and_si128(_mm_shuffle_epi8(load(kLow.data()), low),
                       _mm_shuffle_epi8(load(kHigh.data()), high));
}

/// One bit a byte: the top bit of what `change` makes of each lane.
template <std::size_t kLanes, class Change>
[[gnu::always_inline]] inline std::uint64_t gather(const Lanes<kLanes>& lanes, Change change) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < kLanes; ++i) {
    const auto lane = static_cast<std::uint32_t>(_mm_movemask_epi8(change(lanes.lane[i])));
    bits |= std::uint64_t{lane} << (i * 16);
  }
  return bits;
}

template <std::size_t kLanes>
[[gnu::always_inline]] inline ByteMasks masks_of(std::string_view block) {
  Lanes<kLanes> bytes, classes, letters;
  for (std::size_t i = 0; i < kLanes; ++i) {
    bytes.lane[i] = load_lane(block, i * 16);
    classes.lane[i] = classes_of(bytes.lane[i]);
    letters.lane[i] = _mm_or_si128(bytes.lane[i], _mm_set1_epi8(0x20));
  }
  const auto equal = [](const Lanes<kLanes>& lanes, char c) {
    return gather(lanes, [c](__m128i lane) { return _mm_cmpeq_epi8(lane, _mm_set1_epi8(c)); });
  };
  const auto in = [&](std::uint8_t set) {
    const auto none = gather(classes, [set](__m128i lane) {
      const auto chosen = _mm_and_si128(lane, _mm_set1_epi8(static_cast<char>(set)));
      return _mm_cmpeq_epi8(chosen, _mm_setzero_si128());
    });
    return none ^ ~std::uint64_t{0} >> (64 - kLanes * 16);
  };
  return {.word = in(kWordClasses),
          .digit = gather(classes, [](__m128i lane) { return _mm_slli_epi16(lane, 7); }),
          .underscore = gather(classes, [](__m128i lane) { return _mm_slli_epi16(lane, 4); }),
          .dash = gather(classes, [](__m128i lane) { return _mm_slli_epi16(lane, 3); }),
          .sign = in(kSignClasses),
          .blank = equal(bytes, ' '),
          .dot = equal(bytes, '.'),
          .bit5 = gather(bytes, [](__m128i lane) { return _mm_slli_epi16(lane, 2); }),
          .a = equal(letters, 'a'),
          .b = equal(letters, 'b')};
}

#endif

ByteMasks masks_portably(std::string_view block) {
  ByteMasks masks;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const auto byte = static_cast<unsigned char>(block[i]);
    const auto set = [i](std::uint64_t& mask, bool is) { mask |= std::uint64_t{is} << i; };
    const unsigned classes = kLow[byte & 15U] & kHigh[byte >> 4U];
    const unsigned small = byte | 0x20U;
    set(masks.word, (classes & kWordClasses) != 0);
    set(masks.digit, (classes & kDigit) != 0);
    set(masks.underscore, (classes & kUnderscore) != 0);
    set(masks.dash, (classes & kDash) != 0);
    set(masks.sign, (classes & kSignClasses) != 0);
    set(masks.blank, byte == ' ');
    set(masks.dot, byte == '.');
    set(masks.bit5, (byte & 0x20U) != 0);
    set(masks.a, small == 'a');
    set(masks.b, small == 'b');
  }
  return masks;
}

/// Bit i of `mask << n` is bit i - n of the mask: "n bytes ago". Every trigger has a mask as it is
/// in it, so that none is after the end of the text.
[[gnu::always_inline]] inline Triggers triggers_of(const ByteMasks& m) {
  const auto alnum = m.word & ~m.dash & ~m.underscore;
  const auto after_alnum = alnum << 1;
  const auto after_digit = m.digit << 1;
  const auto after_dash = m.dash << 1;
  const auto after_dot = m.dot << 1;
  const auto word_begin = alnum & ~after_alnum;
  Triggers triggers{.sign = m.sign};
  triggers.dashes = m.dash & after_dash & ~(m.dash << 2);
  triggers.dotted = m.digit & after_dot & (m.digit << 2);

  // wordN: N bytes of `word` end here.
  const auto word2 = m.word & (m.word << 1);
  const auto word4 = word2 & (word2 << 2);
  const auto word8 = word4 & (word4 << 4);
  const auto token_begin = word_begin & (~m.digit | after_dot);
  triggers.token = word8 & (word8 << 8) & (token_begin << (kTokenRun - 1));

  // A separator counts only after a digit: neither indentation nor a ruler is a number.
  const auto run = m.digit | ((m.blank | m.dash) & after_digit);
  const auto run2 = run & (run << 1);
  const auto run4 = run2 & (run2 << 2);
  const auto run11 = run4 & (run4 << 4) & (run4 << 7);
  // As begins_number() in redaction_personal.cc: not in a word, a version or an id with dashes.
  const auto number_begin =
      word_begin & m.digit & ~(m.underscore << 1) & ~((after_dash | after_dot) & (alnum << 2));
  triggers.number = run11 & (number_begin << (kNumberRun - 1));

  const auto upper = alnum & ~m.digit & ~m.bit5;
  triggers.iban = m.digit & after_digit & (upper << 2) & (upper << 3);
  const auto b = m.b & word_begin;
  triggers.scheme = (b << 2) & alnum & (m.a | (m.a << 1));
  return triggers;
}

}  // namespace

Triggers scan_portably(std::string_view block) { return triggers_of(masks_portably(block)); }

#ifdef __SSSE3__
Triggers scan(std::string_view block) {
  return triggers_of(block.size() <= 32 ? masks_of<2>(block) : masks_of<4>(block));
}
#else
Triggers scan(std::string_view block) { return scan_portably(block); }
#endif

}  // namespace weir::event::redaction
