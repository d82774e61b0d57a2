#include <libzoo/core/array.h>
#include <libzoo/core/error.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zoo {

size_t item_size(DType type) {
  switch (type) {
    case DType::f64:
    case DType::i64:
    case DType::u64: return 8;
    case DType::f32:
    case DType::i32:
    case DType::u32: return 4;
    case DType::f16:
    case DType::bf16:
    case DType::i16:
    case DType::u16: return 2;
    case DType::i8:
    case DType::u8:
    case DType::boolean:
    case DType::f8_e4m3:
    case DType::f8_e5m2: return 1;
  }
  throw Error(fmt::format("dtype number {} is unknown", int(type)));
}

std::string_view name(DType type) {
  switch (type) {
    case DType::f64: return "F64";
    case DType::f32: return "F32";
    case DType::f16: return "F16";
    case DType::bf16: return "BF16";
    case DType::i64: return "I64";
    case DType::i32: return "I32";
    case DType::i16: return "I16";
    case DType::i8: return "I8";
    case DType::u64: return "U64";
    case DType::u32: return "U32";
    case DType::u16: return "U16";
    case DType::u8: return "U8";
    case DType::boolean: return "BOOL";
    case DType::f8_e4m3: return "F8_E4M3";
    case DType::f8_e5m2: return "F8_E5M2";
  }
  throw Error(fmt::format("dtype number {} is unknown", int(type)));
}

int64_t count(std::span<const int64_t> shape, size_t item) {
  int64_t product = 1;
  bool empty = false, overflow = false;
  for (int64_t size : shape) {
    if (size < 0) throw Error(fmt::format("shape [{}] has a negative dimension", fmt::join(shape, ", ")));
    if (size == 0)
      empty = true;
    else
      overflow = overflow || __builtin_mul_overflow(product, size, &product);
  }
  int64_t bytes;
  if (overflow || __builtin_mul_overflow(product, int64_t(item), &bytes)) {
    throw Error(fmt::format("shape [{}] is too large to be addressed", fmt::join(shape, ", ")));
  }
  return empty ? 0 : product;
}

Array::Array(DType type, std::vector<int64_t> shape) : dtype_(type), shape_(std::move(shape)), size_(count(shape_, item_size(type))) {
  auto buffer = std::shared_ptr<std::byte[]>(new std::byte[std::max<size_t>(bytes(), 1)]());
  writable_ = buffer.get();
  data_ = writable_;
  owner_ = std::shared_ptr<const void>(buffer, writable_);
}

Array::Array(DType type, std::vector<int64_t> shape, const void* data, std::shared_ptr<const void> owner)
    : dtype_(type),
      shape_(std::move(shape)),
      size_(count(shape_, item_size(type))),
      data_(static_cast<const std::byte*>(data)),
      owner_(std::move(owner)) {}

Array Array::text(std::string_view utf8) {
  return of<uint8_t>({int64_t(utf8.size())}, {reinterpret_cast<const uint8_t*>(utf8.data()), utf8.size()});
}

std::byte* Array::mutable_data() {
  if (size_ > 0 && !writable_) throw Error("this array is a read-only view");
  return writable_;
}

void Array::require(DType wanted) const {
  if (dtype_ != wanted) throw Error(fmt::format("array holds {}, {} was asked for", name(dtype_), name(wanted)));
  if (!aligned()) throw Error(fmt::format("array of {} is not aligned", name(dtype_)));
}

void Array::refuse_count(int64_t wanted, int64_t given) { throw Error(fmt::format("shape needs {} values, {} given", wanted, given)); }

}  // namespace zoo
