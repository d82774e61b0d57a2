// zoo data convert set={type: …} out=DIR to=tar: the same pictures in another container. Files are copied as they are, drawn
// and array pictures become PNG. Each file or shard appears as a whole; those that are there already are kept, and
// convert.json says what they were made of.
#include "apps/data/progress.h"
#include "apps/data/verbs.h"
#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/core/options.h>
#include <libzoo/data/image_dataset.h>
#include <libzoo/io/atomic_file.h>
#include <libzoo/io/image_file.h>
#include <libzoo/io/png.h>
#include <libzoo/io/tf_example.h>
#include <libzoo/io/tfrecord.h>
#include <libzoo/io/webdataset.h>

#include <fmt/format.h>

#include <fstream>

namespace zoo::apps {
namespace {

namespace fs = std::filesystem;

// A picture as the bytes of a file.
struct EncodedPicture {
  std::vector<uint8_t> png;
  std::span<const uint8_t> bytes;
  const char* extension = "png";

  explicit EncodedPicture(data::Picture& picture) : bytes(picture.encoded()) {
    if (bytes.empty()) {
      const auto pixels = picture.pixels();
      io::Image image{pixels.height, pixels.width, 3, {}};
      for (int64_t y = 0; y < pixels.height; ++y) image.pixels.insert(image.pixels.end(), pixels.row(y), pixels.row(y) + 3 * pixels.width);
      png = io::encode_png(image);
      bytes = png;
    } else if (bytes[0] == 0xff) {
      extension = "jpg";
    }
  }
};

std::string shard_name(DataFormat format, int64_t shard, int64_t shards) {
  return format == DataFormat::tar ? fmt::format("data-{:06}.tar", shard) : fmt::format("data-{:05}-of-{:05}.tfrecord", shard, shards);
}

// Calls write(number, picture) for pictures from … to-1.
template <class Write>
void each_picture(const data::ImageDataset& set, int64_t from, int64_t to, ItemProgress& progress, Write write) {
  data::Picture picture;
  for (int64_t i = from; i < to; ++i) {
    set.read(i, picture);
    write(i, EncodedPicture(picture));
    progress.done(i + 1);
  }
}

void write_tar(const data::ImageDataset& set, const fs::path& path, int64_t from, int64_t to, ItemProgress& progress) {
  io::WebDatasetWriter writer(path);
  each_picture(set, from, to, progress, [&](int64_t i, const EncodedPicture& encoded) {
    const std::string label = std::to_string(set.label(i));
    const io::WebDatasetWriter::Field fields[] = {{encoded.extension, encoded.bytes}, {"cls", io::view_bytes(label)}};
    writer.add(fmt::format("{:09}", i), fields);
  });
  writer.commit();
}

void write_records(const data::ImageDataset& set, const fs::path& path, int64_t from, int64_t to, ItemProgress& progress) {
  io::TfRecordWriter writer(path);
  each_picture(set, from, to, progress, [&](int64_t i, const EncodedPicture& encoded) {
    writer.write(io::encode_example({{"image/encoded", std::vector<std::span<const uint8_t>>{encoded.bytes}},
                                     {"image/class/label", std::vector<int64_t>{set.label(i)}}}));
  });
  writer.commit();
}

// Classes become folders, so their names must be file names.
void check_folder_name(const std::string& name) {
  if (name.empty() || name[0] == '.' || name.find('/') != std::string::npos || name.find('\0') != std::string::npos)
    throw UserError(fmt::format("class '{}' can't be the name of a folder", name), "convert to tar or tfrecord");
}

int64_t write_folder(const data::ImageDataset& set, const fs::path& out, ItemProgress& progress) {
  for (const std::string& name : set.class_names()) {
    check_folder_name(name);
    fs::create_directories(out / name);
  }
  int64_t kept = 0;
  data::Picture picture;
  for (int64_t i = 0; i < set.size(); ++i) {
    const std::string stem = fmt::format("{:09}", i);
    const fs::path folder = out / set.class_name(set.label(i));
    if (fs::exists(folder / (stem + ".jpg")) || fs::exists(folder / (stem + ".png"))) {
      ++kept;
    } else {
      set.read(i, picture);
      const EncodedPicture encoded(picture);
      io::write_file(folder / (stem + '.' + encoded.extension), encoded.bytes);
    }
    progress.done(i + 1);
  }
  return kept;
}

// What convert.json holds: an unfinished conversion may only go on with the same.
void check_plan(const fs::path& out, const Json& plan) {
  const fs::path file = out / "convert.json";
  if (fs::exists(file)) {
    std::ifstream stream(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (text != plan.dump(1) + '\n')
      throw UserError(fmt::format("{}: is of another conversion", file.string()), "name another folder for out, or remove this one");
    return;
  }
  if (fs::exists(out) && !fs::is_empty(out)) throw UserError(fmt::format("{}: is not empty", out.string()), "name another folder for out");
  fs::create_directories(out);
  io::write_file(file, plan.dump(1) + '\n');
}

}  // namespace

Json convert_data(const ConvertDataOptions& options, const Context& context) {
  const auto set = data::open_dataset(options.set);
  if (!context.quiet) log::info(set->describe());
  auto described = options;
  Json plan = to_json(describe(described));
  plan.erase("out");
  plan["pictures"] = set->size();
  check_plan(options.out, plan);

  ItemProgress progress("converted", set->size(), context.quiet);
  if (options.to == DataFormat::image_folder) {
    const int64_t kept = write_folder(*set, options.out, progress);
    return {{"written", options.out.string()}, {"pictures", set->size()}, {"were there", kept}};
  }
  const int64_t shards = (set->size() + options.per_shard - 1) / options.per_shard;
  int64_t kept = 0;
  for (int64_t shard = 0; shard < shards; ++shard) {
    const fs::path path = options.out / shard_name(options.to, shard, shards);
    if (fs::exists(path)) {
      ++kept;
      continue;
    }
    const int64_t from = shard * options.per_shard, to = std::min(set->size(), from + options.per_shard);
    (options.to == DataFormat::tar ? write_tar : write_records)(*set, path, from, to, progress);
  }
  std::string names;
  for (const std::string& name : set->class_names()) names += name + '\n';
  io::write_file(options.out / "classes.txt", names);
  return {{"written", options.out.string()}, {"pictures", set->size()}, {"shards", shards}, {"were there", kept}};
}

}  // namespace zoo::apps
