#include <libzoo/data/train_transform.h>

#include <libzoo/core/error.h>

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
  throw UserError(fmt::format("training mode '{}' is unknown", name), "there are squash, inception");
}

TrainTransform::Choice TrainTransform::draw(int64_t height, int64_t width, RandomStream& random) const {
  check(*this);
  Choice choice;
  if (mode == TrainMode::squash) {
    const uint64_t places = uint64_t(precrop - crop + 1);
    choice.box = {int64_t(random.below(places)), 0, crop, crop};
    choice.box.left = int64_t(random.below(places));
  } else {
    choice.box = sample_crop_tf(height, width, range, random);
  }
  choice.flip = random_flip && random.below(2) == 1;
  return choice;
}

io::Image TrainTransform::cropped(View<uint8_t> picture, const Choice& choice) const {
  check(*this);
  ResizeOptions options{.convention = Convention::pillow, .mode = Interpolation::bilinear, .mirror = choice.flip};
  if (mode == TrainMode::inception) return crop_resize(picture, choice.box, crop, crop, options);
  if (choice.box.height != crop || choice.box.width != crop) {
    throw UserError(fmt::format("the box of a squash crop is {0}x{0}, not {1}x{2}", crop, choice.box.height, choice.box.width));
  }
  options.window = choice.box;
  return resize(picture, precrop, precrop, options);
}

void TrainTransform::chw(View<uint8_t> picture, const Choice& choice, float* out) const {
  Normalizer(mean, std).chw(View<uint8_t>(cropped(picture, choice)), out);
}

void TrainTransform::hwc(View<uint8_t> picture, const Choice& choice, float* out) const {
  Normalizer(mean, std).hwc(View<uint8_t>(cropped(picture, choice)), out);
}

}  // namespace zoo::data
