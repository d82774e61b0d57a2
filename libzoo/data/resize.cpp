#include <libzoo/data/resize.h>

#include <libzoo/core/array.h>
#include <libzoo/core/error.h>
#include <libzoo/data/image_ops.h>
#include <libzoo/data/resize_kernels.h>
#include <libzoo/data/resize_plan.h>

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

namespace zoo::data {
namespace {

constexpr std::string_view kConventions[] = {"pillow", "torch", "tf", "tf1"};
constexpr std::string_view kModes[] = {"nearest", "nearest_exact", "bilinear", "bicubic", "area", "box", "hamming", "lanczos"};

template <class Enum, size_t kCount>
Enum parse(std::string_view name, const std::string_view (&names)[kCount], const char* what) {
  std::string known;
  for (size_t i = 0; i < kCount; ++i) {
    if (names[i] == name) return Enum(i);
    known += fmt::format("{}{}", i ? ", " : "", names[i]);
  }
  throw UserError(fmt::format("{} '{}' is unknown", what, name), "there are " + known);
}

template <class T>
void check(const View<T>& in) {
  if (in.channels < 1) throw UserError(fmt::format("a picture of {}x{} with no channels can't be resized", in.height, in.width));
}

// Both tables pick single pixels.
template <class In, class Out>
void copy_pixels(const View<In>& in, const ResizePlan& plan, Out* to) {
  for (const int32_t y : plan.down.first) {
    const In* row = in.row(y);
    for (const int32_t x : plan.across.first)
      for (int64_t c = 0; c < in.channels; ++c) *to++ = Out(row[x * in.channels + c]);
  }
}

// Rows first, only those that columns need, then columns.
template <class In, class Out, class Weight>
void run(const View<In>& in, const ResizePlan& plan, const AxisTable<Weight>& across, const AxisTable<Weight>& down, Out* to) {
  const int64_t row = across.outputs() * in.channels, begin = down.begin(), rows = down.end() - begin;
  if (plan.keep_height) return resize_across(crop(in, {plan.window.top, 0, plan.window.height, in.width}), across, to);
  const View<In> needed = crop(in, {begin, 0, rows, in.width});
  if constexpr (std::is_same_v<In, Out>) {
    if (plan.keep_width) return resize_down(needed.pixels, in.row_stride, begin, row, down, to);
  }
  std::vector<Out> between(size_t(rows * row));
  resize_across(needed, across, between.data());
  resize_down(between.data(), row, begin, row, down, to);
}

template <class In>
FloatImage to_floats(View<In> in, int64_t height, int64_t width, const ResizeOptions& options) {
  check(in);
  const ResizePlan plan = resize_plan({in.height, in.width}, height, width, options);
  FloatImage result{plan.down.outputs(), plan.across.outputs(), in.channels, {}};
  result.pixels.resize(size_t(zoo::count(std::vector<int64_t>{result.height, result.width, result.channels}, sizeof(float))));
  if (plan.across.copies() && plan.down.copies()) {
    copy_pixels(in, plan, result.pixels.data());
    return result;
  }
  if constexpr (std::is_same_v<In, float>) {
    if (options.convention == Convention::pillow) {
      run(in, plan, plan.across, plan.down, result.pixels.data());
      return result;
    }
  }
  run(in, plan, single_precision(plan.across), single_precision(plan.down), result.pixels.data());
  return result;
}

}  // namespace

Convention parse_convention(std::string_view name) { return parse<Convention>(name, kConventions, "resize convention"); }

Interpolation parse_interpolation(std::string_view name) {
  return parse<Interpolation>(name == "lanczos3" ? "lanczos" : name, kModes, "interpolation mode");
}

io::Image resize(View<uint8_t> image, int64_t height, int64_t width, const ResizeOptions& options) {
  if (options.convention != Convention::pillow) {
    throw UserError(fmt::format("the {} convention gives floats, not 8-bit pixels", kConventions[size_t(options.convention)]),
                    "call resize_float");
  }
  check(image);
  const ResizePlan plan = resize_plan({image.height, image.width}, height, width, options);
  io::Image result{plan.down.outputs(), plan.across.outputs(), image.channels, {}};
  result.pixels.resize(size_t(zoo::count(std::vector<int64_t>{result.height, result.width, result.channels})));
  if (plan.keep_height && plan.keep_width) return copy(crop(image, plan.window));
  if (plan.across.copies() && plan.down.copies())
    copy_pixels(image, plan, result.pixels.data());
  else
    run(image, plan, fixed_point(plan.across), fixed_point(plan.down), result.pixels.data());
  return result;
}

FloatImage resize_float(View<float> image, int64_t height, int64_t width, const ResizeOptions& options) {
  return to_floats(image, height, width, options);
}

FloatImage resize_float(View<uint8_t> image, int64_t height, int64_t width, const ResizeOptions& options) {
  if (options.convention == Convention::pillow) {
    const io::Image exact = resize(image, height, width, options);
    return {exact.height, exact.width, exact.channels, {exact.pixels.begin(), exact.pixels.end()}};
  }
  return to_floats(image, height, width, options);
}

}  // namespace zoo::data
