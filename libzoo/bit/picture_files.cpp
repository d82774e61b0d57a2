#include <libzoo/bit/picture_files.h>

#include <libzoo/core/error.h>
#include <libzoo/io/lines.h>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

namespace zoo::bit {
namespace {

namespace fs = std::filesystem;

class PictureFiles : public data::ImageDataset {
 public:
  explicit PictureFiles(std::vector<fs::path> files) : files_(std::move(files)) {}
  int64_t size() const override { return int64_t(files_.size()); }
  int64_t num_classes() const override { return 1; }
  std::string class_name(int64_t) const override { return "unknown"; }
  data::ImageSize typical_size() const override { return {}; }
  std::string describe() const override { return fmt::format("{} pictures", files_.size()); }

 private:
  int64_t get_label(int64_t) const override { return 0; }
  void get_picture(int64_t index, data::Picture& picture) const override { picture.read(files_[size_t(index)]); }
  std::string get_item_name(int64_t index) const override { return files_[size_t(index)].string(); }

  std::vector<fs::path> files_;
};

bool looks_like_a_picture(const fs::path& path) {
  unsigned char head[8] = {};
  std::ifstream(path, std::ios::binary).read(reinterpret_cast<char*>(head), sizeof head);
  const bool jpeg = head[0] == 0xff && head[1] == 0xd8 && head[2] == 0xff;
  const bool png = head[0] == 0x89 && head[1] == 'P' && head[2] == 'N' && head[3] == 'G';
  return jpeg || png;
}

void add_folder(const fs::path& folder, std::vector<fs::path>& pictures) {
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder)) entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  for (const auto& path : entries) {
    if (fs::is_directory(path) && !fs::is_symlink(path))
      add_folder(path, pictures);
    else if (fs::is_regular_file(path) && looks_like_a_picture(path))
      pictures.push_back(path);
  }
}

void add(const fs::path& path, bool lists, std::vector<fs::path>& pictures) {
  std::error_code error;
  if (!fs::exists(path, error)) throw UserError(fmt::format("{}: no such file or folder", path.string()));
  const size_t before = pictures.size();
  if (fs::is_directory(path)) {
    add_folder(path, pictures);
    if (pictures.size() == before) throw UserError(fmt::format("{}: no JPEG or PNG picture in this folder", path.string()));
  } else if (lists && path.extension() == ".txt") {
    for (const auto& line : io::read_lines(path)) {
      if (line.empty() || line[0] == '#') continue;
      try {
        add(path.parent_path() / line, /*lists=*/false, pictures);
      } catch (const UserError& e) {
        throw UserError(fmt::format("{}: {}", path.string(), e.what()), "a .txt file lists pictures, one a line");
      }
    }
    if (pictures.size() == before) throw UserError(fmt::format("{}: lists no picture", path.string()));
  } else {
    pictures.push_back(path);
  }
}

}  // namespace

std::vector<fs::path> list_pictures(const std::vector<fs::path>& paths) {
  std::vector<fs::path> pictures;
  for (const auto& path : paths) add(path, /*lists=*/true, pictures);
  return pictures;
}

data::DatasetPointer picture_files(std::vector<fs::path> files) { return std::make_shared<PictureFiles>(std::move(files)); }

}  // namespace zoo::bit
