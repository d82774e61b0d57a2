// A sheet of small pictures with a caption under each: what a network saw and what it said.
//
//   std::vector<SheetCell> cells{{image, "7 as 1", kWrong}, {other, "3", kRight}};
//   io::Image sheet = contact_sheet(cells, {.columns = 10, .cell_pixels = 96, .title = "digits, 5 per class"});
#pragma once

#include <libzoo/data/canvas.h>
#include <libzoo/data/image_view.h>

#include <span>
#include <string>

namespace zoo::data {

constexpr Color kInk{40, 44, 52}, kRight{22, 128, 70}, kWrong{200, 40, 44};

struct SheetCell {
  io::Image image;      // 1 to 4 channels; grey is drawn grey, alpha ignored
  std::string caption;  // ASCII, newlines allowed; what does not fit is cut, other characters become '?'
  Color color = kInk;   // of the caption and of the line under the picture
};

struct SheetOptions {
  int64_t columns = 8;
  int64_t cell_pixels = 96;  // side of the square for each picture, 8 to 1024
  std::string title = {};    // on top, if any
};

// RGB. Pictures keep their aspect; small ones grow by a whole factor with hard pixels, large ones shrink smoothly.
// Throws UserError if there is no cell, an image is empty, an option is out of range, or the sheet would exceed 2^26 pixels.
io::Image contact_sheet(std::span<const SheetCell> cells, const SheetOptions& options);
io::Image contact_sheet(std::span<const SheetCell> cells, int64_t columns, int64_t cell_pixels);

}  // namespace zoo::data
