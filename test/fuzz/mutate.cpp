#include "test/fuzz/mutate.h"

#include <algorithm>
#include <cstring>

namespace zoo::fuzz {
namespace {

constexpr size_t kLargest = 1 << 20;  // an input that grew beyond is cut

size_t place(const Input& input, RandomStream& random) { return size_t(random.below(input.size())); }

size_t length(size_t limit, RandomStream& random) {
  // Short pieces are as likely as long ones.
  const size_t scale = size_t(1) << random.below(16);
  return std::min<size_t>(limit, 1 + random.below(scale));
}

void extreme(Input& input, RandomStream& random) {
  constexpr uint64_t values[] = {0,
                                 1,
                                 2,
                                 0x7F,
                                 0x80,
                                 0xFF,
                                 0x100,
                                 0x7FFF,
                                 0x8000,
                                 0xFFFF,
                                 0x10000,
                                 0x7FFFFFFF,
                                 0x80000000,
                                 0xFFFFFFFF,
                                 0x100000000,
                                 uint64_t(INT64_MAX),
                                 uint64_t(INT64_MAX) + 1,
                                 UINT64_MAX,
                                 UINT64_MAX - 7};
  uint64_t value = values[random.below(std::size(values))];
  const size_t width = size_t(1) << random.below(4);
  const size_t at = place(input, random);
  if (random.below(3) == 0) value = input.size() + random.below(5) - 2;
  uint8_t bytes[8];
  std::memcpy(bytes, &value, 8);
  if (random.below(4) == 0) std::reverse(bytes, bytes + width);
  for (size_t i = 0; i < width && at + i < input.size(); ++i) input[at + i] = bytes[i];
}

// Text formats: a run of digits becomes another number.
void digits(Input& input, RandomStream& random) {
  constexpr const char* numbers[] = {
      "0", "-1", "1e9", "4294967296", "9223372036854775807", "18446744073709551616", "1.0", "00", "99999999999999999999999"};
  const auto is_digit = [](uint8_t c) { return c >= '0' && c <= '9'; };
  const auto begin = std::find_if(input.begin() + int64_t(place(input, random)), input.end(), is_digit);
  const auto end = std::find_if_not(begin, input.end(), is_digit);
  const std::string number = numbers[random.below(std::size(numbers))];
  const auto at = input.erase(begin, end);
  input.insert(at, number.begin(), number.end());
}

void change(Input& input, const Input& other, RandomStream& random) {
  if (input.empty()) input.push_back(uint8_t(random.below(256)));
  const size_t at = place(input, random);
  const auto here = input.begin() + int64_t(at);
  switch (random.below(9)) {
    case 0: input.resize(at); break;
    case 1: input[at] ^= uint8_t(1u << random.below(8)); break;
    case 2: input[at] = uint8_t(random.below(256)); break;
    case 3: extreme(input, random); break;
    case 4: digits(input, random); break;
    case 5: {
      const Input chunk(here, here + int64_t(length(input.size() - at, random)));
      const auto to = input.begin() + int64_t(random.below(input.size() + 1));
      input.insert(to, chunk.begin(), chunk.end());
      break;
    }
    case 6: input.erase(here, here + int64_t(length(input.size() - at, random))); break;
    case 7: {
      if (other.empty()) break;
      const size_t from = place(other, random), n = length(other.size() - from, random);
      for (size_t i = 0; i < n && at + i < input.size(); ++i) input[at + i] = other[from + i];
      break;
    }
    default: {
      const size_t to = place(input, random);
      const size_t n = std::min(length(input.size() - at, random), input.size() - to);
      std::memmove(input.data() + to, input.data() + at, std::min(n, input.size() - at));
    }
  }
  if (input.size() > kLargest) input.resize(kLargest);
}

}  // namespace

Input mutate(Input input, const Input& other, RandomStream& random) {
  const uint64_t changes = 1 + random.below(4);
  for (uint64_t i = 0; i < changes; ++i) change(input, other, random);
  return input;
}

}  // namespace zoo::fuzz
