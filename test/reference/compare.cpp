#include "test/reference/compare.h"

#include <c10/util/BFloat16.h>
#include <c10/util/Float8_e4m3fn.h>
#include <c10/util/Float8_e5m2.h>
#include <c10/util/Half.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

namespace zoo::reference {
namespace {

// x86-64's long double holds every int64, uint64 and double exactly.
static_assert(std::numeric_limits<long double>::digits >= 64);

template <class T>
long double at(const std::byte* data, int64_t index) {
  T value;
  std::memcpy(&value, data + size_t(index) * sizeof(T), sizeof(T));
  return static_cast<long double>(value);
}

template <class T>
long double small_float_at(const std::byte* data, int64_t index) {
  T value{};
  std::memcpy(&value, data + size_t(index) * sizeof(T), sizeof(T));
  return static_cast<float>(value);
}

long double value_at(const Array& array, int64_t index) {
  const std::byte* data = array.data();
  switch (array.dtype()) {
    case DType::f64: return at<double>(data, index);
    case DType::f32: return at<float>(data, index);
    case DType::f16: return small_float_at<c10::Half>(data, index);
    case DType::bf16: return small_float_at<c10::BFloat16>(data, index);
    case DType::f8_e4m3: return small_float_at<c10::Float8_e4m3fn>(data, index);
    case DType::f8_e5m2: return small_float_at<c10::Float8_e5m2>(data, index);
    case DType::i64: return at<int64_t>(data, index);
    case DType::i32: return at<int32_t>(data, index);
    case DType::i16: return at<int16_t>(data, index);
    case DType::i8: return at<int8_t>(data, index);
    case DType::u64: return at<uint64_t>(data, index);
    case DType::u32: return at<uint32_t>(data, index);
    case DType::u16: return at<uint16_t>(data, index);
    case DType::u8: return at<uint8_t>(data, index);
    case DType::boolean: return at<uint8_t>(data, index) != 0;
  }
  return std::nanl("");
}

bool is_float(DType type) {
  switch (type) {
    case DType::f64:
    case DType::f32:
    case DType::f16:
    case DType::bf16:
    case DType::f8_e4m3:
    case DType::f8_e5m2: return true;
    default: return false;
  }
}

bool same_shape(const Array& a, const Array& b) {
  if (a.shape() == b.shape()) return true;
  return a.size() == 1 && b.size() == 1 && a.shape().size() <= 1 && b.shape().size() <= 1;
}

std::set<std::string> lines_of(const Array& text) {
  std::istringstream stream(std::string(reinterpret_cast<const char*>(text.data()), text.bytes()));
  std::set<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.insert(line);
  return lines;
}

std::string difference_of_lines(const std::set<std::string>& got, const std::set<std::string>& want) {
  std::vector<std::string> missing, unexpected;
  std::set_difference(want.begin(), want.end(), got.begin(), got.end(), std::back_inserter(missing));
  std::set_difference(got.begin(), got.end(), want.begin(), want.end(), std::back_inserter(unexpected));
  if (missing.empty() && unexpected.empty()) return {};
  return fmt::format("{} of {} lines are missing ('{}'), {} are unexpected ('{}')", missing.size(), want.size(),
                     missing.empty() ? "" : missing[0], unexpected.size(), unexpected.empty() ? "" : unexpected[0]);
}

std::vector<int64_t> position(int64_t index, const std::vector<int64_t>& shape) {
  std::vector<int64_t> result(shape.size());
  for (size_t axis = shape.size(); axis-- > 0; index /= shape[axis]) result[axis] = index % shape[axis];
  return result;
}

}  // namespace

Tolerance tolerance_for(std::string_view op, std::string_view output, double rtol, double atol) {
  Tolerance tolerance{.rtol = rtol, .atol = atol};
  tolerance.integers_within_atol =
      op == "image.decode_jpeg" || output == "quantized_cdf" || (op == "offline_rl.atari_preprocess" && output == "observation");
  tolerance.hue_modulo_one = op == "image.rgb_to_hsv" && output == "image";
  tolerance.set_of_lines = op == "simclr.checkpoint_names" && output == "lines";
  return tolerance;
}

std::string difference(const Array& got, const Array& want, const Tolerance& tolerance) {
  if (tolerance.set_of_lines) return difference_of_lines(lines_of(got), lines_of(want));
  if (!same_shape(got, want)) return fmt::format("shape [{}], expected [{}]", fmt::join(got.shape(), ", "), fmt::join(want.shape(), ", "));
  if (is_float(got.dtype()) != is_float(want.dtype()))
    return fmt::format("type {}, expected {}", zoo::name(got.dtype()), zoo::name(want.dtype()));

  const bool exact = !is_float(want.dtype()) && !tolerance.integers_within_atol;
  int64_t outside = 0, worst = -1;
  long double worst_distance = -1;
  for (int64_t i = 0; i < want.size(); ++i) {
    const long double g = value_at(got, i), w = value_at(want, i);
    if (g == w || (std::isnan(g) && std::isnan(w))) continue;
    long double distance = std::fabs(g - w);
    if (tolerance.hue_modulo_one && i % want.shape().back() == 0) {
      distance -= std::floor(distance);
      distance = std::min(distance, 1 - distance);
    }
    const long double allowed = exact ? 0 : tolerance.atol + tolerance.rtol * std::fabs(w);
    if (std::isfinite(w) && distance <= allowed) continue;
    ++outside;
    if (std::isnan(distance)) distance = std::numeric_limits<long double>::infinity();
    if (distance > worst_distance) worst_distance = distance, worst = i;
  }
  if (outside == 0) return {};
  return fmt::format("max abs diff {:.6g} at [{}]: got {:.9g}, expected {:.9g}; {} of {} outside atol {:g} rtol {:g}",
                     double(worst_distance), fmt::join(position(worst, want.shape()), ", "), double(value_at(got, worst)),
                     double(value_at(want, worst)), outside, want.size(), exact ? 0 : tolerance.atol, exact ? 0 : tolerance.rtol);
}

}  // namespace zoo::reference
