// Pictures in shards, reached by number: WebDataset archives and TFRecord files. Opening a set reads the headers and the
// labels of all its samples; pictures are views of the mapped files.
#include <libzoo/core/error.h>
#include <libzoo/data/catalogue.h>
#include <libzoo/data/labelled_pictures.h>
#include <libzoo/io/shards.h>
#include <libzoo/io/tf_example.h>
#include <libzoo/io/tfrecord.h>
#include <libzoo/io/webdataset.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

namespace zoo::data {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> expanded(const std::vector<std::string>& patterns, const char* key) {
  std::vector<fs::path> files;
  for (const std::string& pattern : patterns)
    for (const std::string& name : io::expand_shards(pattern)) files.emplace_back(name);
  for (const fs::path& file : files) {
    std::error_code error;
    if (!fs::is_regular_file(file, error))
      throw UserError(fmt::format("{}: {} is {}", key, file.string(), fs::exists(file, error) ? "not a file" : "not there"),
                      "several files are written as name-{000000..000123}.tar");
  }
  return files;
}

// "tar train-000000.tar and 3 more: 4000 pictures, 10 classes".
std::string described(const char* kind, const std::vector<fs::path>& files, const ImageDataset& set) {
  const std::string more = files.size() > 1 ? fmt::format(" and {} more", files.size() - 1) : "";
  return fmt::format("{} {}{}: {} pictures, {} classes", kind, files.front().filename().string(), more, set.size(), set.num_classes());
}

class TarPictures final : public LabelledPictures {
 public:
  explicit TarPictures(const TarOptions& options) : files_(expanded(options.shards, "shards")) {
    for (const fs::path& file : files_) {
      io::WebDatasetReader& shard = shards_.emplace_back(io::map_file(file), file.string());
      while (std::optional<io::WebSample> sample = shard.next()) add(options, std::move(*sample));
    }
    const std::string where = files_.front().string();
    name_classes(where, options.class_names, options.num_classes);
    find_typical_size(where);
  }
  std::string describe() const override { return described("tar", files_, *this); }

 protected:
  void get_picture(int64_t index, Picture& picture) const override {
    const Item& item = items_[size_t(index)];
    picture.set_encoded(shards_[item.shard].bytes({.offset = item.offset, .size = item.size}), get_item_name(index));
  }
  std::string get_item_name(int64_t index) const override {
    const Item& item = items_[size_t(index)];
    return fmt::format("{}: {}", files_[item.shard].string(), item.key);
  }

 private:
  struct Item {
    size_t shard;
    uint64_t offset, size;
    std::string key;
  };

  void add(const TarOptions& options, io::WebSample sample) {
    const size_t shard = shards_.size() - 1;
    const auto where = [&] { return fmt::format("{}: {}", files_[shard].string(), sample.key); };
    const io::WebField* picture = nullptr;
    for (const std::string& extension : options.image) picture = picture ? picture : sample.find(extension);
    const io::WebField* label = sample.find(options.label);
    if (!picture || !label) {
      std::vector<std::string> found;
      for (const io::WebField& field : sample.fields) found.push_back(field.extension);
      throw UserError(fmt::format("{}: has no {}, only {}", where(),
                                  picture ? options.label : fmt::format("{}", fmt::join(options.image, ", ")), fmt::join(found, ", ")),
                      "`image` and `label` name the extensions that hold them");
    }
    const io::Bytes bytes = shards_[shard].bytes(*label);
    std::string_view text(reinterpret_cast<const char*>(bytes.view.data()), bytes.view.size());
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
      throw UserError(fmt::format("{}: {} is no number: '{:.40}'", where(), options.label, text),
                      "a label is the number of a class, as text");
    labels_.push_back(value - options.first_label);
    items_.push_back({shard, picture->offset, picture->size, std::move(sample.key)});
  }

  std::vector<fs::path> files_;
  std::vector<io::WebDatasetReader> shards_;
  std::vector<Item> items_;
};

class TfRecordPictures final : public LabelledPictures {
 public:
  explicit TfRecordPictures(const TfRecordSetOptions& options) : options_(options), files_(expanded(options.files, "files")) {
    for (size_t shard = 0; shard < files_.size(); ++shard) {
      const std::string where = files_[shard].string();
      const io::Bytes bytes = io::map_file(files_[shard]);
      const io::TfRecordFile& file = shards_.emplace_back(bytes, where);
      const io::TfRecordFile unchecked(bytes, where, /*verify_crc=*/false);  // labels: the pictures need not be read for them
      for (int64_t i = 0; i < file.size(); ++i) {
        items_.push_back({shard, i});
        const std::string record = get_item_name(int64_t(items_.size()) - 1);
        const io::TfExample example = io::decode_example(unchecked.record(i), record);
        const auto& values = io::values_of<int64_t>(example.features, options.label, record);
        if (values.size() != 1) throw UserError(fmt::format("{}: {} has {} values, a label is one", record, options.label, values.size()));
        labels_.push_back(values[0] - options.first_label);
      }
    }
    const std::string where = files_.front().string();
    name_classes(where, options.class_names, options.num_classes);
    find_typical_size(where);
  }
  std::string describe() const override { return described("tfrecord", files_, *this); }

 protected:
  void get_picture(int64_t index, Picture& picture) const override {
    const auto [shard, record] = items_[size_t(index)];
    const std::string where = get_item_name(index);
    const io::Bytes bytes = shards_[shard].record(record);
    const io::TfExample example = io::decode_example(bytes, where);
    const auto& values = io::values_of<std::span<const uint8_t>>(example.features, options_.image, where);
    if (values.size() != 1) throw UserError(fmt::format("{}: {} has {} values, a picture is one", where, options_.image, values.size()));
    picture.set_encoded({.view = values[0], .owner = bytes.owner}, where);
  }
  std::string get_item_name(int64_t index) const override {
    const auto [shard, record] = items_[size_t(index)];
    return fmt::format("{}: record {}", files_[shard].string(), record);
  }

 private:
  struct Item {
    size_t shard;
    int64_t record;
  };

  TfRecordSetOptions options_;
  std::vector<fs::path> files_;
  std::vector<io::TfRecordFile> shards_;
  std::vector<Item> items_;
};

}  // namespace

DatasetPointer open_tar(const TarOptions& options) { return std::make_shared<TarPictures>(options); }
DatasetPointer open_tfrecord(const TfRecordSetOptions& options) { return std::make_shared<TfRecordPictures>(options); }

}  // namespace zoo::data
