#include <libzoo/data/contact_sheet.h>
#include <libzoo/simclr/nt_xent.h>
#include <libzoo/simclr/pictures.h>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::simclr {
namespace {

io::Image to_bytes(const data::FloatImage& image) {
  io::Image bytes{image.height, image.width, image.channels, std::vector<uint8_t>(image.pixels.size())};
  for (size_t i = 0; i < bytes.pixels.size(); ++i) bytes.pixels[i] = uint8_t(std::clamp(image.pixels[i], 0.0f, 1.0f) * 255 + 0.5f);
  return bytes;
}

// `count` places of a set, spread evenly.
std::vector<int64_t> spread(int64_t size, int64_t count) {
  std::vector<int64_t> places;
  for (int64_t i = 0; i < std::min(size, count); ++i) places.push_back((2 * i + 1) * size / (2 * std::min(size, count)));
  return places;
}

constexpr int64_t kCell = 96;  // pixels

}  // namespace

io::Image view_sheet(const data::ImageDataset& dataset, const ViewOptions& options, int64_t pictures, uint64_t seed) {
  std::vector<data::SheetCell> cells;
  for (int64_t place : spread(dataset.size(), pictures)) {
    const io::Image image = dataset.image(place);
    RandomStream random({.seed = seed, .id = uint32_t(place), .purpose = Purpose::augmentation});
    cells.push_back({.image = image, .caption = "picture"});
    for (const char* name : {"view 1", "view 2"})
      cells.push_back(
          {.image = to_bytes(make_view(image, draw_view(image.height, image.width, options, random), options)), .caption = name});
  }
  return data::contact_sheet(cells, {.columns = 6, .cell_pixels = kCell, .title = "pictures and their views"});
}

io::Image neighbour_sheet(const data::ImageDataset& dataset, const at::Tensor& features, int64_t queries, int64_t neighbours) {
  const auto rows = normalize_rows(features);
  std::vector<data::SheetCell> cells;
  for (int64_t query : spread(dataset.size(), queries)) {
    auto similarity = at::mv(rows, rows[query]);
    const int64_t label = dataset.label(query);
    cells.push_back({.image = dataset.image(query), .caption = dataset.class_name(label)});
    similarity[query] = -2;
    const auto nearest = std::get<1>(similarity.topk(std::min(neighbours, dataset.size() - 1)));
    for (int64_t i = 0; i < nearest.size(0); ++i) {
      const int64_t place = nearest[i].item<int64_t>(), other = dataset.label(place);
      cells.push_back({.image = dataset.image(place),
                       .caption = fmt::format("{}\n{:.2f}", dataset.class_name(other), similarity[place].item<float>()),
                       .color = other == label ? data::kRight : data::kWrong});
    }
  }
  return data::contact_sheet(
      cells, {.columns = 1 + std::min(neighbours, dataset.size() - 1), .cell_pixels = kCell, .title = "a picture and the nearest to it"});
}

}  // namespace zoo::simclr
