#include <libzoo/io/array_view.h>

#include <algorithm>

namespace zoo::io {
namespace {

void swap_items(std::byte* data, size_t bytes, size_t item) {
  for (size_t i = 0; i + item <= bytes; i += item) std::reverse(data + i, data + i + item);
}

void normalise_truth(std::byte* data, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) data[i] = std::byte{data[i] != std::byte{0}};
}

bool is_clean_truth(std::span<const uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b <= 1; });
}

void finish(Array& array, bool big_endian) {
  const size_t item = item_size(array.dtype());
  if (big_endian && item > 1) swap_items(array.mutable_data(), array.bytes(), item);
  if (array.dtype() == DType::boolean) normalise_truth(array.mutable_data(), array.bytes());
}

template <size_t item>
void copy_run(std::byte* to, const uint8_t* from, int64_t n, int64_t stride) {
  for (int64_t i = 0; i < n; ++i) std::memcpy(to + size_t(i) * item, from + size_t(i * stride) * item, item);
}

void copy_run(size_t item, std::byte* to, const uint8_t* from, int64_t n, int64_t stride) {
  if (stride == 1) {
    std::memcpy(to, from, size_t(n) * item);
  } else if (item == 1) {
    copy_run<1>(to, from, n, stride);
  } else if (item == 2) {
    copy_run<2>(to, from, n, stride);
  } else if (item == 4) {
    copy_run<4>(to, from, n, stride);
  } else {
    copy_run<8>(to, from, n, stride);
  }
}

bool is_row_major(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides) {
  int64_t expected = 1;
  for (size_t axis = shape.size(); axis-- > 0;) {
    if (shape[axis] != 1 && strides[axis] != expected) return false;
    expected *= shape[axis];
  }
  return true;
}

}  // namespace

Array make_array(DType type, std::vector<int64_t> shape, std::span<const uint8_t> bytes, const std::shared_ptr<const void>& owner,
                 MemoryBudget& budget, bool big_endian) {
  const size_t item = item_size(type);
  const bool usable = owner && reinterpret_cast<uintptr_t>(bytes.data()) % item == 0 && !(big_endian && item > 1) &&
                      !(type == DType::boolean && !is_clean_truth(bytes));
  if (usable && !bytes.empty()) return Array(type, std::move(shape), bytes.data(), owner);
  budget.spend(bytes.size(), "a copy of an array");
  Array array(type, std::move(shape));
  if (!bytes.empty()) std::memcpy(array.mutable_data(), bytes.data(), bytes.size());
  finish(array, big_endian);
  return array;
}

Array make_strided_array(DType type, std::vector<int64_t> shape, const std::vector<int64_t>& strides, std::span<const uint8_t> bytes,
                         const std::shared_ptr<const void>& owner, MemoryBudget& budget, bool big_endian) {
  const size_t item = item_size(type);
  const int64_t items = count(shape, item);
  if (items == 0 || is_row_major(shape, strides)) {
    return make_array(type, std::move(shape), bytes.first(size_t(items) * item), owner, budget, big_endian);
  }
  budget.spend(uint64_t(items) * item, "an array");
  Array array(type, std::move(shape));
  const auto& sizes = array.shape();
  const size_t last = sizes.size() - 1;
  std::vector<int64_t> index(sizes.size(), 0);
  std::byte* to = array.mutable_data();
  int64_t from = 0;
  for (int64_t done = 0; done < items; done += sizes[last]) {
    copy_run(item, to, bytes.data() + size_t(from) * item, sizes[last], strides[last]);
    to += size_t(sizes[last]) * item;
    for (size_t axis = last; axis-- > 0;) {
      from += strides[axis];
      if (++index[axis] < sizes[axis]) break;
      from -= strides[axis] * sizes[axis];
      index[axis] = 0;
    }
  }
  finish(array, big_endian);
  return array;
}

}  // namespace zoo::io
