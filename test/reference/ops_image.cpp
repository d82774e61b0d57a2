// Binds the reference cases image.* to the public API. One entry per op; no tolerance lives here.
#include "test/reference/case.h"

#include <libzoo/data/blur.h>
#include <libzoo/data/color.h>
#include <libzoo/data/image_ops.h>
#include <libzoo/data/random_crop.h>
#include <libzoo/io/png.h>

#include <algorithm>
#include <cmath>

namespace zoo::reference {
namespace {

using namespace zoo::data;

template <class T>
View<T> view(const Array& array) {
  const auto& shape = array.shape();
  if (shape.size() != 3) throw BindingError("a picture has three dimensions");
  return {array.span<T>().data(), shape[0], shape[1], shape[2], shape[1] * shape[2]};
}

bool is_u8(const Array& array) { return array.dtype() == DType::u8; }

Array to_array(const io::Image& image) { return Array::of<uint8_t>({image.height, image.width, image.channels}, image.pixels); }
Array to_array(const FloatImage& image) { return Array::of<float>({image.height, image.width, image.channels}, image.pixels); }

ResizeOptions resize_options(const Case& c) {
  ResizeOptions options{.convention = parse_convention(c.text("convention")),
                        .mode = parse_interpolation(c.text("mode")),
                        .antialias = c.flag("antialias", false)};
  if (c.has("box")) {
    const auto box = c.numbers("box");
    options.box = ResizeBox{box.at(0), box.at(1), box.at(2), box.at(3)};
  }
  return options;
}

bool gives_u8(const Array& image, const ResizeOptions& options) { return is_u8(image) && options.convention == Convention::pillow; }

void resize_case(Case& c) {
  const Array& image = c.array("image");
  const auto options = resize_options(c);
  const int64_t height = c.integer("out_height"), width = c.integer("out_width");
  if (gives_u8(image, options))
    c.expect("image", to_array(resize(view<uint8_t>(image), height, width, options)));
  else if (is_u8(image))
    c.expect("image", to_array(resize_float(view<uint8_t>(image), height, width, options)));
  else
    c.expect("image", to_array(resize_float(view<float>(image), height, width, options)));
}

template <class Picture, class Crop>
Array stack_crops(const Case& c, int64_t channels, Crop crop) {
  const auto boxes = c.array("boxes").span<int64_t>();
  const auto flip = c.array("flip").span<bool>();
  const int64_t height = c.integer("out_height"), width = c.integer("out_width"), n = int64_t(flip.size());
  auto options = resize_options(c);
  Picture all;
  for (int64_t i = 0; i < n; ++i) {
    const auto b = boxes.subspan(size_t(4 * i), 4);
    options.mirror = flip[size_t(i)];
    const Picture one = crop(PixelBox{b[0], b[1], b[2], b[3]}, height, width, options);
    all.pixels.insert(all.pixels.end(), one.pixels.begin(), one.pixels.end());
  }
  return Array::of<typename decltype(all.pixels)::value_type>({n, height, width, channels}, all.pixels);
}

void crop_resize_case(Case& c) {
  const Array& image = c.array("image");
  const int64_t channels = image.shape().at(2);
  if (gives_u8(image, resize_options(c))) {
    c.expect("crops", stack_crops<io::Image>(c, channels, [&](auto&&... args) { return crop_resize(view<uint8_t>(image), args...); }));
  } else if (is_u8(image)) {
    c.expect("crops",
             stack_crops<FloatImage>(c, channels, [&](auto&&... args) { return crop_resize_float(view<uint8_t>(image), args...); }));
  } else {
    c.expect("crops", stack_crops<FloatImage>(c, channels, [&](auto&&... args) { return crop_resize_float(view<float>(image), args...); }));
  }
}

void crop_stats_case(Case& c) {
  const int64_t height = c.integer("height"), width = c.integer("width"), draws = c.integer("draws");
  const CropRange range{c.number("area_min"), c.number("area_max"), c.number("aspect_min"), c.number("aspect_max"),
                        c.number("min_object_covered", 0)};
  const auto sample = c.text("sampler") == "tf" ? sample_crop_tf : sample_crop_torchvision;
  RandomStream random({.seed = 1});
  double area = 0, area2 = 0, below = 0, above = 0, least = 1, aspect = 0, log_aspect = 0, log_aspect2 = 0, bottom = 0;
  double rel_y = 0, rel_x = 0, rooms_y = 0, rooms_x = 0;
  for (int64_t i = 0; i < draws; ++i) {
    const PixelBox box = sample(height, width, range, random);
    const double a = double(box.height * box.width) / double(height * width), r = double(box.width) / double(box.height), l = std::log(r);
    area += a, area2 += a * a, below += a < 0.25, above += a > 0.75, least = std::min(least, a);
    aspect += r, log_aspect += l, log_aspect2 += l * l;
    bottom += box.top + box.height == height && box.height < height;
    if (box.height < height) rel_y += double(box.top) / double(height - box.height), ++rooms_y;
    if (box.width < width) rel_x += double(box.left) / double(width - box.width), ++rooms_x;
  }
  const double n = double(draws);
  auto deviation = [&](double sum, double squares) { return std::sqrt(squares / n - sum / n * (sum / n)); };
  c.expect("mean_area", area / n);
  c.expect("std_area", deviation(area, area2));
  c.expect("p_area_below_quarter", below / n);
  c.expect("p_area_above_three_quarters", above / n);
  c.expect("min_area", least);
  c.expect("mean_aspect", aspect / n);
  c.expect("mean_log_aspect", log_aspect / n);
  c.expect("std_log_aspect", deviation(log_aspect, log_aspect2));
  c.expect("mean_rel_y", rooms_y > 0 ? rel_y / rooms_y : 0.5);
  c.expect("mean_rel_x", rooms_x > 0 ? rel_x / rooms_x : 0.5);
  c.expect("p_touches_bottom", bottom / n);
}

void grayscale_case(Case& c) {
  const Array& image = c.array("image");
  const int64_t channels = c.integer("channels", 1);
  const bool pillow = c.text("convention") == "pillow";
  if (pillow != is_u8(image)) throw BindingError("to_grayscale: pillow takes u8, tf and torchvision floats");
  if (pillow)
    c.expect("image", to_array(repeat_channel(to_grayscale(view<uint8_t>(image)), channels)));
  else
    c.expect("image", to_array(repeat_channel(to_grayscale(view<float>(image)), channels)));
}

void flip_case(Case& c) {
  const Array& image = c.array("image");
  const auto axis = c.text("axis") == "vertical" ? FlipAxis::vertical : FlipAxis::horizontal;
  c.expect("image", is_u8(image) ? to_array(flip(view<uint8_t>(image), axis)) : to_array(flip(view<float>(image), axis)));
}

void center_crop_case(Case& c) {
  const Array& image = c.array("image");
  const int64_t height = c.integer("out_height"), width = c.integer("out_width");
  c.expect("image", is_u8(image) ? to_array(center_crop(view<uint8_t>(image), height, width))
                                 : to_array(center_crop(view<float>(image), height, width)));
}

std::vector<float> floats(const std::vector<double>& values) { return {values.begin(), values.end()}; }

void normalize_case(Case& c) {
  const auto image = view<uint8_t>(c.array("image"));
  const Normalizer normalize(floats(c.numbers("mean")), floats(c.numbers("std")));
  std::vector<float> out(size_t(image.height * image.width * image.channels));
  normalize.chw(image, out.data());
  c.expect("image", Array::of<float>({image.channels, image.height, image.width}, out));
}

io::DecodeOptions decode_options(const Case& c) {
  const auto mode = c.text("mode", "rgb");
  return {.mode = mode == "rgb"    ? io::ColorMode::rgb
                  : mode == "gray" ? io::ColorMode::gray
                                   : io::ColorMode::unchanged,
          .apply_exif_orientation = c.flag("apply_exif_orientation", false)};
}

// A colour operation changes a copy of the picture.
template <class Change>
void color_case(Case& c, Change change) {
  FloatImage image = copy(view<float>(c.array("image")));
  change(image);
  c.expect("image", to_array(image));
}

float factor(const Case& c) { return float(c.number("factor")); }

ColorConvention color_convention(const Case& c) {
  return c.text("convention") == "torchvision" ? ColorConvention::torchvision : ColorConvention::tf;
}

BrightnessConvention brightness_convention(const Case& c) {
  const auto name = c.text("convention");
  return name == "torchvision" ? BrightnessConvention::torchvision
         : name == "add"       ? BrightnessConvention::add
                               : BrightnessConvention::multiply;
}

void jitter_case(Case& c) {
  ColorJitter jitter{.convention = parse_jitter_convention(c.text("convention")),
                     .order = {},
                     .brightness = float(c.number("brightness")),
                     .contrast = float(c.number("contrast")),
                     .saturation = float(c.number("saturation")),
                     .hue = float(c.number("hue"))};
  for (const auto& name : c.texts("order")) jitter.order.push_back(parse_color_operation(name));
  color_case(c, [&](FloatImage& image) { color_jitter(image, jitter); });
}

void blur_case(Case& c) {
  const auto convention = c.text("convention") == "torchvision" ? BlurConvention::torchvision : BlurConvention::simclr;
  c.expect("image", to_array(gaussian_blur(view<float>(c.array("image")), convention, c.integer("kernel_size"), c.number("sigma"))));
}

}  // namespace

OpTable image_ops() {
  return {
      {"image.resize", resize_case},
      {"image.crop_resize", crop_resize_case},
      {"image.random_resized_crop_stats", crop_stats_case},
      {"image.to_grayscale", grayscale_case},
      {"image.flip", flip_case},
      {"image.center_crop", center_crop_case},
      {"image.normalize", normalize_case},
      {"image.rgb_to_hsv", [](Case& c) { c.expect("image", to_array(rgb_to_hsv(view<float>(c.array("image"))))); }},
      {"image.hsv_to_rgb", [](Case& c) { c.expect("image", to_array(hsv_to_rgb(view<float>(c.array("image"))))); }},
      {"image.adjust_brightness",
       [](Case& c) { color_case(c, [&](FloatImage& image) { adjust_brightness(image, brightness_convention(c), factor(c)); }); }},
      {"image.adjust_contrast",
       [](Case& c) { color_case(c, [&](FloatImage& image) { adjust_contrast(image, color_convention(c), factor(c)); }); }},
      {"image.adjust_saturation",
       [](Case& c) { color_case(c, [&](FloatImage& image) { adjust_saturation(image, color_convention(c), factor(c)); }); }},
      {"image.adjust_hue", [](Case& c) { color_case(c, [&](FloatImage& image) { adjust_hue(image, color_convention(c), factor(c)); }); }},
      {"image.color_jitter", jitter_case},
      {"image.gaussian_blur", blur_case},
      {"image.decode_jpeg",
       [](Case& c) { c.expect("image", to_array(io::decode_jpeg(c.array("bytes").span<uint8_t>(), decode_options(c), c.name()))); }},
      {"image.decode_png",
       [](Case& c) { c.expect("image", io::decode_png_array(c.array("bytes").span<uint8_t>(), decode_options(c), c.name())); }},
  };
}

}  // namespace zoo::reference
