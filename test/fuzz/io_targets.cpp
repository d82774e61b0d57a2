#include "test/fuzz/targets.h"

#include <libzoo/core/random.h>
#include <libzoo/io/cifar.h>
#include <libzoo/io/crc32c.h>
#include <libzoo/io/idx.h>
#include <libzoo/io/npy.h>
#include <libzoo/io/pth.h>
#include <libzoo/io/safetensors.h>
#include <libzoo/io/tfevents.h>
#include <libzoo/io/zip.h>

#include <zlib.h>

#include <cstring>

namespace zoo::fuzz {
namespace {

const std::string kName = "input";

// With an owner, as a mapped file has one: arrays are views where they can be. The input outlives them.
io::Bytes file_of(std::span<const uint8_t> input) {
  static const auto kept = std::make_shared<int>(0);
  return {input, kept};
}

Array numbers(DType type, std::vector<int64_t> shape, uint64_t seed) {
  Array array(type, std::move(shape));
  RandomStream random({.seed = seed});
  for (size_t i = 0; i < array.bytes(); ++i) array.mutable_data()[i] = std::byte(random.below(type == DType::boolean ? 2 : 256));
  return array;
}

Arrays every_type(bool numpy) {
  Arrays arrays;
  for (int i = 0; i <= int(numpy ? DType::boolean : DType::f8_e5m2); ++i) {
    const auto type = DType(i);
    if (numpy && type == DType::bf16) continue;
    arrays.emplace("layer." + std::string(name(type)), numbers(type, {2, 3}, uint64_t(i)));
  }
  arrays.emplace("scalar", Array::scalar(1.5));
  arrays.emplace("empty", Array(DType::f32, {0, 3}));
  return arrays;
}

void consume(const Arrays& arrays) {
  for (const auto& [name, array] : arrays) {
    fuzz::consume(name);
    fuzz::consume(array);
  }
}

// safetensors: the header without its length, and the buffer.
std::vector<Input> open_safetensors(const Input& input) {
  uint64_t length = 0;
  if (input.size() < 8) return {};
  std::memcpy(&length, input.data(), 8);
  if (length > input.size() - 8) return {};
  const auto middle = input.begin() + 8 + int64_t(length);
  return {Input(input.begin() + 8, middle), Input(middle, input.end())};
}

Input close_safetensors(const std::vector<Input>& parts) {
  const uint64_t length = parts[0].size();
  Input result(8);
  std::memcpy(result.data(), &length, 8);
  for (const auto& part : parts) result.insert(result.end(), part.begin(), part.end());
  return result;
}

// Zip archives: the parts are name and contents of each member in turn.
std::vector<Input> open_zip(const Input& input) {
  io::ZipReader zip(file_of(input), kName);
  std::vector<Input> parts;
  for (const auto& entry : zip.entries()) {
    parts.push_back(to_input(entry.name));
    const auto member = zip.read(entry);
    parts.emplace_back(member.view.begin(), member.view.end());
  }
  return parts;
}

Input close_zip(const std::vector<Input>& parts, io::ZipOptions options) {
  Input result;
  io::ZipWriter zip([&](std::span<const uint8_t> bytes) { result.insert(result.end(), bytes.begin(), bytes.end()); }, options);
  for (size_t i = 0; i + 1 < parts.size(); i += 2) {
    const std::string name(parts[i].begin(), parts[i].end());
    zip.add(name.substr(0, 60000), {parts[i + 1]});
  }
  zip.finish();
  return result;
}

Input close_zip64(const std::vector<Input>& parts) { return close_zip(parts, {.alignment = 1, .force_zip64 = true}); }
Input close_plain_zip(const std::vector<Input>& parts) { return close_zip(parts, {}); }

Input gzipped(const Input& input) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  Input result(deflateBound(&z, input.size()));
  z.next_in = const_cast<uint8_t*>(input.data());
  z.avail_in = uInt(input.size());
  z.next_out = result.data();
  z.avail_out = uInt(result.size());
  deflate(&z, Z_FINISH);
  result.resize(z.total_out);
  deflateEnd(&z);
  return result;
}

Input idx_file(uint8_t type, std::vector<uint32_t> dims, size_t bytes) {
  Input input{0, 0, type, uint8_t(dims.size())};
  for (uint32_t d : dims) input.insert(input.end(), {uint8_t(d >> 24), uint8_t(d >> 16), uint8_t(d >> 8), uint8_t(d)});
  for (size_t i = 0; i < bytes; ++i) input.push_back(uint8_t(i * 7));
  return input;
}

Input cifar_file(size_t labels) {
  Input input;
  for (int record = 0; record < 3; ++record) {
    input.insert(input.end(), labels, uint8_t(record));
    input.insert(input.end(), 3072, uint8_t(record * 50));
  }
  return input;
}

std::vector<Input> event_files() {
  const std::vector<double> values{0.0, 1.5, -2.0, 1e-3};
  const Input png(40, 7);
  const std::string file =
      io::version_event(1.5) + io::scalar_event("loss", 0.25f, {2.0, 1}) + io::image_event("picture", {2, 2, 3, png}, {2.5, 2}) +
      io::histogram_event("weights", io::tensorboard_histogram(values), {3.0, -1}) + io::text_event("note", "text", {4.0, 4});
  return {to_input(file)};
}

// The payloads of the records, and the records around changed ones, with right checksums.
std::vector<Input> open_records(const Input& input) {
  std::vector<Input> parts;
  for (size_t at = 0; at + 16 <= input.size();) {
    uint64_t length;
    std::memcpy(&length, input.data() + at, 8);
    if (length > input.size() - at - 16) break;
    parts.emplace_back(input.begin() + int64_t(at) + 12, input.begin() + int64_t(at + 12 + length));
    at += 16 + length;
  }
  return parts;
}

Input close_records(const std::vector<Input>& parts) {
  Input result;
  const auto put = [&](const void* data, size_t n) {
    result.insert(result.end(), static_cast<const uint8_t*>(data), static_cast<const uint8_t*>(data) + n);
  };
  for (const auto& part : parts) {
    const uint64_t length = part.size();
    const uint32_t length_crc = io::mask_crc(io::crc32c(std::span(reinterpret_cast<const uint8_t*>(&length), 8))),
                   crc = io::mask_crc(io::crc32c(part));
    put(&length, 8);
    put(&length_crc, 4);
    put(part.data(), part.size());
    put(&crc, 4);
  }
  return result;
}

void parse_pth(std::span<const uint8_t> input) {
  const auto checkpoint = io::read_pth(file_of(input), kName);
  consume(checkpoint.tensors);
  fuzz::consume(checkpoint.values.dump());
}

void parse_cifar(std::span<const uint8_t> input) {
  // The size decides which of the two it can be.
  const auto variant = input.size() % 3073 == 0 ? io::CifarVariant::cifar10 : io::CifarVariant::cifar100;
  const auto cifar = io::read_cifar(file_of(input), variant, kName);
  fuzz::consume(cifar.images);
  fuzz::consume(cifar.labels);
}

void parse_events(std::span<const uint8_t> input) {
  for (const auto& event : io::read_scalars(file_of(input), kName)) fuzz::consume(event.tag);
}

std::vector<Input> npy_seeds() {
  std::vector<Input> seeds;
  for (const auto& [name, array] : every_type(true)) seeds.push_back(written([&](auto& path) { io::write_npy(path, array); }));
  return seeds;
}

std::vector<Input> npz_seeds() {
  const Input stored = written([](auto& path) { io::write_npz(path, every_type(true)); });
  return {stored, close_zip64(open_zip(stored))};
}

std::vector<Input> idx_seeds() {
  std::vector<Input> seeds{idx_file(0x08, {2, 3, 3}, 18), idx_file(0x0D, {4}, 16), idx_file(0x0B, {2, 2}, 8)};
  seeds.push_back(gzipped(seeds[0]));
  seeds.push_back(gzipped(idx_file(0x08, {100, 28, 28}, 78400)));
  return seeds;
}

}  // namespace

