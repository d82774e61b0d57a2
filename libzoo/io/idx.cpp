#include <libzoo/core/error.h>
#include <libzoo/io/array_view.h>
#include <libzoo/io/byte_reader.h>
#include <libzoo/io/gzip.h>
#include <libzoo/io/idx.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zoo::io {
namespace {

DType type_of(uint8_t code, const ByteReader& r) {
  switch (code) {
    case 0x08: return DType::u8;
    case 0x09: return DType::i8;
    case 0x0B: return DType::i16;
    case 0x0C: return DType::i32;
    case 0x0D: return DType::f32;
    case 0x0E: return DType::f64;
  }
  r.fail(fmt::format("IDX type {:#04x} is unknown", code));
}

Array parse(const Bytes& file, const std::string& where) {
  ByteReader r(file.view, where);
  if (r.little<uint16_t>("the magic number") != 0) r.fail("no IDX file: it does not begin with two zero bytes");
  const DType dtype = type_of(r.byte("the type"), r);
  std::vector<int64_t> shape(r.byte("the number of dimensions"));
  for (auto& size : shape) size = r.big<uint32_t>("a dimension");
  int64_t items = 0;
  try {
    items = count(shape, item_size(dtype));
  } catch (const Error& error) {
    r.fail(error.what());
  }
  const uint64_t bytes = uint64_t(items) * item_size(dtype);
  if (bytes != r.left())
    r.fail(fmt::format("{} [{}] takes {} bytes, the file holds {}", name(dtype), fmt::join(shape, ", "), bytes, r.left()));
  MemoryBudget budget(file.size(), where);
  return make_array(dtype, std::move(shape), r.take(bytes, "the data"), file.owner, budget, true);
}

}  // namespace

Array read_idx(const Bytes& file, const std::string& where) { return parse(is_gzip(file.view) ? gunzip(file, where) : file, where); }

}  // namespace zoo::io
