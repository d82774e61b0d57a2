// SimCLR's pictures: the random views that training contrasts, and the crop that evaluation sees. Values are 0..1; no mean is
// subtracted anywhere.
//
//   RandomStream random(key);
//   const ViewDraw draw = draw_view(image.height, image.width, options, random);
//   FloatImage view = make_view(image, draw, options);   // [224, 224, 3]
#pragma once

#include <libzoo/core/options.h>
#include <libzoo/core/random.h>
#include <libzoo/data/color.h>
#include <libzoo/data/image_transform.h>
#include <libzoo/data/image_view.h>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace zoo::simclr {

enum class ViewVersion { simclr_v1, simclr_v2 };  // v1 adds its brightness, v2 multiplies
constexpr auto enum_names(ViewVersion) {
  return EnumNames<ViewVersion, 2>{{{ViewVersion::simclr_v1, "simclr_v1"}, {ViewVersion::simclr_v2, "simclr_v2"}}};
}
// Without smoothing, as in TensorFlow 1 (the released networks) or 2.
enum class ViewResize { tf1_bicubic, tf2_bicubic, tf2_bilinear };
constexpr auto enum_names(ViewResize) {
  return EnumNames<ViewResize, 3>{
      {{ViewResize::tf1_bicubic, "tf1_bicubic"}, {ViewResize::tf2_bicubic, "tf2_bicubic"}, {ViewResize::tf2_bilinear, "tf2_bilinear"}}};
}

struct ViewOptions {
  int64_t size = 224;          // pixels, square
  ViewVersion version = ViewVersion::simclr_v2;
  ViewResize resize = ViewResize::tf1_bicubic;
  bool crop = true;            // a random box; else the whole picture
  bool flip = true;
  double color_strength = 1;   // 0.5 for CIFAR; 0: neither jitter nor grey
  bool blur = true;            // not for CIFAR
};

template <class Field>
void fields(Field& field, ViewOptions& o) {  // all but the size, which is that of the network's pictures
  field("version", o.version, "simclr_v1 adds its brightness, simclr_v2 multiplies");
  field("resize", o.resize,
        "tf1_bicubic: as the released networks were trained; tf2_bicubic, tf2_bilinear: pixel centres, as in TensorFlow 2");
  field("crop", o.crop, "a random box of 8 to 100 % of the area; no: the whole picture");
  field("flip", o.flip, "mirror left and right at random");
  field("color_strength", o.color_strength, "of the colour jitter: 1 for ImageNet, 0.5 for CIFAR; 0: neither jitter nor grey",
        between(0.0, 5.0));
  field("blur", o.blur, "blur every other view; not for CIFAR");
}

// What chance decided about a view.
struct ViewDraw {
  data::PixelBox box;
  bool flip = false;
  std::optional<data::ColorJitter> jitter = {};
  bool grayscale = false;
  double blur_sigma = 0;  // 0: no blur
};

// A box of 8 to 100 % of the area by TensorFlow's sampler (10 % in effect, as the picture is the object to be covered), mirrored with
// probability 0.5, jittered with 0.8, grey with 0.2, blurred with 0.5. Throws UserError if the picture is empty or the strength negative.
ViewDraw draw_view(int64_t height, int64_t width, const ViewOptions& options, RandomStream& random);

// [size, size, 3]. Throws UserError if the box leaves the picture.
data::FloatImage make_view(data::View<uint8_t> image, const ViewDraw& draw, const ViewOptions& options);

// The centre: 87.5 % of the shorter side, resized. At a size of 32 or less the whole picture, which must have just that size.
// Throws UserError if it hasn't.
data::PixelBox evaluation_box(int64_t height, int64_t width, int64_t size);
data::FloatImage evaluation_view(data::View<uint8_t> image, int64_t size, ViewResize resize);

// For streams of batches. Two views of a picture lie one below the other, [2 · size, size, 3]: both_views() takes them apart.
data::ImageTransform two_views(const ViewOptions& options);
data::ImageTransform one_view(const ViewOptions& options);
data::ImageTransform evaluation_transform(int64_t size, ViewResize resize);

// [n, 3, 2 · size, size] -> [2n, 3, size, size], the views of a picture one after the other; shares the memory.
at::Tensor both_views(const at::Tensor& images);

}  // namespace zoo::simclr
