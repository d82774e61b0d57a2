// Binds the reference cases io.* to the public API: files, checksums, random streams, shards.
#include "test/reference/case.h"

#include <libzoo/core/error.h>
#include <libzoo/core/random.h>
#include <libzoo/data/sources.h>
#include <libzoo/io/cifar.h>
#include <libzoo/io/crc32c.h>
#include <libzoo/io/idx.h>
#include <libzoo/io/npy.h>
#include <libzoo/io/safetensors.h>
#include <libzoo/io/tar.h>
#include <libzoo/io/tensor.h>
#include <libzoo/io/tf_example.h>
#include <libzoo/io/tfevents.h>
#include <libzoo/io/tfrecord.h>
#include <libzoo/io/webdataset.h>

#include <ATen/Functions.h>
#include <fmt/format.h>

#include <charconv>

namespace zoo::reference {
namespace {

io::Bytes bytes_of(const Array& array) {
  const auto bytes = array.span<uint8_t>();
  return {bytes, array.owner()};
}

Array bytes_array(std::string_view text) { return Array::text(text); }

template <class T>
Array list(const std::vector<T>& values) {
  return Array::of<T>({int64_t(values.size())}, values);
}

// A list of byte strings: all of them, and where each begins and ends.
class Strings {
 public:
  void add(std::string_view text) {
    all_ += text;
    offsets_.push_back(int64_t(all_.size()));
  }
  void add(std::span<const uint8_t> bytes) { add(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())); }
  void expect(Case& c, const std::string& data, const std::string& offsets) const {
    c.expect(data, bytes_array(all_));
    c.expect(offsets, list(offsets_));
  }

