#include <libzoo/core/error.h>
#include <libzoo/data/drawn_dataset.h>

#include <fmt/format.h>

#include <utility>

namespace zoo::data {
namespace {

const char* name_of(Split split) { return split == Split::test ? "test" : "train"; }

}  // namespace

DrawnDataset::DrawnDataset(Kind kind) : kind_(std::move(kind)) {
  if (kind_.per_class < 1 || kind_.per_class > int64_t(UINT32_MAX))
    throw UserError(fmt::format("per_class: must be 1 to 2^32, got {}", kind_.per_class));
  if (kind_.image_size < 8 || kind_.image_size > 4096)
    throw UserError(fmt::format("image_size: must be 8 to 4096 pixels, got {}", kind_.image_size));
}

std::string DrawnDataset::describe() const {
  return fmt::format("{} ({}): {} pictures {}x{}, {} classes", kind_.set, name_of(kind_.split), size(), kind_.image_size, kind_.image_size,
                     num_classes());
}

void DrawnDataset::get_picture(int64_t index, Picture& picture) const {
  const int64_t label = get_label(index), number = index % kind_.per_class;
  RandomStream random({kind_.seed, uint32_t(number), uint32_t(label), Purpose::dataset, uint16_t(kind_.split == Split::test)});
  picture.set_pixels(draw_picture(label, random));
}

std::string DrawnDataset::get_item_name(int64_t index) const {
  return fmt::format("{} {} picture {} ({})", kind_.set, name_of(kind_.split), index, class_name(get_label(index)));
}

}  // namespace zoo::data
