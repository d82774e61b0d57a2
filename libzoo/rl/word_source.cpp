#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/rl/word_source.h>

#include <fmt/format.h>

#include <bit>
#include <utility>

namespace zoo::rl {
namespace {

constexpr size_t kWords = 624, kShift = 397;

}  // namespace

WordSource::WordSource(uint64_t seed) : words_(kWords), position_(kWords) {
  words_[0] = uint32_t(seed);
  for (size_t i = 1; i < kWords; ++i) words_[i] = 1812433253u * (words_[i - 1] ^ words_[i - 1] >> 30) + uint32_t(i);
  before_ = uint64_t(0) - kWords;  // none taken yet
}

WordSource WordSource::of(std::vector<uint32_t> words) {
  WordSource source;
  source.words_ = std::move(words);
  source.position_ = 0;
  source.before_ = 0;
  source.fed_ = true;
  return source;
}

void WordSource::refill() {
  if (fed_) throw Error(fmt::format("the {} words that were given are used up", words_.size()));
  const auto twist = [](uint32_t high, uint32_t low, uint32_t shifted) {
    const uint32_t y = (high & 0x80000000u) | (low & 0x7fffffffu);
    return shifted ^ y >> 1 ^ ((0u - (y & 1)) & 0x9908b0dfu);
  };
  uint32_t* w = words_.data();
  for (size_t i = 0; i < kWords - kShift; ++i) w[i] = twist(w[i], w[i + 1], w[i + kShift]);
  for (size_t i = kWords - kShift; i < kWords - 1; ++i) w[i] = twist(w[i], w[i + 1], w[i + kShift - kWords]);
  w[kWords - 1] = twist(w[kWords - 1], w[0], w[kShift - 1]);
  before_ += kWords;
  position_ = 0;
}

int64_t WordSource::integer(int64_t low, int64_t high) {
  if (low >= high || high - low > int64_t(1) << 32) throw Error(fmt::format("no 32-bit random integer lies in [{}, {})", low, high));
  const uint32_t range = uint32_t(high - 1 - low);
  if (range == 0) return low;
  const uint32_t mask = uint32_t((uint64_t(1) << std::bit_width(range)) - 1);
  while (true) {
    const uint32_t value = next() & mask;
    if (value <= range) return low + value;
  }
}

State WordSource::state() const {
  State state;
  state.arrays["words"] = Array::of<uint32_t>({int64_t(words_.size())}, words_);
  state.values["position"] = position_;
  state.values["used"] = used();
  state.values["fed"] = fed_;
  return state;
}

void WordSource::restore(const State& state) {
  const auto words = state.arrays.find("words");
  const Json& values = state.values;
  const bool whole = words != state.arrays.end() && words->second.dtype() == DType::u32 && words->second.aligned() && values.is_object() &&
                     values.contains("position") && values["position"].is_number_unsigned() && values.contains("used") &&
                     values["used"].is_number_unsigned() && values.contains("fed") && values["fed"].is_boolean();
  if (!whole) throw Error("the state is not that of a source of random words");
  const auto given = words->second.span<uint32_t>();
  const bool fed = values["fed"].get<bool>();
  const auto position = values["position"].get<uint64_t>();
  if ((!fed && given.size() != kWords) || position > given.size())
    throw Error(fmt::format("the state of a source of random words holds {} words and position {}", given.size(), position));
  words_.assign(given.begin(), given.end());
  position_ = size_t(position);
  before_ = values["used"].get<uint64_t>() - position;
  fed_ = fed;
}

}  // namespace zoo::rl
