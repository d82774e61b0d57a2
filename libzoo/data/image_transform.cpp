#include <libzoo/data/image_transform.h>

namespace zoo::data {

ImageTransform image_transform(const TrainTransform& transform) {
  auto apply = [transform, normalize = Normalizer(transform.mean, transform.std)](Picture& picture, const RandomKey& key, float* out) {
    RandomStream random(key);
    const auto [height, width] = picture.size();
    transform.hwc(picture, transform.draw(height, width, random), normalize, out);
  };
  return {transform.crop, transform.crop, std::move(apply)};
}

ImageTransform image_transform(const EvalTransform& transform) {
  auto apply = [transform, normalize = Normalizer(transform.mean, transform.std)](Picture& picture, const RandomKey&, float* out) {
    transform.hwc(picture, normalize, out);
  };
  return {transform.size, transform.size, std::move(apply)};
}

}  // namespace zoo::data
