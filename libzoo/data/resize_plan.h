// What a resize of a picture of one size needs: tables of both axes, and which part of the input they read.
#pragma once

#include <libzoo/data/resize_axis.h>

namespace zoo::data {

struct ResizePlan {
  AxisTable<double> across, down;
  PixelBox window;                // the part of the result that is computed
  bool keep_width, keep_height;   // a pass that changes nothing is left out

  // The part of the input that is read.
  PixelBox source() const;
};

// From `input` to height x width. Throws UserError as resize() does.
ResizePlan resize_plan(const ImageSize& input, int64_t height, int64_t width, const ResizeOptions& options);

}  // namespace zoo::data
