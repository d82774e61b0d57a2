// Gaussian blur of float pictures: weights exp(-x² / 2σ²) over their sum, along rows and columns.
//
//   FloatImage soft = gaussian_blur(picture, BlurConvention::simclr, 22, 1.5);
#pragma once

#include <libzoo/data/image_view.h>

#include <vector>

namespace zoo::data {

enum class BlurConvention {
  simclr,       // 2 * int(kernel_size / 2) + 1 taps (22 and 23 alike), zeros around the picture, so borders darken
  torchvision,  // odd sizes only, the picture mirrored at its border, which is not repeated
};

// [2 * radius + 1]. Throws UserError if radius is not 0 to 65536 or sigma not positive and finite.
std::vector<double> gaussian_weights(int64_t radius, double sigma);

// kernel_size in pixels, 1 or more; sigma in pixels. Throws UserError on an even size or a picture no larger than the
// radius (torchvision), and as gaussian_weights does.
FloatImage gaussian_blur(View<float> image, BlurConvention convention, int64_t kernel_size, double sigma);

}  // namespace zoo::data
