// Containers of records: TFRecord and what lies in it, tar and WebDataset.
#include "test/fuzz/targets.h"

#include <libzoo/core/error.h>
#include <libzoo/io/crc32c.h>
#include <libzoo/io/proto.h>
#include <libzoo/io/tar.h>
#include <libzoo/io/tf_checkpoint.h>
#include <libzoo/io/tf_example.h>
#include <libzoo/io/tfevents.h>
#include <libzoo/io/tfrecord.h>
#include <libzoo/io/webdataset.h>

#include <fmt/format.h>

#include <cstring>

namespace zoo::fuzz {
namespace {

const std::string kName = "input";

// Goes on after a refusal, so that one input goes through several readers. The last refusal decides.
class Several {
 public:
  template <class Parse>
  void parse(Parse parse) {
    try {
      parse();
    } catch (const Error&) {
      refusal_ = std::current_exception();
    }
  }
  void finish() const {
    if (refusal_) std::rethrow_exception(refusal_);
  }

 private:
  std::exception_ptr refusal_;
};

// The payloads of the records, and the records around changed ones, with right checksums.
std::vector<Input> open_records(const Input& input) {
  io::TfRecordReader reader(file_of(input), kName, {.verify_crc = false, .stop_on_error = true});
  std::vector<Input> parts;
  while (const auto record = reader.next()) parts.emplace_back(record->view.begin(), record->view.end());
  return parts;
}

Input close_records(const std::vector<Input>& parts) {
  Input result;
  const auto put = [&](std::span<const uint8_t> bytes) { result.insert(result.end(), bytes.begin(), bytes.end()); };
  for (const auto& part : parts) {
    put(io::tfrecord_header(part.size()));
    put(part);
    put(io::tfrecord_footer(part));
  }
  return result;
}

std::vector<Input> event_files() {
  const std::vector<double> values{0.0, 1.5, -2.0, 1e-3};
  const Input png(40, 7);
  const std::string file =
      io::version_event(1.5) + io::scalar_event("loss", 0.25f, {2.0, 1}) + io::image_event("picture", {2, 2, 3, png}, {2.5, 2}) +
      io::histogram_event("weights", io::tensorboard_histogram(values), {3.0, -1}) + io::text_event("note", "text", {4.0, 4});
  return {to_input(file)};
}

void parse_events(std::span<const uint8_t> input) {
  for (const auto& event : io::read_scalars(file_of(input), kName)) consume(event.tag);
}

std::vector<Input> record_files() {
  const Input plain = close_records({Input(), Input(5, 1), Input(300, 2), Input(40'000, 3)});
  return {plain, compressed(plain, io::Framing::gzip), compressed(plain, io::Framing::zlib)};
}

void parse_records(std::span<const uint8_t> input) {
  const auto read = [&](io::TfRecordOptions options) {
    io::TfRecordReader reader(file_of(input), kName, options);
    while (const auto record = reader.next()) consume(record->view);
  };
  read({.stop_on_error = true});
  Several ways;
  // The first bytes decide what it can be.
  if (!input.empty() && input[0] == 0x1f) {
    ways.parse([&] { read({.compression = io::Compression::gzip}); });
  } else if (!input.empty() && input[0] == 0x78) {
    ways.parse([&] { read({.compression = io::Compression::zlib, .verify_crc = false}); });
  } else {
    ways.parse([&] { read({}); });
    ways.parse([&] {
      const io::TfRecordFile file(file_of(input), kName, false);
      for (int64_t i = file.size(); i-- > 0;) consume(file.record(i).view);
    });
  }
  ways.finish();
}

std::vector<Input> examples() {
  const Input image(60, 9);
  const std::vector<std::span<const uint8_t>> images{image, {}};
  const io::TfFeatures features{
      {"image/encoded", images}, {"label", std::vector<int64_t>{-1, 0, 300}}, {"box", std::vector<float>{0, 1.5f}}, {"none", {}}};
  io::TfSequenceExample sequence{.context = features, .lists = {}, .record = {}};
  sequence.lists["frames"] = {features.at("image/encoded"), features.at("label"), features.at("none")};
  return {to_input(io::encode_example(features)), to_input(io::encode_sequence_example(sequence))};
}

void consume_feature(const io::TfFeature& feature) {
  if (const auto* all = std::get_if<1>(&feature)) {
    for (auto bytes : *all) consume(bytes);
  } else if (const auto* floats = std::get_if<2>(&feature)) {
    consume(std::span(reinterpret_cast<const uint8_t*>(floats->data()), floats->size() * sizeof(float)));
  } else if (const auto* integers = std::get_if<3>(&feature)) {
    consume(std::span(reinterpret_cast<const uint8_t*>(integers->data()), integers->size() * sizeof(int64_t)));
  }
}

// What is read, written and read again, must be the same.
void expect_stable(const std::string& once, const std::string& twice) {
  if (once != twice) throw std::logic_error("a message changes when it is written and read again");
}

void parse_example(std::span<const uint8_t> input) {
  Several ways;
  ways.parse([&] {
    const auto example = io::decode_example(file_of(input), kName);
    for (const auto& [name, feature] : example.features) consume(name), consume_feature(feature);
    const std::string once = io::encode_example(example.features);
    expect_stable(once, io::encode_example(io::decode_example(io::Bytes::borrow(io::view_bytes(once)), kName).features));
  });
  ways.parse([&] {
    const auto example = io::decode_sequence_example(file_of(input), kName);
    for (const auto& [name, feature] : example.context) consume(name), consume_feature(feature);
    for (const auto& [name, list] : example.lists) {
      consume(name);
      for (const auto& feature : list) consume_feature(feature);
    }
    const std::string once = io::encode_sequence_example(example);
    expect_stable(once, io::encode_sequence_example(io::decode_sequence_example(io::Bytes::borrow(io::view_bytes(once)), kName)));
  });
  ways.finish();
}

// A header by hand, of any type.
std::string tar_block(const std::string& name, char type, size_t size) {
  std::string header = io::tar_header(name, size);
  header[156] = type;
  return header;
}

std::string tar_padded(std::string payload) {
  payload.resize((payload.size() + 511) / 512 * 512);
  return payload;
}

// Blocks, headers among them with right checksums.
Input close_tar(const std::vector<Input>& parts) {
  Input result;
  for (Input block : parts) {
    block.resize(512);
    if (std::memcmp(block.data() + 257, "ustar", 5) == 0) {
      std::fill_n(block.begin() + 148, 8, ' ');
      unsigned sum = 0;
      for (uint8_t byte : block) sum += byte;
      const std::string digits = fmt::format("{:06o}", sum);
      std::copy(digits.begin(), digits.end(), block.begin() + 148);
      block[154] = 0;
    }
    result.insert(result.end(), block.begin(), block.end());
  }
  return result;
}

std::vector<Input> open_tar(const Input& input) {
  std::vector<Input> blocks;
  for (size_t at = 0; at < input.size(); at += 512)
    blocks.emplace_back(input.begin() + int64_t(at), input.begin() + int64_t(std::min(at + 512, input.size())));
  return blocks;
}

std::vector<Input> archives() {
  const std::string pax = "28 path=some/where/a.longer\n9 size=5\n30 mtime=1350244992.023960108\n";
  const std::string file = tar_block("pax", 'x', pax.size()) + tar_padded(pax) + tar_block("a.jpg", '0', 5) + tar_padded("12345") +
                           tar_block("L", 'L', 150) + tar_padded(std::string(149, 'l')) + tar_block("b", '0', 600) +
                           tar_padded(std::string(600, 'b')) + tar_block("dir", '5', 0) + tar_block("link", '2', 0) +
                           tar_block("g", 'g', 11) + tar_padded("11 key=val\n") + io::tar_header("s/0.jpg", 3) + tar_padded("jpg") +
                           io::tar_header("s/0.cls", 1) + tar_padded("7") + io::tar_header(std::string(120, 'x') + "/" + "y.txt", 0) +
                           io::tar_header(std::string(300, 'z'), 1) + tar_padded("z") + std::string(1024, '\0');
  return {close_tar(open_tar(to_input(file)))};
}

void parse_tar(std::span<const uint8_t> input) {
  io::TarReader tar(file_of(input), kName);
  Several ways;
  ways.parse([&] {
    while (const auto member = tar.next()) {
      consume(member->name);
      consume(tar.payload(*member).view);
    }
  });
  ways.parse([&] {
    io::WebDatasetReader shard(file_of(input), kName);
    while (const auto sample = shard.next()) {
      consume(sample->key);
      for (const auto& field : sample->fields) consume(field.extension), consume(shard.bytes(field).view);
    }
  });
  ways.finish();
}

// An index and its data file in one input, with the length of the index in front; and, around what was changed in a block, right
// checksums.
void put_varint(Input& to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) to.push_back(uint8_t(value | 0x80));
  to.push_back(uint8_t(value));
}

template <class T>
void put_little(Input& to, T value) {
  for (size_t i = 0; i < sizeof value; ++i) to.push_back(uint8_t(value >> 8 * i));
}

Input handle_of(uint64_t offset, uint64_t size) {
  Input handle;
  put_varint(handle, offset);
  put_varint(handle, size);
  return handle;
}

Input entry_of(std::string_view key, std::span<const uint8_t> value) {
  Input entry;
  put_varint(entry, 0);
  put_varint(entry, key.size());
  put_varint(entry, value.size());
  entry.insert(entry.end(), key.begin(), key.end());
  entry.insert(entry.end(), value.begin(), value.end());
  return entry;
}

// parts: the block of entries without its restarts, and the data.
Input close_tf_checkpoint(const std::vector<Input>& parts) {
  Input index;
  const auto put_block = [&](Input block) {
    const Input handle = [&] {
      put_little<uint32_t>(block, 0);
      put_little<uint32_t>(block, 1);
      return handle_of(index.size(), block.size());
    }();
    block.push_back(0);
    index.insert(index.end(), block.begin(), block.end());
    put_little(index, io::mask_crc(io::crc32c(std::span<const uint8_t>(block))));
    return handle;
  };
  const Input entries = put_block(parts[0]), meta = put_block({}), blocks = put_block(entry_of("~", entries));
  Input footer = meta;
  footer.insert(footer.end(), blocks.begin(), blocks.end());
  footer.resize(40);
  put_little<uint64_t>(footer, 0xdb4775248b80fb57);
  index.insert(index.end(), footer.begin(), footer.end());
  Input file;
  put_little(file, uint32_t(index.size()));
  file.insert(file.end(), index.begin(), index.end());
  file.insert(file.end(), parts[1].begin(), parts[1].end());
  return file;
}

std::pair<std::span<const uint8_t>, std::span<const uint8_t>> index_and_data(std::span<const uint8_t> input) {
  uint32_t length = 0;
  if (input.size() < 4) return {};
  std::memcpy(&length, input.data(), 4);
  const auto rest = input.subspan(4);
  const auto index = rest.first(std::min<size_t>(length, rest.size()));
  return {index, rest.subspan(index.size())};
}

// Of files as close_tf_checkpoint writes them: their first block, which the footer's second handle leads to, begins at 0.
std::vector<Input> open_tf_checkpoint(const Input& input) {
  const auto [index, data] = index_and_data(input);
  const std::string_view text(reinterpret_cast<const char*>(index.data()), index.size());
  const size_t restarts = text.find(std::string_view("\0\0\0\0\1\0\0\0\0", 9));
  if (restarts == text.npos) return {};
  return {Input(index.begin(), index.begin() + int64_t(restarts)), Input(data.begin(), data.end())};
}

std::vector<Input> tf_checkpoints() {
  const Input values(24, 7);
  io::ProtoWriter header, side, shape, tensor, scalar;
  header.varint(1, 1);
  side.varint(1, 3);
  shape.message(2, side);
  side.varint(1, 2);
  shape.message(2, side);
  tensor.varint(1, 1);
  tensor.message(2, shape);
  tensor.varint(5, 24);
  const uint32_t checksum = io::mask_crc(io::crc32c(std::span<const uint8_t>(values)));
  float as_float;
  std::memcpy(&as_float, &checksum, 4);
  tensor.fixed32(6, as_float);
  Input entries = entry_of("", io::view_bytes(header.text()));
  const Input more = entry_of("layer/kernel", io::view_bytes(tensor.text()));
  entries.insert(entries.end(), more.begin(), more.end());
  return {close_tf_checkpoint({entries, values})};
}

void parse_tf_checkpoint(std::span<const uint8_t> input) {
  const auto [index, data] = index_and_data(input);
  for (const auto& [name, array] : io::read_tf_checkpoint(file_of(index), kName, file_of(data), kName)) consume(name), consume(array);
}

}  // namespace

std::vector<Target> record_targets() {
  return {
      {.name = "tfevents",
       .parse = parse_events,
       .seeds = event_files,
       .case_op = "io.tfevents_read",
       .open = open_records,
       .close = close_records},
      {.name = "tfrecord",
       .parse = parse_records,
       .seeds = record_files,
       .case_op = "io.tfrecord_read",
       .open = open_records,
       .close = close_records},
      {.name = "tf_checkpoint",
       .parse = parse_tf_checkpoint,
       .seeds = tf_checkpoints,
       .open = open_tf_checkpoint,
       .close = close_tf_checkpoint},
      {.name = "tf_example", .parse = parse_example, .seeds = examples, .case_op = "io.tf_example_decode"},
      {.name = "tar", .parse = parse_tar, .seeds = archives, .case_op = "io.tar_list", .open = open_tar, .close = close_tar},
  };
}

}  // namespace zoo::fuzz