std::vector<Target> io_targets() {
  return {
      {.name = "safetensors",
       .parse = [](auto input) { consume(io::read_safetensors(file_of(input), kName).tensors); },
       .seeds =
           [] {
             return std::vector<Input>{written(
                 [](auto& path) { io::write_safetensors(path, every_type(false), {{"format", "pt"}, {"note", "a \"quoted\" word"}}); })};
           },
       .case_op = "io.safetensors_read",
       .open = open_safetensors,
       .close = close_safetensors},
      {.name = "npy",
       .parse = [](auto input) { fuzz::consume(io::read_npy(file_of(input), kName)); },
       .seeds = npy_seeds,
       .case_op = "io.npy_read"},
      {.name = "npz",
       .parse = [](auto input) { consume(io::read_npz(file_of(input), kName)); },
       .seeds = npz_seeds,
       .case_op = "io.npz_read",
       .open = open_zip,
       .close = close_zip64},
      {.name = "pth",
       .parse = parse_pth,
       .seeds = [] { return std::vector<Input>{written([](auto& path) { io::write_pth(path, every_type(false)); })}; },
       .open = open_zip,
       .close = close_plain_zip},
      {.name = "idx",
       .parse = [](auto input) { fuzz::consume(io::read_idx(file_of(input), kName)); },
       .seeds = idx_seeds,
       .case_op = "io.idx_read",
       .open = [](const Input& input) { return std::vector<Input>{input}; },
       .close = [](const std::vector<Input>& parts) { return gzipped(parts[0]); }},
      {.name = "cifar",
       .parse = parse_cifar,
       .seeds = [] { return std::vector<Input>{cifar_file(1), cifar_file(2)}; },
       .case_op = "io.cifar_bin"},
      {.name = "tfevents",
       .parse = parse_events,
       .seeds = event_files,
       .case_op = "io.tfevents_read",
       .open = open_records,
       .close = close_records},
  };
}

}  // namespace zoo::fuzz
