#include <libzoo/data/labelled_pictures.h>

#include <libzoo/core/error.h>
#include <libzoo/io/lines.h>
#include <libzoo/io/lost_pages.h>

#include <fmt/format.h>

#include <algorithm>

namespace zoo::data {
void require_pixels(std::span<const uint8_t> pixels) {
  if (!io::has_pages(pixels)) throw Error("the file has become shorter while it was read");
}

void LabelledPictures::find_typical_size(const std::string& where) {
  std::vector<ImageSize> sizes;
  const int64_t step = std::max<int64_t>(1, size() / 9);
  Picture picture;
  for (int64_t i = 0; i < size() && sizes.size() < 9; i += step) {
    try {
      get_picture(i, picture);
      sizes.push_back(picture.size());
    } catch (const Error&) {
    }
  }
  if (sizes.empty()) throw UserError(fmt::format("{}: none of the pictures tried can be read, such as {}", where, get_item_name(0)));
  const auto middle = sizes.begin() + std::ptrdiff_t(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end(), [](ImageSize a, ImageSize b) { return a.height * a.width < b.height * b.width; });
  typical_ = *middle;
}

void LabelledPictures::name_classes(const std::string& where, const std::filesystem::path& file,
                                    const std::optional<int64_t>& num_classes) {
  if (labels_.empty()) throw UserError(fmt::format("{}: holds no pictures", where));
  const auto [least, largest] = std::minmax_element(labels_.begin(), labels_.end());
  if (!file.empty()) classes_ = io::read_lines(file);
  if (num_classes && !file.empty() && *num_classes != int64_t(classes_.size()))
    throw UserError(fmt::format("{}: names {} classes, num_classes is {}", file.string(), classes_.size(), *num_classes),
                    "give one of the two");
  if (file.empty())
    for (int64_t label = 0; label < num_classes.value_or(*largest + 1); ++label) classes_.push_back(std::to_string(label));
  const auto wrong = *least < 0 ? least : largest;
  if (*wrong < 0 || *wrong >= int64_t(classes_.size()))
    throw UserError(fmt::format("{}: its label is {}, the classes are 0 to {}", get_item_name(wrong - labels_.begin()), *wrong,
                                int64_t(classes_.size()) - 1),
                    "give the right num_classes, class_names or first_label");
  if (classes_.size() < 2) throw UserError(fmt::format("{}: has one class only", where), "classification needs two");
}

}  // namespace zoo::data
