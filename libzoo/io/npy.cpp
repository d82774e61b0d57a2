#include <libzoo/core/error.h>
#include <libzoo/io/array_view.h>
#include <libzoo/io/atomic_file.h>
#include <libzoo/io/npy.h>
#include <libzoo/io/npy_header.h>
#include <libzoo/io/zip.h>

#include <fmt/format.h>

namespace zoo::io {
namespace {

enum class After { allowed, refused };  // bytes after the array

Array parse(const Bytes& file, const std::string& where, After after, MemoryBudget& budget) {
  ByteReader r(file.view, where);
  NpyHeader header = read_npy_header(r);
  uint64_t bytes = 0;
  try {
    bytes = uint64_t(count(header.shape, item_size(header.dtype))) * item_size(header.dtype);
  } catch (const Error& error) {
    r.fail(error.what());
  }
  const auto data = r.take(bytes, "the array");
  if (after == After::refused && r.left() > 0) r.fail(fmt::format("{} bytes after the array", r.left()));
  if (!header.fortran_order) return make_array(header.dtype, std::move(header.shape), data, file.owner, budget, header.big_endian);
  std::vector<int64_t> strides;
  int64_t stride = 1;
  for (int64_t size : header.shape) {
    strides.push_back(stride);
    stride *= bytes == 0 ? 1 : size;
  }
  return make_strided_array(header.dtype, std::move(header.shape), strides, data, file.owner, budget, header.big_endian);
}

std::span<const uint8_t> bytes_of(const Array& array) { return {reinterpret_cast<const uint8_t*>(array.data()), array.bytes()}; }

}  // namespace

Array read_npy(const Bytes& file, const std::string& where) {
  MemoryBudget budget(file.size(), where);
  return parse(file, where, After::allowed, budget);
}

Arrays read_npz(const Bytes& file, const std::string& where) {
  constexpr std::string_view suffix = ".npy";
  ZipReader zip(file, where);
  Arrays arrays;
  for (const auto& entry : zip.entries()) {
    const std::string key = entry.name.ends_with(suffix) ? entry.name.substr(0, entry.name.size() - suffix.size()) : entry.name;
    zip.budget().spend(512, "an array");
    Bytes member = zip.read(entry);
    Array array = parse(member, fmt::format("{}: {}", where, entry.name), After::refused, zip.budget());
    if (!arrays.emplace(key, std::move(array)).second) throw UserError(fmt::format("{}: the archive holds '{}' twice", where, key));
  }
  return arrays;
}

void write_npy(const std::filesystem::path& path, const Array& array) {
  const std::string header = make_npy_header(array.dtype(), array.shape());
  AtomicFile file(path);
  file.write(header);
  file.write(bytes_of(array));
  file.commit();
}

void write_npz(const std::filesystem::path& path, const Arrays& arrays) {
  AtomicFile file(path);
  ZipWriter zip([&](std::span<const uint8_t> bytes) { file.write(bytes); });
  for (const auto& [key, array] : arrays) {
    const std::string header = make_npy_header(array.dtype(), array.shape());
    zip.add(key + ".npy", {{reinterpret_cast<const uint8_t*>(header.data()), header.size()}, bytes_of(array)});
  }
  zip.finish();
  file.commit();
}

}  // namespace zoo::io
