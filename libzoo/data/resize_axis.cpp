#include <libzoo/data/resize_axis.h>

#include <libzoo/core/error.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace zoo::data {
namespace {

struct Kernel {
  double radius;
  double (*weight)(double x);
};

double sinc(double x) {
  if (x == 0) return 1;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

// Keys' cubic convolution with constant a.
double keys(double x, double a) {
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

// Pillow's constants are single precision.
double hamming(double x) {
  x = std::abs(x);
  if (x == 0) return 1;
  return x < 1 ? sinc(x) * (double(0.54f) + double(0.46f) * std::cos(x * std::numbers::pi)) : 0;
}

[[noreturn]] void refuse_mode() {
  throw UserError("this convention has no such interpolation mode",
                  "pillow: nearest, box, bilinear, hamming, bicubic, lanczos; torch: nearest, nearest_exact, bilinear, bicubic, area; "
                  "tf: nearest, bilinear, bicubic, area, lanczos3; tf1: nearest, bilinear, bicubic, area; antialias: torch and tf");
}

// The filters of Pillow's Resample.c.
Kernel kernel_of(Interpolation mode) {
  switch (mode) {
    case Interpolation::box: return {0.5, [](double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }};
    case Interpolation::bilinear: return {1, [](double x) { return std::max(0.0, 1 - std::abs(x)); }};
    case Interpolation::hamming: return {1, hamming};
    case Interpolation::bicubic: return {2, [](double x) { return keys(x, -0.5); }};
    case Interpolation::lanczos: return {3, [](double x) { return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0; }};
    default: break;
  }
  refuse_mode();
}

AxisTable<double> empty_table(const AxisRange& range, int64_t taps) {
  const size_t size = size_t(range.size);
  return {taps, std::vector<int32_t>(size), std::vector<int32_t>(size), std::vector<double>(size * size_t(taps))};
}

// Weights at samples first, first+1 …, which may lie outside 0..n-1: `clamped` moves those to the border, else they are
// dropped and the rest is divided by its sum.
void put(AxisTable<double>& table, int64_t output, int64_t n, int64_t first, const double* weights, int64_t count, bool clamped) {
  const int64_t begin = std::clamp<int64_t>(first, 0, n - 1), end = std::clamp<int64_t>(first + count, begin + 1, n);
  table.first[size_t(output)] = int32_t(begin);
  table.count[size_t(output)] = int32_t(end - begin);
  double* to = &table.weights[size_t(output * table.taps)];
  double sum = 0;
  for (int64_t k = 0; k < count; ++k) {
    const int64_t j = first + k;
    if (!clamped && (j < 0 || j >= n)) continue;
    to[std::clamp<int64_t>(j, 0, n - 1) - begin] += weights[k];
    sum += weights[k];
  }
  if (!clamped && sum != 0)
    for (int64_t k = 0; k < end - begin; ++k) to[k] /= sum;
}

void put_one(AxisTable<double>& table, int64_t output, int64_t n, int64_t index) {
  const double one = 1;
  put(table, output, n, std::clamp<int64_t>(index, 0, n - 1), &one, 1, true);
}

// Pillow's precompute_coeffs, which torch's antialiased modes follow: taps int(c - r q + ½) to int(c + r q + ½).
AxisTable<double> smooth_table(int64_t n, int64_t m, const AxisRange& range, double from, double extent, const Kernel& kernel) {
  const double scale = extent / double(m), q = std::max(scale, 1.0), support = kernel.radius * q;
  auto table = empty_table(range, int64_t(std::ceil(support)) * 2 + 1);
  for (int64_t i = range.begin; i < range.end(); ++i) {
    const double center = from + (double(i) + 0.5) * scale;
    const int64_t begin = std::max<int64_t>(int64_t(center - support + 0.5), 0);
    const int64_t end = std::min<int64_t>(int64_t(center + support + 0.5), n);
    const int64_t output = i - range.begin;
    double* weights = &table.weights[size_t(output * table.taps)];
    double sum = 0;
    for (int64_t k = 0; k < end - begin; ++k) {
      weights[k] = kernel.weight((double(k + begin) - center + 0.5) * (1 / q));
      sum += weights[k];
    }
    if (sum != 0)
      for (int64_t k = 0; k < end - begin; ++k) weights[k] /= sum;
    table.first[size_t(output)] = int32_t(begin);
    table.count[size_t(output)] = int32_t(end - begin);
  }
  return table;
}

// Pillow steps from sample to sample (ImagingScaleAffine), so its rounding adds up.
AxisTable<double> pillow_nearest(int64_t n, int64_t m, const AxisRange& range, double from, double extent) {
  auto table = empty_table(range, 1);
  const double step = extent / double(m);
  double at = from + step * 0.5;
  for (int64_t i = 0; i < range.end(); ++i, at += step)
    if (i >= range.begin) put_one(table, i - range.begin, n, int64_t(at));
  return table;
}

// torch and TensorFlow compute these places in single precision for every element type.
AxisTable<double> nearest_at(int64_t n, int64_t m, const AxisRange& range, float offset) {
  auto table = empty_table(range, 1);
  const float scale = float(n) / float(m);
  for (int64_t i = range.begin; i < range.end(); ++i) put_one(table, i - range.begin, n, int64_t(std::floor((float(i) + offset) * scale)));
  return table;
}

AxisTable<double> torch_linear(int64_t n, int64_t m, const AxisRange& range) {
  auto table = empty_table(range, 2);
  const double scale = double(n) / double(m);
  for (int64_t i = range.begin; i < range.end(); ++i) {
    const double center = std::max(0.0, (double(i) + 0.5) * scale - 0.5);
    const int64_t low = int64_t(center);
    const double t = center - double(low), weights[] = {1 - t, t};
    put(table, i - range.begin, n, low, weights, 2, true);
  }
  return table;
}

AxisTable<double> torch_cubic(int64_t n, int64_t m, const AxisRange& range) {
  auto table = empty_table(range, 4);
  const double scale = double(n) / double(m);
  for (int64_t i = range.begin; i < range.end(); ++i) {
    const double center = (double(i) + 0.5) * scale - 0.5, low = std::floor(center), t = center - low;
    const double weights[] = {keys(t + 1, -0.75), keys(t, -0.75), keys(1 - t, -0.75), keys(2 - t, -0.75)};
    put(table, i - range.begin, n, int64_t(low) - 1, weights, 4, true);
  }
  return table;
}

AxisTable<double> torch_area(int64_t n, int64_t m, const AxisRange& range) {  // adaptive mean
  auto table = empty_table(range, n / m + 2);
  for (int64_t i = range.begin; i < range.end(); ++i) {
    const int64_t begin = i * n / m, end = ((i + 1) * n + m - 1) / m;
    const std::vector<double> weights(size_t(end - begin), 1 / double(end - begin));
    put(table, i - range.begin, n, begin, weights.data(), end - begin, true);
  }
  return table;
}

// TensorFlow computes places in single precision: half-pixel centres in version 2, i * scale in version 1.
float tf_place(int64_t i, float scale, bool half_pixel) { return half_pixel ? (float(i) + 0.5f) * scale - 0.5f : float(i) * scale; }

AxisTable<double> tf_linear(int64_t n, int64_t m, const AxisRange& range, bool half_pixel) {
  auto table = empty_table(range, 2);
  const float scale = float(n) / float(m);
  for (int64_t i = range.begin; i < range.end(); ++i) {
    const float place = tf_place(i, scale, half_pixel), low = std::floor(place), t = place - low;
    const double weights[] = {1 - double(t), double(t)};
    put(table, i - range.begin, n, int64_t(low), weights, 2, true);
  }
  return table;
}

AxisTable<double> tf_cubic(int64_t n, int64_t m, const AxisRange& range, bool half_pixel) {  // weights come from a table of 1024 fractions
  auto table = empty_table(range, 4);
  const float scale = float(n) / float(m);
  const double a = half_pixel ? -0.5 : -0.75;
  for (int64_t i = range.begin; i < range.end(); ++i) {
    const float place = tf_place(i, scale, half_pixel), low = std::floor(place);
    const double t = double(std::lrint((place - low) * 1024)) / 1024;
    const double weights[] = {keys(t + 1, a), keys(t, a), keys(1 - t, a), keys(2 - t, a)};
    put(table, i - range.begin, n, int64_t(low) - 1, weights, 4, !half_pixel);
  }
  return table;
}

AxisTable<double> tf_area(int64_t n, int64_t m, const AxisRange& range) {
  const float scale = float(n) / float(m);
  auto table = empty_table(range, int64_t(std::ceil(scale)) + 2);
  std::vector<double> weights;
  for (int64_t i = range.begin; i < range.end(); ++i) {
    const float begin = float(i) * scale, end = float(i + 1) * scale;
    const int64_t first = int64_t(std::floor(begin)), last = std::max<int64_t>(first + 1, int64_t(std::ceil(end)));
    weights.clear();
    for (int64_t j = first; j < last; ++j)
      weights.push_back((std::min(double(j + 1), double(end)) - std::max(double(j), double(begin))) / scale);
    put(table, i - range.begin, n, first, weights.data(), last - first, true);
  }
  return table;
}

AxisTable<double> tf_smooth(int64_t n, int64_t m, const AxisRange& range, const Kernel& kernel, bool antialias) {  // ScaleAndTranslate
  const float scale = float(n) / float(m), q = antialias ? std::max(scale, 1.0f) : 1.0f, support = float(kernel.radius) * q;
  auto table = empty_table(range, int64_t(std::ceil(support)) * 2 + 1);
  std::vector<double> weights;
  for (int64_t i = range.begin; i < range.end(); ++i) {
    const float center = (float(i) + 0.5f) * scale;
    const int64_t first = std::max<int64_t>(0, int64_t(std::ceil(center - support - 0.5f)));
    const int64_t last = std::min<int64_t>(n - 1, int64_t(std::floor(center + support - 0.5f)));
    weights.clear();
    for (int64_t j = first; j <= last; ++j) weights.push_back(kernel.weight(double((float(j) + 0.5f - center) / q)));
    put(table, i - range.begin, n, first, weights.data(), last - first + 1, false);
  }
  return table;
}

}  // namespace

AxisTable<double> axis_table(int64_t n, int64_t m, const AxisRange& range, double from, double to, const ResizeOptions& options) {
  using enum Interpolation;
  const Interpolation mode = options.mode;
  switch (options.convention) {
    case Convention::pillow: {  // the box is single precision there
      const float begin = float(from), extent = float(to) - begin;
      return mode == nearest ? pillow_nearest(n, m, range, begin, extent) : smooth_table(n, m, range, begin, extent, kernel_of(mode));
    }
    case Convention::torch:
      if (options.antialias && (mode == bilinear || mode == bicubic)) return smooth_table(n, m, range, 0, double(n), kernel_of(mode));
      if (options.antialias) break;
      if (mode == nearest) return nearest_at(n, m, range, 0);
      if (mode == nearest_exact) return nearest_at(n, m, range, 0.5f);
      if (mode == bilinear) return torch_linear(n, m, range);
      if (mode == bicubic) return torch_cubic(n, m, range);
      if (mode == area) return torch_area(n, m, range);
      break;
    case Convention::tf:
      if (mode == nearest) return nearest_at(n, m, range, 0.5f);
      if (mode == area) return tf_area(n, m, range);
      if (mode == lanczos || (options.antialias && (mode == bilinear || mode == bicubic)))
        return tf_smooth(n, m, range, kernel_of(mode), options.antialias);
      if (mode == bilinear) return tf_linear(n, m, range, true);
      if (mode == bicubic) return tf_cubic(n, m, range, true);
      break;
    case Convention::tf1:
      if (options.antialias) break;
      if (mode == nearest) return nearest_at(n, m, range, 0);
      if (mode == bilinear) return tf_linear(n, m, range, false);
      if (mode == bicubic) return tf_cubic(n, m, range, false);
      if (mode == area) return tf_area(n, m, range);
      break;
  }
  refuse_mode();
}

template <class Weight>
int64_t AxisTable<Weight>::begin() const {
  return *std::min_element(first.begin(), first.end());
}

template <class Weight>
int64_t AxisTable<Weight>::end() const {
  int64_t last = 0;
  for (size_t i = 0; i < first.size(); ++i) last = std::max<int64_t>(last, first[i] + count[i]);
  return last;
}

template <class Weight>
bool AxisTable<Weight>::copies() const {
  if (taps != 1) return false;
  return std::all_of(weights.begin(), weights.end(), [](Weight w) { return w == Weight(1); });
}

template struct AxisTable<double>;
template struct AxisTable<float>;
template struct AxisTable<int32_t>;

AxisTable<double> reversed(const AxisTable<double>& table) {
  AxisTable<double> result = table;
  std::reverse(result.first.begin(), result.first.end());
  std::reverse(result.count.begin(), result.count.end());
  for (int64_t i = 0; i < table.outputs(); ++i)
    std::copy_n(&table.weights[size_t(i * table.taps)], table.taps, &result.weights[size_t((table.outputs() - 1 - i) * table.taps)]);
  return result;
}

AxisTable<int32_t> fixed_point(const AxisTable<double>& table) {
  AxisTable<int32_t> result{table.taps, table.first, table.count, std::vector<int32_t>(table.weights.size())};
  for (int64_t i = 0; i < table.outputs(); ++i) {
    const double* from = &table.weights[size_t(i * table.taps)];
    int32_t* to = &result.weights[size_t(i * table.taps)];
    int32_t &first = result.first[size_t(i)], &count = result.count[size_t(i)];
    auto rounded = [](double w) { return int32_t(w * (1 << kFixedBits) + (w < 0 ? -0.5 : 0.5)); };
    while (count > 1 && rounded(from[count - 1]) == 0) --count;
    while (count > 1 && rounded(from[0]) == 0) ++from, ++first, --count;
    for (int64_t k = 0; k < count; ++k) to[k] = rounded(from[k]);
  }
  return result;
}

AxisTable<float> single_precision(const AxisTable<double>& table) {
  return {table.taps, table.first, table.count, std::vector<float>(table.weights.begin(), table.weights.end())};
}

}  // namespace zoo::data
