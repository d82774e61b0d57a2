#include <libzoo/data/train_transform.h>

#include <libzoo/core/error.h>
#include <libzoo/data/resize_into.h>

#include <fmt/format.h>

namespace zoo::data {
namespace {

void check(const TrainTransform& t) {
  if (t.crop < 1 || t.crop > 65536) throw UserError(fmt::format("crop: {} pixels are not 1 to 65536", t.crop));
  if (t.mode == TrainMode::squash && (t.precrop < t.crop || t.precrop > 65536)) {
    throw UserError(fmt::format("precrop: {} pixels are not {} (crop) to 65536", t.precrop, t.crop));
  }
}

}  // namespace

TrainMode parse_train_mode(std::string_view name) {
  if (name == "squash") return TrainMode::squash;
  if (name == "inception") return TrainMode::inception;
  if (name == "random_resized") return TrainMode::random_resized;
  if (name == "padded") return TrainMode::padded;
  throw UserError(fmt::format("training mode '{}' is unknown", name), "there are squash, inception, random_resized, padded");
}

TrainTransform::Choice TrainTransform::draw(int64_t height, int64_t width, RandomStream& random) const {
  check(*this);
  Choice choice;
  const auto anywhere = [&](int64_t full_height, int64_t full_width) {
    const int64_t top = int64_t(random.below(uint64_t(full_height - crop + 1)));
    return PixelBox{top, int64_t(random.below(uint64_t(full_width - crop + 1))), crop, crop};
  };
  switch (mode) {
    case TrainMode::squash: choice.box = anywhere(precrop, precrop); break;
    case TrainMode::inception: choice.box = sample_crop_tf(height, width, range, random); break;
    case TrainMode::random_resized: choice.box = sample_crop_torchvision(height, width, range, random); break;
    case TrainMode::padded: {
      const int64_t border = 2 * padding.pixels;
      if (padding.pixels < 0 || height + border < crop || width + border < crop) {
        throw UserError(fmt::format("crop: {} pixels of a picture of {}x{} with a border of {}", crop, height, width, padding.pixels),
                        "the crop must fit into the picture with its border");
      }
      choice.box = anywhere(height + border, width + border);
      break;
    }
  }
  choice.flip = random_flip && random.below(2) == 1;
  return choice;
}

namespace {

// The box that is resized, and to what: everything but padded crops.
std::pair<PixelBox, ResizeTarget> resize_of(const TrainTransform& t, const ImageSize& picture, const TrainTransform::Choice& choice) {
  check(t);
  ResizeOptions options{.convention = Convention::pillow, .mode = Interpolation::bilinear, .mirror = choice.flip};
  if (t.mode != TrainMode::squash)
    return {choice.box, {.height = t.crop, .width = t.crop, .options = options, .scaled_decode = t.scaled_decode}};
  if (choice.box.height != t.crop || choice.box.width != t.crop) {
    throw UserError(fmt::format("the box of a squash crop is {0}x{0}, not {1}x{2}", t.crop, choice.box.height, choice.box.width));
  }
  options.window = choice.box;
  return {{0, 0, picture.height, picture.width},
          {.height = t.precrop, .width = t.precrop, .options = options, .scaled_decode = t.scaled_decode}};
}

}  // namespace

io::Image TrainTransform::cropped(View<uint8_t> picture, const Choice& choice) const {
  if (mode == TrainMode::padded) {
    io::Image result;
    padded_crop(picture, padding, choice.box, choice.flip, result);
    return result;
  }
  const auto [box, target] = resize_of(*this, {picture.height, picture.width}, choice);
  return crop_resize(picture, box, target.height, target.width, target.options);
}

void TrainTransform::chw(View<uint8_t> picture, const Choice& choice, float* out) const {
  Normalizer(mean, std).chw(View<uint8_t>(cropped(picture, choice)), out);
}

void TrainTransform::hwc(View<uint8_t> picture, const Choice& choice, float* out) const {
  Normalizer(mean, std).hwc(View<uint8_t>(cropped(picture, choice)), out);
}

void TrainTransform::hwc(Picture& picture, const Choice& choice, const Normalizer& normalize, float* out) const {
  if (mode == TrainMode::padded) {
    static thread_local io::Image view;  // keeps its memory
    padded_crop(picture.pixels(), padding, choice.box, choice.flip, view);
    return normalize.hwc(View<uint8_t>(view), out);
  }
  const auto [box, target] = resize_of(*this, picture.size(), choice);
  resize_into(picture, box, target, normalize, out);
}

}  // namespace zoo::data
