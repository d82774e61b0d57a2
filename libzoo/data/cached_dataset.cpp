#include <libzoo/data/cached_dataset.h>

#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/core/log.h>
#include <libzoo/data/cache.h>
#include <libzoo/io/atomic_file.h>
#include <libzoo/io/crc32c.h>

#include <fmt/format.h>

#include <atomic>
#include <cstring>

namespace zoo::data {
namespace {

namespace fs = std::filesystem;

// A picture as it is kept: pixels, or the bytes of a file if height is 0.
struct Copy {
  int64_t height = 0, width = 0;
  std::vector<uint8_t> bytes;

  View<uint8_t> pixels() const { return {bytes.data(), height, width, 3, 3 * width}; }
};

// Copies in a folder, one file each: this header, then the bytes.
class CopyFolder {
 public:
  CopyFolder(fs::path folder, const ImageDataset& dataset) : folder_(std::move(folder)) {
    const fs::path about = folder_ / "set.json";
    uint32_t names = 0;
    for (int64_t i = 0; i < dataset.size(); ++i) names = io::crc32c(dataset.item_name(i), names);
    const Json set = {{"set", dataset.describe()}, {"pictures", dataset.size()}, {"names_crc32c", names}};
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error)
      throw UserError(fmt::format("{}: can't be made: {}", folder_.string(), error.message()), "name a folder that can be written to");
    if (!fs::exists(about)) {
      if (!fs::is_empty(folder_))
        throw UserError(fmt::format("{}: holds other files than copies of pictures", folder_.string()),
                        "name an empty folder for the cache");
      io::write_file(about, set.dump());
      return;
    }
    std::vector<uint8_t> text;
    io::read_file(about, text);
    const Json present = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!(present == set)) {  // != is false for text that is no JSON
      const std::string holds =
          present.is_object() && present.contains("set") && present["set"].is_string() ? present["set"] : "another set";
      throw UserError(fmt::format("{}: holds copies of {}, not of {}", folder_.string(), holds, dataset.describe()),
                      "name another folder for the cache, or remove this one");
    }
  }

  // False if there is none that is whole, or no pixels where those are asked for.
  bool read(int64_t index, bool decoded, Copy& copy) const {
    thread_local std::vector<uint8_t> file;
    try {
      io::read_file(path(index), file);
    } catch (const UserError&) {
      return false;
    }
    Header header;
    if (file.size() < sizeof header) return false;
    std::memcpy(&header, file.data(), sizeof header);
    copy.bytes.assign(file.begin() + sizeof header, file.end());
    copy.height = header.height;
    copy.width = header.width;
    if (header != header_of(copy)) return false;
    return !decoded || copy.height > 0;
  }

  // Says so once if that is not possible any more.
  void write(int64_t index, const Copy& copy) const {
    if (full_) return;
    try {
      fs::create_directories(path(index).parent_path());
      const Header header = header_of(copy);
      io::AtomicFile file(path(index));
      file.write({reinterpret_cast<const uint8_t*>(&header), sizeof header});
      file.write(copy.bytes);
      file.commit(/*sync=*/false);
    } catch (const std::exception& error) {
      if (!full_.exchange(true)) log::warning(fmt::format("no more pictures are copied to the cache: {}", error.what()));
    }
  }

 private:
  struct Header {
    char magic[8];
    uint32_t version, crc32c;
    int64_t height, width;
    bool operator==(const Header&) const = default;
  };

  static Header header_of(const Copy& copy) {
    Header header{{'z', 'o', 'o', ' ', 'c', 'o', 'p', 'y'}, 1, io::crc32c(copy.bytes), copy.height, copy.width};
    if (copy.height > 0 && int64_t(copy.bytes.size()) != 3 * copy.height * copy.width) header.version = 0;  // equals no file's
    return header;
  }

  fs::path path(int64_t index) const { return folder_ / fmt::format("{:05}", index / 1000) / fmt::format("{:03}", index % 1000); }

  fs::path folder_;
  mutable std::atomic<bool> full_{false};
};

class CachedDataset final : public ImageDataset {
 public:
  CachedDataset(DatasetPointer dataset, const DatasetCacheOptions& options)
      : dataset_(std::move(dataset)), decoded_(options.decoded), memory_({.max_bytes = options.max_bytes}) {
    if (!options.directory.empty()) folder_.emplace(options.directory, *dataset_);
  }

  int64_t size() const override { return dataset_->size(); }
  int64_t num_classes() const override { return dataset_->num_classes(); }
  std::string class_name(int64_t label) const override { return dataset_->class_name(label); }
  std::string superclass(int64_t label) const override { return dataset_->superclass(label); }
  bool has_several_labels() const override { return dataset_->has_several_labels(); }
  ImageSize typical_size() const override { return dataset_->typical_size(); }
  std::string describe() const override { return dataset_->describe(); }

 protected:
  int64_t get_label(int64_t index) const override { return dataset_->label(index); }
  std::vector<int64_t> get_labels(int64_t index) const override { return dataset_->labels(index); }
  std::string get_item_name(int64_t index) const override { return dataset_->item_name(index); }

  void get_picture(int64_t index, Picture& picture) const override {
    std::shared_ptr<const Copy> copy = memory_.find(index);
    if (!copy) {
      Copy made;
      if (!folder_ || !folder_->read(index, decoded_, made)) {
        made = copy_of(index);
        if (folder_) folder_->write(index, made);
      }
      const auto bytes = int64_t(made.bytes.size());
      copy = memory_.keep(index, std::move(made), bytes);
    }
    if (copy->height > 0)
      picture.set_pixels(copy->pixels(), copy);
    else
      picture.set_encoded({copy->bytes, copy}, dataset_->item_name(index));
  }

 private:
  // Pixels if they are asked for, or if the set has no encoded pictures.
  Copy copy_of(int64_t index) const {
    thread_local Picture picture;
    dataset_->read(index, picture);
    if (!decoded_ && !picture.encoded().empty()) return {.bytes = {picture.encoded().begin(), picture.encoded().end()}};
    io::Image image = std::move(picture).image();
    return {image.height, image.width, std::move(image.pixels)};
  }

  DatasetPointer dataset_;
  bool decoded_;
  mutable Cache<Copy> memory_;
  std::optional<CopyFolder> folder_;
};

}  // namespace

DatasetPointer cached(DatasetPointer dataset, const DatasetCacheOptions& options) {
  if (!options.active()) return dataset;
  return std::make_shared<CachedDataset>(std::move(dataset), options);
}

}  // namespace zoo::data
