#include <libzoo/data/contact_sheet.h>

#include <libzoo/core/error.h>
#include <libzoo/data/canvas.h>
#include <libzoo/data/image_dataset.h>
#include <libzoo/data/image_ops.h>

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace zoo::data {
namespace {

constexpr Color kPaper{250, 250, 248}, kGround{233, 234, 236};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string fitted(std::string_view text, int64_t width, int64_t dot) {
  if (text_width(text, dot) <= width) return std::string(text);
  const int64_t fits = (width / dot + 1) / (kFontWidth + 1);
  return std::string(text.substr(0, size_t(std::max<int64_t>(0, fits - 2)))) + (fits >= 2 ? ".." : "");
}

// As large as fits a square: a whole multiple with hard pixels, or smaller and smooth.
io::Image fit(const io::Image& image, int64_t side) {
  const io::Image rgb = to_rgb(image);
  const int64_t longer = std::max(rgb.height, rgb.width);
  if (longer <= side) {
    const int64_t factor = side / longer;
    return resize(rgb, rgb.height * factor, rgb.width * factor, {.convention = Convention::pillow, .mode = Interpolation::nearest});
  }
  auto scaled = [&](int64_t length) { return std::max<int64_t>(1, (length * side + longer / 2) / longer); };
  return resize(rgb, scaled(rgb.height), scaled(rgb.width), {.convention = Convention::pillow, .mode = Interpolation::bicubic});
}

// The largest that looks well and fits every caption, if one does.
int64_t dot_size(std::span<const SheetCell> cells, int64_t side) {
  int64_t longest = 0, dot = std::max<int64_t>(1, side / 48);
  for (const SheetCell& cell : cells)
    for (std::string_view line : lines_of(cell.caption)) longest = std::max(longest, text_width(line, 1));
  while (dot > 1 && longest * dot > side) --dot;
  return dot;
}

void check(std::span<const SheetCell> cells, const SheetOptions& options) {
  if (cells.empty()) throw UserError("a contact sheet needs at least one picture");
  if (options.columns < 1 || options.columns > 1024) throw UserError(fmt::format("columns: {} is not 1 to 1024", options.columns));
  if (options.cell_pixels < 8 || options.cell_pixels > 1024)
    throw UserError(fmt::format("cell_pixels: {} is not 8 to 1024", options.cell_pixels));
  for (size_t i = 0; i < cells.size(); ++i) {
    const auto& image = cells[i].image;
    if (image.height < 1 || image.width < 1 || image.channels < 1 || image.channels > 4 ||
        int64_t(image.pixels.size()) != image.height * image.width * image.channels) {
      throw UserError(fmt::format("picture {} of the contact sheet has {}x{} pixels, {} channels and {} bytes", i, image.height,
                                  image.width, image.channels, image.pixels.size()));
    }
  }
}

}  // namespace

io::Image contact_sheet(std::span<const SheetCell> cells, const SheetOptions& options) {
  check(cells, options);
  const int64_t side = options.cell_pixels, dot = dot_size(cells, side), gap = std::max<int64_t>(6, side / 10);
  const int64_t stripe = std::max<int64_t>(2, side / 32), line = (kFontHeight + 3) * dot;
  const int64_t columns = std::min<int64_t>(options.columns, int64_t(cells.size())), rows = (int64_t(cells.size()) + columns - 1) / columns;
  size_t most_lines = 0;
  for (const SheetCell& cell : cells) most_lines = std::max(most_lines, lines_of(cell.caption).size());

  const int64_t title_dot = dot + (options.title.empty() ? 0 : 1);
  const int64_t header = options.title.empty() ? 0 : (kFontHeight + 4) * title_dot;
  const int64_t cell_height = side + stripe + (most_lines ? 3 * dot + int64_t(most_lines) * line : 0) + gap;
  const int64_t width = columns * (side + gap) + gap, height = gap + header + rows * cell_height;
  if (height * width > int64_t(1) << 26) {
    throw UserError(fmt::format("a contact sheet of {} pictures at {} pixels would have {}x{} pixels", cells.size(), side, height, width),
                    "draw fewer or smaller pictures");
  }

  Canvas canvas(height, width, kPaper);
  canvas.write(fitted(options.title, width - 2 * gap, title_dot), gap, gap, title_dot, kInk);
  for (size_t i = 0; i < cells.size(); ++i) {
    const SheetCell& cell = cells[i];
    const int64_t left = gap + int64_t(i) % columns * (side + gap), top = gap + header + int64_t(i) / columns * cell_height;
    canvas.fill({top, left, side, side}, kGround);
    const io::Image picture = fit(cell.image, side);
    canvas.paste(picture, top + (side - picture.height) / 2, left + (side - picture.width) / 2);
    canvas.fill({top + side, left, stripe, side}, cell.color);
    int64_t y = top + side + stripe + 3 * dot;
    for (std::string_view text : lines_of(cell.caption)) {
      const std::string shown = fitted(text, side, dot);
      canvas.write(shown, y, left + (side - text_width(shown, dot)) / 2, dot, cell.color);
      y += line;
    }
  }
  return std::move(canvas.image);
}

io::Image contact_sheet(std::span<const SheetCell> cells, int64_t columns, int64_t cell_pixels) {
  return contact_sheet(cells, {.columns = columns, .cell_pixels = cell_pixels});
}

}  // namespace zoo::data