 private:
  std::string all_;
  std::vector<int64_t> offsets_{0};
};

// Floating types as f64, integers as i64 (unsigned ones with their bits), truth values as they are.
Array widened(const Array& array) {
  at::Tensor t = io::to_tensor(array);
  if (array.dtype() == DType::boolean) return io::to_array(t);
  if (t.is_floating_point()) return io::to_array(t.to(at::kDouble));
  if (array.dtype() == DType::u64) return io::to_array(t.view(at::kLong));
  return io::to_array(t.to(at::kLong));
}

std::string numpy_code(DType type) {
  const char kind = type == DType::boolean                                           ? 'b'
                    : type == DType::f64 || type == DType::f32 || type == DType::f16 ? 'f'
                    : name(type)[0] == 'U'                                           ? 'u'
                                                                                     : 'i';
  return fmt::format("{}{}", kind, item_size(type));
}

void crc32c(Case& c) {
  const auto bytes = c.array("bytes").span<uint8_t>();
  const auto offsets = c.array("offsets").span<int64_t>();
  std::vector<int64_t> crc, masked;
  for (size_t i = 0; i + 1 < offsets.size(); ++i) {
    const auto whole = bytes.subspan(size_t(offsets[i]), size_t(offsets[i + 1] - offsets[i]));
    std::vector<int64_t> ends{int64_t(whole.size())};
    if (c.has_input("splits")) ends = {c.array("splits").span<int64_t>().begin(), c.array("splits").span<int64_t>().end()};
    uint32_t value = 0;
    int64_t begin = 0;
    for (int64_t end : ends) {
      value = io::crc32c(whole.subspan(size_t(begin), size_t(end - begin)), value);
      begin = end;
    }
    crc.push_back(value);
    masked.push_back(io::mask_crc(value));
  }
  c.expect("crc", list(crc));
  c.expect("masked", list(masked));
}

void safetensors_read(Case& c) {
  const auto file = io::read_safetensors(bytes_of(c.array("bytes")), c.name());
  for (const auto& [name, array] : file.tensors) {
    c.expect(name + "/values", widened(array));
    c.expect(name + "/dtype", std::string(zoo::name(array.dtype())));
  }
  for (const auto& [key, value] : file.metadata) c.expect("__metadata__/" + key, value);
}

void npy_read(Case& c) {
  const Array array = io::read_npy(bytes_of(c.array("bytes")), c.name());
  c.expect("values", widened(array));
  c.expect("dtype", numpy_code(array.dtype()));
}

void npz_read(Case& c) {
  for (const auto& [name, array] : io::read_npz(bytes_of(c.array("bytes")), c.name())) {
    c.expect(name + "/values", widened(array));
    c.expect(name + "/dtype", numpy_code(array.dtype()));
  }
}

void idx_read(Case& c) {
  const Array array = io::read_idx(bytes_of(c.array("bytes")), c.name());
  c.expect("values", array.dtype() == DType::i8 || array.dtype() == DType::i16 ? widened(array) : array);
}

void cifar_bin(Case& c) {
  const auto variant = c.text("variant") == "cifar100" ? io::CifarVariant::cifar100 : io::CifarVariant::cifar10;
  const auto cifar = io::read_cifar(bytes_of(c.array("bytes")), variant, c.name());
  c.expect("images", cifar.images);
  c.expect("labels", cifar.labels);
  if (variant == io::CifarVariant::cifar100) c.expect("coarse_labels", cifar.coarse_labels);
}

io::EventTime event_time(Case& c) { return {c.array("wall_time").span<double>()[0], c.array("step").span<int64_t>()[0]}; }

void tfevents_scalar(Case& c) {
  const auto wall_time = c.array("wall_time").span<double>();
  const auto step = c.array("step").span<int64_t>();
  const auto value = c.array("value").span<float>();
  const auto tags = c.texts("tags");
  std::string file = io::version_event(c.array("file_wall_time").span<double>()[0]);
  for (size_t i = 0; i < tags.size(); ++i) file += io::scalar_event(tags[i], value[i], {wall_time[i], step[i]});
  c.expect("bytes", bytes_array(file));
}

void tfevents_image(Case& c) {
  const io::EventImage image{c.integer("height"), c.integer("width"), c.integer("colorspace"), c.array("png").span<uint8_t>()};
  c.expect("bytes", bytes_array(io::image_event(c.text("tag"), image, event_time(c))));
}

void tfevents_histogram(Case& c) {
  const auto stats = c.array("stats").span<double>();
  const auto limit = c.array("bucket_limit").span<double>(), bucket = c.array("bucket").span<double>();
  const io::Histogram h{stats[0], stats[1], stats[2], stats[3], stats[4], {limit.begin(), limit.end()}, {bucket.begin(), bucket.end()}};
  c.expect("bytes", bytes_array(io::histogram_event(c.text("tag"), h, event_time(c))));
}

void tensorboard_histogram(Case& c) {
  const auto h = io::tensorboard_histogram(c.array("values").span<double>());
  c.expect("bucket_limit", list(h.bucket_limit));
  c.expect("bucket", list(h.bucket));
  c.expect("stats", list(std::vector<double>{h.min, h.max, h.num, h.sum, h.sum_squares}));
}

void tfevents_read(Case& c) {
  std::vector<double> wall_time;
  std::vector<int64_t> step;
  std::vector<float> value;
  Strings tags;
  for (const auto& s : io::read_scalars(bytes_of(c.array("bytes")), c.name())) {
    wall_time.push_back(s.wall_time);
    step.push_back(s.step);
    value.push_back(s.value);
    tags.add(s.tag);
  }
  c.expect("wall_time", list(wall_time));
  c.expect("step", list(step));
  c.expect("value", list(value));
  tags.expect(c, "tags", "tag_offsets");
}

void tfrecord_read(Case& c) {
  const io::TfRecordOptions options{.compression = io::compression_named(c.text("compression")),
                                    .verify_crc = c.flag("verify_crc"),
                                    .stop_on_error = c.text("on_error") == "stop"};
  io::TfRecordReader reader(bytes_of(c.array("bytes")), c.name(), options);
  Strings records;
  while (const auto record = reader.next()) records.add(record->view);
  records.expect(c, "data", "offsets");
}

void tf_example_decode(Case& c) {
  const auto example = io::decode_example(bytes_of(c.array("bytes")), c.name());
  for (const auto& [key, feature] : example.features) {
    const std::string name(key);
    c.expect(name + "/kind", list(std::vector<int64_t>{int64_t(feature.index())}));
    if (const auto* floats = std::get_if<std::vector<float>>(&feature)) c.expect(name + "/values", list(*floats));
    if (const auto* integers = std::get_if<std::vector<int64_t>>(&feature)) c.expect(name + "/values", list(*integers));
    if (const auto* all = std::get_if<std::vector<std::span<const uint8_t>>>(&feature)) {
      Strings strings;
      for (const auto& bytes : *all) strings.add(bytes);
      strings.expect(c, name + "/data", name + "/offsets");
    }
  }
}

void tar_list(Case& c) {
  io::TarReader tar(bytes_of(c.array("bytes")), c.name());
  Strings names;
  std::vector<int64_t> sizes, offsets;
  std::string types;
  while (const auto member = tar.next()) {
    names.add(member->name);
    sizes.push_back(int64_t(member->size));
    types += member->type;
    offsets.push_back(int64_t(member->offset));
  }
  names.expect(c, "names", "name_offsets");
  c.expect("sizes", list(sizes));
  c.expect("types", bytes_array(types));
  c.expect("data_offsets", list(offsets));
}

void webdataset_group(Case& c) {
  io::WebDatasetReader shard(bytes_of(c.array("bytes")), c.name());
  Strings keys, extensions, data;
  std::vector<int64_t> field_sample;
  for (int64_t i = 0; const auto sample = shard.next(); ++i) {
    keys.add(sample->key);
    for (const auto& field : sample->fields) {
      field_sample.push_back(i);
      extensions.add(field.extension);
      data.add(shard.bytes(field).view);
    }
  }
  keys.expect(c, "keys", "key_offsets");
  c.expect("field_sample", list(field_sample));
  extensions.expect(c, "extensions", "extension_offsets");
  data.expect(c, "data", "data_offsets");
}

void philox4x32_words(Case& c) {
  const Array &counter = c.array("counter"), &key = c.array("key");
  const auto counters = counter.span<int64_t>(), keys = key.span<int64_t>();
  const int64_t n = counter.shape()[0];
  Array words(DType::i64, {n, 4});
  const auto word32 = [](int64_t value) {
    if (value < 0 || value > UINT32_MAX) throw Error(fmt::format("{} is no 32-bit word", value));
    return uint32_t(value);
  };
  for (size_t i = 0; i < size_t(n); ++i) {
    std::array<uint32_t, 4> block;
    for (size_t lane = 0; lane < 4; ++lane) block[lane] = word32(counters[4 * i + lane]);
    const auto result = philox4x32(block, {word32(keys[2 * i]), word32(keys[2 * i + 1])});
    for (size_t lane = 0; lane < 4; ++lane) words.mutable_span<int64_t>()[4 * i + lane] = result[lane];
  }
  c.expect("words", words);
}

uint64_t seed_of(Case& c) {
  if (!c.options().at("seed").is_string()) return uint64_t(c.integer("seed"));
  const std::string text = c.text("seed");
  uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc() || end != text.data() + text.size()) throw Error(fmt::format("the seed '{}' is no number of 64 bits", text));
  return seed;
}

