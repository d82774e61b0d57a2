// What is done to a picture before the network, in training: a random crop and mirror, then (x / 255 - mean) / std.
// draw() chooses, the rest is a pure function of picture and choice.
//
//   TrainTransform train{.mode = TrainMode::squash, .precrop = 160, .crop = 128};
//   train.chw(picture, train.draw(picture.height, picture.width, random), tensor.data_ptr<float>());
#pragma once

#include <libzoo/data/image_ops.h>
#include <libzoo/data/padded_crop.h>
#include <libzoo/data/picture.h>
#include <libzoo/data/random_crop.h>

namespace zoo::data {

enum class TrainMode {
  squash,         // Pillow bilinear to precrop x precrop without keeping the aspect, crop x crop anywhere, mirror (fine-tuning)
  inception,      // a box of random area and aspect (TensorFlow's sampler), Pillow bilinear to crop x crop, mirror (pre-training)
  random_resized,  // the same with torchvision's sampler (RandomResizedCrop)
  padded,         // a border, crop x crop anywhere, mirror (CIFAR)
};

// "squash", "inception", "random_resized", "padded". Throws UserError.
TrainMode parse_train_mode(std::string_view name);

struct TrainTransform {
  TrainMode mode = TrainMode::squash;
  int64_t precrop = 160, crop = 128;  // pixels; precrop is squash's only
  CropRange range = {.area_min = 0.05, .area_max = 1, .min_object_covered = 0};  // inception and random_resized
  Padding padding = {};               // padded's only
  bool random_flip = true;
  std::vector<float> mean = {0.5f}, std = {0.5f};  // one for all channels, or one each
  bool scaled_decode = false;  // see ResizeTarget

  struct Choice {
    PixelBox box;       // squash: of crop x crop in the picture of precrop x precrop; padded: in the one with its border; else
                        // in the original
    bool flip = false;  // left-right
  };

  // Draws, one word each: squash and padded top, left, flip; inception and random_resized see random_crop.h, then flip. No flip
  // word if not random_flip.
  Choice draw(int64_t height, int64_t width, RandomStream& random) const;

  // u8 [crop, crop, channels].
  io::Image cropped(View<uint8_t> picture, const Choice& choice) const;

  // The network's input: [channels, crop, crop] or [crop, crop, channels]; `out` has room for it.
  // All throw UserError if the picture is empty, the box leaves it, or precrop, crop, range, mean or std make no sense.
  void chw(View<uint8_t> picture, const Choice& choice, float* out) const;
  void hwc(View<uint8_t> picture, const Choice& choice, float* out) const;
  // The same, decoding no more of the picture than it takes; `normalize` has mean and std.
  void hwc(Picture& picture, const Choice& choice, const Normalizer& normalize, float* out) const;
};

}  // namespace zoo::data
