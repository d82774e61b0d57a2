// Arrays of every type with fixed pseudo-random contents.
#pragma once

#include <libzoo/core/array.h>
#include <libzoo/core/random.h>

namespace zoo::test {

inline Array random_array(DType type, std::vector<int64_t> shape, uint64_t seed) {
  Array array(type, std::move(shape));
  RandomStream random({.seed = seed});
  for (size_t i = 0; i < array.bytes(); ++i) array.mutable_data()[i] = std::byte(random.below(type == DType::boolean ? 2 : 256));
  return array;
}

constexpr DType kEveryType[] = {DType::f64, DType::f32, DType::f16, DType::bf16, DType::i64,     DType::i32,     DType::i16,    DType::i8,
                                DType::u64, DType::u32, DType::u16, DType::u8,   DType::boolean, DType::f8_e4m3, DType::f8_e5m2};

// One array of odd size for each type, so that what follows is badly aligned where a format packs tightly; and the edges.
inline Arrays arrays_of_every_type() {
  Arrays arrays;
  for (DType type : kEveryType) arrays.emplace("block." + std::string(name(type)), random_array(type, {3, 5}, uint64_t(type)));
  arrays.emplace("scalar", random_array(DType::f32, {}, 100));
  arrays.emplace("empty", Array(DType::f64, {4, 0, 2}));
  return arrays;
}

inline bool same(const Array& a, const Array& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && (a.size() == 0 || std::memcmp(a.data(), b.data(), a.bytes()) == 0);
}

inline bool same(const Arrays& a, const Arrays& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [name, array] : a) {
    if (!b.contains(name) || !same(array, b.at(name))) return false;
  }
  return true;
}

}  // namespace zoo::test
