// WebDataset shards: tar archives in which the files of one sample stand together and share the name up to the first dot.
//
//   WebDatasetReader shard(map_file(path), path);
//   while (auto sample = shard.next()) if (auto* jpeg = sample->find("jpg")) use(shard.bytes(*jpeg).view);
#pragma once

#include <libzoo/io/tar.h>

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zoo::io {

struct WebField {
  std::string extension;  // after the first dot of the base name, in lower case (ASCII): "jpg", "seg.png", possibly empty
  uint64_t offset = 0, size = 0;  // of the payload in the archive
};

struct WebSample {
  std::string key;  // the path up to the first dot of the base name: "train/000017"
  std::vector<WebField> fields;

  const WebField* find(std::string_view extension) const;  // null if there is none
};

// Samples in the archive's order: runs of consecutive regular files with one key. Directories, links, base names without a dot
// or with one in front, and __meta__ names at the top are passed over and end no run.
class WebDatasetReader {
 public:
  WebDatasetReader(Bytes file, std::string where) : tar_(std::move(file), where), where_(std::move(where)) {}

  // Nothing at the end. Throws UserError as TarReader does, and for an extension that is repeated in a sample.
  std::optional<WebSample> next();

  // A view of the archive; any thread may call it, and samples stay valid after next().
  Bytes bytes(const WebField& field) const;

 private:
  TarReader tar_;
  std::string where_;
  std::optional<WebSample> pending_;  // the one whose first file is already read
};

// Name of a file as WebDataset splits it into key and extension; nothing for a name that is passed over.
std::optional<std::pair<std::string_view, std::string_view>> split_web_name(std::string_view name);

// Writes samples to a shard that appears, or replaces another, as a whole.
class WebDatasetWriter {
 public:
  using Field = std::pair<std::string_view, std::span<const uint8_t>>;  // extension and bytes

  // Members throw Error with the file's name and the system's reason.
  explicit WebDatasetWriter(const std::filesystem::path& target) : tar_(target), target_(target) {}

  // Throws Error if a reader would not give the same sample back: for a key that repeats the last one or has a dot in its
  // base name, a sample without fields, and an extension that is repeated, has a '/' or capitals.
  void add(std::string_view key, std::span<const Field> fields);
  uint64_t size() const { return tar_.size(); }    // bytes so far
  int64_t samples() const { return samples_; }
  void commit() { tar_.commit(); }                 // call once, last

 private:
  TarWriter tar_;
  std::filesystem::path target_;
  std::string last_key_;
  int64_t samples_ = 0;
};

}  // namespace zoo::io
