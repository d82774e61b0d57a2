// A typed n-dimensional array in row-major order: what files hold and what State carries. No arithmetic, no LibTorch;
// <libzoo/io/tensor.h> turns it into a tensor without a copy where alignment allows, and back.
//
//   zoo::Array a = zoo::Array::of<float>({2, 3}, values);   // owns a copy
//   for (float v : a.span<float>()) …
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zoo {

enum class DType : uint8_t { f64, f32, f16, bf16, i64, i32, i16, i8, u64, u32, u16, u8, boolean, f8_e4m3, f8_e5m2 };

size_t item_size(DType type);            // bytes
std::string_view name(DType type);       // safetensors' names: "F32", "BF16", "BOOL" …
template <class T>
constexpr DType dtype_of();

// Product of the dimensions. Throws Error if one is negative or the product, times `item`, does not fit 63 bits.
int64_t count(std::span<const int64_t> shape, size_t item = 1);

class Array {
 public:
  Array() = default;  // F32, shape [0]
  // Zero-filled.
  Array(DType type, std::vector<int64_t> shape);
  // A view of `data`, which holds count(shape) items and lives as long as `owner`.
  Array(DType type, std::vector<int64_t> shape, const void* data, std::shared_ptr<const void> owner);

  template <class T>
  static Array of(std::vector<int64_t> shape, std::span<const T> values);
  template <class T>
  static Array scalar(T value) {
    return of<T>({}, std::span<const T>(&value, 1));
  }
  static Array text(std::string_view utf8);  // U8, rank 1

  DType dtype() const { return dtype_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  int64_t size() const { return size_; }                       // items
  size_t bytes() const { return size_t(size_) * item_size(dtype_); }
  const std::byte* data() const { return data_; }
  const std::shared_ptr<const void>& owner() const { return owner_; }
  std::byte* mutable_data();                                   // throws Error on a view of foreign memory
  bool aligned() const { return reinterpret_cast<uintptr_t>(data_) % item_size(dtype_) == 0; }

  // Throws Error if T is not the dtype's type or the data is not aligned for it.
  template <class T>
  std::span<const T> span() const;
  template <class T>
  std::span<T> mutable_span();

 private:
  void require(DType wanted) const;
  [[noreturn]] static void refuse_count(int64_t wanted, int64_t given);

  DType dtype_ = DType::f32;
  std::vector<int64_t> shape_{0};
  int64_t size_ = 0;
  const std::byte* data_ = nullptr;
  std::byte* writable_ = nullptr;
  std::shared_ptr<const void> owner_;
};

using Arrays = std::map<std::string, Array>;

template <>
constexpr DType dtype_of<double>() {
  return DType::f64;
}
template <>
constexpr DType dtype_of<float>() {
  return DType::f32;
}
template <>
constexpr DType dtype_of<int64_t>() {
  return DType::i64;
}
template <>
constexpr DType dtype_of<int32_t>() {
  return DType::i32;
}
template <>
constexpr DType dtype_of<int16_t>() {
  return DType::i16;
}
template <>
constexpr DType dtype_of<int8_t>() {
  return DType::i8;
}
template <>
constexpr DType dtype_of<uint64_t>() {
  return DType::u64;
}
template <>
constexpr DType dtype_of<uint32_t>() {
  return DType::u32;
}
template <>
constexpr DType dtype_of<uint16_t>() {
  return DType::u16;
}
template <>
constexpr DType dtype_of<uint8_t>() {
  return DType::u8;
}
template <>
constexpr DType dtype_of<bool>() {
  return DType::boolean;
}

template <class T>
Array Array::of(std::vector<int64_t> shape, std::span<const T> values) {
  Array array(dtype_of<T>(), std::move(shape));
  auto to = array.mutable_span<T>();
  if (to.size() != values.size()) refuse_count(array.size(), int64_t(values.size()));
  std::copy(values.begin(), values.end(), to.begin());
  return array;
}

template <class T>
std::span<const T> Array::span() const {
  require(dtype_of<T>());
  return {reinterpret_cast<const T*>(data_), size_t(size_)};
}

template <class T>
std::span<T> Array::mutable_span() {
  require(dtype_of<T>());
  return {reinterpret_cast<T*>(mutable_data()), size_t(size_)};
}

}  // namespace zoo