void philox_stream(Case& c) {
  const auto ids = c.array("ids").span<int64_t>(), copies = c.array("copy").span<int64_t>();
  const int64_t n = int64_t(ids.size()), count = c.integer("count"), pairs = (count + 1) / 2;
  const uint64_t bound = uint64_t(c.integer("bound"));
  Array words(DType::i64, {n, count}), uniform(DType::f32, {n, count}), below(DType::i64, {n, count}), normal(DType::f64, {n, count});
  Array uniform64(DType::f64, {n, pairs});
  for (int64_t row = 0; row < n; ++row) {
    const auto key = random_key(seed_of(c), c.integer("epoch"), ids[size_t(row)], c.integer("purpose"), copies[size_t(row)]);
    RandomStream word(key), real(key), whole(key), wide(key), gauss(key);
    for (int64_t i = 0; i < count; ++i) {
      const size_t at = size_t(row * count + i);
      words.mutable_span<int64_t>()[at] = word.next();
      uniform.mutable_span<float>()[at] = real.uniform();
      below.mutable_span<int64_t>()[at] = int64_t(whole.below(bound));
    }
    for (int64_t i = 0; i < pairs; ++i) {
      uniform64.mutable_span<double>()[size_t(row * pairs + i)] = wide.uniform64();
      const auto pair = gauss.normal_pair();
      for (int64_t k = 0; k < 2 && 2 * i + k < count; ++k) normal.mutable_span<double>()[size_t(row * count + 2 * i + k)] = pair[size_t(k)];
    }
  }
  c.expect("words", words);
  c.expect("uniform", uniform);
  c.expect("below", below);
  c.expect("normal", normal);
  c.expect("uniform64", uniform64);
}

void philox_permutation(Case& c) {
  const auto key = random_key(seed_of(c), c.integer("epoch"), c.integer("id"), c.integer("purpose"), 0);
  c.expect("permutation", list(permutation(c.integer("size"), key)));
}

data::ShardMode shard_mode(const std::string& mode) {
  if (mode == "none") return data::ShardMode::none;
  if (mode == "drop") return data::ShardMode::drop;
  if (mode == "pad") return data::ShardMode::pad;
  throw Error(fmt::format("the mode '{}' is unknown", mode));
}

void shard_assign(Case& c) {
  const int64_t ranks = c.integer("world_size"), workers = c.integer("num_workers");
  data::Shard shard{.world_size = ranks, .num_workers = workers, .mode = shard_mode(c.text("mode"))};
  // One call also where there is no rank: it must refuse.
  for (int64_t i = 0; i < std::max<int64_t>(ranks * workers, 1); ++i) {
    if (workers > 0) shard.rank = i / workers, shard.worker = i % workers;
    const auto items = data::shard_assign(c.integer("num_items"), shard, seed_of(c), c.integer("epoch"), c.flag("shuffle"));
    c.expect(fmt::format("rank{}_worker{}", shard.rank, shard.worker), items);
  }
}

}  // namespace

OpTable io_ops() {
  return {{"io.crc32c", crc32c},
          {"io.safetensors_read", safetensors_read},
          {"io.npy_read", npy_read},
          {"io.npz_read", npz_read},
          {"io.idx_read", idx_read},
          {"io.cifar_bin", cifar_bin},
          {"io.tfevents_scalar", tfevents_scalar},
          {"io.tfevents_image", tfevents_image},
          {"io.tfevents_histogram", tfevents_histogram},
          {"io.tensorboard_histogram", tensorboard_histogram},
          {"io.tfevents_read", tfevents_read},
          {"io.tfrecord_read", tfrecord_read},
          {"io.tf_example_decode", tf_example_decode},
          {"io.tar_list", tar_list},
          {"io.webdataset_group", webdataset_group},
          {"io.philox4x32", philox4x32_words},
          {"io.philox_stream", philox_stream},
          {"io.philox_permutation", philox_permutation},
          {"io.shard_assign", shard_assign}};
}

}  // namespace zoo::reference
