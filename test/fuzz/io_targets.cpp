#include "test/fuzz/targets.h"

#include <libzoo/core/random.h>
#include <libzoo/io/cifar.h>
#include <libzoo/io/idx.h>
#include <libzoo/io/npy.h>
#include <libzoo/io/pth.h>
#include <libzoo/io/safetensors.h>
#include <libzoo/io/zip.h>

#include <cstring>

namespace zoo::fuzz {
namespace {

const std::string kName = "input";

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

Input gzipped(const Input& input) { return compressed(input, io::Framing::gzip); }

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
  };
}

}  // namespace zoo::fuzz
