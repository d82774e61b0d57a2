// What data sets of encoded pictures share: labels, class names, and the usual size.
#pragma once

#include <libzoo/data/image_dataset.h>

namespace zoo::data {

// Throws Error if the mapped file that `pixels` lie in has lost them; the caller's caller names the picture.
void require_pixels(std::span<const uint8_t> pixels);

class LabelledPictures : public ImageDataset {
 public:
  int64_t size() const override { return int64_t(labels_.size()); }
  int64_t num_classes() const override { return int64_t(classes_.size()); }
  std::string class_name(int64_t label) const override { return classes_.at(size_t(label)); }
  ImageSize typical_size() const override { return typical_; }

 protected:
  int64_t get_label(int64_t index) const override { return labels_[size_t(index)]; }

  // The picture of median area among nine, evenly spaced. Unreadable ones are the business of those who ask for them.
  // Throws UserError if none of them is a picture. Once the derived class can read.
  void find_typical_size(const std::string& where);
  // One name a line of `file`, or 0 … num_classes-1, or as many as the largest label asks for. Throws UserError for a label
  // that has no class, and for a single class.
  void name_classes(const std::string& where, const std::filesystem::path& file, const std::optional<int64_t>& num_classes);

  std::vector<int64_t> labels_;
  std::vector<std::string> classes_;

 private:
  ImageSize typical_;
};

}  // namespace zoo::data
