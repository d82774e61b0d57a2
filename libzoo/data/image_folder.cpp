// A folder of pictures with one folder per class. Classes and files are sorted by name, so that numbers are the same on
// every machine; names that start with a dot are left out.
#include <libzoo/core/error.h>
#include <libzoo/data/catalogue.h>
#include <libzoo/data/labelled_pictures.h>
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

class ImageFolder final : public LabelledPictures {
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
    find_typical_size(path_.string());
  }

  std::string describe() const override {
    return fmt::format("image folder {}: {} pictures, {} classes", path_.filename().string(), size(), num_classes());
  }

 protected:
  void get_picture(int64_t index, Picture& picture) const override { picture.read(files_[size_t(index)]); }
  std::string get_item_name(int64_t index) const override { return files_[size_t(index)].string(); }

 private:
  fs::path path_;
  std::vector<fs::path> files_;
};

}  // namespace

DatasetPointer open_image_folder(const ImageFolderOptions& options) { return std::make_shared<ImageFolder>(options); }

}  // namespace zoo::data
