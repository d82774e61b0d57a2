// Pictures named by a list, with any number of labels each.
#include <libzoo/core/error.h>
#include <libzoo/data/catalogue.h>
#include <libzoo/data/labelled_pictures.h>
#include <libzoo/io/bytes.h>
#include <libzoo/io/label_list.h>
#include <libzoo/io/lines.h>

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

namespace zoo::data {
namespace {

namespace fs = std::filesystem;

std::vector<io::LabelledPath> read_list(const fs::path& file) {
  const auto ending = file.extension();
  const bool json = ending == ".jsonl" || ending == ".json";
  if (!json && ending != ".csv")
    throw UserError(fmt::format("{}: a list of pictures ends in .csv, .jsonl or .json", file.string()), "rename it");
  const io::Bytes bytes = io::map_file(file);
  return io::parse_label_list({reinterpret_cast<const char*>(bytes.view.data()), bytes.view.size()},
                              json ? io::LabelListFormat::json_lines : io::LabelListFormat::csv, file.string());
}

class ImageList final : public LabelledPictures {
 public:
  explicit ImageList(const ImageListOptions& options) : list_(options.file) {
    const auto items = read_list(list_);
    if (items.empty()) throw UserError(fmt::format("{}: lists no picture", list_.string()));
    name_classes(items, options.class_names);
    const fs::path root = options.root.empty() ? list_.parent_path() : options.root;
    std::unordered_map<std::string, int64_t> number;
    for (size_t c = 0; c < classes_.size(); ++c) number.emplace(classes_[c], int64_t(c));
    for (const auto& item : items) {
      files_.push_back(root / item.path);
      std::error_code error;
      if (!fs::is_regular_file(files_.back(), error))
        throw UserError(fmt::format("{}:{}: {}: no such file", list_.string(), item.line, files_.back().string()),
                        "paths are relative to `root`, or to the list's own folder");
      auto& set = sets_.emplace_back();
      for (const auto& label : item.labels) {
        const auto found = number.find(label);
        if (found == number.end())
          throw UserError(fmt::format("{}:{}: '{}' is no class of {}", list_.string(), item.line, label, options.class_names.string()),
                          "add it there, or correct it here");
        set.push_back(found->second);
      }
      std::sort(set.begin(), set.end());
    }
    labels_.assign(items.size(), -1);  // nobody may ask for the one label
    find_typical_size(list_.string());
  }

  bool has_several_labels() const override { return true; }
  std::string describe() const override {
    return fmt::format("image list {}: {} pictures, {} classes, several labels each", list_.filename().string(), size(), num_classes());
  }

 protected:
  std::vector<int64_t> get_labels(int64_t index) const override { return sets_[size_t(index)]; }
  void get_picture(int64_t index, Picture& picture) const override { picture.read(files_[size_t(index)]); }
  std::string get_item_name(int64_t index) const override { return files_[size_t(index)].string(); }

 private:
  // Those of the file, or all labels of the list in order of their names.
  void name_classes(const std::vector<io::LabelledPath>& items, const fs::path& file) {
    if (!file.empty()) {
      classes_ = io::read_lines(file);
    } else {
      std::set<std::string> names;
      for (const auto& item : items) names.insert(item.labels.begin(), item.labels.end());
      classes_.assign(names.begin(), names.end());
    }
    if (classes_.empty()) throw UserError(fmt::format("{}: no picture has a label", list_.string()));
  }

  fs::path list_;
  std::vector<fs::path> files_;
  std::vector<std::vector<int64_t>> sets_;
};

}  // namespace

DatasetPointer open_image_list(const ImageListOptions& options) { return std::make_shared<ImageList>(options); }

}  // namespace zoo::data
