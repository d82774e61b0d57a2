// A folder of pictures with one folder per class. Classes and files are sorted by name, so that numbers are the same on
// every machine; names that start with a dot are left out.
#include <libzoo/core/error.h>
#include <libzoo/data/catalogue.h>
#include <libzoo/io/utf8.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace zoo::data {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> entries;
  auto at = fs::directory_iterator(folder, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!io::is_utf8(name)) {
      std::string shown;
      for (const char c : name) shown += uint8_t(c) < 0x80 && uint8_t(c) >= 0x20 ? std::string(1, c) : fmt::format("\\x{:02x}", uint8_t(c));
      throw UserError(fmt::format("{}: the name {} is not UTF-8", folder.string(), shown), "rename it");
    }
    if (name[0] != '.') entries.push_back(at->path());
  }
  if (error) throw UserError(fmt::format("{}: can't be listed: {}", folder.string(), error.message()));
  std::sort(entries.begin(), entries.end(), [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
  return entries;
}

fs::file_status status_of(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (error.value() == ELOOP) throw UserError(fmt::format("{}: symbolic links lead in a circle", path.string()), "remove the link");
  if (status.type() == fs::file_type::not_found)
    throw UserError(fmt::format("{}: a symbolic link to nothing", path.string()), "remove the link");
  if (error) throw UserError(fmt::format("{}: {}", path.string(), error.message()));
  return status;
}

// Files at any depth. `above` holds the real paths of the folders that contain this one: a link back to one of them would
// never end.
void collect(const fs::path& folder, std::vector<fs::path>& above, std::vector<fs::path>& files) {
  std::error_code error;
  const fs::path real = fs::canonical(folder, error);
  if (error) throw UserError(fmt::format("{}: {}", folder.string(), error.message()));
  if (std::find(above.begin(), above.end(), real) != above.end())
    throw UserError(fmt::format("{}: a symbolic link to a folder that contains it", folder.string()), "remove the link");
  above.push_back(real);
  for (const fs::path& path : sorted_entries(folder)) {
    const fs::file_status status = status_of(path);
    if (fs::is_directory(status))
      collect(path, above, files);
    else if (fs::is_regular_file(status))
      files.push_back(path);
  }
  above.pop_back();
}

class ImageFolder final : public ImageDataset {
 public:
  explicit ImageFolder(const ImageFolderOptions& options) : path_(options.path) {
    std::error_code error;
    if (!fs::is_directory(path_, error))
      throw UserError(fmt::format("{}: {}", path_.string(), fs::exists(path_, error) ? "is not a folder" : "does not exist"),
                      "path names a folder that holds one folder of pictures per class");
    for (const fs::path& entry : sorted_entries(path_)) {
      if (!fs::is_directory(status_of(entry))) continue;
      std::vector<fs::path> above{fs::canonical(path_)};
      const size_t before = files_.size();
      collect(entry, above, files_);
      if (files_.size() == before)
        throw UserError(fmt::format("{}: this class folder has no files", entry.string()), "remove it, or put its pictures there");
      labels_.resize(files_.size(), int64_t(classes_.size()));
      classes_.push_back(entry.filename().string());
    }
    if (classes_.empty()) throw UserError(fmt::format("{}: has no class folders", path_.string()), "make one folder of pictures per class");
    if (classes_.size() == 1)
      throw UserError(fmt::format("{}: has one class folder only, {}", path_.string(), classes_[0]),
                      "name the folder above the class folders; classification needs two classes");
    find_typical_size();
  }

  int64_t size() const override { return int64_t(files_.size()); }
  int64_t num_classes() const override { return int64_t(classes_.size()); }
  std::string class_name(int64_t label) const override { return classes_.at(size_t(label)); }
  ImageSize typical_size() const override { return typical_; }
  std::string describe() const override {
    return fmt::format("image folder {}: {} pictures, {} classes", path_.filename().string(), size(), num_classes());
  }

 protected:
  int64_t get_label(int64_t index) const override { return labels_[size_t(index)]; }
  void get_picture(int64_t index, Picture& picture) const override { picture.read(files_[size_t(index)]); }
  std::string get_item_name(int64_t index) const override { return files_[size_t(index)].string(); }

 private:
  // The picture of median area among nine, evenly spaced. Unreadable ones are the business of those who ask for them.
  void find_typical_size() {
    std::vector<ImageSize> sizes;
    const int64_t step = std::max<int64_t>(1, size() / 9);
    Picture picture;
    for (int64_t i = 0; i < size() && sizes.size() < 9; i += step) {
      try {
        picture.read(files_[size_t(i)]);
        sizes.push_back(picture.size());
      } catch (const Error&) {
      }
    }
    if (sizes.empty())
      throw UserError(fmt::format("{}: none of the files tried is a picture, such as {}", path_.string(), get_item_name(0)));
    const auto middle = sizes.begin() + std::ptrdiff_t(sizes.size() / 2);
    std::nth_element(sizes.begin(), middle, sizes.end(), [](ImageSize a, ImageSize b) { return a.height * a.width < b.height * b.width; });
    typical_ = *middle;
  }

  fs::path path_;
  std::vector<std::string> classes_;
  std::vector<fs::path> files_;
  std::vector<int64_t> labels_;
  ImageSize typical_;
};

}  // namespace

DatasetPointer open_image_folder(const ImageFolderOptions& options) { return std::make_shared<ImageFolder>(options); }

}  // namespace zoo::data
