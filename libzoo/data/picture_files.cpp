#include <libzoo/data/picture_files.h>

#include <libzoo/core/error.h>
#include <libzoo/io/lines.h>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

namespace zoo::data {
namespace {

namespace fs = std::filesystem;

class PictureFiles : public ImageDataset {
 public:
  explicit PictureFiles(std::vector<fs::path> files) : files_(std::move(files)) {}
  int64_t size() const override { return int64_t(files_.size()); }
  int64_t num_classes() const override { return 1; }
  std::string class_name(int64_t) const override { return "unknown"; }
  ImageSize typical_size() const override { return {}; }
  std::string describe() const override { return fmt::format("{} pictures", files_.size()); }

 private:
  int64_t get_label(int64_t) const override { return 0; }
  void get_picture(int64_t index, Picture& picture) const override { picture.read(files_[size_t(index)]); }
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

// `where` opens the message: the list and line that name the path, if any.
void add_path(const fs::path& path, const std::string& where, std::vector<fs::path>& pictures) {
  std::error_code error;
  if (!fs::exists(path, error)) throw UserError(fmt::format("{}{}: no such file or folder", where, path.string()));
  if (!fs::is_directory(path)) return pictures.push_back(path);
  const size_t before = pictures.size();
  add_folder(path, pictures);
  if (pictures.size() == before) throw UserError(fmt::format("{}{}: no JPEG or PNG picture in this folder", where, path.string()));
}

void add_list(const fs::path& list, std::vector<fs::path>& pictures) {
  const size_t before = pictures.size();
  size_t number = 0;
  for (const auto& line : io::read_lines(list)) {
    ++number;
    if (!line.empty() && line[0] != '#') add_path(list.parent_path() / line, fmt::format("{}:{}: ", list.string(), number), pictures);
  }
  if (pictures.size() == before) throw UserError(fmt::format("{}: lists no picture", list.string()));
}

}  // namespace

std::vector<fs::path> list_pictures(const std::vector<fs::path>& paths) {
  std::vector<fs::path> pictures;
  for (const auto& path : paths) path.extension() == ".txt" ? add_list(path, pictures) : add_path(path, "", pictures);
  return pictures;
}

DatasetPointer picture_files(std::vector<fs::path> files) { return std::make_shared<PictureFiles>(std::move(files)); }

}  // namespace zoo::data
